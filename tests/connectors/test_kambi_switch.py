"""Changing the shard count: the old shards end and are processed before the new ones begin."""

import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.clock import SystemClock
from connectors.kambi.switch import Watch, await_switch
from connectors.record import LastFrame
from connectors.tail import LineTail, read_tails
from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.topics import KAMBI_SHARDS
from tests.connectors.vendor import eventually, vendor

S = 1_000_000_000


def tail(*, at_s, shards: int | None = 1, closed=False, left=False):
    last = LastFrame(connection="c", frame=1)
    return LineTail(last=last, received_ns=at_s * S, closed=closed, left=left, shards=shards)


@pytest.mark.parametrize(
    ("lines", "switch"),
    [
        ({}, False),
        ({"a": tail(at_s=9, shards=2), "b": tail(at_s=8)}, False),
        ({"a": tail(at_s=9, shards=2), "b": tail(at_s=10)}, True),
        ({"a": tail(at_s=9, shards=2), "b": tail(at_s=10, shards=None)}, False),
        ({"a": tail(at_s=9, shards=2), "b": tail(at_s=10, closed=True, left=True)}, False),
        ({"a": tail(at_s=9, shards=None)}, False),
        ({"a": tail(at_s=9, closed=True)}, True),
    ],
    ids=[
        "nothing there",
        "ours is newest",
        "another is newest",
        "newest unknown",
        "another was left last",
        "unknown only",
        "closed",
    ],
)
def test_the_newest_record_says_which_count_was_in_force(lines, switch):
    assert Watch(2).is_switch({0: {}, 1: lines}) is switch


def test_lines_of_another_count_are_alive_until_closed_or_old():
    tails = {
        0: {
            "young": tail(at_s=95),
            "old": tail(at_s=90),
            "ours": tail(at_s=99, shards=2),
            "closed": tail(at_s=99, closed=True),
            "unknown": tail(at_s=99, shards=None),
        },
        3: {"ahead": tail(at_s=105), "far ahead": tail(at_s=3600)},
    }
    assert Watch(2).alive(tails, now_ns=100 * S) == ("young", "ahead")


def test_a_line_whose_machine_has_another_clock_is_alive_while_it_goes_on():
    watch = Watch(2)
    assert watch.alive({0: {"a": tail(at_s=3600)}}, now_ns=100 * S) == ()
    assert watch.alive({0: {"a": tail(at_s=3603)}}, now_ns=103 * S) == ("a",)
    assert watch.alive({0: {"a": tail(at_s=3603)}}, now_ns=106 * S) == ()


# -- with a real Kafka -------------------------------------------------------------------------------------------------


def commit(kafka, group, topic, offsets):
    consumer = Consumer({"bootstrap.servers": kafka, "group.id": group, "enable.auto.commit": False})
    try:
        consumer.commit(offsets=[TopicPartition(topic, *offset) for offset in offsets.items()], asynchronous=False)
    finally:
        consumer.close()


async def ends(recording):
    records = [await recording.records(partition=number) for number in range(KAMBI_SHARDS)]
    return {number: len(found) for number, found in enumerate(records)}


async def closed(recording, number):
    """Return of each line in a partition why its connections were closed, in order."""
    reasons = {}
    for record in await recording.records(partition=number):
        if record.kind == "closed":
            reasons.setdefault(record.line, []).append(record.json["reason"])
    return reasons


async def once(recording, server, **settings):
    """Run a connector until it has recorded a frame on each of its general lines."""
    async with recording.connector(server.url, **settings):
        for _ in range(settings["shards"]):
            await server.connected()


@pytest.mark.kafka
async def test_lines_open_only_after_those_of_another_count_have_ended(recording, caplog):
    async with vendor() as server:
        async with recording.connector(server.url, shards=1):
            await server.connected()
            await recording.records(lambda seen: any(r.kind == "tick" for r in seen))
            stop, second = recording.start(server.url, shards=2)
            waits = "kambi.switch_waits shards=2 lines_of_another_count=kambi-0-general"
            await eventually(lambda: caplog.text.count(waits) >= 2)
            assert server.peers.empty()
        for _ in range(2):
            await server.connected()
        stop.set()
        await second
    records = await recording.records()
    counts = [r.json["shards"] for r in records if r.kind in {"opened", "tick"}]
    assert counts == sorted(counts)
    assert set(counts) == {1, 2}
    before, after = (r for r in records if r.kind == "opened")
    assert after.json["previous_connection"] == before.connection


@pytest.mark.kafka
async def test_lines_open_only_after_the_group_has_processed_what_the_old_ones_left(
    recording, caplog, kafka, topic_prefix
):
    group = topic_prefix + "kambi"
    async with vendor() as server:
        await once(recording, server, shards=2)
        left = await ends(recording)
        commit(kafka, group, recording.topic, {0: left[0], 1: left[1] - 1})
        stop, second = recording.start(server.url, shards=3)
        await eventually(lambda: f"kambi.switch_waits group={group} behind=1 records of partition 1" in caplog.text)
        assert server.peers.empty()
        commit(kafka, group, recording.topic, {1: left[1]})
        for _ in range(3):
            await server.connected()
        stop.set()
        await second


@pytest.mark.kafka
async def test_lines_of_shards_that_are_no_more_are_left_once(recording):
    async with vendor() as server:
        for shards in (3, 2, 2):
            await once(recording, server, shards=shards)
    ends = [await closed(recording, number) for number in range(3)]
    assert ends == [
        {"kambi-0-general": ["shutdown"] * 3},
        {"kambi-1-general": ["shutdown"] * 3},
        {"kambi-2-general": ["shutdown", "left"]},
    ]


@pytest.mark.kafka
async def test_a_group_that_never_gets_there_is_an_error_that_says_what_to_do(recording, kafka, topic_prefix):
    async with vendor() as server:
        await once(recording, server, shards=2)
        commit(kafka, topic_prefix + "kambi", recording.topic, {0: 0})
        with pytest.raises(EnvironmentFault, match=r"within 0.1 s: \d+ records of partition 0, \d+ .* 1") as caught:
            await recording.start(server.url, shards=4, switch_timeout_s=0.1)[1]
        assert "TRICAST_KAMBI__SWITCH_TIMEOUT_S" in caught.value.action
        assert server.peers.empty()


@pytest.mark.kafka
@pytest.mark.parametrize("shards", [2, 3], ids=["same count", "another count, no group"])
async def test_where_nothing_is_to_be_waited_for_lines_open(recording, kafka, topic_prefix, shards):
    async with vendor() as server:
        await once(recording, server, shards=2)
        if shards == 2:
            commit(kafka, topic_prefix + "kambi", recording.topic, {0: 0})
        await once(recording, server, shards=shards, switch_timeout_s=0.1)


@pytest.mark.kafka
@pytest.mark.parametrize("shards", [2, 3], ids=["same count", "another count"])
async def test_whoever_waited_knows_where_the_lines_stand(recording, kafka, topic_prefix, shards):
    settings, clock = KafkaSettings(bootstrap_servers=kafka), SystemClock()
    async with vendor() as server:
        await once(recording, server, shards=2)
    group = topic_prefix + "kambi"
    stood = await await_switch(
        settings,
        topic=recording.topic,
        partitions=range(KAMBI_SHARDS),
        group=group,
        shards=shards,
        timeout_s=9.0,
        clock=clock,
    )
    assert stood[0]["kambi-0-general"].closed
    assert stood == await read_tails(settings, topic=recording.topic, partitions=range(KAMBI_SHARDS), clock=clock)
    assert await read_tails(settings, topic=recording.topic, partitions=(), clock=clock) == {}
