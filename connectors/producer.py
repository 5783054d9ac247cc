"""Raw records to one Kafka partition: idempotent, all replicas, in order, and never giving up on its own."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_zstd
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from connectors.clock import Clock
from connectors.kafka_retry import until_kafka_answers
from connectors.record import RawRecord
from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings
from schemas.raw import RawHeaders
from schemas.topics import RAW_MESSAGE_BYTES

log = logging.getLogger(__name__)

T = TypeVar("T")

_CLOSE_S: Final = 2.0
_SLOW_S: Final = 10.0
_METADATA_S: Final = 10.0
_REQUEST_BYTES: Final = RAW_MESSAGE_BYTES + 1024 * 1024  # the largest record, with room for its batch


class RawWriter:
    """Writes to one partition of one raw topic. A batch is resent until it is acknowledged.

    A resend by the same producer leaves no repeat (idempotence). When a producer had to be given up the next one
    resends what was not acknowledged: a repeat is possible then, and processors drop it by connection and frame.

    Args:
        kafka: How to reach Kafka.
        topic: Physical topic name.
        partition: Partition, explicit.
        key: Key of every record, or what tells the key of each.
        clock: What waits between attempts.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        topic: str,
        partition: int,
        key: bytes | Callable[[RawHeaders], bytes],
        clock: Clock,
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._partition = partition
        self._key = key
        self._clock = clock
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Return when Kafka answers and has the partition.

        Raises:
            ConfigurationError: The topic has no such partition.
        """
        await self._retried(self._connected)

    async def write(self, records: Sequence[RawRecord]) -> Sequence[RawRecord]:
        """Return when ``records`` are kept, save those returned, which are too large for the topic.

        Raises:
            ConfigurationError: The topic has no such partition.
        """
        try:
            await self._retried(lambda: self._persist(records))
        except MessageSizeTooLargeError:
            if len(records) == 1:
                headers = records[0].headers
                log.error(
                    "raw.too_large topic=%s line=%s connection=%s frame=%d bytes=%d",
                    self._topic,
                    headers.line,
                    headers.connection,
                    headers.frame,
                    len(records[0].value),
                )
                return records
            middle = len(records) // 2
            return [*await self.write(records[:middle]), *await self.write(records[middle:])]
        return ()

    async def close(self) -> None:
        """Leave Kafka; what was acknowledged is safe already."""
        producer, self._producer = self._producer, None
        if producer is not None:
            # With a batch under way and Kafka gone, aiokafka would wait for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await producer.stop()

    async def _retried(self, attempt: Callable[[], Awaitable[T]]) -> T:
        return await until_kafka_answers(
            attempt, kafka=self._kafka, topic=self._topic, clock=self._clock, operation="Write"
        )

    async def _persist(self, records: Sequence[RawRecord]) -> None:
        try:
            producer = await self._connected()
            future = await producer.send_batch(self._batch(producer, records), self._topic, partition=self._partition)
            await self._acknowledged(future, len(records))
        except (KafkaError, OSError):
            await self.close()  # the batch's sequence numbers are spent; only a new producer can go on
            raise

    async def _acknowledged(self, future: asyncio.Future[Any], records: int) -> None:
        # aiokafka retries an idempotent batch for ever; somebody has to be told meanwhile.
        while not (await asyncio.wait({future}, timeout=_SLOW_S))[0]:
            log.warning("kafka.slow topic=%s unacknowledged_records=%d waited_s=%.0f", self._topic, records, _SLOW_S)
        future.result()

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is not None:
            return self._producer
        producer = AIOKafkaProducer(
            **self._kafka.client(),
            request_timeout_ms=self._kafka.request_timeout_ms,
            enable_idempotence=True,
            acks="all",
            # Of full batches zstd makes half of what lz4 does, at a quarter of its cost (aiokafka takes lz4's level 9).
            compression_type="zstd" if has_zstd() else None,
            max_batch_size=_REQUEST_BYTES,
            max_request_size=_REQUEST_BYTES,
        )
        try:
            await producer.start()
            async with asyncio.timeout(_METADATA_S):  # a missing topic is waited for without a word otherwise
                partitions = await producer.partitions_for(self._topic)
            if self._partition not in partitions:
                raise ConfigurationError(
                    f"{self._topic} has no partition {self._partition}, only {sorted(partitions)}",
                    action="run `tricast topics check`, or choose another shard",
                )
        except BaseException:
            await producer.stop()
            raise
        log.info("kafka.connected topic=%s partition=%d", self._topic, self._partition)
        self._producer = producer
        return producer

    def _batch(self, producer: AIOKafkaProducer, records: Sequence[RawRecord]) -> Any:
        batch = producer.create_batch()
        for record in records:
            appended = batch.append(
                timestamp=record.headers.received_ns // 1_000_000,
                key=self._key(record.headers) if callable(self._key) else self._key,
                value=record.value,
                headers=record.headers.to_kafka(),
            )
            assert appended is not None, "a batch takes far more than the sink puts in one"
        batch.close()
        return batch
