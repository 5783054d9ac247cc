"""Who reads a topic, and how far they are; offsets that are committed for a group whose members are stopped."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaConnectionError, KafkaError, for_code
from aiokafka.structs import OffsetAndMetadata

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.stopping import stop_consumer
from schemas.topic_metadata import describe_topics
from schemas.unreached import unreached
from tricast.audit.spans import Kafka, Span
from tricast.growth.plan import GROWING, Reading

Spans = Mapping[TopicPartition, Span]
_POLL_S = 0.1
_LEADERS_S = 30.0


class Cluster:
    """What growing asks of a cluster and changes in it.

    Args:
        kafka: How to reach it.
        spans: Reads it.
    """

    def __init__(self, kafka: KafkaSettings, spans: Kafka) -> None:
        self._kafka = kafka
        self._spans = spans

    async def groups(self) -> list[str]:
        """Return the names of all consumer groups."""
        async with self._admin() as admin:
            return sorted(name for name, *_ in await admin.list_consumer_groups())

    async def readings(self, topics: Collection[str], groups: Iterable[str]) -> dict[str, list[Reading]]:
        """Return, by physical topic, how ``groups`` stand to it."""
        spans = await self._spans.readable(await self._spans.partitions(*topics))
        found: dict[str, list[Reading]] = {topic: [] for topic in topics}
        async with self._admin() as admin:
            for group in groups:
                try:
                    asked = await admin.list_consumer_group_offsets(group)
                    members = await _members(admin, group)
                except GroupCoordinatorNotAvailableError:  # nobody has used a group yet; asking makes the coordinator
                    asked, members = {}, ()
                for topic, readings in found.items():
                    here = {tp: span for tp, span in spans.items() if tp.topic == topic}
                    offsets = {tp: offset for tp, offset in asked.items() if tp.topic == topic}
                    readings.append(await self._reading(group, members, here, offsets))
        return found

    async def _reading(
        self, group: str, members: tuple[str, ...], spans: Spans, offsets: Mapping[TopicPartition, OffsetAndMetadata]
    ) -> Reading:
        left = {
            tp: (max(begin, offsets[tp].offset) if tp in offsets else begin, end)
            for tp, (begin, end) in spans.items()
            if offsets
        }
        return Reading(
            group=group,
            members=members,
            offsets={tp.partition: offset.offset for tp, offset in offsets.items()},
            behind=tuple([tp.partition for tp, span in left.items() if await self._holds(tp, span)]),
            marked=any(offset.metadata == GROWING for offset in offsets.values()),
            ends={tp.partition: end for tp, (_, end) in spans.items()},
            begins={tp.partition: begin for tp, (begin, _) in spans.items()},
        )

    async def _holds(self, tp: TopicPartition, span: Span) -> bool:
        """Return whether there is a record: the markers of transactions have offsets, too."""
        async with aclosing(self._spans.read({tp: span}, "read_committed")) as batches:
            async for _ in batches:
                return True
        return False

    async def commit(self, group: str, topic: str, offsets: Mapping[int, int], metadata: str = "") -> None:
        """Commit for a group without members.

        Raises:
            EnvironmentFault: It has some, or Kafka refuses.
        """
        consumer = AIOKafkaConsumer(**self._kafka.client(), group_id=group, enable_auto_commit=False)
        try:
            await consumer.start()
            places = {TopicPartition(topic, number): offset for number, offset in offsets.items()}
            consumer.assign(list(places))
            await consumer.commit({tp: OffsetAndMetadata(offset, metadata) for tp, offset in places.items()})
        except KafkaError as error:
            raise EnvironmentFault(
                f"Kafka takes no offsets of group {group}: {error!r}", action="stop its members, and try again"
            ) from error
        finally:
            await stop_consumer(consumer)

    async def grow(self, counts: Mapping[str, int]) -> None:
        """Give topics so many partitions, and wait until each has a leader.

        Raises:
            EnvironmentFault: Kafka refuses.
        """
        async with self._admin() as admin:
            await admin.create_partitions({name: NewPartitions(count) for name, count in counts.items()})
            try:
                async with asyncio.timeout(_LEADERS_S):
                    while not _led(await describe_topics(admin, counts), counts):  # noqa: ASYNC110 - a broker is asked
                        await asyncio.sleep(_POLL_S)
            except TimeoutError as error:
                raise EnvironmentFault(
                    f"no leader within {_LEADERS_S:.0f} s for some of {', '.join(counts)}"
                ) from error

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(request_timeout_ms=self._kafka.request_timeout_ms, **self._kafka.client())
        try:
            await admin.start()
            yield admin
        except KafkaConnectionError as error:
            raise await unreached(self._kafka.client(), error) from error
        except KafkaError as error:
            raise EnvironmentFault(
                f"Kafka: {error!r}", action="act as a user that may describe every group and alter topics"
            ) from error
        finally:
            await admin.close()


async def _members(admin: AIOKafkaAdminClient, group: str) -> tuple[str, ...]:
    (response,) = await admin.describe_consumer_groups([group])
    (described,) = response.to_object()["groups"]
    if described["error_code"]:
        raise for_code(described["error_code"])(group)
    return tuple(member["client_id"] for member in described["members"])


def _led(topics: Iterable[Any], counts: Mapping[str, int]) -> bool:
    """Return whether every partition has a leader; a broker may not have heard of the new ones yet."""
    led = {topic["topic"]: sum(partition["leader"] >= 0 for partition in topic["partitions"]) for topic in topics}
    return led == dict(counts)
