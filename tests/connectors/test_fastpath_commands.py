"""Commands: what is one, which are carried out, and how they come through Kafka and its outages."""

import asyncio
import json
import logging
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from hypothesis import given
from hypothesis import strategies as st

from connectors.clock import SystemClock
from connectors.fastpath.commands import (
    REPAIR,
    BadCommand,
    CommandReader,
    Commands,
    OtherCommand,
    Repair,
    read_command,
)
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tests.connectors.fastpath_vendor import ACTIONS, action, vendor
from tests.connectors.followed import NotedFeeds
from tests.connectors.hand_clock import HandClock
from tests.connectors.vendor import eventually

FEED = "soccer/fixtures/11111111-2222-4333-8444-555555555555/actions"
OTHER = "tennis/events/2026-0415-MS009/stream"
HEADERS = [("ce_type", REPAIR.encode())]


def body(position: object = 7, feed=FEED, line=None, **more):
    facts = {"feed": feed, "fixture_id": "f", "line": line or feed, "first": 9, "last": 10, "attempt": 1}
    return json.dumps({**facts, "position": position, **more}).encode()


# -- what is a command -----------------------------------------------------------------------------------------------


def test_a_command_is_read_with_and_without_its_type_and_with_fields_of_later_versions():
    repair = Repair(feed=FEED, line=FEED, position=7)
    assert read_command(body(), HEADERS) == repair
    assert read_command(body(), []) == repair
    assert read_command(body(more={"a": 1}), HEADERS) == repair
    assert read_command(body(line=FEED + "@b"), HEADERS) == Repair(feed=FEED, line=FEED + "@b", position=7)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"x": ' + b"[" * 100_000,
        body(position=-1),
        body(position=2**63),
        body(position=1.5),
        body(position="7"),
        body(position=True),
        body(position=None),
        body(feed=""),
        body(feed="x" * 2000),
        body(line="another/line"),
        body(line=7),
    ],
)
def test_what_is_no_command_says_why(value):
    finding = read_command(value, HEADERS)
    assert isinstance(finding, BadCommand)
    assert finding.detail


def test_a_command_of_another_type_is_not_for_us():
    assert read_command(body(), [("ce_type", b"tricast.fastpath.command.v2")]) == OtherCommand(
        "tricast.fastpath.command.v2"
    )
    assert isinstance(read_command(body(), [("ce_type", None)]), OtherCommand)


@given(st.binary(max_size=200), st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8)), max_size=3))
def test_no_bytes_are_an_exception(value, headers):
    read_command(value, headers)


# -- which are carried out -------------------------------------------------------------------------------------------


@dataclass
class Record:
    value: bytes | None
    timestamp: int = 100_000
    headers: list[tuple[str, bytes]] = field(default_factory=lambda: HEADERS)
    topic: str = "fastpath.commands"
    partition: int = 0
    offset: int = 0


class Carried:
    def __init__(self, *, replica="", follows=(FEED, OTHER)):
        self.clock = HandClock()
        self.clock.advance(100)
        self.feeds = NotedFeeds()
        for path in follows:
            self.feeds.start(path)
        self.commands = Commands(self.feeds, replica=replica, timeout_s=30, clock=self.clock)

    def __call__(self, *records):
        self.commands.carry_out(records)
        return self.feeds.repairs

    @property
    def passed(self):
        return dict(self.commands.counts.passed)


def test_a_command_for_an_own_line_is_carried_out():
    assert Carried()(Record(body())) == [(FEED, 7)]
    assert Carried(replica="b")(Record(body(line=FEED + "@b"))) == [(FEED + "@b", 7)]


@pytest.mark.parametrize(
    ("command", "replica"),
    [
        (body(feed="soccer/fixtures/x/actions"), ""),
        (body(line=FEED + "@b"), ""),
        (body(), "b"),
        (body(line=FEED + "@c"), "b"),
    ],
    ids=["feed", "standby", "first", "another-standby"],
)
def test_a_command_for_a_line_of_another_process_is_passed_over(command, replica):
    carried = Carried(replica=replica)
    assert carried(Record(command)) == []
    assert carried.passed == {"not-ours": 1}


