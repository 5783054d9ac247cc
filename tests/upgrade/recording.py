"""A recording: the changelog of one task at some offset, the records after it, and what they made without a break."""

import base64
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from processors.core.processor import Processor
from processors.engine.changelog import CHECKPOINT_KEY, FORMAT, Checkpoint, encode_checkpoint
from processors.engine.cycle import TaskWork
from processors.engine.opening import _apply
from processors.engine.task import Batch, Output, Partition, StreamTask
from schemas.topics import TOPICS
from tricast.processors import PROCESSORS
from tricast.settings import Settings

FOLDER = Path(__file__).with_name("recorded")


class Row(NamedTuple):
    """A record of a source or changelog, with what a core reads of one."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class Recording:
    """What ``processor`` of ``version`` left, and did next."""

    processor: str
    version: str
    changelog: list[Row]
    records: list[Row]
    outputs: list[Output]

    @classmethod
    def make(cls, name: str, version: str, records: list[Row], until: int) -> "Recording":
        """Process ``records``; the changelog is that after the first ``until`` of them."""
        task = _task(name, records[0])
        task.position = records[0].offset
        _process(task, records[:until])
        work = TaskWork.take(task)
        checkpoint = Checkpoint(
            format=FORMAT,
            group=name,
            source=records[0].topic,
            partition=records[0].partition,
            offset=work.position,
            stream_time_ns=work.stream_time_ns,
            owner="recorded",
            member="recorded",
            generation=1,
        )
        entries = {CHECKPOINT_KEY: encode_checkpoint(checkpoint)} | {k: v for k, v in work.state if v is not None}
        changelog = [Row(f"changelog.{name}", 0, n, 0, key, value) for n, (key, value) in enumerate(entries.items())]
        task.take_outputs()
        _process(task, records[until:])
        return cls(name, version, changelog, records[until:], task.take_outputs())

    def played(self) -> list[Output]:
        """Restore a task of this version from the changelog and return what the records make of it."""
        task = _task(self.processor, self.records[0])
        _apply(task, self.changelog)
        assert not task.foreign
        assert task.checkpoint is not None
        task.position = task.checkpoint.offset
        _process(task, self.records)
        return task.take_outputs()

    # On disk.

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.processor}-{self.version}.json.gz"

    def write(self) -> None:
        lines = [
            {"processor": self.processor, "version": self.version},
            *({"changelog": _plain(row)} for row in self.changelog),
            *({"record": _plain(row)} for row in self.records),
            *({"output": _plain(output)} for output in self.outputs),
        ]
        self.path.parent.mkdir(exist_ok=True)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        self.path.write_bytes(gzip.compress(text.encode(), mtime=0))

    @classmethod
    def read(cls, path: Path) -> "Recording":
        first, *lines = (json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines())
        rows = {kind: [_rich(line[kind]) for line in lines if kind in line] for kind in ("changelog", "record")}
        outputs: list[Any] = [_rich(line["output"]) for line in lines if "output" in line]
        return cls(
            first["processor"],
            first["version"],
            [Row(*row) for row in rows["changelog"]],
            [Row(*row) for row in rows["record"]],
            [tuple(output) for output in outputs],
        )


def _task(name: str, first: Row) -> StreamTask:
    processor: Processor = PROCESSORS[name](Settings())
    names = (*processor.outputs, f"{processor.feed}.dead-letters")
    return StreamTask(
        Partition(first.topic, first.partition),
        processor,
        topics={topic: TOPICS[topic] for topic in names},
        version="recorded",
        stop_ratio=1.0,
        window=1_000_000,
    )


def _process(task: StreamTask, records: list[Row]) -> None:
    """Process ``records``; markers of transactions may stand before them."""
    task.process(Batch(0, task.position, records[-1].offset + 1, records))


def _plain(values: Iterable[Any]) -> list[Any]:
    return [
        {"bytes": base64.b64encode(value).decode()}
        if isinstance(value, bytes)
        else _plain(value)
        if isinstance(value, list | tuple)
        else value
        for value in values
    ]


def _rich(values: list[Any]) -> list[Any]:
    return [
        base64.b64decode(value["bytes"])
        if isinstance(value, dict)
        else tuple(_rich(value))
        if isinstance(value, list)
        else value
        for value in values
    ]
