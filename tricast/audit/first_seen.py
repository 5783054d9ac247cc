"""Which source first stated a fact: the rule by which copies on several lines become one record."""

from collections import OrderedDict, defaultdict
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


@dataclass(slots=True)
class FirstSeenState:
    """What a :class:`FirstSeen` knows."""

    groups: list[tuple[bytes, _Group]]
    said: dict[bytes, list[tuple[int, str]]]


class FirstSeen:
    """Remember facts for ``WINDOW_S``; one per raw partition, fed in its order.

    The n-th occurrence of a fact on one line is the same as the n-th on another, so that A→B→A at one vendor time stays
    three facts and its copy elsewhere adds none. Memory: the facts of the window; with a skew, some bytes of each ever.

    Args:
        copy_skew_ms: How far the ``t`` of copies may be apart, as the processor was told; 0: they are equal.
    """

    def __init__(self, copy_skew_ms: int = 0) -> None:
        self._groups: OrderedDict[bytes, _Group] = OrderedDict()
        self._copy_skew_ms = copy_skew_ms
        self._said: defaultdict[bytes, list[tuple[int, str]]] = defaultdict(list)
        """What is said to (vendor time, line) of each time it was; only where copies may differ in ``t``."""

    def save(self) -> "FirstSeenState":
        """Return what is known, for an audit that goes on later."""
        return FirstSeenState(list(self._groups.items()), dict(self._said))

    def load(self, state: "FirstSeenState") -> None:
        """Know what another one knew."""
        self._groups = OrderedDict(state.groups)
        self._said = defaultdict(list, state.said)

    def observe(self, line: str, fact: Fact, source: Source, now_ns: int) -> Source | None:
        """Record that ``source`` states ``fact``; return who stated it first, ``None`` when nobody did."""
        now_s = now_ns // 1_000_000_000
        self._forget(now_s)
        if self._copy_skew_ms and fact.time_ms is not None:
            self._said[fact.said].append((fact.time_ms, line))
        group = self._groups.setdefault(fact.group, _Group(now_s))
        nth = group.occurrences.get((line, fact.value), 0) + 1
        group.occurrences[line, fact.value] = nth
        first = group.first.setdefault((fact.value, nth), source)
        # The same source may state one thing twice (outcomes of one message): the second is another occurrence.
        return None if first is source else first

    def has_near_copy(self, line: str, fact: Fact) -> bool:
        """Return whether another line said the same at a ``t`` that a copy may have.

        The processor matches each copy with one fact; here any will do, so with a skew an audit proves a little less.
        """
        time_ms = fact.time_ms
        return time_ms is not None and any(
            other != line and abs(time - time_ms) <= self._copy_skew_ms for time, other in self._said.get(fact.said, ())
        )

    def _forget(self, now_s: int) -> None:
        # Stream time never falls, so groups end in the order in which they began.
        while self._groups:
            oldest = next(iter(self._groups))
            if now_s - self._groups[oldest].opened_s <= WINDOW_S:
                break
            del self._groups[oldest]
