"""Keep child processes running: restart what crashes, leave alone what a restart cannot mend.

One processor's crash loop never touches another's: each child has its own task, its own count and its own delay.
"""

import asyncio
import logging
import random
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal

from tricast.stack.backoff import Backoff
from tricast.stack.child import Child, ChildSpec, last_lines

logger = logging.getLogger(__name__)

FINAL_EXIT_CODES = frozenset({0, 2, 78})
"""Ended on purpose, wrong settings, needs a person: starting it again would give the same."""

State = Literal["starting", "running", "waiting", "ended"]


class Supervised:
    """One child over all its restarts.

    Attributes:
        spec: What is run.
        state: Where it is now.
        starts: How often it was started.
        exit_code: Of the last run that ended; ``None`` before.
    """

    def __init__(self, spec: ChildSpec, backoff: Backoff, chance: random.Random) -> None:
        self.spec = spec
        self.state: State = "starting"
        self.starts = 0
        self.exit_code: int | None = None
        self._backoff = backoff
        self._chance = chance
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid if self._child is not None and self.state == "running" else None

    def last_words(self) -> list[str]:
        """Return how it ended and what its log says last, as lines; empty before the first exit."""
        if self.exit_code is None:
            return []
        lines = [f"{self.spec.name} {describe_exit(self.exit_code)}"]
        if self.spec.log is not None:
            lines += [f"last lines of {self.spec.log}:", *(f"  {line}" for line in last_lines(self.spec.log))]
        return lines

    async def run(self, stopping: asyncio.Event, grace_s: float, on_exit: Callable[["Supervised"], None]) -> None:
        """Run until a final exit code, or until ``stopping``; the child then has ``grace_s`` to end properly."""
        crashes = 0
        while not stopping.is_set():
            started = time.monotonic()
            self._child = child = await Child.start(self.spec)
            self.starts += 1
            self.state = "running"
            if not await _comes_before(child.wait(), stopping):
                self.exit_code = await child.stop(grace_s)
                break
            self.exit_code = child.exit_code
            if self.exit_code in FINAL_EXIT_CODES:
                self.state = "ended"
                on_exit(self)
                return
            crashes = self._backoff.crashes(crashes, time.monotonic() - started)
            delay_s = self._backoff.delay_s(crashes, self._chance)
            self.state = "waiting"
            logger.warning("%s %s; starting again in %.1f s", self.spec.name, describe_exit(self.exit_code), delay_s)
            on_exit(self)
            await _comes_before(asyncio.sleep(delay_s), stopping)
        self.state = "ended"


class Supervisor:
    """Runs children side by side until all have ended or :meth:`stop` is called."""

    def __init__(
        self,
        specs: Sequence[ChildSpec],
        *,
        grace_s: float = 20.0,
        backoff: Backoff | None = None,
        on_exit: Callable[[Supervised], None] | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            specs: The children, in starting order.
            grace_s: How long TERM may take before KILL.
            backoff: Delays between restarts.
            on_exit: Told of each child that ended although nobody stopped it; its state says whether it is started
                again (``waiting``) or not (``ended``).
        """
        chance = random.Random()  # noqa: S311 - spreads restarts, guards nothing
        self.children = [Supervised(spec, backoff or Backoff(), chance) for spec in specs]
        self._grace_s = grace_s
        self._on_exit = on_exit
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask for the end; :meth:`run` then ends the children, all at the same time, and returns."""
        self._stopping.set()

    async def run(self) -> int:
        """Supervise; return the worst exit code: 0 when all ended well or stopped when told to."""
        tasks = [asyncio.create_task(self._run(child), name=child.spec.name) for child in self.children]
        try:
            if tasks:
                await asyncio.wait(tasks)
        finally:
            self._stopping.set()  # also when this task is cancelled: no child outlives its supervisor
            await asyncio.gather(*tasks)
        return max((_severity(child.exit_code) for child in self.children), default=0)

    async def _run(self, child: Supervised) -> None:
        await child.run(self._stopping, self._grace_s, self._exited)

    def _exited(self, child: Supervised) -> None:
        if child.state == "ended":
            logger.warning("%s %s; it is not started again", child.spec.name, describe_exit(child.exit_code))
        if self._on_exit is not None:
            self._on_exit(child)


async def _comes_before(what: Coroutine[Any, Any, Any], stopping: asyncio.Event) -> bool:
    """Return whether ``what`` finished before ``stopping`` was set; it is cancelled if not."""
    wanted = asyncio.create_task(what)
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait((wanted, stop), return_when=asyncio.FIRST_COMPLETED)
        return wanted.done()
    finally:
        wanted.cancel()
        stop.cancel()


def _severity(exit_code: int | None) -> int:
    if exit_code is None or exit_code == -signal.SIGTERM:
        return 0  # never started, or ended by the signal it was sent
    return 1 if exit_code < 0 else exit_code


def describe_exit(code: int | None) -> str:
    """Return an exit code in words, e.g. ``ended by signal 9``."""
    if code is None:
        return "runs"
    return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
