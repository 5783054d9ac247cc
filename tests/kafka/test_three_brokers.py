import asyncio
import os
import signal
from typing import Any

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.topic_metadata import describe_topics
from schemas.topics import Topic
from tricast.kafka import Cluster, topics

pytestmark = pytest.mark.cluster

TOPIC = Topic(name="replicated", description="", key="", partitions=3)


@pytest.fixture
async def producer(cluster):
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        request_timeout_ms=4_000,  # how long a paused broker's silence is taken for slowness
    )
    await producer.start()
    yield producer
    await producer.stop()


async def describe(cluster, topic):
    """Return numbers of copies, number of partitions, and min.insync.replicas.

    Waits for the broker that is asked: one learns of a new topic after another. Bounded by the test's time-out.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
    await admin.start()
    try:
        configs: dict[str, Any] = {}
        described: dict[str, Any] = {"partitions": []}
        while not (configs and described["partitions"]):
            answer: Any
            (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            configs = {entry[0]: entry[1] for entry in answer.resources[0][4]}
            (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    replicas = {len(partition["replicas"]) for partition in described["partitions"]}
    return replicas, len(described["partitions"]), configs["min.insync.replicas"]


async def in_sync(cluster, topic):
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
    await admin.start()
    try:
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return {len(partition["isr"]) for partition in described["partitions"]}


async def test_topics_and_internal_topics_survive_one_broker(cluster, producer, topic_prefix):
    settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    await topics.create([TOPIC], topic_prefix, settings)
    assert await describe(cluster, topic_prefix + TOPIC.name) == ({3}, 3, "2")
    member = aiokafka.AIOKafkaConsumer(
        topic_prefix + TOPIC.name, bootstrap_servers=cluster.bootstrap_servers, group_id=topic_prefix
    )
    await member.start()  # makes __consumer_offsets
    await member.stop()
    assert await describe(cluster, "__consumer_offsets") == ({3}, 4, "2")


async def test_every_broker_knows_what_was_created(cluster, topic_prefix):
    settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers)
    await admin.start()
    many = {broker: f"{topic_prefix}{broker}.many" for broker in cluster.brokers}
    try:
        for late, name in many.items():
            # While it makes the files of these, a broker does not hear of a later topic.
            await admin.create_topics([NewTopic(name, -1, -1, {number: [late] for number in range(50)})])
            await topics.create([TOPIC], f"{topic_prefix}{late}.", settings)
            for broker in cluster.brokers:
                [told] = await describe_topics(admin, [f"{topic_prefix}{late}.{TOPIC.name}"], broker)
                assert (broker, told["error_code"]) == (broker, 0)
    finally:
        await admin.delete_topics(list(many.values()))
        await admin.close()


@pytest.mark.parametrize(
    ("broker", "take_down", "bring_back"),
    [
        pytest.param(1, Cluster.kill_broker, Cluster.start_broker, id="killed"),
        pytest.param(2, Cluster.stop_broker, Cluster.start_broker, id="stopped"),
        pytest.param(3, Cluster.pause_broker, Cluster.resume_broker, id="paused", marks=pytest.mark.chaos),
    ],
)
async def test_one_broker_down_still_serves_acks_all(cluster, producer, topic_prefix, broker, take_down, bring_back):
    topic = topic_prefix + TOPIC.name
    await topics.create([TOPIC], topic_prefix, KafkaSettings(bootstrap_servers=cluster.bootstrap_servers))

    async def send_to_all_partitions(value):
        for partition in range(TOPIC.partitions):
            await producer.send_and_wait(topic, value, partition=partition)

    await send_to_all_partitions(b"before")
    take_down(cluster, broker)
    try:
        assert cluster.status().state == "broken"
        async with asyncio.timeout(60):
            await send_to_all_partitions(b"meanwhile")
            with pytest.raises(EnvironmentFault, match=topic):
                cluster.await_in_sync(timeout_s=0)
    finally:
        bring_back(cluster, broker)
        cluster.start()
    cluster.await_in_sync()
    assert cluster.status().state == "running"
    assert await in_sync(cluster, topic) == {3}
    await send_to_all_partitions(b"after")

    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=cluster.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    async with asyncio.timeout(60):
        read = [await consumer.getone() for _ in range(3 * TOPIC.partitions)]
    await consumer.stop()
    by_partition = [[record.value for record in read if record.partition == p] for p in range(TOPIC.partitions)]
    assert by_partition == [[b"before", b"meanwhile", b"after"]] * TOPIC.partitions


@pytest.mark.chaos
async def test_all_killed_at_once_keep_what_was_committed_and_nothing_else(cluster, topic_prefix):
    topic, servers = topic_prefix + TOPIC.name, cluster.bootstrap_servers
    await topics.create([TOPIC], topic_prefix, KafkaSettings(bootstrap_servers=servers))

    def writer():
        return aiokafka.AIOKafkaProducer(bootstrap_servers=servers, transactional_id=topic_prefix + "writer")

    async def write(producer, numbers):
        for number in numbers:
            await producer.send_and_wait(topic, b"%d" % number, partition=number % TOPIC.partitions)

    torn = writer()
    await torn.start()
    for first in range(0, 90, 30):
        async with torn.transaction():
            await write(torn, range(first, first + 30))
    await torn.begin_transaction()
    await write(torn, range(1000, 1030))
    pids = [pid for broker in cluster.brokers if (pid := cluster.pid(broker)) is not None]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    await torn.client.close()  # it would go on trying to abort
    servers = await asyncio.to_thread(cluster.start)  # others, if somebody took a port meanwhile
    assert not {cluster.pid(broker) for broker in cluster.brokers} & {*pids}
    async with asyncio.timeout(60), writer() as producer:  # which ends the torn transaction
        async with producer.transaction():
            await write(producer, range(90, 120))
        consumer = aiokafka.AIOKafkaConsumer(
            topic, bootstrap_servers=servers, auto_offset_reset="earliest", isolation_level="read_committed"
        )
        async with consumer:
            read = [await consumer.getone() for _ in range(120)]
    cluster.await_in_sync()
    by_partition = [
        [int(record.value or b"") for record in read if record.partition == p] for p in range(TOPIC.partitions)
    ]
    assert by_partition == [list(range(p, 120, TOPIC.partitions)) for p in range(TOPIC.partitions)]
