import asyncio

import aiokafka
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.kafka import KafkaSettings
from schemas.topics import Topic
from tricast.kafka import topics

pytestmark = pytest.mark.cluster

TOPIC = Topic(name="replicated", description="", key="", partitions=3)


@pytest.fixture
async def producer(cluster):
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=cluster.bootstrap_servers.split(","), acks="all", enable_idempotence=True
    )
    await producer.start()
    yield producer
    await producer.stop()


async def describe(cluster, topic):
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.bootstrap_servers.split(","))
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        (described,) = await admin.describe_topics([topic])
    finally:
        await admin.close()
    replicas = {len(partition["replicas"]) for partition in described["partitions"]}
    configs = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    return replicas, len(described["partitions"]), configs["min.insync.replicas"]


async def test_topics_and_internal_topics_survive_one_broker(cluster, producer, topic_prefix):
    settings = KafkaSettings(bootstrap_servers=cluster.bootstrap_servers)
    await topics.create([TOPIC], topic_prefix, settings)
    assert await describe(cluster, topic_prefix + TOPIC.name) == ({3}, 3, "2")
    member = aiokafka.AIOKafkaConsumer(
        topic_prefix + TOPIC.name, bootstrap_servers=cluster.bootstrap_servers.split(","), group_id=topic_prefix
    )
    await member.start()  # makes __consumer_offsets
    await member.stop()
    assert await describe(cluster, "__consumer_offsets") == ({3}, 4, "2")


async def test_one_broker_down_in_any_way_still_serves_acks_all(cluster, producer, topic_prefix):
    topic = topic_prefix + TOPIC.name
    await topics.create([TOPIC], topic_prefix, KafkaSettings(bootstrap_servers=cluster.bootstrap_servers))
    sent = 0

    async def send_to_all_partitions():
        nonlocal sent
        async with asyncio.timeout(30):
            for partition in range(TOPIC.partitions):
                await producer.send_and_wait(topic, str(sent).encode(), partition=partition)
                sent += 1

    await send_to_all_partitions()
    for broker, (take_down, bring_back) in enumerate(
        [
            (cluster.kill_broker, cluster.start_broker),
            (cluster.stop_broker, cluster.start_broker),
            (cluster.pause_broker, cluster.resume_broker),
        ],
        start=1,
    ):
        await asyncio.to_thread(take_down, broker)
        assert cluster.status().state == "broken"
        await send_to_all_partitions()
        await asyncio.to_thread(bring_back, broker)
    await asyncio.to_thread(cluster.start)
    assert cluster.status().state == "running"

    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=cluster.bootstrap_servers.split(","), auto_offset_reset="earliest"
    )
    await consumer.start()
    async with asyncio.timeout(30):
        read = [int((await consumer.getone()).value) for _ in range(sent)]
    await consumer.stop()
    assert sorted(read) == list(range(sent))
