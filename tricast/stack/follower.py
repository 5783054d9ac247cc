"""Follow what reaches readers, for as long as ``tricast up`` runs."""

import asyncio
import json
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer

from schemas.kafka import KafkaSettings
from schemas.record import KafkaRecord
from schemas.stopping import stop_consumer
from tricast.stack.news import News

_POLL_MS = 200


class Follower:
    """A read_committed reader of normalized topics; run it as a task.

    It begins where names begin, and counts what is newer than it.

    Attributes:
        first_s: Monotonic time at which the first normalized record arrived; ``None`` before.
        records: Normalized records that arrived, of frames received since it began.
    """

    def __init__(self, kafka: KafkaSettings, prefix: str, news: Sequence[News]) -> None:
        self._kafka = kafka
        self._topics = {prefix + topic: (topic, desk) for desk in news for topic in desk.topics}
        self._began_ms = time.time_ns() // 1_000_000
        self.first_s: float | None = None
        self.records = 0
        self.arrived = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        consumer = AIOKafkaConsumer(
            *self._topics,
            **self._kafka.client(),
            enable_auto_commit=False,
            auto_offset_reset="latest",
            isolation_level="read_committed",
        )
        await consumer.start()
        try:
            history = {name for name, (topic, desk) in self._topics.items() if desk.topics[topic]}
            await consumer.seek_to_beginning(*(tp for tp in consumer.assignment() if tp.topic in history))
            while True:
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    for record in records:
                        self._observe(record)
        finally:
            await stop_consumer(consumer)

    def _observe(self, record: KafkaRecord) -> None:
        topic, desk = self._topics[record.topic]
        if record.value is not None:
            desk.observe(topic, record, json.loads(record.value))
        if record.timestamp < self._began_ms:
            return
        self.records += 1
        if self.first_s is None:
            self.first_s = time.monotonic()
            self.arrived.set()
