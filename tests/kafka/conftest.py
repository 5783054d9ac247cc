from collections.abc import Awaitable, Callable

import aiokafka
import pytest

from schemas.kafka import KafkaSettings
from schemas.topics import Topic
from tricast.kafka import topics

Write = Callable[[str, bytes], Awaitable[None]]
Read = Callable[[str], Awaitable[bytes | None]]
TOPIC = Topic(name="kept", description="", key="", partitions=1)


@pytest.fixture
def write() -> Write:
    """Writes one value, acknowledged by all in-sync replicas; makes the topic."""

    async def write(bootstrap_servers: str, value: bytes) -> None:
        await topics.create([TOPIC], "", KafkaSettings(bootstrap_servers=bootstrap_servers))
        producer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True)
        await producer.start()
        try:
            await producer.send_and_wait(TOPIC.name, value)
        finally:
            await producer.stop()

    return write


@pytest.fixture
def read() -> Read:
    """Reads the first value that was written."""

    async def read(bootstrap_servers: str) -> bytes | None:
        consumer = aiokafka.AIOKafkaConsumer(
            TOPIC.name, bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            return (await consumer.getone()).value
        finally:
            await consumer.stop()

    return read
