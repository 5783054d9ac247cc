"""A clock that stands still until the test moves it: who sleeps wakes when the time has come, in order."""

import asyncio


class SteppedClock:
    def __init__(self, wall_s: float = 1_790_000_000.0) -> None:
        self._now_s = 1_000.0
        self._wall_s = wall_s - self._now_s
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        return round((self._wall_s + self._now_s) * 1_000_000_000)

    def monotonic_s(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        self._sleepers.append((self._now_s + seconds, future))
        await future

    @property
    def next_s(self) -> float | None:
        """How long until somebody wakes; ``None``: nobody sleeps."""
        self._sleepers = [(at_s, future) for at_s, future in self._sleepers if not future.done()]
        return min(at_s for at_s, _ in self._sleepers) - self._now_s if self._sleepers else None

    def advance(self, seconds: float) -> None:
        self._now_s += seconds
        for at_s, future in sorted(self._sleepers, key=lambda sleeper: sleeper[0]):
            if at_s <= self._now_s + 1e-9 and not future.done():
                future.set_result(None)

    async def advance_to_next(self) -> float:
        """Wait until somebody sleeps, and move to when the first wakes; return by how much."""
        async with asyncio.timeout(20):
            while (seconds := self.next_s) is None:  # noqa: ASYNC110  # nobody there to set an event
                await asyncio.sleep(0.001)
        self.advance(seconds)
        return seconds
