"""One replay: take the committed positions, process the sources, lay what came out beside what is there."""

import sqlite3
from collections.abc import AsyncIterator, Sequence

from aiokafka import TopicPartition

from processors.engine.cycle import Partitioner
from schemas.record import KafkaRecord
from schemas.topics import Topic
from tricast.audit.spans import Kafka, Span
from tricast.progress import Progress
from tricast.replay.bench import Bench
from tricast.replay.extent import Extent, ReplayTask, Scope
from tricast.replay.keep import Keep
from tricast.replay.play import Player
from tricast.replay.report import Report, TaskReport
from tricast.replay.window import Window, Windows
from tricast.replay.written import VERSION_HEADER, Written

_AROUND_MS = 3_600_000
"""Outputs carry the time of their source record, and clocks of connectors may step; Kafka takes none further ahead."""


async def replay(
    kafka: Kafka, scope: Scope, database: sqlite3.Connection, progress: Progress, keep: Keep | None = None
) -> Report:
    """Process the window again and compare.

    Args:
        kafka: Where everything is.
        scope: What is processed.
        database: A scratch file.
        progress: Told how far it is.
        keep: Given what is written in the window, if somebody wants it.

    Raises:
        EnvironmentFault: Kafka is not there, a topic is missing, or readers are held back.
    """
    return await _Replay(kafka, scope, database, progress, keep).run()


class _Replay:
    def __init__(
        self, kafka: Kafka, scope: Scope, database: sqlite3.Connection, progress: Progress, keep: Keep | None
    ) -> None:
        self._kafka, self._scope, self._database = kafka, scope, database
        self._progress, self._keep = progress, keep
        self._report = Report(shown=scope.shown)
        self._partitioner = Partitioner()

    async def run(self) -> Report:
        extent = Extent(self._kafka, self._scope, self._database, self._progress, self._report.notes)
        tasks = [task for processor in self._scope.processors for task in await extent.tasks(processor)]
        windows = Windows([task.window for task in tasks])
        outputs = {name: topic for task in tasks for name, topic in task.topology.outputs.items()}
        compacted = frozenset(name for name, topic in outputs.items() if topic.cleanup == "compact")
        spans = {name: await self._spans(name) for name in outputs}
        bench = Bench(self._database, windows, compacted)
        for task in tasks:
            await self._play(task, bench)
        await self._read_outputs(outputs, spans, bench, windows)
        self._progress("comparing", 0, 0)
        bench.judge(self._report)
        return self._report

    # -- what there is --------------------------------------------------------------------------------------------

    async def _spans(self, name: str) -> dict[TopicPartition, Span]:
        """Return what is in an output topic, and tell the partitioner how many partitions it has."""
        partitions = await self._kafka.partitions_of(self._scope.prefix + name)
        self._partitioner.set_count(name, len(partitions))
        return await self._kafka.spans(partitions)

    # -- the two sides -----------------------------------------------------------------------------------------------

    async def _play(self, task: ReplayTask, bench: Bench) -> None:
        window = task.window
        player = Player(
            task.processor,
            window.partition,
            begin=window.begin,
            outputs=task.topology.outputs,
            version=self._scope.version,
            partitioner=self._partitioner,
        )
        name = task.name
        async for records in self._source(window):
            inside = window.start <= records[0].offset < window.end
            written = player.play(records, records[-1].offset + 1)
            bench.expect(name, written, inside=inside)
            if inside:
                self._report.records += len(records)
                if self._keep is not None:
                    await self._keep.take(written)
            else:
                self._report.around_records += len(records)
            phase = f"{'processing' if inside else 'processing what is around,'} {name}"
            self._progress(phase, records[-1].offset + 1 - window.begin, window.played - window.begin)
        if player.failures:
            self._report.notes.append(f"{name}: {player.failures} records ended with an exception of the processor")
        self._report.tasks.append(self._state(task, player))

    async def _source(self, window: Window) -> AsyncIterator[Sequence[KafkaRecord]]:
        """Yield the records that are processed, those that are compared apart from those before and after."""
        tp = TopicPartition(*window.partition)
        async for batch in self._kafka.read({tp: (window.begin, window.played)}, "read_committed"):
            for first, last in ((window.begin, window.start), (window.start, window.end), (window.end, window.played)):
                records = [record for record in batch if first <= record.offset < last]
                if records:
                    yield records

    def _state(self, task: ReplayTask, player: Player) -> TaskReport:
        window = task.window
        told = TaskReport(
            processor=window.processor,
            topic=window.partition.topic,
            partition=window.partition.partition,
            begin=window.begin,
            start=window.start,
            end=window.end,
            is_cold=window.is_cold,
            state="",
        )
        if window.checkpoint is None:
            told.state = "there is none"
        elif window.is_cold:
            told.state = "not compared: what came before the first record kept is gone"
        elif not window.has_final_state:
            told.state = f"not compared: that in the changelog is of offset {window.checkpoint}"
        else:
            found = task.fold.compare(player.state(), self._scope.shown)
            told.state = "different" if found.wrong else "equal"
            told.state_entries, told.state_wrong = found.entries, found.wrong
            for each in found.shown:
                self._report.show("state", f"{task.name}: {each.title}", each.lines)
        return told

    async def _read_outputs(
        self,
        outputs: dict[str, Topic],
        spans: dict[str, dict[TopicPartition, Span]],
        bench: Bench,
        windows: Windows,
    ) -> None:
        scope = self._scope
        todo: dict[TopicPartition, Span] = {}
        names: dict[str, str] = {scope.prefix + name: name for name in outputs}
        for name, topic in outputs.items():
            found = await self._kafka.spans(spans[name])  # anew: live processors went on meanwhile
            firsts: dict[TopicPartition, int | None] = {}
            if scope.from_ms is not None and topic.cleanup != "compact":
                firsts = await self._kafka.firsts(spans[name], max(0, scope.from_ms - _AROUND_MS))
            for tp, (begin, end) in found.items():
                bench.begins(name, tp.partition, begin)
                first = firsts.get(tp, begin)
                todo[tp] = (end if first is None else max(begin, first), end)
        total, done = sum(end - begin for begin, end in todo.values()), 0
        async for batch in self._kafka.read(todo, "read_committed"):
            real = [(_written(record, names[record.topic]), record.offset) for record in batch]
            for written, _ in real:
                self._note_version(written, windows)
            bench.observe(real)
            done += len(batch)
            self._progress("reading outputs", done, total)

    def _note_version(self, written: Written, windows: Windows) -> None:
        version = dict(written.headers).get(VERSION_HEADER)
        text = None if version is None else version.decode(errors="replace")
        if text not in (None, self._scope.version) and windows.holds(written.source, written.timestamp):
            self._report.other_versions[text] += 1


def _written(record: KafkaRecord, topic: str) -> Written:
    return Written(
        topic=topic,
        partition=record.partition,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
        timestamp=record.timestamp,
    )
