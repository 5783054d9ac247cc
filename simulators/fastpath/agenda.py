"""What is to happen when, in simulated time."""

import heapq
from collections.abc import Callable
from itertools import count

Happening = Callable[[int], None]
"""Told the time it happens at."""


class Agenda:
    """Happenings by time; those of one time in the order they were put down."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Happening]] = []
        self._order = count()

    @property
    def next_ns(self) -> int | None:
        """When the next happening is due; ``None`` when there is none."""
        return self._due[0][0] if self._due else None

    def at(self, when_ns: int, happening: Happening) -> None:
        """Put ``happening`` down for ``when_ns``."""
        heapq.heappush(self._due, (when_ns, next(self._order), happening))

    def run(self, now_ns: int) -> None:
        """Let happen what is due, what it puts down for now included."""
        while self._due and self._due[0][0] <= now_ns:
            when_ns, _, happening = heapq.heappop(self._due)
            happening(when_ns)
