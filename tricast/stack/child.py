"""One child process: started tethered and in its own session, ended with TERM, then KILL."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tricast.stack import tether

TAIL_BYTES = 16 * 1024
"""How much of a log is looked at for its last lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run.

    Attributes:
        name: For people, e.g. ``work kambi``.
        command: Program (absolute path) and arguments.
        environment: Variables that replace or add to this process's own.
        log: File that takes stdout and stderr, appended; ``None`` passes them through.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    log: Path | None = None


def tricast_command(*arguments: str) -> list[str]:
    """Return the command that runs ``tricast`` with ``arguments`` under this interpreter."""
    return [sys.executable, "-m", "tricast", *arguments]


class Child:
    """A running process of a :class:`ChildSpec`."""

    def __init__(self, spec: ChildSpec, process: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self._process = process

    @classmethod
    async def start(cls, spec: ChildSpec) -> "Child":
        """Start the process; the caller must :meth:`stop` it or see it end."""
        # Its own session: Ctrl-C in a terminal goes to the whole group, and the order of stopping is ours to give.
        command = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *spec.command]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **spec.environment}
        with contextlib.ExitStack() as stack:
            log = None
            if spec.log is not None:
                spec.log.parent.mkdir(parents=True, exist_ok=True)
                log = stack.enter_context(spec.log.open("ab"))
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        return cls(spec, process)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal as in ``subprocess``; ``None`` while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Return the exit code once the process has ended."""
        return await self._process.wait()

    async def stop(self, grace_s: float) -> int:
        """Send TERM, after ``grace_s`` KILL, and return the exit code."""
        self._signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_s):
                return await self.wait()
        except TimeoutError:
            self._signal(signal.SIGKILL)
            return await self.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


def last_lines(log: Path, count: int = 15) -> list[str]:
    """Return the last ``count`` lines of ``log``; none when there is no such file."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []
