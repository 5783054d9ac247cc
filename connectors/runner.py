"""The one reconnect loop of every feed: backoff, budget, and the only broad ``except`` of the connectors."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from connectors.clock import Clock
from connectors.counts import LineCounts
from schemas.errors import EnvironmentFault, TricastError

log = logging.getLogger(__name__)


class ConnectFailed(EnvironmentFault):
    """A connection attempt did not come as far as the feed's own accepted connect.

    Args:
        message: What happened.
        retry_after_s: No attempt before it, seconds.
        expected: Nothing is wrong, e.g. there is nothing to connect to yet: it is no failure, and told by the line.
    """

    code = "connect-failed"

    def __init__(self, message: str, *, retry_after_s: float = 0.0, expected: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Capped exponential backoff with full jitter.

    Attributes:
        base_s: Upper bound of the delay after the first failure, seconds.
        cap_s: Upper bound of every delay, seconds.
    """

    base_s: float
    cap_s: float

    def delay_s(self, failures: int, random: Random) -> float:
        """Return how long to wait after ``failures`` (≥ 1) in a row."""
        # Full jitter: clients that a server dropped together do not come back together.
        return random.uniform(0, min(self.cap_s, self.base_s * 2 ** min(failures - 1, 32)))

    @property
    def healthy_s(self) -> float:
        """How long a connection has to hold for the delays to start again, seconds: longer than any of them."""
        return self.cap_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Given steps with full jitter.

    Attributes:
        steps_s: Upper bounds of the delays after 1, 2, … failures in a row, seconds; the last one goes on.
        healthy_s: How long a connection has to hold for the steps to start again, seconds.
    """

    steps_s: tuple[float, ...]
    healthy_s: float

    def delay_s(self, failures: int, random: Random) -> float:
        """Return how long to wait after ``failures`` (≥ 1) in a row."""
        return random.uniform(0, self.steps_s[min(failures, len(self.steps_s)) - 1])


class Delays(Protocol):
    """How long to wait between attempts."""

    @property
    def healthy_s(self) -> float:
        """How long a connection has to hold for the delays to start again, seconds."""
        ...

    def delay_s(self, failures: int, random: Random) -> float:
        """Return how long to wait after ``failures`` (≥ 1) in a row; called once for each of them."""
        ...


class Turns(Protocol):
    """Who says when an attempt may be made."""

    async def take(self) -> None:
        """Return when an attempt may be made."""


class ConnectionBudget:
    """At most ``limit`` connection attempts within any ``window_s`` seconds, over all lines that share it."""

    def __init__(self, limit: int, *, window_s: float, clock: Clock) -> None:
        self._limit = limit
        self._window_s = window_s
        self._clock = clock
        self._expiries: deque[float] = deque()  # when each attempt of the window stops counting
        self._turn = asyncio.Lock()  # first come, first served: of hundreds that wait none is passed over

    @property
    def left(self) -> int:
        """Attempts that may be made at once."""
        now = self._clock.monotonic_s()
        return self._limit - sum(expiry > now for expiry in self._expiries)

    async def take(self) -> None:
        """Return when an attempt may be made; it counts from then on."""
        async with self._turn:
            while True:
                now = self._clock.monotonic_s()
                while self._expiries and self._expiries[0] <= now:
                    self._expiries.popleft()
                if len(self._expiries) < self._limit:
                    self._expiries.append(now + self._window_s)
                    return
                await self._clock.sleep(self._expiries[0] - now)


class Runner:
    """Keeps lines connected until told to stop.

    Args:
        stop: Set when the process is to end: no attempt starts after it, waits end at once.
        backoff: Delays between attempts of one line.
        budget: Waited for before each attempt; shared by all lines.
        clock: What is waited with.
        random: What jitters.
    """

    def __init__(self, *, stop: asyncio.Event, backoff: Delays, budget: Turns, clock: Clock, random: Random) -> None:
        self._stop = stop
        self._backoff = backoff
        self._budget = budget
        self._clock = clock
        self._random = random

    async def keep_connected(
        self, line: str, connect: Callable[[], Awaitable[bool | None]], counts: LineCounts
    ) -> None:
        """Call ``connect`` again whenever it returns or fails, until stopped.

        Args:
            line: Name for the log.
            connect: Makes one connection and returns when it has ended, true when it ended for a new one to follow at
                once. It watches the stop event itself.
            counts: Updated.

        Raises:
            TricastError: One that no retry can mend.
        """
        failures = 0
        while await unless_stopped(self._stop, self._budget.take()):
            began = self._clock.monotonic_s()
            counts.attempt()
            at_least_s = 0.0
            try:
                if await connect():
                    failures = 0
                    continue
            except ConnectFailed as error:
                if not error.retryable:
                    raise
                at_least_s = error.retry_after_s
                if error.expected:
                    failures -= 1
                else:
                    counts.fail(error.code)
                    log.warning("line.connect_failed line=%s reason=%s", line, error.message)
            except TricastError as error:
                if not error.retryable:
                    raise
                counts.fail(error.code)
                log.warning("line.connect_failed line=%s reason=%s", line, error.message)
            except Exception:
                # A bug of ours or a library's in one connection must not end the others; it is told with its trace.
                counts.fail("bug")
                log.exception("line.broke line=%s", line)
            # A connection that held longer than any delay was a good one; one that is dropped at once is a failure.
            failures = 1 if self._clock.monotonic_s() - began > self._backoff.healthy_s else failures + 1
            delay_s = at_least_s + (self._backoff.delay_s(failures, self._random) if failures else 0.0)
            if not await unless_stopped(self._stop, self._clock.sleep(delay_s)):
                return


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Run ``work`` to its end and return true; return false, with ``work`` cancelled, when ``stop`` is set first."""
    if stop.is_set():
        work.close()
        return False
    working = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (working, stopping):
            if not task.done():
                task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
    if working.cancelled():
        return False
    working.result()
    return True
