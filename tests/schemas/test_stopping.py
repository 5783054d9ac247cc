"""Stopping a consumer of aiokafka over a real Kafka, while one of its fetches pauses after an error."""

import asyncio
import logging

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.conn import CloseReason

from schemas.stopping import stop_consumer

pytestmark = pytest.mark.kafka

WAIT_S = 20


@pytest.fixture
async def pausing(kafka, topic_prefix, caplog):
    """A consumer whose connections broke, so that its fetch failed and waits for a minute before the next."""
    topic = topic_prefix + "t"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
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


async def test_what_the_stop_fails_with_is_told(pausing):
    await pausing._client.close()
    pausing._fetcher._pending_tasks.clear()
    pausing._client = None
    with pytest.raises(AttributeError):
        await stop_consumer(pausing)
