"""Read bounded spans of partitions; take positions. The only module of the audit that talks to Kafka."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    KafkaError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from schemas.errors import EnvironmentFault, MissingRight
from schemas.record import KafkaRecord
from schemas.stopping import stop_consumer
from schemas.topic_metadata import describe_topics
from schemas.unreached import unreached

Isolation = Literal["read_committed", "read_uncommitted"]
Span = tuple[int, int]
"""First offset and the one after the last."""

_POLL_MS = 300
_BATCH_RECORDS = 2_000


class Kafka:
    """What the audit asks of a cluster.

    Args:
        client: Keyword arguments of every aiokafka client (``KafkaSettings.client()``).
        timeout_s: How long to wait without any progress before giving up.
    """

    def __init__(self, client: Mapping[str, Any], timeout_s: float) -> None:
        self._client = dict(client)
        self._timeout_s = timeout_s

    async def described(self, topics: Collection[str]) -> list[dict[str, Any]]:
        """Return what the cluster says of each of ``topics``, missing ones too; see :func:`describe_topics`."""
        async with self._admin() as admin:
            return await describe_topics(admin, topics)

    async def partitions(self, *topics: str) -> list[TopicPartition]:
        """Return the partitions of ``topics``; none of those that do not exist."""
        return _partitions(await self.described(topics))

    async def partitions_of(self, topic: str) -> list[TopicPartition]:
        """Return the partitions of a topic that has to be there.

        Raises:
            MissingRight: Kafka does not tell this user whether it is.
            EnvironmentFault: It is not, or Kafka cannot say.
        """
        [told] = await self.described([topic])
        if partitions := _partitions([told]):
            return partitions
        match told["error_code"]:
            case TopicAuthorizationFailedError.errno:
                raise MissingRight(f"Describe on topic {topic}")
            case UnknownTopicOrPartitionError.errno:
                raise EnvironmentFault(f"topic {topic} does not exist", action="run `tricast topics create`")
            case code:
                raise EnvironmentFault(f"topic {topic}: Kafka says {for_code(code).__name__}", action="try again")

    async def spans(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Span]:
        """Return what is in each partition now, up to the high watermark: open transactions included."""
        return await self._spans(partitions, "read_uncommitted")

    async def readable(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, Span]:
        """Return what a reader of committed records gets of each partition now: up to the last stable offset."""
        return await self._spans(partitions, "read_committed")

    async def _spans(self, partitions: Iterable[TopicPartition], isolation: Isolation) -> dict[TopicPartition, Span]:
        wanted = list(partitions)
        if not wanted:
            return {}
        async with self._consumer(isolation) as consumer:
            begins = await consumer.beginning_offsets(wanted)
            ends = await consumer.end_offsets(wanted)
        return {tp: (begins[tp], ends[tp]) for tp in wanted}

    async def since(self, partition: TopicPartition, since_ms: int) -> int | None:
        """Return the first offset at or after a time; ``None`` when nothing is that new."""
        return (await self.firsts([partition], since_ms))[partition]

    async def firsts(self, partitions: Iterable[TopicPartition], since_ms: int) -> dict[TopicPartition, int | None]:
        """Return of each partition the first offset at or after a time; ``None`` when nothing is that new."""
        wanted = dict.fromkeys(partitions, since_ms)
        if not wanted:
            return {}
        async with self._consumer("read_uncommitted") as consumer:
            found = await consumer.offsets_for_times(wanted)
        return {tp: None if offset is None else int(offset.offset) for tp, offset in found.items()}

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return the committed offsets of a consumer group; none while the cluster has no coordinator for it."""
        async with self._admin() as admin:
            try:
                offsets = await admin.list_consumer_group_offsets(group)
            except GroupCoordinatorNotAvailableError:
                # Where nobody has used a group yet, the first question makes the coordinator. One that is only away
                # for a while is asked again by ``wait_committed``, and what it cannot tell in time stays unjudged.
                return {}
        return {tp: offset.offset for tp, offset in offsets.items()}

    async def wait_committed(self, group: str, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Wait, at most the time-out, until ``group`` has committed up to ``ends``; return how far it is."""
        deadline = time.monotonic() + self._timeout_s
        while True:
            committed = await self.committed(group)
            reached = {tp: min(end, committed.get(tp, 0)) for tp, end in ends.items()}
            if reached == dict(ends) or time.monotonic() >= deadline:
                return reached
            await asyncio.sleep(0.2)

    async def read(
        self, spans: Mapping[TopicPartition, Span], isolation: Isolation
    ) -> AsyncGenerator[list[KafkaRecord], None]:
        """Yield batches until every span is passed, each partition in its order.

        Raises:
            EnvironmentFault: An open transaction, or Kafka itself, held the reader back for the time-out.
        """
        left = {tp: end for tp, (begin, end) in spans.items() if begin < end}
        if not left:
            return
        async with self._consumer(isolation) as consumer:
            consumer.assign(list(left))
            for tp in left:
                consumer.seek(tp, spans[tp][0])
            deadline = time.monotonic() + self._timeout_s
            while left:
                batches = await consumer.getmany(*left, timeout_ms=_POLL_MS, max_records=_BATCH_RECORDS)
                positions = {tp: await consumer.position(tp) for tp in left}
                for tp, records in batches.items():
                    inside = [record for record in records if record.offset < spans[tp][1]]
                    if inside:
                        yield inside
                passed = [tp for tp, end in left.items() if positions[tp] >= end]
                for tp in passed:
                    del left[tp]
                if batches or passed:
                    deadline = time.monotonic() + self._timeout_s
                elif time.monotonic() > deadline:
                    raise _held_back(left, positions, self._timeout_s)

    async def first(self, partition: TopicPartition, span: Span, isolation: Isolation) -> KafkaRecord | None:
        """Return the first record of a span; ``None`` when none is there, as of a transaction's end alone.

        Raises:
            EnvironmentFault: As :meth:`read`.
        """
        async with aclosing(self.read({partition: span}, isolation)) as batches:
            async for batch in batches:
                return batch[0]
        return None

    @asynccontextmanager
    async def _consumer(self, isolation: Isolation) -> AsyncIterator[Any]:
        consumer = AIOKafkaConsumer(
            **self._client,
            isolation_level=isolation,
            enable_auto_commit=False,
            auto_offset_reset="none",
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )
        try:
            await consumer.start()
            yield consumer
        except OffsetOutOfRangeError as error:
            places = ", ".join(f"{tp.topic}/{tp.partition}" for tp in error.args[0])
            raise EnvironmentFault(
                f"retention took the beginning of {places} while it was read", action="run it again"
            ) from error
        except KafkaConnectionError as error:
            raise await unreached(self._client, error) from error
        except KafkaError as error:
            raise EnvironmentFault(f"Kafka: {error!r}", action="check that the cluster is up and reachable") from error
        finally:
            await stop_consumer(consumer)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[Any]:
        admin = AIOKafkaAdminClient(**self._client)
        try:
            await admin.start()
            yield admin
        except KafkaConnectionError as error:
            raise await unreached(self._client, error) from error
        except KafkaError as error:
            raise EnvironmentFault(f"Kafka: {error!r}", action="check that the cluster is up and reachable") from error
        finally:
            await admin.close()


def _partitions(described: Iterable[Mapping[str, Any]]) -> list[TopicPartition]:
    return sorted(
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    )


def _held_back(
    left: Mapping[TopicPartition, int], positions: Mapping[TopicPartition, int], timeout_s: float
) -> EnvironmentFault:
    places = ", ".join(f"{tp.topic}/{tp.partition} at {positions[tp]} of {end}" for tp, end in left.items())
    return EnvironmentFault(
        f"no progress for {timeout_s:.0f} s: {places}",
        action="an open transaction may hold readers back; try again after its time-out, or raise --timeout",
    )
