"""Processes of the product and what supervises them: who ended begins again half a second to two seconds later."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.chaos.history import History
from tricast.stack import tether

RESTART_S: Final = (0.5, 2.0)
_LOOK_S: Final = 0.05
_YOUNG_S: Final = 3.0
"""Who is younger still imports: nothing is learned from striking it."""


def outside() -> dict[str, str]:
    """Return the environment around us without settings of tricast: a run is what its seed says."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")}


@dataclass(slots=True, kw_only=True)
class Process:
    """A process by its name; ``prefix``, ``arguments`` and ``environment`` count from its next start on.

    Attributes:
        name: ``worker:<processor>:<n>``, ``connector:<feed>``, ``simulator:<vendor>``.
        arguments: Of ``tricast``.
        environment: Beside that of this process.
        log: What it prints, of all its lives.
        folder: What it keeps on disk (spool, state), of connectors.
        prefix: Program and arguments put before its own, e.g. one that sets a limit.
        wanted: Whether it is started again when it ended.
        generation: How many lives it has had.
        started_s: When the last one began, monotonic.
        again_s: When the next one begins, if one is due.
        popen: The life it has.
    """

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    folder: Path | None = None
    prefix: tuple[str, ...] = ()
    wanted: bool = True
    generation: int = 0
    started_s: float = 0.0
    again_s: float | None = None
    popen: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        """Process id while it lives."""
        return self.popen.pid if self.popen is not None and self.popen.poll() is None else None


class Processes:
    """Starts, signals and supervises them.

    All starts are made by one thread: the kernel ends a tethered process with the thread that started it.

    Args:
        history: Told of every start and end.
        random: Draws how long a restart takes to come.
    """

    def __init__(self, history: History, random: Random) -> None:
        self._history = history
        self._random = random
        self._lock = threading.RLock()
        self._quit = threading.Event()
        self._thread = threading.Thread(target=self._tend, name="supervisor", daemon=True)
        self._tether = (sys.executable, "-I", "-S", tether.__file__, str(os.getpid()))
        self.by_name: dict[str, Process] = {}

    def add(self, process: Process) -> None:
        """Start it, now and whenever it ended; returns before it has begun."""
        with self._lock:
            process.again_s = time.monotonic()
            self.by_name[process.name] = process
        if not self._thread.is_alive():
            self._thread.start()

    def pid(self, name: str) -> int | None:
        """Return the process id while it lives."""
        return self.by_name[name].pid

    def await_life(self, name: str, timeout_s: float) -> None:
        """Wait until it has lived for a moment, so that there is something to strike.

        Raises:
            TimeoutError: It does not come to life.
        """
        deadline = time.monotonic() + timeout_s
        while self.pid(name) is None or time.monotonic() - self.by_name[name].started_s < _YOUNG_S:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} has not lived for {_YOUNG_S:g} s at a time")
            time.sleep(_LOOK_S)

    def signal(self, name: str, number: int) -> int | None:
        """Send a signal if it lives; return its process id then."""
        with self._lock:
            process = self.by_name[name]
            if process.pid is not None and process.popen is not None:
                process.popen.send_signal(number)
            return process.pid

    def end(self, name: str, number: int, timeout_s: float) -> tuple[int | None, int | None]:
        """Send a signal and wait until that life is over; return process id and exit code.

        Both are ``None`` when there was no life to end, the code alone when it outlived ``timeout_s``.
        """
        with self._lock:
            popen = self.by_name[name].popen
            if popen is None or popen.poll() is not None:
                return None, None
            popen.send_signal(number)
        try:
            return popen.pid, popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return popen.pid, None

    def want(self, name: str, wanted: bool) -> None:
        """Say whether it is started again when it ended; one that is down and wanted again starts at once."""
        with self._lock:
            process = self.by_name[name]
            process.wanted = wanted
            if wanted and process.popen is None:
                process.again_s = time.monotonic()

    def retire(self, name: str, timeout_s: float = 30.0) -> int | None:
        """End it by SIGTERM for good; return its exit code, ``None`` when it had to be killed or did not live."""
        with self._lock:
            self.by_name[name].wanted = False
        pid, code = self.end(name, signal.SIGTERM, timeout_s)
        if pid is not None and code is None:
            self.end(name, signal.SIGKILL, timeout_s)
        return code

    def close(self) -> None:
        """Kill all that live."""
        with self._lock:
            for process in self.by_name.values():
                process.wanted = False
                if process.popen is not None and process.popen.poll() is None:
                    process.popen.kill()
                    process.popen.wait()
        self._quit.set()
        if self._thread.is_alive():
            self._thread.join()

    def _tend(self) -> None:
        while not self._quit.wait(_LOOK_S):
            with self._lock:
                for process in self.by_name.values():
                    self._look_after(process, time.monotonic())

    def _look_after(self, process: Process, now_s: float) -> None:
        popen = process.popen
        if popen is not None and popen.poll() is not None:
            process.popen = None
            self._history.add(
                "ended",
                process=process.name,
                pid=popen.pid,
                generation=process.generation,
                exit_code=popen.returncode,
            )
            process.again_s = now_s + self._random.uniform(*RESTART_S)
        if process.popen is None and process.wanted and process.again_s is not None and now_s >= process.again_s:
            self._start(process)

    def _start(self, process: Process) -> None:
        process.again_s = None
        process.generation += 1
        process.started_s = time.monotonic()
        with process.log.open("ab") as log:
            process.popen = subprocess.Popen(
                [*self._tether, *process.prefix, sys.executable, "-m", "tricast", *process.arguments],
                stdout=log,
                stderr=log,
                env=outside() | process.environment,
            )
        self._history.add("started", process=process.name, pid=process.popen.pid, generation=process.generation)
