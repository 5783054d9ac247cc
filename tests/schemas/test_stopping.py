"""Stopping a consumer of aiokafka over a real Kafka: while a fetch pauses after an error, and within a rebalance."""

# aiokafka says of a listener's methods that they are no coroutines, and takes both.
# pyright: reportIncompatibleMethodOverride=false

import asyncio
import logging

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import CloseReason
from confluent_kafka.admin import AdminClient

from schemas.stopping import stop_consumer

pytestmark = pytest.mark.kafka

WAIT_S = 20


async def create_topic(kafka: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()


@pytest.fixture
async def pausing(kafka, topic_prefix, caplog):
    """A consumer whose connections broke, so that its fetch failed and waits for a minute before the next."""
    topic = topic_prefix + "t"
    await create_topic(kafka, topic)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, retry_backoff_ms=60_000, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(topic, 0)])
    consumer.seek(TopicPartition(topic, 0), 0)
    async with asyncio.timeout(WAIT_S):
        with caplog.at_level(logging.ERROR, "aiokafka"):
            while "Failed fetch messages" not in caplog.text:
                for connection in consumer._client._conns.values():
                    connection.close(reason=CloseReason.CONNECTION_BROKEN)
                await asyncio.sleep(0.01)
    return consumer


async def test_a_fetch_that_pauses_after_an_error_cancels_nobody_who_stops_the_consumer(pausing):
    async with asyncio.timeout(WAIT_S):
        await stop_consumer(pausing)
    assert pausing._client._sync_task is None, "its client goes on for ever"


async def test_the_library_still_needs_that(pausing):
    """When this fails, the report in docs/upstream and the module can go."""
    with pytest.raises(asyncio.CancelledError):
        await pausing.stop()
    await pausing._client.close()


async def test_a_real_cancellation_still_gets_through_and_leaves_nothing_open(pausing):
    stopping = asyncio.create_task(stop_consumer(pausing))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert pausing._client._sync_task is None, "its client goes on for ever"


async def test_a_cancellation_that_is_due_does_not_keep_the_stop_from_beginning(pausing):
    """As of Ctrl-C while whoever stops it computes: the fetches would go on, and the library complains of the rest."""

    async def stop():
        interrupted = asyncio.current_task()
        assert interrupted is not None
        interrupted.cancel()
        await stop_consumer(pausing)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(stop())
    assert pausing._closed
    assert pausing._client._sync_task is None, "its client goes on for ever"


async def test_what_the_stop_fails_with_is_told(pausing):
    await pausing._client.close()
    pausing._fetcher._pending_tasks.clear()
    pausing._client = None
    with pytest.raises(AttributeError):
        await stop_consumer(pausing)


class Holding(ConsumerRebalanceListener):
    """Lets the rebalance in which its member loses partitions stand open until it is released."""

    def __init__(self) -> None:
        self.assigned, self.asked, self.released = asyncio.Event(), asyncio.Event(), asyncio.Event()

    # aiokafka takes coroutines, too.
    async def on_partitions_revoked(self, revoked):  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.assigned.is_set():
            self.asked.set()
            await self.released.wait()

    async def on_partitions_assigned(self, assigned):  # pyright: ignore[reportIncompatibleMethodOverride]
        self.assigned.set()


class Group:
    """A group of consumers of one topic."""

    def __init__(self, kafka: str, prefix: str) -> None:
        self.members: list[AIOKafkaConsumer] = []
        self._kafka, self._name, self._topic = kafka, prefix + "g", prefix + "t"
        self._admin = AdminClient({"bootstrap.servers": kafka})

    async def join(self, listener: ConsumerRebalanceListener | None = None) -> None:
        member = AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=self._name,
            enable_auto_commit=False,
            heartbeat_interval_ms=100,  # that is how soon a member hears of a rebalance
        )
        self.members.append(member)
        await member.start()
        member.subscribe([self._topic], listener=listener)

    async def size(self) -> int:
        [described] = self._admin.describe_consumer_groups([self._name]).values()
        return len((await asyncio.wrap_future(described)).members)


@pytest.fixture
async def held(kafka, topic_prefix):
    """A group of two within a rebalance that the first of them holds open."""
    await create_topic(kafka, topic_prefix + "t")
    group, holding = Group(kafka, topic_prefix), Holding()
    async with asyncio.timeout(WAIT_S):
        await group.join(holding)
        await holding.assigned.wait()
        await group.join()
        await holding.asked.wait()
    yield group
    holding.released.set()
    for member in group.members:
        await stop_consumer(member)
        await member._client.close()


async def test_a_member_that_stops_within_a_rebalance_leaves_its_group(held):
    async with asyncio.timeout(WAIT_S):
        await stop_consumer(held.members[1])
    assert await held.size() == 1


async def test_the_library_still_needs_that_within_a_rebalance(held):
    """When this fails, the report in docs/upstream and what leaves for it can go."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await held.members[1].stop()
    assert await held.size() == 2


@pytest.mark.parametrize("is_rebalancing", [False, True], ids=["settled", "within a rebalance"])
async def test_a_coordinator_that_hangs_is_not_waited_for(broker, topic_prefix, is_rebalancing):
    before = asyncio.all_tasks()
    await create_topic(broker.bootstrap_servers, topic_prefix + "t")
    group, holding = Group(broker.bootstrap_servers, topic_prefix), Holding()
    async with asyncio.timeout(WAIT_S):
        await group.join(holding)
        await holding.assigned.wait()
        if is_rebalancing:
            await group.join()
            await holding.asked.wait()
    broker.pause_broker(1)
    try:
        async with asyncio.timeout(WAIT_S):
            await stop_consumer(group.members[-1], leave_s=0.5)
    finally:
        broker.resume_broker(1)
        holding.released.set()
        for member in group.members:
            await stop_consumer(member)
    assert asyncio.all_tasks() - before == set(), "its tasks go on for ever"
