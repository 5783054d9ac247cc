"""The gaps of one account, lowest first, and what their states add up to."""

from bisect import bisect_left, bisect_right
from typing import Final

from processors.core.fastpath.account.entries import GAP, Gap, encode, number_key
from processors.core.fastpath.account.ranges import contains, remove
from processors.core.processor import Store

MAX_GAPS: Final = 256
"""Gaps of one account; for more of them the lowest is told as not repairable and forgotten."""
MAX_RANGES: Final = 1024
"""Ranges missing in all gaps of an account together; likewise."""


def _first(gap: Gap) -> int:
    return gap.first


class Gaps:
    """The gaps of one account.

    Args:
        store: State of the stream task.
        identity: Of the account.
        gaps: What the store has of them.

    Attributes:
        waiting: The lowest gap that holds back what is behind it.
        barrier: Lowest number missing in it: nothing above goes out in order.
        asked: How many have a repair asked for.
    """

    __slots__ = ("_all", "_prefix", "_store", "asked", "barrier", "waiting")

    def __init__(self, store: Store, identity: bytes, gaps: list[Gap]) -> None:
        self._store = store
        self._prefix = GAP + identity
        self._all = sorted(gaps, key=_first)
        self._sum()

    def all(self) -> list[Gap]:
        """Return the gaps, lowest first; not to be changed."""
        return self._all

    def starting_at(self, first: int) -> Gap | None:
        """Return the gap whose lowest number is ``first``."""
        at = bisect_left(self._all, first, key=_first)
        return self._all[at] if at < len(self._all) and self._all[at].first == first else None

    def missing(self, number: int) -> Gap | None:
        """Return the gap in which ``number`` is missing."""
        at = bisect_right(self._all, number, key=_first) - 1
        if at < 0:
            return None
        gap = self._all[at]
        return gap if number <= gap.last and contains(gap.missing, number) else None

    def add(self, gap: Gap) -> None:
        """Numbers were skipped."""
        self._all.insert(bisect_left(self._all, gap.first, key=_first), gap)
        self.write(gap)

    def fill(self, gap: Gap, number: int) -> None:
        """A missing number came; a gap with none left is forgotten."""
        remove(gap.missing, number)
        if gap.missing:
            self.write(gap)
        else:
            self.drop(gap)

    def drop(self, gap: Gap) -> None:
        """Forget a gap."""
        self._all.remove(gap)
        self._store.delete(number_key(self._prefix, gap.first))
        self._sum()

    def write(self, gap: Gap) -> None:
        """Put what changed about a gap."""
        self._store.put(number_key(self._prefix, gap.first), encode(gap))
        self._sum()

    def surplus(self) -> Gap | None:
        """Return the gap that has to go because there are too many."""
        if len(self._all) > MAX_GAPS or sum(len(gap.missing) for gap in self._all) > MAX_RANGES:
            return self._all[0]
        return None

    def _sum(self) -> None:
        self.waiting = next((gap for gap in self._all if gap.state == "waiting"), None)
        self.barrier = None if self.waiting is None else self.waiting.missing[0][0]
        self.asked = sum(gap.state == "asked" for gap in self._all)
