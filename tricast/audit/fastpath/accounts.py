"""The audit's own account of the numbers of one fixture on one feed."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from tricast.audit.fastpath.packets import Numbered
from tricast.audit.report import Report

Interval = tuple[int, int]

_OPENING = frozenset({"gap_suspected", "not_repairable"})
_CLOSING = frozenset({"gap_closed", "gap_repaired"})


@dataclass(slots=True)
class Account:
    """What consumers got of one fixture on one feed, and what the findings say was lost.

    Memory: a few bytes for each packet ever seen of the fixture.
    """

    name: str
    numbers: set[tuple[tuple[str, ...], int]] = field(default_factory=set)
    """Key and number of the packets that became a record."""
    bodies: dict[bytes, str] = field(default_factory=dict)
    """Their bodies, and the connection each came by first; numbers may be a connection's own."""
    sequences: dict[int, str] = field(default_factory=dict)
    """Place of the record of each account number."""
    named: list[Interval] = field(default_factory=list)
    lost: list[tuple[Interval, str]] = field(default_factory=list)
    """Ranges a finding gave up for good, with its place; what came after all is taken out."""
    told_ns: int = 0
    """Stream time when anything was told of it."""

    def was_told(self, packet: Numbered) -> bool:
        """Return whether a record of the same packet is there already."""
        return (packet.key, packet.number) in self.numbers or packet.body in self.bodies

    def tell(self, packet: Numbered, connection: str = "") -> str | None:
        """Note that ``packet`` became a record; return which other connection brought the same before."""
        self.numbers.add((packet.key, packet.number))
        before = self.bodies.setdefault(packet.body, connection)
        return before if packet.is_named and before not in ("", connection) else None

    def number(self, sequence: int, place: str, report: Report) -> None:
        """Note that consumers got ``sequence``."""
        before = self.sequences.setdefault(sequence, place)
        if before != place:
            report.find("duplicated", f"{place}: number {sequence} of {self.name} is there already: {before}")

    def found(self, finding: str, missing: list[Interval], place: str) -> None:
        """Note what a finding names."""
        if finding in _OPENING:
            self.named += missing
        if finding == "not_repairable":
            self.lost += [(interval, place) for interval in missing]
        if finding in _CLOSING:
            closed = _merged(missing)
            self.lost = [(part, at) for interval, at in self.lost for part in _outside(interval, closed)]

    def finish(self, report: Report) -> None:
        """Account for every number between the first and the last that consumers got."""
        got = sorted(self.sequences)
        covered = _merged(self.named)
        for before, after in pairwise(got):
            for first, last in _outside((before + 1, after - 1), covered):
                report.find(
                    "lost",
                    f"{self.name}: numbers {first}..{last} are missing and no finding names them",
                    last - first + 1,
                )
        given_up = {
            number: place
            for (first, last), place in self.lost
            for number in got[bisect_left(got, first) : bisect_right(got, last)]
        }
        for number, place in given_up.items():
            report.find(
                "unexpected", f"{place}: names {number} of {self.name} as lost, but {self.sequences[number]} has it"
            )


def _merged(intervals: list[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _outside(wanted: Interval, covered: list[Interval]) -> list[Interval]:
    """Return the parts of ``wanted`` that ``covered`` (sorted, disjoint) does not hold."""
    first, last = wanted
    parts: list[Interval] = []
    for begin, end in covered:
        if end < first or begin > last:
            continue
        if begin > first:
            parts.append((first, begin - 1))
        first = end + 1
    return [*parts, (first, last)] if first <= last else parts
