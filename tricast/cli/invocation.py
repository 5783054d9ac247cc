"""What every command gets: the settings, read when the command first asks for them."""

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import click

from tricast.settings import Settings, load

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


@dataclass
class Invocation:
    """Options of ``tricast`` itself."""

    config: Path | None = None
    debug: bool = False

    @cached_property
    def settings(self) -> Settings:
        """Settings of this process; a ConfigurationError when they are wrong."""
        return load(config=self.config)

    def child_arguments(self) -> list[str]:
        """Return the options that make a child process read the same settings."""
        arguments = [] if self.config is None else ["--config", str(self.config.absolute())]
        return [*arguments, "--debug"] if self.debug else arguments


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call ``stop`` on SIGTERM, SIGINT and SIGHUP of the running loop's process instead of ending it.

    SIGHUP is a terminal that was closed: what was started in it must not stay behind, `nohup` apart.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, *ends()):
        loop.add_signal_handler(number, stop)


def ends() -> tuple[signal.Signals, ...]:
    """Return the signals that end a process beside Ctrl-C: SIGHUP where nobody said that it is to be ignored."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return (signal.SIGTERM,)
    return signal.SIGTERM, signal.SIGHUP


def set_up_logging(*, debug: bool) -> None:
    """Log to stderr; healthy is quiet."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    # aiokafka says each failed connect at ERROR; whoever uses it here says once what that means.
    logging.getLogger("aiokafka").setLevel(logging.INFO if debug else logging.CRITICAL)
