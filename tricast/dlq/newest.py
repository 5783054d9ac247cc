"""The newest letters of however many there are, without their bytes."""

import heapq
from typing import Any

from schemas.replay import Position
from tricast.dlq.letters import Letter
from tricast.dlq.shown import summary


class Newest:
    """Keeps what is said of the newest ``limit`` letters; their bytes, up to 8 MiB each, are let go."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: list[tuple[int, Position, dict[str, Any]]] = []  # a heap, the oldest first; positions are unique

    def put(self, letter: Letter) -> None:
        """Take a letter in any order."""
        entry = (letter.timestamp_ms, letter.position)
        if len(self._kept) < self._limit:
            heapq.heappush(self._kept, (*entry, summary(letter)))
        elif self._kept and entry > self._kept[0][:2]:
            heapq.heapreplace(self._kept, (*entry, summary(letter)))

    def summaries(self) -> list[dict[str, Any]]:
        """Return them, the newest last."""
        return [said for *_, said in sorted(self._kept, key=lambda kept: kept[:2])]
