"""Follow what processors say of health and findings, from where it begins; goes on after an outage where it was."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.kafka import KafkaSettings
from schemas.stopping import stop_consumer
from tricast.monitor.health import SUFFIX as HEALTH
from tricast.monitor.health import HealthDesk
from tricast.monitor.look import PartitionLook, Place
from tricast.monitor.recent import RecentDesk

LAST: Final = 200
"""Records of a findings or dead-letter partition that are read of what was there before; health is read whole."""
_FOLLOWED: Final = (HEALTH, ".sequence", ".decisions", ".dead-letters")
_POLL_MS: Final = 200
_PAUSE_S: Final = 1.0


class Follower:
    """A read_committed reader of the small topics that say how feeds do; run it as a task.

    Args:
        kafka: How to reach it.
        prefix: Topic prefix.
        health: Is told of health records.
        recent: Is told of all.
        said: Called after each batch.
    """

    def __init__(
        self, kafka: KafkaSettings, prefix: str, *, health: HealthDesk, recent: RecentDesk, said: Callable[[], None]
    ) -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._health = health
        self._recent = recent
        self._said = said
        self._next: dict[Place, int] = {}
        self._ends: dict[Place, int] = {}
        self._known = asyncio.Event()

    def is_followed(self, topic: str) -> bool:
        """Return whether records of a topic (physical name) are read here."""
        return topic.startswith(self._prefix) and topic.endswith(_FOLLOWED)

    def know(self, partitions: Mapping[Place, PartitionLook]) -> None:
        """Learn of partitions; new ones are followed from now on."""
        for place, look in partitions.items():
            if place in self._next or look.last_stable is None or look.start is None:
                continue
            if self.is_followed(place[0]):
                is_state = place[0].endswith(HEALTH)
                self._next[place] = look.start if is_state else max(look.start, look.last_stable - LAST)
                self._ends[place] = look.last_stable
                self._known.set()

    @property
    def has_caught_up(self) -> bool:
        """Whether everything was read that was there when its partition was heard of."""
        return all(self._next[place] >= end for place, end in self._ends.items())

    async def run(self) -> None:
        """Follow until cancelled; an outage ends nothing."""
        while True:
            await self._known.wait()
            try:
                await self._follow()
            except (KafkaError, OSError):
                await asyncio.sleep(_PAUSE_S)

    async def _follow(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            client_id="tricast-monitor",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            await consumer.start()
            while True:
                self._known.clear()
                consumer.assign([TopicPartition(*place) for place in self._next])
                for place, offset in self._next.items():
                    consumer.seek(TopicPartition(*place), offset)
                while not self._known.is_set():
                    await self._poll(consumer)
        finally:
            self._known.set()  # whoever comes back begins anew with all that is known
            await stop_consumer(consumer)

    async def _poll(self, consumer: Any) -> None:
        batches = await consumer.getmany(timeout_ms=_POLL_MS)
        for records in batches.values():
            for record in records:
                self._observe(record)
        for place in self._ends.copy():
            # Markers and aborted records are passed over without a record: the position tells.
            self._next[place] = max(self._next[place], await consumer.position(TopicPartition(*place)))
            if self._next[place] >= self._ends[place]:
                del self._ends[place]
        if batches:
            self._said()

    def _observe(self, record: Any) -> None:
        self._next[record.topic, record.partition] = record.offset + 1
        registry = record.topic.removeprefix(self._prefix)
        value = _object(record.value)
        if registry.endswith(HEALTH) and (value is not None or record.value is None):
            self._health.observe(registry.removesuffix(HEALTH), record.key, value)
        self._recent.observe(registry, record, value)


def _object(value: bytes | None) -> dict[str, Any] | None:
    """Return a JSON object; a dead letter's bytes need not be one."""
    try:
        found = None if value is None else json.loads(value)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
