"""What an audit asks of Kafka."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tricast.audit.spans import Kafka


def test_no_partitions_need_no_cluster():
    """A first certificate has no marks to look for; a client that is closed before it did anything is cancelled."""
    nowhere = Kafka({"bootstrap_servers": "127.0.0.1:1"}, timeout_s=1)
    assert asyncio.run(nowhere.spans([])) == {}


@pytest.mark.kafka
async def test_the_first_record_of_a_span_and_nothing_goes_on(kafka, topic_prefix):
    """A reader that is left in the middle would be stopped some time later, or torn down with the loop."""
    place = TopicPartition(topic_prefix + "t", 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(place.topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for value in (b"a", b"b", b"c"):
            await producer.send_and_wait(place.topic, value, partition=0)
    tasks = asyncio.all_tasks()
    first = await Kafka({"bootstrap_servers": kafka}, timeout_s=20).first(place, (1, 3), "read_committed")
    assert first is not None
    assert first.value == b"b"
    assert asyncio.all_tasks() == tasks
    assert await Kafka({"bootstrap_servers": kafka}, timeout_s=20).first(place, (3, 3), "read_committed") is None
