"""A stream task of a real core with a bug to be planted and mended; its dead letters as `tricast dlq` reads them."""

import dataclasses
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from processors.core.processor import Context, Hole, Processor, SourceRecord
from processors.core.replay import Replay, Replayable
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Header
from schemas.topics import TOPICS
from tests.core.driver import Record
from tricast.dlq.letters import SUFFIX, Letter, read_letter
from tricast.dlq.requests import request_of

PLANTED = RuntimeError("planted")


class Out(NamedTuple):
    """A record that came out."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    timestamp: int

    def header(self, name: str) -> str:
        return dict(self.headers).get(name, b"").decode()

    @property
    def said(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.value or b"null")
        return said


class Planted:
    """A processor that raises on records and replays that hold one of ``bugs``."""

    def __init__(self, processor: Processor) -> None:
        self.name, self.feed = processor.name, processor.feed
        self.sources, self.outputs = processor.sources, processor.outputs
        self._processor = processor
        self.bugs: set[bytes] = set()
        self.fails_on_holes = False

    def process(self, record: SourceRecord, context: Context) -> None:
        self._processor.process(record, context)
        self._raise(record, context)

    def replay(self, replay: Replay, context: Context) -> bool:
        assert isinstance(self._processor, Replayable)
        comes = self._processor.replay(replay, context)
        self._raise(replay.record, context)
        return comes

    def on_hole(self, hole: Hole, context: Context) -> None:
        self._processor.on_hole(hole, context)
        if self.fails_on_holes:
            context.memory.clear()
            raise PLANTED

    def _raise(self, record: SourceRecord, context: Context) -> None:
        if any(bug in (record.value or b"") for bug in self.bugs):
            context.memory.clear()  # as every core does, whose memory may be ahead of the store
            raise PLANTED


class Bench:
    """One stream task; ``raw`` is its source partition, ``letters`` its dead letters, ``written`` all it wrote."""

    def __init__(self, processor: Processor, topic: str, partition: int = 0) -> None:
        self.planted = Planted(processor)
        self._registry = {name: TOPICS[name] for name in (*processor.outputs, processor.feed + SUFFIX)}
        self.partition = Partition(topic, partition)
        self.task = self.new_task()
        self.raw: list[Record] = []
        self.letters: list[Letter] = []
        self.written: list[Out] = []

    def new_task(self) -> StreamTask:
        return StreamTask(
            self.partition, self.planted, topics=self._registry, version="v1", stop_ratio=1.0, window=1000
        )

    def feed(self, records: Iterable[Record]) -> list[Out]:
        """Process records, at the offsets that come next; return what came out beside dead letters."""
        return [out for record in records for out in self._take(record)]

    def _take(self, record: Record) -> list[Out]:
        record = dataclasses.replace(
            record, offset=len(self.raw), topic=self.partition.topic, partition=self.partition.partition
        )
        self.raw.append(record)
        return self._outs(self.task, record, self.letters)

    def _outs(self, task: StreamTask, record: Record, letters: list[Letter]) -> list[Out]:
        outs = self._all(task, record)
        self.written += outs
        for out in outs:
            if out.topic.endswith(SUFFIX):
                letters.append(self._letter(out, len(letters)))
        return [out for out in outs if not out.topic.endswith(SUFFIX)]

    @staticmethod
    def _all(task: StreamTask, record: Record) -> list[Out]:
        task.process(Batch(0, task.position, record.offset + 1, [record]))
        return [Out(*output) for output in task.take_outputs()]

    @staticmethod
    def _letter(out: Out, offset: int) -> Letter:
        letter = read_letter(
            Record(
                offset=offset,
                value=out.value,
                headers=out.headers,
                topic=f"t.{out.topic}",
                timestamp=out.timestamp,
                key=out.key,
            )
        )
        assert letter is not None
        return letter

    def request(self, letter: Letter, **changes: Any) -> Record:
        row = request_of(letter)
        request = Record(offset=0, value=row.value, headers=row.headers, key=row.key, timestamp=self.now_ms)
        return dataclasses.replace(request, **changes)

    @property
    def now_ms(self) -> int:
        return max((record.timestamp for record in self.raw), default=0)

    def replay(self, letter: Letter) -> list[Out]:
        return self.feed([self.request(letter)])

    def again(self) -> list[Out]:
        """Process the whole source with a new task, as the code is now; return all that it writes."""
        task = self.new_task()
        return [out for record in self.raw for out in self._all(task, record)]

    def fields(self) -> list[tuple[str, str, int]]:
        """Return code, source and attempt of each letter."""
        return [(letter.code, str(letter.source), letter.attempt) for letter in self.letters]


def everything(task: StreamTask) -> dict[bytes, bytes]:
    """Return the task's state, without what is remembered of replays."""
    return {key: value for key, value in task.store.items() if not key.startswith(b"z")}
