"""From a dead letter to the request that has it processed again."""

from dataclasses import dataclass, replace

from processors.core import socketio
from schemas.raw import Header
from schemas.record import KafkaRecord
from schemas.replay import PART, ReplayRequest
from tricast.audit.spans import Kafka
from tricast.dlq.letters import Letter
from tricast.dlq.reader import record_at

_RMS_RAW = "rms.raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A request as it is written: where, and what."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: list[Header]


def request_of(letter: Letter) -> Row:
    """Return the request for ``letter``, which is complete."""
    stamps = letter.stamps if letter.part is None else (*letter.stamps, (PART, letter.part.encode()))
    request = ReplayRequest(
        of=letter.source,
        letter=letter.position,
        attempt=letter.attempt + 1,
        code=letter.code,
        timestamp_ms=max(0, letter.timestamp_ms),
        stamps=stamps,
    )
    return Row(
        topic=letter.source.topic,
        partition=letter.source.partition,
        key=letter.key,
        value=letter.value,
        headers=request.to_kafka(),
    )


def lacks(letter: Letter, prefix: str) -> bool:
    """Tell whether ``letter`` needs its source record: it is cut off, or an approval without the name of its event."""
    is_nameless = letter.source.topic == prefix + _RMS_RAW and letter.source.part is not None and letter.part is None
    return letter.truncated is not None or is_nameless


async def completed(kafka: Kafka, letter: Letter) -> Letter | str:
    """Return ``letter`` with what it lacks, from its source record; or why that cannot be had."""
    record = await record_at(kafka, letter.source.record)
    if record is None:
        lacking = "it does not name its event"
        if letter.truncated is not None:
            lacking = f"it has {len(letter.value):,} of {letter.truncated:,} bytes"
        return f"{lacking}, and its source {letter.source.record} is not kept any more"
    return complete(letter, record)


def complete(letter: Letter, record: KafkaRecord) -> Letter | str:
    """Return ``letter`` with what it lacks, from the source ``record``; or why that is not in there."""
    if letter.truncated is not None:
        if letter.source.part is not None:
            return f"a part of {letter.truncated} bytes is more than a request takes"
        return replace(letter, value=record.value or b"", truncated=None)
    packet = socketio.read_packet(record.value or b"")
    if not isinstance(packet, socketio.Event):
        return f"its source {letter.source.record} is no event"
    return replace(letter, part=packet.name)
