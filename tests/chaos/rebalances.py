"""Which rebalances there were, from workers' logs, and how long a group stood still around each, from samples. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tests.chaos.recovery import SECOND_NS, History, samples

_OPENED: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) INFO tasks\.opened .*\bgeneration=(\d+)\b")
_MARKERS: Final = 2
"""Numbers that the marker of a transaction may take up behind the last record of a partition."""
_NEAR_NS: Final = SECOND_NS
"""Samples are taken once a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalance:
    """A generation of a group in which a worker opened tasks.

    Attributes:
        group: By its name in Kafka.
        generation: Its number.
        opened_ns: When the first of its members had opened, UTC.
    """

    group: str
    generation: int
    opened_ns: int


def rebalances(logs: Mapping[str, Iterable[str]]) -> list[Rebalance]:
    """Return the rebalances that workers tell of; the generation that each group began with is none.

    A generation in which nobody opened a task that was not its own before is not told of: there were at least these.

    Args:
        logs: Lines of all workers' logs, local time, by group.
    """
    found = []
    for group, lines in logs.items():
        first_ns: dict[int, int] = {}
        for generation, at_ns in _opened(lines):
            first_ns[generation] = min(at_ns, first_ns.get(generation, at_ns))
        for generation in sorted(first_ns)[1:]:
            found.append(Rebalance(group=group, generation=generation, opened_ns=first_ns[generation]))
    return found


def standstills(found: Iterable[Rebalance], history: History, groups: Mapping[str, Sequence[str]]) -> list[float]:
    """Return how many seconds each rebalance's group stood still before records that were there, around it.

    The partition that waited longest counts, and whatever else kept it waiting counts, too. A rebalance around which
    no partition waited is left out.

    Args:
        found: The rebalances.
        history: The run's events.
        groups: Sources by consumer group.
    """
    still = _still(history, groups)
    longest = (
        max(
            (
                end_ns - begin_ns
                for begin_ns, end_ns in still[one.group]
                if begin_ns - _NEAR_NS <= one.opened_ns <= end_ns + _NEAR_NS
            ),
            default=0,
        )
        for one in found
    )
    return [waited_ns / SECOND_NS for waited_ns in longest if waited_ns]


def _opened(lines: Iterable[str]) -> Iterator[tuple[int, int]]:
    for line in lines:
        if match := _OPENED.match(line):
            at = datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f").astimezone()
            yield int(match[2]), round(at.timestamp() * 1000) * 1_000_000


def _still(history: History, groups: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[int, int]]]:
    """Return from when to when each group committed nothing of a partition that had something for it."""
    stretches: dict[str, list[tuple[int, int]]] = {group: [] for group in groups}
    since: dict[tuple[str, str], tuple[int, int]] = {}
    for sample in samples(history):
        for group, sources in groups.items():
            if group not in sample["committed"]:
                continue
            committed = sample["committed"][group]
            for place, high in sample.get("high", {}).items():
                if place.rpartition("/")[0] not in sources:
                    continue
                offset = committed.get(place, 0)
                begun_ns, before = since.get((group, place), (0, offset))
                if offset != before:
                    stretches[group].append((begun_ns, sample["at_ns"]))
                    del since[group, place]
                if high - offset <= _MARKERS:
                    since.pop((group, place), None)
                else:
                    since.setdefault((group, place), (sample["at_ns"], offset))
    return stretches
