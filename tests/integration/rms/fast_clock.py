"""A clock on which minutes pass in seconds; all that have it agree on both times."""

import asyncio
import time


class FastClock:
    """Runs from now on, so many times as fast; sleeping takes that much less."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._wall_ns = time.time_ns()
        self._uptime_s = time.monotonic()

    def now_ns(self) -> int:
        return self._wall_ns + int((time.monotonic() - self._uptime_s) * self._speed * 1e9)

    def monotonic_s(self) -> float:
        return self._uptime_s + (time.monotonic() - self._uptime_s) * self._speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)
