"""Time as a port: connectors take a clock, so tests can drive it by hand."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What a connector may know about time."""

    def now_ns(self) -> int:
        """Return UTC nanoseconds since 1970: what a frame is stamped with."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards: what is waited and budgeted with."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellation passes."""


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic_s(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
