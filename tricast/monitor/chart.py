"""From looks to topics and groups: rates, histories, what is held back since when. Pure; told the time by the looks."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from schemas.topics import TOPICS
from tricast.monitor.lag import partitions_of
from tricast.monitor.look import GroupLook, Look, PartitionLook, Place
from tricast.monitor.picture import HISTORY, NOT_VISIBLE, Edge, Group, Partition, Topic, TopicKind

RATE_SAMPLES: Final = 5
"""Rates are measured over so many samples: steady enough to read."""

_KINDS: Final[Mapping[str, TopicKind]] = {
    "raw": "raw",
    "bets": "input",
    "health": "health",
    "sequence": "findings",
    "dead-letters": "dead-letters",
    "pending": "internal",
    "commands": "internal",
    "lookups": "internal",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """A processor as others see it: a group of ours, with the physical names of what it reads and writes.

    Nobody misses an ``optional`` one before its group was ever there.
    """

    group: str
    sources: Sequence[str]
    outputs: Sequence[str]
    optional: bool = False


@dataclass(slots=True)
class _Track:
    """Sums over time, of one topic or group."""

    samples: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=RATE_SAMPLES + 1))
    history: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))
    size: tuple[int, int] | None = None
    bytes_rate: float | None = None

    def add(self, at_ms: int, total: int) -> None:
        if self.samples:
            self.history.append(_rate(self.samples[-1], (at_ms, total)))
        self.samples.append((at_ms, total))

    def add_size(self, at_ms: int, size: int | None) -> None:
        if size is None or (self.size is not None and size == self.size[1] and at_ms - self.size[0] < 2 * _SIZES_MS):
            return
        if self.size is not None:
            self.bytes_rate = _rate(self.size, (at_ms, size))
        self.size = (at_ms, size)

    @property
    def rate(self) -> float:
        return _rate(self.samples[0], self.samples[-1]) if len(self.samples) > 1 else 0.0


_SIZES_MS: Final = 10_000
"""How often the broker is asked for sizes; one that stays the same for two such times has stopped growing."""


class Chart:
    """Takes looks in their order and returns what they add up to.

    Args:
        prefix: Topic prefix.
        processors: Groups of ours.
    """

    def __init__(self, prefix: str, processors: Sequence[Processor]) -> None:
        self._prefix = prefix
        self._processors = {processor.group: processor for processor in processors}
        self._topics: dict[str, _Track] = {}
        self._groups: dict[str, _Track] = {}
        self._sources: dict[tuple[str, str], _Track] = {}
        """By group and topic."""
        self._held: dict[Place, tuple[int, int]] = {}

    def add(self, look: Look) -> tuple[tuple[Topic, ...], tuple[Group, ...], tuple[Edge, ...]]:
        """Take in one look and return topics, groups and the pipeline."""
        topics = tuple(
            self._topic(name, list(rows), look)
            for name, rows in groupby(
                sorted(look.partitions.items(), key=lambda row: row[0]), key=lambda row: row[0][0]
            )
        )
        visible = {name for name, group in look.groups.items() if group.state != NOT_VISIBLE}
        groups = tuple(self._group(name, look) for name in sorted(visible | self._missed(topics)))
        gone = self._topics.keys() - {topic.name for topic in topics}
        for name in gone:
            del self._topics[name]
        return topics, groups, tuple(self._edges(topics, groups))

    def _missed(self, topics: Iterable[Topic]) -> set[str]:
        """Return our groups whose sources exist, also those that nobody is in and that never committed."""
        names = {topic.name for topic in topics}
        wanted = {name: processor for name, processor in self._processors.items() if not processor.optional}
        return {name for name, processor in wanted.items() if names.issuperset(processor.sources)}

    def _topic(self, name: str, rows: Sequence[tuple[Place, PartitionLook]], look: Look) -> Topic:
        sizes = [partition.size_bytes for _, partition in rows if partition.size_bytes is not None]
        size = sum(sizes) if len(sizes) == len(rows) else None
        track = self._topics.setdefault(name, _Track())
        track.add(look.at_ms, sum(partition.end or 0 for _, partition in rows))
        track.add_size(look.at_ms, size)
        registry = name.removeprefix(self._prefix)
        known = registry in TOPICS and name.startswith(self._prefix)
        return Topic(
            name=name,
            registry=registry if known else None,
            feed=feed_of(registry) if known else "",
            kind=kind_of(registry) if known else "other",
            partitions=tuple(self._partition(place, partition, look.at_ms) for place, partition in rows),
            rate=track.rate,
            bytes_rate=track.bytes_rate,
            size_bytes=size,
            newest_ms=max((row.newest_ms for _, row in rows if row.newest_ms is not None), default=None),
            history=tuple(track.history),
        )

    def _partition(self, place: Place, look: PartitionLook, at_ms: int) -> Partition:
        held_since_ms = None
        if look.end is not None and look.last_stable is not None and look.last_stable < look.end:
            stable, since_ms = self._held.get(place, (-1, 0))
            held_since_ms = since_ms if stable == look.last_stable else at_ms
            self._held[place] = (look.last_stable, held_since_ms)
        else:
            self._held.pop(place, None)
        return Partition(
            number=place[1],
            start=look.start,
            end=look.end,
            last_stable=look.last_stable,
            held_since_ms=held_since_ms,
            newest_ms=look.newest_ms,
            size_bytes=look.size_bytes,
            in_sync=look.in_sync,
            replicas=look.replicas,
            leader=look.leader,
        )

    def _group(self, name: str, look: Look) -> Group:
        found = look.groups.get(name) or GroupLook(state="Dead", members=0, committed={})
        processor = self._processors.get(name)
        partitions = partitions_of(found, look.partitions, processor.sources if processor else (), look.at_ms)
        track = self._groups.setdefault(name, _Track())
        if found.committed:
            track.add(look.at_ms, sum(found.committed.values()))
            for source in processor.sources if processor else ():
                committed = sum(offset for (topic, _), offset in found.committed.items() if topic == source)
                self._sources.setdefault((name, source), _Track()).add(look.at_ms, committed)
        return Group(
            name=name,
            ours=processor is not None,
            state=found.state,
            members=found.members,
            lag=None if all(row.lag is None for row in partitions) else sum(row.lag or 0 for row in partitions),
            lag_s=max((p.lag_s for p in partitions if p.lag_s is not None), default=None),
            rate=track.rate,
            partitions=partitions,
        )

    def _edges(self, topics: Sequence[Topic], groups: Sequence[Group]) -> Iterable[Edge]:
        by_name = {topic.name: topic for topic in topics}
        writers = Counter(name for processor in self._processors.values() for name in processor.outputs)
        for topic in topics:
            if topic.kind == "raw":
                # What a connector writes is what it heard, and ticks; the vendor's own rate is in its metrics.
                connector = f"connector/{topic.feed}"
                yield Edge(feed=topic.feed, source=f"vendor/{topic.feed}", target=connector, rate=None)
                yield Edge(feed=topic.feed, source=connector, target=f"topic/{topic.name}", rate=topic.rate)
        for group in groups:
            processor = self._processors.get(group.name)
            if processor is None:
                continue
            for name in processor.sources:
                if name in by_name:
                    feed, track = by_name[name].feed, self._sources.get((group.name, name), _Track())
                    yield Edge(feed=feed, source=f"topic/{name}", target=f"group/{group.name}", rate=track.rate)
            for name in processor.outputs:
                if name in by_name:
                    topic = by_name[name]
                    # Of a topic that several write to nobody knows who wrote how much.
                    rate = topic.rate if writers[name] == 1 else None
                    yield Edge(feed=topic.feed, source=f"group/{group.name}", target=f"topic/{name}", rate=rate)


def feed_of(registry: str) -> str:
    """Return the feed of a registry topic, e.g. of ``changelog.rms.join.rms.pending``: ``rms``."""
    return registry.removeprefix("changelog.").partition(".")[0]


def kind_of(registry: str) -> TopicKind:
    """Return what a registry topic is for."""
    if registry.startswith("changelog."):
        return "changelog"
    return _KINDS.get(registry.partition(".")[2], "normalized")


def _rate(before: tuple[int, int], after: tuple[int, int]) -> float:
    return max(0, after[1] - before[1]) * 1000 / max(1, after[0] - before[0])
