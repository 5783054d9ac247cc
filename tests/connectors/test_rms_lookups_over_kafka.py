"""Look-ups as the connector does them: asked for in ``rms.lookups``, answered in ``rms.raw``, by whomever."""

import asyncio
import time
from contextlib import asynccontextmanager
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.clock import SystemClock
from connectors.rms import names
from connectors.rms.bet_detail import position_of
from connectors.rms.config import RmsSettings
from connectors.rms.lookups import LookUps
from connectors.sink import FrameSink
from schemas.kafka import KafkaSettings
from schemas.raw import RawHeaders
from tests.connectors import raw_topic
from tests.connectors.rms_api import FreeBudget, Said, api, http_session
from tests.connectors.rms_tokens import CUSTOMER, PENDING, Tokens
from tests.connectors.test_rms_lookups_queue import HEADERS, S, bet, body
from tests.connectors.vendor import eventually


class Topics:
    """``rms.lookups`` written by a client that is not ours, in transactions as the processor does; and ``rms.raw``."""

    def __init__(self, bootstrap, prefix):
        self.kafka = KafkaSettings(bootstrap_servers=bootstrap)
        self.prefix = prefix
        self.raw = raw_topic.create(bootstrap, prefix, name="rms.raw")
        self.lookups = raw_topic.create(bootstrap, prefix, name="rms.lookups")
        self.transactions = 0

    def begin(self, *values, at_ns=None):
        self.transactions += 1
        producer = Producer(
            {
                "bootstrap.servers": self.kafka.bootstrap_servers,
                "transactional.id": f"{self.prefix}{self.transactions}",
            }
        )
        producer.init_transactions(20)
        producer.begin_transaction()
        known: Any = HEADERS
        for value in values:
            producer.produce(self.lookups, value=value, headers=known, timestamp=(at_ns or time.time_ns()) // 1_000_000)
        assert producer.flush(20) == 0
        return producer

    def send(self, *values, at_ns=None):
        self.begin(*values, at_ns=at_ns).commit_transaction(20)

    def answered(self, slip, *, requested_ns, line=f"rms-{CUSTOMER}-lookups", status=200, value=b"{}"):
        """Have another connector record an answer."""
        headers = RawHeaders(
            feed="rms",
            line=line,
            connection="c",
            frame=1,
            received_ns=requested_ns,
            kind="snapshot",
            position=position_of(bet(slip)),
            requested_ns=requested_ns,
            status=status,
        )
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap_servers})
        known: Any = headers.to_kafka()
        producer.produce(self.raw, value=value, headers=known, partition=names.partition_of(CUSTOMER), key=CUSTOMER)
        assert producer.flush(20) == 0


@pytest.fixture
def topics(kafka, topic_prefix):
    return Topics(kafka, topic_prefix)


class Kept:
    """A writer that keeps what it is given."""

    def __init__(self):
        self.records = []

    async def write(self, records):
        self.records.extend(records)
        return []


@asynccontextmanager
async def answering(topics, reply=lambda _: Said(200, PENDING), **settings):
    """Run look-ups as the connector does; yield the API, what was kept, and the look-ups."""
    kept, stop = Kept(), asyncio.Event()
    tokens: Any = Tokens()
    sink = FrameSink(kept, max_bytes=1_000_000)
    writing = asyncio.create_task(sink.run())
    async with api(reply) as served, http_session() as session:
        configured = RmsSettings(customer_id=CUSTOMER, bets_url=served.url, **settings)
        lookups = LookUps(
            configured,
            topics.kafka,
            topics.prefix,
            sink=sink,
            session=session,
            tokens=tokens,
            budget=FreeBudget(),
            stop=stop,
            clock=SystemClock(),
        )
        running = asyncio.create_task(lookups.run())
        try:
            yield served, kept, lookups
        finally:
            stop.set()
            async with asyncio.timeout(10):
                await running
            sink.close()
            await writing