def test_bad_commands_are_counted_and_told_and_the_next_one_is_carried_out(caplog):
    carried = Carried()
    assert carried(
        Record(b"{", offset=41), Record(None), Record(body(), headers=[("ce_type", b"x")]), Record(body())
    ) == [(FEED, 7)]
    assert carried.passed == {"bad": 2, "other-type": 1}
    assert "fastpath.commands/0/41" in caplog.text


def test_a_command_that_its_processor_has_given_up_is_not_carried_out():
    carried = Carried()
    carried.clock.advance(30)
    assert carried(Record(body())) == [(FEED, 7)]
    carried.clock.advance(1)
    assert carried(Record(body(feed=OTHER))) == [(FEED, 7)]
    assert carried(Record(body(feed=OTHER), timestamp=-1)) == [(FEED, 7)]
    assert carried.passed == {"too-old": 2}


def test_of_commands_that_come_together_the_lowest_position_serves_all_of_a_line():
    carried = Carried()
    together = [Record(body(9)), Record(body(3)), Record(body(5, feed=OTHER)), Record(body(7))]
    assert carried(*together) == [(FEED, 3), (OTHER, 5)]


def test_a_gap_found_before_the_last_repair_is_in_what_that_one_reads_again():
    carried = Carried()
    carried(Record(body(7)))
    carried.clock.advance(1)
    assert carried(Record(body(7)), Record(body(8))) == [(FEED, 7)]
    assert carried.passed == {"covered": 2}
    carried(Record(body(6)))  # that one does not reach as far
    carried(Record(body(8), timestamp=101_001))  # and this one was found on the new connection
    assert carried.feeds.repairs == [(FEED, 7), (FEED, 6), (FEED, 8)]


def test_a_repair_that_was_declined_covers_nothing():
    carried = Carried()
    carried.feeds.takes_repairs = False
    carried(Record(body(7)))
    carried(Record(body(7)))
    assert carried.feeds.repairs == [(FEED, 7), (FEED, 7)]
    assert carried.passed == {"declined": 2}


# -- through Kafka ---------------------------------------------------------------------------------------------------


class Topic:
    """The topic of commands, written by a client that is not ours, in transactions as the processor does."""

    def __init__(self, bootstrap, prefix):
        self.bootstrap = bootstrap
        self.name = prefix + "fastpath.commands"
        self.prefix = prefix
        self.transactions = 0

    def create(self, **config):
        topic = TOPICS["fastpath.commands"]
        new = NewTopic(self.name, topic.partitions, replication_factor=1, config=topic.config() | config)
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        for future in admin.create_topics([new]).values():
            future.result(timeout=20)

    def producer(self):
        self.transactions += 1
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "transactional.id": f"{self.prefix}{self.transactions}"}
        )
        producer.init_transactions(20)
        producer.begin_transaction()
        return producer

    def put(self, producer, value):
        producer.produce(
            self.name, value=value, key=FEED.encode(), headers=HEADERS, timestamp=time.time_ns() // 1_000_000
        )
        assert producer.flush(20) == 0

    def send(self, *values):
        producer = self.producer()
        for value in values:
            self.put(producer, value)
        producer.commit_transaction(20)


@asynccontextmanager
async def reading(topic):
    stop, feeds, clock = asyncio.Event(), NotedFeeds(), SystemClock()
    feeds.start(FEED)
    feeds.changed.clear()
    reader = CommandReader(
        KafkaSettings(bootstrap_servers=topic.bootstrap),
        topic=topic.name,
        commands=Commands(feeds, replica="", timeout_s=30, clock=clock),
        stop=stop,
        clock=clock,
    )
    task = asyncio.create_task(reader.run())
    try:
        yield reader, feeds
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


@pytest.mark.kafka
async def test_commands_are_read_from_the_end_on_and_only_what_was_committed(kafka, topic_prefix):
    topic = Topic(kafka, topic_prefix)
    await asyncio.to_thread(topic.create)
    # Outside of transactions: of one just committed the end may not be known yet.
    earlier = Producer({"bootstrap.servers": kafka})
    await asyncio.to_thread(topic.put, earlier, body(1))
    async with reading(topic) as (reader, feeds):
        await reader.ready.wait()
        aborted = await asyncio.to_thread(topic.producer)
        await asyncio.to_thread(topic.put, aborted, body(3))
        await asyncio.to_thread(aborted.abort_transaction, 20)
        await asyncio.to_thread(topic.send, b"{", body(5), body(4, feed=OTHER))
        await feeds.until(lambda: bool(feeds.repairs))
        await asyncio.to_thread(topic.send, body(4))
        await feeds.until(lambda: len(feeds.repairs) > 1)
    assert feeds.repairs == [(FEED, 5), (FEED, 4)]


