"""What a replay would bring now: the pure core over the state that is committed, and nothing written."""

from dataclasses import dataclass

from processors.core.processor import Processor
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Header
from schemas.replay import OF, Position
from schemas.topics import TOPICS
from tricast.dlq.letters import SUFFIX
from tricast.dlq.requests import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What would come of one request.

    Attributes:
        records: Topic, ``ce_type`` and ``ce_id`` of each record, with its value.
        refused: Code and detail of each dead letter.
    """

    records: tuple[tuple[str, str, str, bytes], ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that is not written; a ``SourceRecord``."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


def task_of(processor: Processor, partition: Partition, version: str) -> StreamTask:
    """Return an empty stream task; give it its state (``reader.restore``)."""
    names = (*processor.outputs, f"{processor.feed}{SUFFIX}")
    topics = {name: TOPICS[name] for name in names}
    return StreamTask(partition, processor, topics=topics, version=version, stop_ratio=1.0, window=1_000)


def would_come(task: StreamTask, row: Row, now_ms: int) -> Outcome:
    """Return what ``row`` would bring; ``task`` goes on as if it had."""
    # Behind everything that was read: where exactly a request will stand, nobody knows yet.
    offset = max(task.position, _offset_behind(row))
    task.position = offset
    asked = _Asked(
        topic=row.topic,
        partition=row.partition,
        offset=offset,
        timestamp=now_ms,
        key=row.key,
        value=row.value,
        headers=row.headers,
    )
    task.process(Batch(0, offset, offset + 1, [asked]))
    records: list[tuple[str, str, str, bytes]] = []
    refused: list[tuple[str, str]] = []
    for topic, _, value, headers, _ in task.take_outputs():
        said = {name: text.decode(errors="replace") for name, text in headers}
        if topic.endswith(SUFFIX):
            refused.append((said["tc-code"], said["tc-detail"]))
        else:
            records.append((topic, said.get("ce_type", ""), said.get("ce_id", ""), value or b""))
    return Outcome(records=tuple(records), refused=tuple(refused))


def _offset_behind(row: Row) -> int:
    return Position.read(dict(row.headers)[OF].decode()).offset + 1