def look_up(slip, *, asked_s=0.0, until_s=600.0, **more):
    now_ns = time.time_ns()
    return body(
        bet_slip_id=slip,
        bet_code=slip.replace("s", "c"),
        asked_ns=now_ns + round(asked_s * S),
        until_ns=now_ns + round(until_s * S),
        **more,
    )


def codes(served):
    return [asked.body["code"] for asked in served.asked]


@pytest.mark.kafka
async def test_after_a_start_what_is_still_waited_for_and_not_answered_is_asked(topics, caplog):
    """Read back: too late, answered by anybody, only tried in vain, another customer's, rubbish, aborted."""
    long_ago_ns = time.time_ns() - 8_000 * S
    await asyncio.to_thread(topics.send, look_up("s-0"), at_ns=long_ago_ns)
    await asyncio.to_thread(
        topics.send,
        look_up("s-1", asked_s=-800, until_s=-1),
        look_up("s-2", asked_s=-60),
        look_up("s-3", asked_s=-50),
        b"{",
        look_up("s-4", asked_s=-40, customer="7"),
        look_up("s-5", asked_s=-30),
        look_up("s-6", asked_s=-20),
        look_up("s-2", asked_s=-10),
    )
    aborted = await asyncio.to_thread(topics.begin, look_up("s-7"))
    await asyncio.to_thread(aborted.abort_transaction, 20)
    now_ns = time.time_ns()
    await asyncio.to_thread(topics.answered, "s-2", requested_ns=now_ns - 55 * S)  # older than its second look-up
    await asyncio.to_thread(topics.answered, "s-3", requested_ns=now_ns - 45 * S, line=f"rms-{CUSTOMER}-lookups@b")
    await asyncio.to_thread(topics.answered, "s-5", requested_ns=now_ns - 25 * S, status=503)
    await asyncio.to_thread(topics.answered, "s-6", requested_ns=now_ns - 15 * S, line="rms-7-lookups")
    async with answering(topics) as (served, kept, lookups):
        await eventually(lambda: len(kept.records) == 3)
        assert sorted(codes(served)) == ["c-2", "c-5", "c-6"]
        assert lookups.waiting == 0
        await asyncio.to_thread(topics.send, look_up("s-8"))
        await eventually(lambda: len(kept.records) == 4)
    assert "rms.lookup_passed reason=bad" in caplog.text


@pytest.mark.kafka
async def test_an_open_transaction_at_the_start_holds_up_nothing_that_was_committed_before_it(topics):
    await asyncio.to_thread(topics.send, look_up("s-1"))
    pending = await asyncio.to_thread(topics.begin, look_up("s-2"))
    async with answering(topics) as (served, _, _):
        await eventually(lambda: codes(served) == ["c-1"])
        await asyncio.to_thread(pending.commit_transaction, 20)
        await eventually(lambda: codes(served) == ["c-1", "c-2"])


@pytest.mark.kafka
async def test_a_standby_asks_only_what_was_not_answered_in_time(topics):
    await asyncio.to_thread(topics.send, look_up("s-1", asked_s=-60), look_up("s-2", asked_s=-60), look_up("s-3"))
    await asyncio.to_thread(topics.answered, "s-1", requested_ns=time.time_ns())
    async with answering(topics, replica="b") as (served, kept, lookups):
        await eventually(lambda: len(kept.records) == 1)
        assert codes(served) == ["c-2"]
        assert kept.records[0].headers.line == f"rms-{CUSTOMER}-lookups@b"
        assert lookups.waiting == 1
        await asyncio.to_thread(topics.answered, "s-3", requested_ns=time.time_ns())
        await eventually(lambda: lookups.waiting == 0)
        assert codes(served) == ["c-2"]


async def test_the_end_comes_soon_while_there_is_no_kafka(caplog):
    class Nowhere:
        kafka = KafkaSettings(bootstrap_servers="127.0.0.1:1")
        prefix = "x."

    async with answering(Nowhere()):
        await eventually(lambda: "kafka.unavailable" in caplog.text)
