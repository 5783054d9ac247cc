"""What the broker knows: end offsets, rates, lag, and the last state of each connector line."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from schemas.kafka import KafkaSettings
from schemas.unreached import unreached

_POLL_MS = 100
_NEWEST_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look at the broker.

    Attributes:
        taken_s: Monotonic clock.
        ends: End offset of every partition of every topic there is, as readers see it; transaction markers count.
        lag: Records between committed offset and end, by group and topic; ``None`` before a first commit.
    """

    taken_s: float
    ends: dict[str, dict[int, int]]
    lag: dict[str, dict[str, int | None]]

    def total(self, topic: str) -> int:
        """Return the sum of a topic's end offsets."""
        return sum(self.ends.get(topic, {}).values())


def rate(before: Sample, after: Sample, topic: str) -> float:
    """Return records per second of ``topic`` between two samples."""
    return (after.total(topic) - before.total(topic)) / max(1e-6, after.taken_s - before.taken_s)


class BrokerView:
    """An async context manager over one admin client and one consumer."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._client = kafka.client()
        self._admin = AIOKafkaAdminClient(**kafka.client())
        self._consumer = AIOKafkaConsumer(
            **kafka.client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )

    async def __aenter__(self) -> Self:
        try:
            await self._admin.start()
            await self._consumer.start()
        except KafkaError as error:
            await self._close()
            raise await unreached(self._client, error) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        await self._consumer.stop()
        await self._admin.close()

    async def sample(self, topics: Iterable[str], sources_of: Mapping[str, Iterable[str]]) -> Sample:
        """Look once.

        Args:
            topics: Physical names; those that do not exist are left out of the answer.
            sources_of: Consumer groups with the physical topics they read.
        """
        existing = await self._admin.list_topics()
        wanted = [topic for topic in topics if topic in existing]
        described = await self._admin.describe_topics(wanted) if wanted else []
        partitions = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in described
            for partition in topic["partitions"]
        ]
        # Positions first: a lag taken the other way round could be negative, or miss what came in between.
        committed = {group: await self._committed(group) for group in sources_of}
        offsets = await self._consumer.end_offsets(partitions) if partitions else {}
        ends: dict[str, dict[int, int]] = {topic: {} for topic in wanted}
        for partition, end in offsets.items():
            ends[partition.topic][partition.partition] = end
        lag = {
            group: {topic: _lag(ends.get(topic, {}), committed[group], topic) for topic in sources}
            for group, sources in sources_of.items()
        }
        return Sample(taken_s=time.monotonic(), ends=ends, lag=lag)

    async def members(self, group: str) -> int:
        """Return how many members a consumer group has."""
        try:
            (answer,) = await self._admin.describe_consumer_groups([group])
        except GroupCoordinatorNotAvailableError:
            return 0
        return sum(len(described["members"]) for described in answer.to_object()["groups"])

    async def newest(self, topic: str) -> dict[str, dict[str, Any]]:
        """Return the newest value of every key of a compacted topic of JSON objects."""
        if topic not in await self._admin.list_topics():
            return {}
        (described,) = await self._admin.describe_topics([topic])
        partitions = [TopicPartition(topic, partition["partition"]) for partition in described["partitions"]]
        ends = {tp: end for tp, end in (await self._consumer.end_offsets(partitions)).items() if end > 0}
        values: dict[str, dict[str, Any]] = {}
        if not ends:
            return values
        self._consumer.assign(list(ends))
        await self._consumer.seek_to_beginning(*ends)
        # A reader may be held back by an open transaction; what was read until then is the newest there is.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_NEWEST_TIMEOUT_S):
                while any([await self._consumer.position(tp) < end for tp, end in ends.items()]):
                    for records in (await self._consumer.getmany(*ends, timeout_ms=_POLL_MS)).values():
                        for record in records:
                            key = (record.key or b"").decode(errors="replace")
                            if record.value is None:
                                values.pop(key, None)
                            else:
                                values[key] = json.loads(record.value)
        return values

    async def _committed(self, group: str) -> dict[TopicPartition, int]:
        try:
            offsets = await self._admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:  # nobody has used a group yet
            return {}
        return {partition: offset.offset for partition, offset in offsets.items()}


def _lag(ends: Mapping[int, int], committed: Mapping[TopicPartition, int], topic: str) -> int | None:
    mine = {partition.partition: offset for partition, offset in committed.items() if partition.topic == topic}
    if not mine:
        return None
    return sum(max(0, end - mine.get(partition, 0)) for partition, end in ends.items())
