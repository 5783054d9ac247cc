"""Read dead letters, single records, and the state of a stream task, from Kafka."""

from collections.abc import AsyncIterator, Collection, Iterable

from aiokafka import TopicPartition

from processors.engine.changelog import CHECKPOINT_KEY, STATE_PREFIX, decode_checkpoint
from processors.engine.task import StreamTask
from schemas.record import KafkaRecord
from schemas.replay import Position
from tricast.audit.spans import Kafka, Span
from tricast.dlq.letters import SUFFIX, Choice, Letter, read_letter
from tricast.progress import Progress


async def letters(
    kafka: Kafka, prefix: str, feeds: Iterable[str], choice: Choice, progress: Progress
) -> AsyncIterator[Letter]:
    """Yield the dead letters of ``feeds`` that ``choice`` takes, each partition in its order.

    Raises:
        EnvironmentFault: There is no such topic, or Kafka does not answer.
    """
    spans: dict[TopicPartition, Span] = {}
    for feed in feeds:
        topic = prefix + feed + SUFFIX
        for tp, (begin, end) in (await kafka.spans(await kafka.partitions_of(topic))).items():
            first = begin if choice.since_ms is None else await kafka.since(tp, choice.since_ms)
            spans[tp] = _around(choice.positions, tp, (end if first is None else max(begin, first), end))
    done, total = 0, sum(end - begin for begin, end in spans.values())
    async for batch in kafka.read(spans, "read_committed"):
        for record in batch:
            letter = read_letter(record)
            if letter is not None and choice.takes(letter):
                yield letter
        done += len(batch)
        progress("reading", done, total)
    progress("reading", total, total)


def _around(named: Collection[Position], tp: TopicPartition, span: Span) -> Span:
    """Return what of ``span`` has to be read for the ``named`` positions; all of it when there are none."""
    if not named:
        return span
    offsets = [position.offset for position in named if (position.topic, position.partition) == tp]
    begin = max(span[0], min(offsets, default=span[1]))
    return begin, max(begin, min(span[1], max(offsets, default=0) + 1))


async def record_at(kafka: Kafka, position: Position) -> KafkaRecord | None:
    """Return the record at ``position``, or ``None`` if it is not there (any more)."""
    tp = TopicPartition(position.topic, position.partition)
    if tp not in await kafka.partitions(position.topic):
        return None
    begin, end = (await kafka.spans([tp]))[tp]
    if not begin <= position.offset < end:
        return None
    return await kafka.first(tp, (position.offset, position.offset + 1), "read_committed")


async def restore(kafka: Kafka, task: StreamTask, changelog: str, progress: Progress) -> None:
    """Give ``task`` the state that the worker of its partition has committed."""
    tp = TopicPartition(changelog, task.partition.partition)
    begin, end = (await kafka.spans([tp]))[tp]
    async for batch in kafka.read({tp: (begin, end)}, "read_committed"):
        for record in batch:
            key = record.key or b""
            if key == CHECKPOINT_KEY and record.value is not None:
                checkpoint = decode_checkpoint(record.value)
                task.position, task.stream_time_ns = checkpoint.offset, checkpoint.stream_time_ns
            elif key.startswith(STATE_PREFIX):
                task.store.restore(key[len(STATE_PREFIX) :], record.value)
        progress("state", batch[-1].offset - begin, end - begin)
