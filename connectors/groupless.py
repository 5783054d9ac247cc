"""Consumers without a group: every connector reads all of a topic, and keeps its positions itself."""

import asyncio
import contextlib
from typing import Final, Literal

from aiokafka import AIOKafkaConsumer

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


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop ``consumer`` within a bounded time: with Kafka gone, aiokafka may take its own."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STOP_S):
            await stop_consumer(consumer)
