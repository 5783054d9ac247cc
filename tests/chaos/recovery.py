"""How long each fault kept records waiting: from the topics' own times and from how far groups had committed. Pure.

Of a worker or broker: the first record that reached each partition after the strike, from its arrival until it had been
worked off; the worst partition counts. Of a connector or a vendor: from the strike until the first frame that was
received after it had been worked off, whichever partition it came to. Committed offsets are known once a second.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What one fault cost; ``seconds`` is ``None`` when nothing came that could tell."""

    number: int
    kind: str
    target: str
    seconds: float | None


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
    found = []
    for fault in (event for event in history if event["event"] == "fault"):
        role, _, name = fault["target"].partition(":")
        places = [
            (group, place)
            for group, sources in groups.items()
            for place in arrivals
            if place.rpartition("/")[0] in sources and _concerns(role, name, group.removeprefix(prefix), place, prefix)
        ]
        if role in ("connector", "vendor"):
            seconds = _first(fault, places, arrivals, commits)
        else:
            seconds = _worst(fault, places, arrivals, commits)
        found.append(Recovery(number=fault["number"], kind=fault["kind"], target=fault["target"], seconds=seconds))
    return found


def longest_blocked(history: History) -> tuple[float, str]:
    """Return how long a reader of committed records stood still before records that were there, and where."""
    since: dict[str, tuple[int, int]] = {}
    longest, where = 0, ""
    for sample in _samples(history):
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


def _concerns(role: str, name: str, group: str, place: str, prefix: str) -> bool:
    match role:
        case "worker" | "workers":
            return group == name.partition(":")[0]
        case "connector" | "vendor":
            return place.startswith(f"{prefix}{name.partition(':')[0]}.raw/")
        case _:
            return True


def _worst(
    fault: Mapping[str, Any], places: Iterable[tuple[str, str]], arrivals: Arrivals, commits: "_Commits"
) -> float | None:
    began_ns = fault["began_ns"]
    waited = []
    for group, place in places:
        index = bisect_left(arrivals[place], (began_ns, -1))
        if index < len(arrivals[place]) and arrivals[place][index][0] < began_ns + _SOON_NS:
            arrived_ns, offset = arrivals[place][index]
            if (done_ns := commits.when(group, place, offset)) is not None:
                waited.append(max(0, done_ns - arrived_ns))
    return max(waited) / SECOND_NS if waited else None


def _first(
    fault: Mapping[str, Any], places: Iterable[tuple[str, str]], arrivals: Arrivals, commits: "_Commits"
) -> float | None:
    struck_ns = fault["at_ns"]
    firsts = []
    for group, place in places:
        index = bisect_left(arrivals[place], (struck_ns, -1))
        if index < len(arrivals[place]):
            firsts.append((*arrivals[place][index], group, place))
    if not firsts:
        return None
    _, offset, group, place = min(firsts)
    done_ns = commits.when(group, place, offset)
    return None if done_ns is None else (done_ns - fault["began_ns"]) / SECOND_NS


class _Commits:
    """When a group was first seen past an offset."""

    def __init__(self, history: History) -> None:
        self._seen: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
        for sample in _samples(history):
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


def _samples(history: History) -> Iterable[Mapping[str, Any]]:
    return (event for event in history if event["event"] == "sample")
