"""The oldest letters of however many there are, in bounded memory."""

import bisect

from schemas.replay import Position
from tricast.dlq.letters import Letter

MOST_BYTES = 256 * 1024 * 1024
"""Of letters that are held at once; one may have 8 MiB."""


class Oldest:
    """Keeps letters in the order of their source records, parts of one in theirs, and counts those it has no room for.

    Args:
        limit: So many letters at most.
        most_bytes: Of so many bytes together at most, though always one.

    Attributes:
        letters: Those that are kept, in order.
        left: How many more there were; each is behind all that are kept.
    """

    def __init__(self, limit: int, most_bytes: int = MOST_BYTES) -> None:
        self.letters: list[Letter] = []
        self.left = 0
        self._limit, self._most_bytes = limit, most_bytes
        self._bytes = 0
        self._end: tuple[Position, int] | None = None

    def put(self, letter: Letter) -> None:
        """Take a letter in any order."""
        if self._end is not None and _place(letter) >= self._end:
            self.left += 1
            return
        bisect.insort(self.letters, letter, key=_place)
        self._bytes += len(letter.value)
        while len(self.letters) > self._limit or (self._bytes > self._most_bytes and len(self.letters) > 1):
            last = self.letters.pop()
            self._bytes -= len(last.value)
            self._end = _place(last)  # what comes behind it later must not overtake it
            self.left += 1


def _place(letter: Letter) -> tuple[Position, int]:
    return letter.source._replace(part=letter.source.part or 0), letter.position.offset
