"""How long each fault kept records waiting: from the topics' own times and from how far groups had committed. Pure.

First output, of a worker or broker: the first record that reached each partition after the strike, from its arrival
until it had been worked off; the worst partition counts. Of a connector or a vendor: from the strike until the first
frame that was received after it had been worked off, whichever partition it came to; first frame, of those two alone:
until it was received. Committed offsets are known once a second.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SECOND_NS: Final = 1_000_000_000
_SOON_NS: Final = 10 * SECOND_NS
"""A partition that gets nothing for so long after a strike says nothing about it."""
Arrivals = Mapping[str, Sequence[tuple[int, int]]]
"""Arrival (UTC ns) and offset of records in order, by ``<physical topic>/<partition>`` of source topics."""
History = Sequence[Mapping[str, Any]]
Place = tuple[str, str]
"""Consumer group and ``<physical topic>/<partition>``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What one fault cost, in seconds; ``None`` where nothing came that could tell.

    Attributes:
        number: Of the fault in its run.
        kind: Of fault.
        target: Whom it struck.
        frame_s: Until the first frame, of connectors and vendors.
        output_s: Until the first output.
        alone: Whether no other fault that concerns the same records was in force, or not recovered from, meanwhile.
    """

    number: int
    kind: str
    target: str
    frame_s: float | None
    output_s: float | None
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """Where a fault was felt; ``over_ns`` is when it was healed and, as far as is known, recovered from."""

    fault: Mapping[str, Any]
    places: frozenset[Place]
    frame_s: float | None
    output_s: float | None
    over_ns: int

    def meets(self, other: "_Cost") -> bool:
        """Whether the other one's time and records were partly its own."""
        together = other.fault["began_ns"] <= self.over_ns and self.fault["began_ns"] <= other.over_ns
        return together and not self.places.isdisjoint(other.places)


def recoveries(
    history: History, arrivals: Arrivals, groups: Mapping[str, Sequence[str]], prefix: str
) -> list[Recovery]:
    """Return what each fault of a history cost.

    Args:
        history: The run's events.
        arrivals: Of all sources.
        groups: Sources by consumer group.
        prefix: Of topics and groups.
    """
    commits = _Commits(history)
    healed_ns = {event["number"]: event["at_ns"] for event in history if event["event"] == "healed"}
    costs = []
    for fault in struck(history):
        role, _, name = fault["target"].partition(":")
        places = frozenset(
            (group, place)
            for group, sources in groups.items()
            for place in arrivals
            if place.rpartition("/")[0] in sources and _concerns(role, name, group.removeprefix(prefix), place, prefix)
        )
        if role in ("connector", "vendor"):
            heard_ns, done_ns, waited_ns = _first(fault, places, arrivals, commits)
        else:
            heard_ns, (done_ns, waited_ns) = None, _worst(fault, places, arrivals, commits)
        costs.append(
            _Cost(
                fault=fault,
                places=places,
                frame_s=None if heard_ns is None else (heard_ns - fault["began_ns"]) / SECOND_NS,
                output_s=None if waited_ns is None else waited_ns / SECOND_NS,
                over_ns=max(done_ns or 0, healed_ns.get(fault["number"], 0), fault["at_ns"]),
            )
        )
    return [
        Recovery(
            number=cost.fault["number"],
            kind=cost.fault["kind"],
            target=cost.fault["target"],
            frame_s=cost.frame_s,
            output_s=cost.output_s,
            alone=cost.output_s is not None and not any(cost.meets(other) for other in costs if other is not cost),
        )
        for cost in costs
    ]


def struck(history: History) -> list[Mapping[str, Any]]:
    """Return the faults of a history that had something to strike: not those of a process that did not live."""
    return [
        event
        for event in history
        if event["event"] == "fault" and event.get("parameters", {}).get("pid", 0) is not None
    ]


def longest_blocked(history: History) -> tuple[float, str]:
    """Return how long a reader of committed records stood still before records that were there, and where."""
    since: dict[str, tuple[int, int]] = {}
    longest, where = 0, ""
    for sample in samples(history):
        at_ns = sample["at_ns"]
        if "high" not in sample or "stable" not in sample:
            continue
        for place, high in sample["high"].items():
            stable = sample["stable"].get(place, high)
            if stable >= high:
                since.pop(place, None)
            elif since.get(place, (0, -1))[1] != stable:
                since[place] = (at_ns, stable)
            elif at_ns - since[place][0] > longest:
                longest, where = at_ns - since[place][0], place
    return longest / SECOND_NS, where


def samples(history: History) -> Iterable[Mapping[str, Any]]:
    """Yield what brokers said, once a second."""
    return (event for event in history if event["event"] == "sample")


def _concerns(role: str, name: str, group: str, place: str, prefix: str) -> bool:
    match role:
        case "worker" | "workers":
            return group == name.partition(":")[0]
        case "connector" | "vendor":
            return place.startswith(f"{prefix}{name.partition(':')[0]}.raw/")
        case _:
            return True


def _worst(
    fault: Mapping[str, Any], places: Iterable[Place], arrivals: Arrivals, commits: "_Commits"
) -> tuple[int | None, int | None]:
    """Return when the record that waited longest was worked off, and how long it had waited."""
    began_ns = fault["began_ns"]
    waited: list[tuple[int, int]] = []
    for group, place in places:
        index = bisect_left(arrivals[place], (began_ns, -1))
        if index < len(arrivals[place]) and arrivals[place][index][0] < began_ns + _SOON_NS:
            arrived_ns, offset = arrivals[place][index]
            if (done_ns := commits.when(group, place, offset)) is not None:
                waited.append((max(0, done_ns - arrived_ns), done_ns))
    if not waited:
        return None, None
    longest_ns, done_ns = max(waited)
    return done_ns, longest_ns


def _first(
    fault: Mapping[str, Any], places: Iterable[Place], arrivals: Arrivals, commits: "_Commits"
) -> tuple[int | None, int | None, int | None]:
    """Return when the first frame after a strike was received and worked off, and how long that was after it."""
    struck_ns = fault["at_ns"]
    firsts = []
    for group, place in places:
        index = bisect_left(arrivals[place], (struck_ns, -1))
        if index < len(arrivals[place]):
            firsts.append((*arrivals[place][index], group, place))
    if not firsts:
        return None, None, None
    heard_ns, offset, group, place = min(firsts)
    done_ns = commits.when(group, place, offset)
    return heard_ns, done_ns, None if done_ns is None else done_ns - fault["began_ns"]


class _Commits:
    """When a group was first seen past an offset."""

    def __init__(self, history: History) -> None:
        self._seen: dict[Place, tuple[list[int], list[int]]] = {}
        for sample in samples(history):
            for group, committed in sample["committed"].items():
                for place, offset in committed.items():
                    offsets, times = self._seen.setdefault((group, place), ([], []))
                    if not offsets or offset > offsets[-1]:
                        offsets.append(offset)
                        times.append(sample["at_ns"])

    def when(self, group: str, place: str, offset: int) -> int | None:
        offsets, times = self._seen.get((group, place), ([], []))
        index = bisect_left(offsets, offset + 1)
        return times[index] if index < len(times) else None
