import asyncio
from random import Random

import pytest
from aiokafka import TopicPartition

from connectors.clock import SystemClock
from connectors.producer import RawWriter
from connectors.record import RawRecord
from connectors.tail import read_tails
from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings
from schemas.raw import RawHeaders
from tests.connectors import raw_topic

pytestmark = pytest.mark.kafka


def record(frame, value, *, connection="c", line="l"):
    headers = RawHeaders(feed="kambi", line=line, connection=connection, frame=frame, received_ns=1, kind="frame")
    return RawRecord(headers, value)


def writer(kafka, topic, partition=0):
    settings = KafkaSettings(bootstrap_servers=kafka)
    return RawWriter(settings, topic=topic, partition=partition, key=b"0", clock=SystemClock())


async def test_a_record_too_large_for_the_topic_is_returned_and_its_neighbours_are_written(kafka, topic_prefix):
    topic = raw_topic.create(kafka, topic_prefix, config={"max.message.bytes": "20000"})
    small = [record(number, b"%d" % number) for number in range(9)]
    huge = record(100, Random(1).randbytes(30_000))  # which no compression makes any smaller
    raw = writer(kafka, topic)
    try:
        assert await raw.write([*small[:3], huge, *small[3:]]) == [huge]
        assert await raw.write([record(9, b"9")]) == ()
    finally:
        await raw.close()
    records = await asyncio.to_thread(raw_topic.read, kafka, topic)
    assert [r.value for r in records] == [b"%d" % number for number in range(10)]


async def test_a_hole_in_the_producers_sequence_costs_a_producer_and_no_record(kafka, topic_prefix):
    """See docs/upstream/aiokafka-sequence-hole.md: such a producer never sends to that partition again."""
    topic = raw_topic.create(kafka, topic_prefix)
    raw = writer(kafka, topic)
    try:
        await raw.write([record(1, b"1"), record(2, b"2")])
        spoilt = raw._producer
        assert spoilt is not None
        assert spoilt._txn_manager is not None
        # What aiokafka does for a batch that expires while its partition has no leader: numbers that no broker sees.
        spoilt._txn_manager.increment_sequence_number(TopicPartition(topic, 0), 3)
        await raw.write([record(3, b"3")])
        await raw.write([record(4, b"4")])
        assert raw._producer is not spoilt
    finally:
        await raw.close()
    records = await asyncio.to_thread(raw_topic.read, kafka, topic)
    assert [r.value for r in records] == [b"1", b"2", b"3", b"4"]


async def test_a_partition_the_topic_does_not_have_is_an_error_for_a_person(kafka, topic_prefix):
    raw = writer(kafka, raw_topic.create(kafka, topic_prefix, partitions=2), partition=2)
    with pytest.raises(ConfigurationError, match=r"has no partition 2, only \[0, 1\]") as caught:
        await raw.open()
    assert "tricast topics check" in caught.value.action


async def test_the_tail_gives_each_lines_last_connection_and_frame(kafka, topic_prefix):
    topic = raw_topic.create(kafka, topic_prefix)
    settings = KafkaSettings(bootstrap_servers=kafka)

    async def tail():
        found = await read_tails(settings, topic=topic, partitions=[0, 1], clock=SystemClock())
        assert found[1] == {}
        return {line: (tail.last.connection, tail.last.frame) for line, tail in found[0].items()}

    assert await tail() == {}
    raw = writer(kafka, topic)
    try:
        await raw.write([record(n, b"x", line="a", connection="a1") for n in (1, 2)])
        await raw.write([record(7, b"x", line="b", connection="b1"), record(1, b"x", line="a", connection="a2")])
        # A resend after the fact does not set a line back.
        await raw.write([record(n, b"x", line="b", connection="b1") for n in (5, 6)])
    finally:
        await raw.close()
    assert await tail() == {"a": ("a2", 1), "b": ("b1", 7)}
