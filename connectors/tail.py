"""Where lines stood: read from the end of raw partitions when a connector starts."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from connectors.clock import Clock
from connectors.groupless import METADATA_S, stop
from connectors.kafka_retry import until_kafka_answers
from connectors.record import LastFrame, is_left, is_refusal
from schemas.kafka import KafkaSettings

TAIL_RECORDS: Final = 20_000
"""How far back to look. A live line ticks each second, so at 10,000 frames/s this holds two ticks of every line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTail:
    """The last that is known of a line.

    Attributes:
        last: Its last connection and that one's last frame.
        received_ns: Stamp of its last record, UTC nanoseconds.
        closed: Whether that connection was closed in order.
        left: Whether that was because nobody follows the line any more.
        shards: Of how many shards its events are a part; ``None`` when no control record of it is in the tail.
        events: How many events of its feed it had received, as its last control record that says so tells: records
            behind it may be of later ones. ``None``: nothing in the tail says.
    """

    last: LastFrame
    received_ns: int
    closed: bool
    shards: int | None
    events: int | None = None
    left: bool = False


class _Told(msgspec.Struct):
    shards: int = 1  # records of versions without shards say nothing of them
    events: int | None = None


_MOST_DIGITS: Final = 19  # of a 64-bit number


Tails = Mapping[int, Mapping[str, LineTail]]
"""By partition and line."""


async def read_tails(kafka: KafkaSettings, *, topic: str, partitions: Iterable[int], clock: Clock) -> Tails:
    """Return what the last records of ``partitions`` tell of each line; retry until Kafka answers.

    A line that was silent for longer than the tail is not in it: its next gap then has no known beginning.
    """
    assigned = [TopicPartition(topic, number) for number in partitions]
    if not assigned:
        return {}
    return await until_kafka_answers(lambda: _read_tails(kafka, assigned), kafka=kafka, topic=topic, clock=clock)


async def _read_tails(kafka: KafkaSettings, assigned: Sequence[TopicPartition]) -> Tails:
    consumer = AIOKafkaConsumer(**kafka.client(), request_timeout_ms=kafka.request_timeout_ms, enable_auto_commit=False)
    tails: dict[int, dict[str, LineTail]] = {tp.partition: {} for tp in assigned}
    try:
        await consumer.start()
        consumer.assign(assigned)
        async with asyncio.timeout(METADATA_S):
            ends = await consumer.end_offsets(assigned)
            begins = await consumer.beginning_offsets(assigned)
        for tp in assigned:
            consumer.seek(tp, max(begins[tp], ends[tp] - TAIL_RECORDS))
        unread = set(assigned)
        while unread := {tp for tp in unread if await consumer.position(tp) < ends[tp]}:
            # The position goes beyond the last record: the end may be a marker.
            for tp, records in (await consumer.getmany(*unread, timeout_ms=1000)).items():
                for record in records:
                    _note(tails[tp.partition], record)
        return tails
    finally:
        await stop(consumer)


def _note(tails: dict[str, LineTail], record: ConsumerRecord) -> None:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    line, connection, frame = (headers.get(name, "") for name in ("tc-line", "tc-connection", "tc-frame"))
    if not (line and connection and _is_number(frame)):
        return
    kind, received = headers.get("tc-kind", ""), headers.get("tc-received-ns", "")
    if kind == "closed" and is_refusal(record.value):
        return  # there was no connection; the line stands where it stood
    known = tails.get(line)
    same = known is not None and known.last.connection == connection
    # Raw topics are at least once: a repeat must not set the line back.
    number = max(known.last.frame, int(frame)) if known and same else int(frame)
    told = _told(record.value) if kind in {"opened", "tick"} else None
    tails[line] = LineTail(
        last=LastFrame(connection=connection, frame=number),
        received_ns=int(received) if _is_number(received) else record.timestamp * 1_000_000,
        closed=kind == "closed" or (known is not None and same and known.closed),
        left=(kind == "closed" and is_left(record.value)) or (known is not None and same and known.left),
        shards=told.shards if told else (known.shards if known else None),
        events=told.events if told and told.events is not None else (known.events if known else None),
    )


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= _MOST_DIGITS


def _told(value: bytes | None) -> _Told | None:
    try:
        return msgspec.json.decode(value or b"", type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
