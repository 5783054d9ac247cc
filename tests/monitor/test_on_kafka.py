"""The monitor beside an independent client, on a real Kafka."""

import asyncio
import time
from functools import partial

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.kafka import KafkaSettings
from tests.engine.lab import OUT, RAW, Lab, stop
from tests.faults.harness import PARTITIONS as LAB_PARTITIONS
from tricast.monitor.chart import Processor
from tricast.monitor.watch import Monitor

pytestmark = pytest.mark.kafka

PARTITIONS = 3
PATIENCE_S = 60.0


def monitor_of(servers, prefix, *topics):
    processors = [Processor(group=f"{prefix}worker", sources=[f"{prefix}{topics[0]}"], outputs=[])]
    return Monitor(KafkaSettings(bootstrap_servers=servers), prefix=prefix, registry=topics, processors=processors)


def make(servers, *names):
    admin = AdminClient({"bootstrap.servers": servers})
    for future in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names]).values():
        future.result(PATIENCE_S)


async def until(monitor, holds):
    async with asyncio.timeout(PATIENCE_S), monitor.changed:
        await monitor.changed.wait_for(lambda: holds(monitor.picture))
    return monitor.picture


def lag_by_confluent(servers, group, topic, partitions=PARTITIONS):
    """Return lag by partition as a client says it that has nothing to do with ours."""
    admin = AdminClient({"bootstrap.servers": servers})
    asked = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, n) for n in range(partitions)])
    (future,) = admin.list_consumer_group_offsets([asked]).values()
    consumer = Consumer({"bootstrap.servers": servers, "group.id": f"{group}-observer"})
    try:
        return {
            found.partition: consumer.get_watermark_offsets(found, timeout=PATIENCE_S)[1] - found.offset
            for found in future.result(PATIENCE_S).topic_partitions
            if found.offset >= 0
        }
    finally:
        consumer.close()


def work(servers, group, topic, *committed):
    """Join, read something of it, commit these offsets, leave: a worker that is stopped."""
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False}
    )
    consumer.subscribe([topic])
    try:
        assert consumer.consume(1, PATIENCE_S)
        offsets = [TopicPartition(topic, number, offset) for number, offset in enumerate(committed)]
        consumer.commit(offsets=offsets, asynchronous=False)
    finally:
        consumer.close()


async def write(servers, topic, count, *, at_ms):
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    for n in range(count):
        await producer.send(topic, b"%d" % n, partition=n % PARTITIONS, timestamp_ms=at_ms)
    await producer.stop()


async def test_lag_is_what_an_independent_client_says_while_a_worker_is_stopped(kafka, topic_prefix):
    topic, group = f"{topic_prefix}raw", f"{topic_prefix}worker"
    await asyncio.to_thread(make, kafka, topic)
    written_ms = time.time_ns() // 1_000_000 - 90_000
    await write(kafka, topic, 30, at_ms=written_ms)
    await asyncio.to_thread(work, kafka, group, topic, 9, 0, 10)
    async with monitor_of(kafka, topic_prefix, "raw") as monitor:
        for more in (0, 15, 7):
            await write(kafka, topic, more, at_ms=written_ms + 60_000)
            expected = await asyncio.to_thread(lag_by_confluent, kafka, group, topic)

            def shows(picture, expected=expected):
                (found,) = (each for each in picture.groups if each.name == group)
                shown = {row.number: row.lag for row in found.partitions if row.lag is not None}
                return shown == expected and found.lag == sum(expected.values()) and found.lag_s is not None

            picture = await until(monitor, lambda picture: picture.groups and shows(picture))
            (found,) = (each for each in picture.groups if each.name == group)
            # All that is not committed of the first 30 is as old as they are, whatever came since.
            assert found.lag_s == pytest.approx((picture.at_ms - written_ms) / 1000, abs=5)
            assert "group-lagging" in [reason.code for reason in picture.reasons]


async def test_lag_is_right_while_a_worker_of_ours_is_stopped_and_until_it_is_back(kafka, topic_prefix, tmp_path):
    with Lab(kafka, topic_prefix, tmp_path) as lab:
        await asyncio.to_thread(lab.feed, range(30))
        fleet = lab.workers()
        await asyncio.to_thread(lab.wait_for, OUT, 60)
        assert await asyncio.to_thread(stop, fleet) == 0
        topic, written = topic_prefix + RAW, 30
        processor = Processor(group=lab.group, sources=[topic], outputs=[topic_prefix + OUT])
        settings = KafkaSettings(bootstrap_servers=kafka)
        async with Monitor(settings, prefix=topic_prefix, registry=[RAW], processors=[processor]) as monitor:
            for more in (10, 15, 7):
                await asyncio.to_thread(lab.feed, range(written, written + more))
                written += more
                expected = await asyncio.to_thread(lag_by_confluent, kafka, lab.group, topic, LAB_PARTITIONS)
                assert sum(expected.values()) == written - 30
                await until(monitor, partial(_has_lag, group=lab.group, expected=expected))
            fleet.start(0)
            await until(monitor, partial(_has_lag, group=lab.group, expected=dict.fromkeys(range(LAB_PARTITIONS), 0)))
            assert await asyncio.to_thread(lag_by_confluent, kafka, lab.group, topic, LAB_PARTITIONS) == dict.fromkeys(
                range(LAB_PARTITIONS), 0
            )


def _has_lag(picture, group, expected):
    return [{row.number: row.lag for row in each.partitions} for each in picture.groups if each.name == group] == [
        expected
    ]


async def test_records_that_nobody_can_read_are_no_seconds_of_lag_and_readers_are_held_back(kafka, topic_prefix):
    topic = f"{topic_prefix}raw"
    await asyncio.to_thread(make, kafka, topic)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{topic_prefix}t")
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"out", partition=0)
    await producer.commit_transaction()
    await asyncio.to_thread(work, kafka, f"{topic_prefix}worker", topic, 1, 0, 0)
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"never", partition=0)
    await producer.abort_transaction()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"not yet", partition=0)
    try:
        async with monitor_of(kafka, topic_prefix, "raw") as monitor:
            picture = await until(monitor, lambda picture: picture.groups and picture.groups[0].lag_s is not None)
            (group,) = picture.groups
            partition = picture.topics[0].partitions[0]
            assert partition.held_back == 1
            assert partition.held_since_ms is not None
            # Left are the marker of the first, if its reader did not pass it, the aborted one with its own, the open.
            assert (group.lag, group.lag_s) == (partition.end - group.partitions[0].committed, 0.0)
            read = await monitor.record(topic, 0, 0)
            assert read is not None
            assert (read.value, read.key, read.headers) == (b"out", None, ())
            assert await monitor.record(topic, 0, 2) is None, "it was aborted"
            assert await monitor.record(topic, 0, 99) is None
            assert await monitor.record("__consumer_offsets", 0, 0) is None
            await producer.commit_transaction()
            picture = await until(monitor, lambda picture: picture.groups[0].lag_s > 0)
            assert picture.topics[0].held_back == 0
    finally:
        await producer.stop()
