"""Records to ``rms.bets``: one after the other, each acknowledged by all replicas, and never giving up on its own."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.kafka import KafkaSettings
from simulators.bets.patience import Patience

log = logging.getLogger(__name__)

_CLOSE_S: Final = 2.0


class BetTopic:
    """Writes records, in the order of the calls.

    A resend by the same producer leaves no repeat (idempotence). When a producer had to be given up, the next one may
    write a record again: consumers of ``rms.bets`` pass over equal ones.

    Args:
        kafka: How to reach Kafka.
        topic: Physical topic name.
        patience: Makes the waits between tries.
    """

    def __init__(self, kafka: KafkaSettings, topic: str, *, patience: Callable[[], Patience]) -> None:
        self._kafka = kafka
        self._topic = topic
        self._patience = patience
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()

    async def write(self, key: bytes, value: bytes) -> str:
        """Return the position of the record, ``<topic>/<partition>/<offset>``, when Kafka has it."""
        async with self._turn:
            patience = self._patience()
            while True:
                try:
                    producer = await self._connected()
                    written = await producer.send_and_wait(self._topic, value, key)
                except (KafkaError, OSError) as error:
                    wait_s = patience.next_s()
                    log.error(
                        "bets.kafka_unavailable bootstrap=%s topic=%s retry_in_s=%.1f error=%r Operator action: check"
                        " that Kafka runs there and has the topic (tricast topics check)",
                        self._kafka.bootstrap_servers,
                        self._topic,
                        wait_s,
                        error,
                    )
                    await self.close()
                    await patience.rest(wait_s)
                else:
                    return f"{written.topic}/{written.partition}/{written.offset}"

    async def close(self) -> None:
        """Leave Kafka; what was acknowledged is safe already."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # With a batch under way and Kafka gone, aiokafka would wait for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await producer.stop()

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._kafka.client(),
                request_timeout_ms=self._kafka.request_timeout_ms,
                enable_idempotence=True,
                acks="all",
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer
