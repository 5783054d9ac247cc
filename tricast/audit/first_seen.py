"""Which source first stated a fact: the rule by which copies on several lines become one record."""

from collections import OrderedDict
from dataclasses import dataclass, field

from tricast.audit.facts import Fact

Source = tuple[int, int]
"""Raw offset and candidate index, within one raw partition."""

WINDOW_S = 120
"""How long a fact is known, in whole seconds of stream time from the first of its group (docs/architecture.md)."""


@dataclass(slots=True)
class _Group:
    opened_s: int
    occurrences: dict[tuple[str, bytes], int] = field(default_factory=dict)
    first: dict[tuple[bytes, int], Source] = field(default_factory=dict)


class FirstSeen:
    """Remember facts for ``WINDOW_S``; one per raw partition, fed in its order.

    The n-th occurrence of a fact on one line is the same as the n-th on another, so that A→B→A at one vendor time stays
    three facts and its copy elsewhere adds none. Memory: the facts of the window.
    """

    def __init__(self) -> None:
        self._groups: OrderedDict[bytes, _Group] = OrderedDict()

    def observe(self, line: str, fact: Fact, source: Source, now_ns: int) -> Source | None:
        """Record that ``source`` states ``fact``; return who stated it first, ``None`` when nobody did."""
        now_s = now_ns // 1_000_000_000
        self._forget(now_s)
        group = self._groups.setdefault(fact.group, _Group(now_s))
        nth = group.occurrences.get((line, fact.value), 0) + 1
        group.occurrences[line, fact.value] = nth
        first = group.first.setdefault((fact.value, nth), source)
        # The same source may state one thing twice (outcomes of one message): the second is another occurrence.
        return None if first is source else first

    def _forget(self, now_s: int) -> None:
        # Stream time never falls, so groups end in the order in which they began.
        while self._groups:
            oldest = next(iter(self._groups))
            if now_s - self._groups[oldest].opened_s <= WINDOW_S:
                break
            del self._groups[oldest]