@pytest.mark.kafka
async def test_what_an_open_transaction_holds_at_the_start_is_read_when_it_is_committed(kafka, topic_prefix):
    topic = Topic(kafka, topic_prefix)
    await asyncio.to_thread(topic.create)
    pending = await asyncio.to_thread(topic.producer)
    await asyncio.to_thread(topic.put, pending, body(5))
    async with reading(topic) as (reader, feeds):
        await reader.ready.wait()
        await asyncio.to_thread(pending.commit_transaction, 20)
        await feeds.until(lambda: bool(feeds.repairs))
    assert feeds.repairs == [(FEED, 5)]


@pytest.mark.kafka
async def test_a_topic_that_is_made_later_is_read_then(kafka, topic_prefix):
    topic = Topic(kafka, topic_prefix)
    async with reading(topic) as (reader, feeds):
        await asyncio.sleep(0)
        await asyncio.to_thread(topic.create)
        await reader.ready.wait()
        await asyncio.to_thread(topic.send, body(5))
        await feeds.until(lambda: bool(feeds.repairs))


@pytest.mark.kafka
async def test_the_end_comes_soon_while_there_is_no_topic(kafka, topic_prefix, caplog):
    async with reading(Topic(kafka, topic_prefix)):
        await eventually(lambda: "kafka.unavailable" in caplog.text)


async def test_the_end_comes_soon_while_there_is_no_kafka(topic_prefix, caplog):
    async with reading(Topic("127.0.0.1:1", topic_prefix)):
        await eventually(lambda: "kafka.unavailable" in caplog.text)


@pytest.mark.kafka
async def test_after_an_error_reading_goes_on_behind_what_was_carried_out(kafka, topic_prefix):
    topic = Topic(kafka, topic_prefix)
    await asyncio.to_thread(topic.create)
    async with reading(topic) as (reader, feeds):
        await reader.ready.wait()
        feeds.fault = OSError("a broker hangs up")
        await asyncio.to_thread(topic.send, body(9))
        await feeds.until(lambda: bool(feeds.repairs))
        feeds.fault = None
        await asyncio.to_thread(topic.send, body(5))
        await feeds.until(lambda: len(feeds.repairs) > 1)
    assert feeds.repairs == [(FEED, 9), (FEED, 5)]


@pytest.mark.cluster
async def test_reading_goes_on_where_it_was_after_a_broker_is_killed(broker, topic_prefix):
    topic = Topic(broker.bootstrap_servers, topic_prefix)
    await asyncio.to_thread(topic.create)
    async with reading(topic) as (reader, feeds):
        await reader.ready.wait()
        await asyncio.to_thread(topic.send, body(9))
        await feeds.until(lambda: bool(feeds.repairs))
        await asyncio.to_thread(broker.kill_broker, broker.brokers[0])
        await asyncio.to_thread(broker.start_broker, broker.brokers[0])
        await asyncio.to_thread(topic.send, body(5))
        await feeds.until(lambda: len(feeds.repairs) > 1)
    assert feeds.repairs == [(FEED, 9), (FEED, 5)]


@pytest.mark.kafka
async def test_a_command_makes_the_connector_connect_again_from_its_position(fastpath, caplog):
    topic = Topic(fastpath.kafka.bootstrap_servers, fastpath.prefix)
    caplog.set_level(logging.INFO, logger="connectors.fastpath.commands")
    async with vendor() as server, fastpath.connector(server.url):
        peer = await server.connected()
        for number in range(1, 40):
            await peer.send(action(number))
        await fastpath.records(lambda seen: any(r.frame == 39 for r in seen))
        await eventually(lambda: "fastpath.commands_read" in caplog.text)
        await asyncio.to_thread(topic.send, body(12, feed=ACTIONS))
        again = await server.connected()
        assert again.position == 12
        opened = await fastpath.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    repaired = [r for r in opened if r.kind == "opened"][-1]
    assert (repaired.json["cause"], repaired.json["start_position"]) == ("repair", 12)
