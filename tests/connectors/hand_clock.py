"""A clock that only tests move: sleeping advances it at once, so no test waits."""

import asyncio


class HandClock:
    def __init__(self) -> None:
        self._now_s = 0.0

    def now_ns(self) -> int:
        return int(self._now_s * 1_000_000_000)

    def monotonic_s(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds

    async def sleep(self, seconds: float) -> None:
        until = self._now_s + seconds
        await asyncio.sleep(0)
        self._now_s = max(self._now_s, until)


class OnceClock(HandClock):
    """Lets nobody try again: who would wait has said what there is to say."""

    async def sleep(self, seconds: float) -> None:
        raise TimeoutError
