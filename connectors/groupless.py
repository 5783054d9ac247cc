"""Consumers without a group: every connector reads all of a topic, and keeps its positions itself."""

import asyncio
import contextlib
from typing import Final, Literal

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import TopicAuthorizationFailedError, UnknownTopicOrPartitionError
from aiokafka.protocol.metadata import MetadataRequest

from schemas.kafka import KafkaSettings
from schemas.stopping import stop_consumer

POLL_MS: Final = 1000
METADATA_S: Final = 10.0
"""How long Kafka may take to say where partitions end: for one without a leader aiokafka waits without a word."""
_STOP_S: Final = 2.0


def consumer(kafka: KafkaSettings, *, missing: Literal["earliest", "latest"]) -> AIOKafkaConsumer:
    """Return a consumer of what was committed, not started yet; whoever starts it calls :func:`stop`.

    Args:
        kafka: How to reach Kafka.
        missing: Where to go on when records fell out of a topic before they were read.
    """
    return AIOKafkaConsumer(
        **kafka.client(),
        request_timeout_ms=kafka.request_timeout_ms,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset=missing,
    )


async def is_there(consumer: AIOKafkaConsumer, topic: str) -> bool:
    """Return whether Kafka has ``topic``, asking in a way that makes none; in a list of all what is hidden is missing.

    Raises:
        TopicAuthorizationFailedError: This user may not know.
    """
    client = consumer._client
    answer = await client.send(client.get_random_node(), MetadataRequest([topic], allow_auto_topic_creation=False))
    [told] = answer.to_object()["topics"]
    if told["error_code"] == TopicAuthorizationFailedError.errno:
        raise TopicAuthorizationFailedError(topic)
    return bool(told["error_code"] != UnknownTopicOrPartitionError.errno)


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop ``consumer`` within a bounded time: with Kafka gone, aiokafka may take its own."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STOP_S):
            await stop_consumer(consumer)
