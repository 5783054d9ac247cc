"""Which events an earlier process left as being there: read from ``kambi.health`` after a start.

An event that left the offering while nobody listened is in no list, and a process that began anew has not heard of it:
nobody would ever ask, and what is known of it would stay for hours. The processor's health records name it.
"""

import asyncio
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from connectors import groupless
from connectors.clock import Clock
from connectors.kafka_retry import until_kafka_answers
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS

HEALTH: Final = TOPICS["kambi.health"].name
_EVENT: Final = b"event/"
_MOST_DIGITS: Final = 19  # of a 64-bit number


class _Told(msgspec.Struct):
    reason: str = ""


async def remembered(kafka: KafkaSettings, *, topic: str, clock: Clock) -> list[int]:
    """Return the events whose newest health record does not say that they were removed; retry until Kafka answers.

    Args:
        kafka: How to reach Kafka.
        topic: Physical name of ``kambi.health``. One that does not exist has no events.
        clock: Waits between two attempts.
    """
    return await until_kafka_answers(lambda: _read(kafka, topic), kafka=kafka, topic=topic, clock=clock)


async def _read(kafka: KafkaSettings, topic: str) -> list[int]:
    consumer = groupless.consumer(kafka, missing="earliest")
    there: dict[int, None] = {}
    try:
        await consumer.start()
        if await groupless.is_there(consumer, topic):
            await _read_to_end(consumer, topic, there)
        return list(there)
    finally:
        await groupless.stop(consumer)


async def _read_to_end(consumer: AIOKafkaConsumer, topic: str, there: dict[int, None]) -> None:
    # A key stays in its partition, so what comes last of it is the newest, whichever partition is read first.
    partitions = [TopicPartition(topic, number) for number in range(TOPICS["kambi.health"].partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    async with asyncio.timeout(groupless.METADATA_S):
        ends = await consumer.end_offsets(partitions)
    unread = set(partitions)
    while unread := {tp for tp in unread if await consumer.position(tp) < ends[tp]}:
        for records in (await consumer.getmany(*unread, timeout_ms=groupless.POLL_MS)).values():
            for record in records:
                _note(there, record)


def _note(there: dict[int, None], record: ConsumerRecord) -> None:
    key = record.key or b""
    number = key.removeprefix(_EVENT)
    if key == number or not number.isdigit() or len(number) > _MOST_DIGITS:
        return
    if record.value is not None and _reason(record.value) != "removed":
        there[int(number)] = None
    else:
        there.pop(int(number), None)


def _reason(value: bytes) -> str:
    try:
        return msgspec.json.decode(value, type=_Told).reason
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
