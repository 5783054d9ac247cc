"""Which content stands under which number: in the store by number, and turned round when somebody looks for content."""

from bisect import bisect_right, insort
from typing import Final

from processors.core.fastpath.account.entries import KNOWN, number_key
from processors.core.processor import Store

KEY_BYTES: Final = 8
"""Of a content, the part that names the packet; the rest is what it says."""


class Known:
    """The newest numbers of one account.

    Args:
        store: State of the stream task.
        identity: Of the account.
        remembered: How many numbers, counted from the greatest, are known.
    """

    __slots__ = ("_by_content", "_floor", "_indexed", "_prefix", "_remembered", "_store", "first", "last")

    def __init__(self, store: Store, identity: bytes, remembered: int) -> None:
        self._store = store
        self._prefix = KNOWN + identity
        self._remembered = remembered
        self._by_content: dict[bytes, list[int]] | None = None
        self._indexed = 0
        self._floor = 0
        self.first = 0
        self.last = -1

    def get(self, number: int) -> bytes | None:
        """Return the content of ``number``; ``None`` = missing, forgotten or beyond."""
        if not self.first <= number <= self.last:
            return None
        return self._store.get(number_key(self._prefix, number))

    @property
    def is_indexed(self) -> bool:
        """Whether an index by content is in memory."""
        return self._by_content is not None

    def stand(self, low: int, last: int, *, floor: int) -> None:
        """Say which numbers the account has, without writing anything: it was just read from the store."""
        self._floor = floor
        self.first, self.last = max(low, last - self._remembered + 1, floor), last

    def advance(self, low: int, last: int) -> None:
        """``last`` is the greatest number from now on; what gets too old for it is forgotten."""
        self.last = last
        self._forget_before(max(low, last - self._remembered + 1, self._floor))

    def forget_below(self, floor: int) -> int:
        """Forget all numbers below ``floor``, for good; return how many that may have been."""
        before, self._floor, self._by_content = self.first, floor, None
        self._forget_before(max(before, floor))
        return self.first - before

    def put(self, number: int, content: bytes) -> None:
        """Keep the content of ``number``, unless it is too old."""
        if number < self.first:
            return
        self._store.put(number_key(self._prefix, number), content)
        if self._by_content is not None:
            insort(self._by_content.setdefault(content, []), number)
            self._indexed += 1
            if self._indexed > 2 * self._remembered:  # of which most are forgotten: made anew when wanted
                self._by_content = None

    def find(self, content: bytes) -> list[int]:
        """Return the numbers that have ``content``, in order."""
        if self._by_content is None:
            self._by_content = {}
            self._indexed = self.last - self.first + 1
            for number in range(self.first, self.last + 1):
                known = self._store.get(number_key(self._prefix, number))
                if known is not None:
                    self._by_content.setdefault(known, []).append(number)
        numbers = self._by_content.get(content, [])
        return numbers[bisect_right(numbers, self.first - 1) :]

    def find_after(self, content: bytes, number: int) -> int | None:
        """Return the lowest number above ``number`` that has ``content``."""
        numbers = self.find(content)
        at = bisect_right(numbers, number)
        return numbers[at] if at < len(numbers) else None

    def _forget_before(self, first: int) -> None:
        for number in range(self.first, first):
            self._store.delete(number_key(self._prefix, number))
        self.first = first

    def drop_index(self) -> None:
        """Free the memory of ``find``; it is made anew when wanted."""
        self._by_content = None

    def forget(self) -> int:
        """Delete everything from the store; return how many numbers that may have been."""
        for number in range(self.first, self.last + 1):
            self._store.delete(number_key(self._prefix, number))
        return max(0, self.last - self.first + 1)
