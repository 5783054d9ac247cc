"""How far a replay goes: committed positions, what Kafka still has, and the windows that follow from them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from processors.core.processor import Processor
from processors.engine.task import Partition
from processors.engine.topology import Topology
from schemas.topics import TOPICS
from tricast.audit.spans import Kafka, Span
from tricast.progress import Progress
from tricast.replay.changelog import Fold
from tricast.replay.memory import Memory
from tricast.replay.window import FOREVER_MS, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is processed again.

    Attributes:
        prefix: Of all topics and groups.
        processors: Those of the feed.
        memories: How far back each remembers, by name.
        version: Of this code.
        from_ms: Compare what came from source records from this Kafka timestamp on; ``None``: from the first.
        to_ms: And before this one.
        shown: Differences of a kind that are kept in full.
    """

    prefix: str
    processors: Sequence[Processor]
    memories: dict[str, Memory]
    version: str
    from_ms: int | None
    to_ms: int
    shown: int


@dataclass(frozen=True, slots=True)
class ReplayTask:
    """One source partition of one processor."""

    processor: Processor
    topology: Topology
    window: Window
    fold: Fold

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.processor.name} {self.window.partition.topic}/{self.window.partition.partition}"


class Extent:
    """Finds the tasks of processors, with their windows.

    Args:
        kafka: Where everything is.
        scope: What is processed.
        database: A scratch file, for the state in the changelogs.
        progress: Told how far it is.
        notes: Gets what cannot be compared, and why.
    """

    def __init__(
        self, kafka: Kafka, scope: Scope, database: sqlite3.Connection, progress: Progress, notes: list[str]
    ) -> None:
        self._kafka, self._scope, self._database = kafka, scope, database
        self._progress, self._notes = progress, notes

    async def tasks(self, processor: Processor) -> list[ReplayTask]:
        """Fold the changelogs first: everything up to their checkpoints is in the outputs when those are read."""
        topology = Topology.of(processor, self._scope.prefix, TOPICS)
        tasks: list[ReplayTask] = []
        for source, changelog in topology.changelogs(processor).items():
            partitions = await self._kafka.partitions_of(source)
            folds = {
                tp.partition: Fold(self._database, f"{processor.name} {source}/{tp.partition}") for tp in partitions
            }
            await self._fold(changelog, folds)
            for window in await self._windows(processor.name, partitions, folds):
                tasks.append(ReplayTask(processor, topology, window, folds[window.partition.partition]))
        return tasks

    async def _fold(self, changelog: str, folds: dict[int, Fold]) -> None:
        spans = await self._kafka.spans(await self._kafka.partitions_of(changelog))
        total, done = sum(end - begin for begin, end in spans.values()), 0
        async for batch in self._kafka.read(spans, "read_committed"):
            folds[batch[0].partition].take(batch)
            done += len(batch)
            self._progress(f"reading {changelog}", done, total)
        for tp, (_, end) in spans.items():
            folds[tp.partition].finish(end)

    async def _windows(self, processor: str, partitions: list[TopicPartition], folds: dict[int, Fold]) -> list[Window]:
        spans = await self._kafka.spans(partitions)
        filled = [tp for tp, (begin, high) in spans.items() if begin < high]
        to_ms = self._scope.to_ms
        spread_ms = self._scope.memories[processor].spread_s * 1000
        ends = await self._kafka.firsts(filled, to_ms)
        played = await self._kafka.firsts(filled, to_ms + spread_ms)
        starts = await self._starts(processor, {tp: spans[tp] for tp in filled})
        windows = []
        for tp, (begin, high) in spans.items():
            checkpoint = folds[tp.partition].checkpoint
            committed = begin if checkpoint is None else max(begin, checkpoint.offset)
            wanted = high if (end := ends.get(tp)) is None else end
            end = min(committed, wanted)
            last = min(committed, high if (after := played.get(tp)) is None else after)
            unread_ms = await self._earliest(tp, last, high) if last == committed else FOREVER_MS
            if end < wanted and unread_ms != FOREVER_MS:
                self._notes.append(
                    f"{tp.topic}/{tp.partition}: {processor} has committed up to {end} of {wanted};"
                    " the rest is not compared"
                )
            start, start_ms = starts.get(tp, (begin, 0))
            windows.append(
                Window(
                    processor=processor,
                    partition=Partition(tp.topic, tp.partition),
                    begin=begin,
                    start=min(start, end),
                    end=end,
                    played=last,
                    start_ms=start_ms,
                    end_ms=min(to_ms, unread_ms),
                    checkpoint=None if checkpoint is None else checkpoint.offset,
                )
            )
        return windows

    async def _starts(self, processor: str, spans: dict[TopicPartition, Span]) -> dict[TopicPartition, tuple[int, int]]:
        """Return from where on is compared, as offset and as time."""
        from_ms = self._scope.from_ms
        whole = [tp for tp, (begin, _) in spans.items() if begin == 0]
        starts: dict[TopicPartition, tuple[int, int]] = dict.fromkeys(whole, (0, 0))
        if from_ms is not None:
            firsts = await self._kafka.firsts(whole, from_ms)
            starts = {tp: (spans[tp][1] if first is None else first, from_ms) for tp, first in firsts.items()}
        for tp, (begin, high) in spans.items():
            if begin > 0:
                starts[tp] = await self._cold_start(processor, tp, (begin, high))
        return starts

    async def _cold_start(self, processor: str, tp: TopicPartition, span: Span) -> tuple[int, int]:
        """The beginning is gone: compare when what is left is as much as the processor remembers."""
        memory = self._scope.memories[processor]
        first_ms = await self._time_of(tp, *span)
        from_ms = max(self._scope.from_ms or 0, (first_ms or 0) + memory.back_s * 1000)
        self._notes.append(
            f"{tp.topic}/{tp.partition} begins at offset {span[0]}: what came before is gone by retention, and"
            f" {processor} remembers it. Not compared: its final state, and what came from the first"
            f" {memory.back_s} s of records. May differ all the same: {memory.beyond}"
        )
        first = await self._kafka.since(tp, from_ms)
        return (span[1] if first is None else first), from_ms

    async def _earliest(self, tp: TopicPartition, offset: int, high: int) -> int:
        """Return the least Kafka timestamp of what is not processed yet: later outputs may have that time."""
        earliest = FOREVER_MS
        async for batch in self._kafka.read({tp: (offset, high)}, "read_committed"):
            earliest = min(earliest, *(int(record.timestamp) for record in batch))
        return earliest

    async def _time_of(self, tp: TopicPartition, offset: int, high: int) -> int | None:
        """Return the Kafka timestamp of the first record from ``offset`` on."""
        first = await self._kafka.first(tp, (offset, high), "read_committed")
        return None if first is None else int(first.timestamp)
