"""Write requests into source topics, at a rate."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import EnvironmentFault
from schemas.topics import RAW_MESSAGE_BYTES
from tricast.dlq.requests import Row

_IN_FLIGHT = 200
"""Requests that wait for the brokers at once."""


async def write(
    client: Mapping[str, Any], rows: Iterable[Row], *, rate: float | None, done: Callable[[int], None]
) -> list[str]:
    """Write ``rows`` in their order; return the position of each.

    Args:
        client: Keyword arguments of every aiokafka client.
        rows: The requests.
        rate: Of them a second at most; ``None``: as fast as the brokers take them.
        done: Told how many more are acknowledged.

    Raises:
        EnvironmentFault: The brokers did not take one. Those before it are written; asking for them again brings
            nothing but refusals.
    """
    producer = AIOKafkaProducer(
        **client, acks="all", enable_idempotence=True, compression_type="gzip", max_request_size=RAW_MESSAGE_BYTES
    )
    positions: list[str] = []
    waiting: list[asyncio.Future[Any]] = []

    async def settle() -> None:
        for future in waiting:
            sent = await future
            positions.append(f"{sent.topic}/{sent.partition}/{sent.offset}")
        done(len(waiting))
        waiting.clear()

    try:
        await producer.start()
        began = time.monotonic()
        for number, row in enumerate(rows):
            if rate is not None and number / rate > time.monotonic() - began:
                await settle()
                await asyncio.sleep(max(0.0, number / rate - (time.monotonic() - began)))
            waiting.append(
                await producer.send(row.topic, row.value, key=row.key, partition=row.partition, headers=row.headers)
            )
            if len(waiting) >= _IN_FLIGHT:
                await settle()
        await settle()
    except KafkaError as error:
        raise EnvironmentFault(
            f"{len(positions)} requests were written, then Kafka did not take one: {error!r}",
            action="run it again when the brokers are well; what was replayed before is refused, not doubled",
        ) from error
    finally:
        await producer.stop()
    return positions
