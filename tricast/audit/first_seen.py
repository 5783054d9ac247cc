"""Which source first stated a fact: the rule by which copies on several lines become one record."""

from collections import Counter, OrderedDict

Source = tuple[int, int]
"""Raw offset and candidate index, within one raw partition."""


class FirstSeen:
    """Remember facts for a while of stream time; one per raw partition, fed in its order.

    The n-th occurrence of a fact on one line is the same as the n-th on another, so that A→B→A at one vendor time stays
    three facts and its copy elsewhere adds none. Memory: the facts of the last ``window_ns``.
    """

    def __init__(self, window_ns: int) -> None:
        self._window_ns = window_ns
        self._first: OrderedDict[tuple[bytes, int], tuple[Source, int]] = OrderedDict()
        self._occurrences: Counter[tuple[str, bytes]] = Counter()
        self._counted: OrderedDict[tuple[str, bytes], int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._first)

    def observe(self, line: str, identity: bytes, source: Source, now_ns: int) -> Source | None:
        """Record that ``source`` states a fact; return who stated it first, ``None`` when nobody did."""
        self._forget(now_ns - self._window_ns)
        self._occurrences[line, identity] += 1
        self._counted[line, identity] = now_ns
        self._counted.move_to_end((line, identity))
        fact = (identity, self._occurrences[line, identity])
        known = self._first.get(fact)
        if known is None:
            self._first[fact] = (source, now_ns)
            return None
        return known[0]

    def _forget(self, before_ns: int) -> None:
        while self._first:
            fact, (_, seen_ns) = next(iter(self._first.items()))
            if seen_ns >= before_ns:
                break
            del self._first[fact]
        while self._counted:
            key, seen_ns = next(iter(self._counted.items()))
            if seen_ns >= before_ns:
                break
            del self._counted[key], self._occurrences[key]
