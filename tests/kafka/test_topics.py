import random

import aiokafka
import pytest

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.topics import RAW_MESSAGE_BYTES, TOPICS, Topic
from tricast.kafka import topics
from tricast.kafka.ports import free_ports

pytestmark = pytest.mark.kafka

RAW = TOPICS["kambi.raw"]
CHANGELOG = TOPICS["changelog.kambi.kambi.raw"]


@pytest.fixture
def settings(kafka):
    return KafkaSettings(bootstrap_servers=kafka)


async def test_create_makes_what_check_misses_and_only_once(settings, topic_prefix):
    registry = list(TOPICS.values())
    assert await topics.check(registry, topic_prefix, settings) == [
        topics.MissingTopic(topic=topic_prefix + topic.name) for topic in registry
    ]
    assert sorted(await topics.create(registry, topic_prefix, settings)) == sorted(
        topic_prefix + topic.name for topic in registry
    )
    assert await topics.check(registry, topic_prefix, settings) == []
    assert await topics.create(registry, topic_prefix, settings) == []


async def test_check_names_other_partition_count_and_config(settings, topic_prefix):
    name = topic_prefix + RAW.name
    await topics.create([RAW.model_copy(update={"partitions": 2, "retention_ms": 1000})], topic_prefix, settings)
    assert await topics.check([RAW], topic_prefix, settings) == [
        topics.OtherPartitionCount(topic=name, expected=RAW.partitions, found=2),
        topics.OtherConfig(topic=name, key="retention.ms", expected=str(RAW.retention_ms), found="1000"),
    ]


async def test_check_looks_at_every_setting_of_the_registry(settings, topic_prefix):
    defaults = {"cleanup": "delete", "max_message_bytes": 1_000_000, "segment_ms": None, "segment_bytes": None}
    await topics.create([CHANGELOG.model_copy(update=defaults)], topic_prefix, settings)
    differing = {
        getattr(difference, "key", difference) for difference in await topics.check([CHANGELOG], topic_prefix, settings)
    }
    assert differing == {
        "cleanup.policy",
        "max.message.bytes",
        "segment.ms",
        "segment.bytes",
        "min.cleanable.dirty.ratio",
    }


async def test_refused_topic_is_an_error(settings, topic_prefix):
    impossible = Topic(name="no/slash", description="", key="")
    with pytest.raises(EnvironmentFault, match="InvalidTopic"):
        await topics.create([impossible], topic_prefix, settings)


async def test_unreachable_kafka_is_an_error_with_an_action():
    nobody = f"127.0.0.1:{free_ports(1, random.Random())[0]}"
    with pytest.raises(EnvironmentFault, match=nobody) as caught:
        await topics.check([RAW], "t.", KafkaSettings(bootstrap_servers=nobody))
    assert "tricast kafka start" in caught.value.action


async def test_largest_message_passes(settings, topic_prefix):
    await topics.create([RAW], topic_prefix, settings)
    topic = topic_prefix + RAW.name
    value = bytes(RAW_MESSAGE_BYTES - 1024)
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers, max_request_size=2 * RAW_MESSAGE_BYTES
    )
    await producer.start()
    sent = await producer.send_and_wait(topic, value, partition=3)
    await producer.stop()
    consumer = aiokafka.AIOKafkaConsumer(
        topic, bootstrap_servers=settings.bootstrap_servers, auto_offset_reset="earliest"
    )
    await consumer.start()
    record = await consumer.getone()
    await consumer.stop()
    assert (sent.offset, record.value) == (0, value)
