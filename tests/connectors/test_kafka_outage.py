"""Kafka goes away and comes back under a running connector; connectors end, and are killed, meanwhile."""

import asyncio
import json
import signal

import pytest

from connectors.spool import Spool
from tests.connectors import raw_topic
from tests.connectors.conftest import Recording
from tests.connectors.test_kambi_process import connect_kambi
from tests.connectors.vendor import eventually, vendor
from tests.outage.judge import Judge, follow

pytestmark = pytest.mark.cluster

FRAMES = [f'2["message","{number}"]'.encode() for number in range(300)]
PAGE = 16 * 1024


class Outage:
    """Kafka is away from ``begin`` to ``end``; leaving the context ends it, whatever happened."""

    def __init__(self, cluster, how):
        self._cluster, self._how, self._number = cluster, how, cluster.brokers[0]
        self._away = False

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        await self.end()

    async def begin(self):
        self._away = True
        await asyncio.to_thread(
            self._cluster.kill_broker if self._how == "killed" else self._cluster.pause_broker, self._number
        )

    async def end(self):
        if self._away:
            self._away = False
            await asyncio.to_thread(
                self._cluster.start_broker if self._how == "killed" else self._cluster.resume_broker, self._number
            )


@pytest.mark.parametrize("how", ["killed", "paused"])
async def test_what_came_while_kafka_was_away_is_kept_in_order(broker, topic_prefix, tmp_path, how):
    topic = raw_topic.create(broker.bootstrap_servers, topic_prefix)
    recording = Recording(broker.bootstrap_servers, topic_prefix, topic)
    async with (
        Outage(broker, how) as outage,
        vendor() as server,
        recording.connector(server.url, grace_s=30.0, spool_dir=tmp_path),
    ):
        peer = await server.connected()
        await send(peer, FRAMES[:100])
        await recording.records(lambda seen: len(frames_of(seen)) > 50)
        await outage.begin()
        await send(peer, FRAMES[100:200])
        await eventually(lambda: spooled(tmp_path) > 0)
        await outage.end()
        await send(peer, FRAMES[200:])
        await recording.records(lambda seen: FRAMES[-1] in frames_of(seen))
        await eventually(lambda: not spooled(tmp_path))
    records = await recording.records()
    # A producer given up in the outage may leave repeats; processors drop them by connection and frame, so does this.
    first_seen = {}
    for record in records:
        if record.kind == "frame":
            first_seen.setdefault((record.connection, record.frame), record)
    assert frames_of(first_seen.values()) == FRAMES
    assert records[-1].kind == "closed"
    assert {r.kind for r in records} == {"opened", "frame", "tick", "closed"}


async def test_a_connector_ended_while_kafka_is_away_leaves_all_on_disk_and_the_next_goes_on(
    broker, topic_prefix, tmp_path
):
    topic = raw_topic.create(broker.bootstrap_servers, topic_prefix)
    async with Outage(broker, "paused") as outage, vendor() as server:
        settings = settings_for(broker, topic_prefix, server)
        async with connect_kambi(tmp_path, **settings) as process:
            peer = await server.connected()
            await send(peer, FRAMES[:100])
            await outage.begin()
            await send(peer, FRAMES[100:200])
            await eventually(lambda: spooled(tmp_path) > 0)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
        assert "sink.left_on_disk" in process.output
        # Kafka is still away: the spool knows where the lines stood, so nothing has to be waited for.
        async with connect_kambi(tmp_path, **settings) as process:
            peer = await server.connected()
            await send(peer, FRAMES[200:])
            await outage.end()
            await eventually(lambda: "spool.drained" in process.output)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
    assert not spooled(tmp_path)
    judge = await judged(broker, topic, lambda judge: judge.verdict.kinds.get("closed") == 2)
    assert payloads(judge) == FRAMES
    assert not judge.verdict.holes
    first, second = openings(await asyncio.to_thread(raw_topic.read, broker.bootstrap_servers, topic))
    assert second[1]["previous_connection"] == first[0]
    assert second[1]["previous_frame"] == 201, "the Socket.IO connect is a frame, too"


async def test_kill_9_while_the_spool_fills_and_while_it_drains_loses_nothing_on_disk(broker, topic_prefix, tmp_path):
    topic = raw_topic.create(broker.bootstrap_servers, topic_prefix)
    # So large that each takes a page of the file: its size then tells about how many are in it.
    frames = [b'2["message","%d %s"]' % (number, b"x" * 10_000) for number in range(4000)]
    async with Outage(broker, "paused") as outage, vendor() as server:
        settings = settings_for(broker, topic_prefix, server)
        async with connect_kambi(tmp_path, **settings) as process:
            peer = await server.connected()
            await raw_seen(broker, topic)
            await outage.begin()
            await send(peer, frames[:2000])
            await eventually(lambda: spooled(tmp_path) > 1900 * PAGE)
            process.signal(signal.SIGKILL)
            await process.exit_code()
        filled = last_on_disk(tmp_path)
        assert filled > 1000, "a transaction was under way, not all of them"
        async with connect_kambi(tmp_path, **settings) as process:
            peer = await server.connected()
            before = spooled(tmp_path)
            await send(peer, frames[2000:])
            await eventually(lambda: spooled(tmp_path) > before + 1900 * PAGE)
            await drain_a_little(process, outage, lambda: raw_topic.end(broker.bootstrap_servers, topic) > 500)
            process.signal(signal.SIGKILL)
            await process.exit_code()
        drained = last_on_disk(tmp_path)
        assert drained > 1000, "it was killed while it drained"
        async with connect_kambi(tmp_path, **settings) as process:
            await eventually(lambda: "spool.drained" in process.output)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
    judge = await judged(broker, topic, lambda judge: judge.verdict.kinds.get("closed", 0) > 0)
    # The first frame of a connection is the answer to our connect.
    assert payloads(judge) == [*frames[: filled - 1], *frames[2000 : 2000 + drained - 1]]
    assert not judge.verdict.holes
    records = await asyncio.to_thread(raw_topic.read, broker.bootstrap_servers, topic)
    chain = openings(records)
    assert [value["previous_connection"] for _, value in chain] == [None, *(c for c, _ in chain[:-1])]
    assert [value["previous_frame"] for _, value in chain] == [None, filled, drained]


async def test_past_the_bound_the_overflow_in_kafka_is_exact(broker, topic_prefix, tmp_path):
    topic = raw_topic.create(broker.bootstrap_servers, topic_prefix)
    recording = Recording(broker.bootstrap_servers, topic_prefix, topic)
    mebi = 1024 * 1024
    bounds = {"queue_bytes": mebi, "spool_bytes": 2 * mebi, "push_back_s": 0.0}
    frames = [b'2["message","%d %s"]' % (number, b"x" * 1000) for number in range(6000)]
    async with (
        Outage(broker, "paused") as outage,
        vendor() as server,
        recording.connector(server.url, grace_s=30.0, spool_dir=tmp_path, **bounds),
    ):
        peer = await server.connected()
        await raw_seen(broker, topic)
        await outage.begin()
        await send(peer, frames)
        await eventually(lambda: spooled(tmp_path) > mebi)
        await outage.end()
        await eventually(lambda: not spooled(tmp_path))
        await send(peer, FRAMES)
    judge = await judged(broker, topic, lambda judge: judge.verdict.kinds.get("closed", 0) > 0)
    seen = payloads(judge)
    numbers = [int(value.split(b'"')[3].split()[0]) for value in seen[: -len(FRAMES)]]
    assert seen[-len(FRAMES) :] == FRAMES
    assert numbers == sorted(set(numbers))
    assert judge.verdict.lost == len(frames) - len(numbers) > 1000
    assert len(numbers) > 1000
    assert not judge.verdict.holes


async def test_without_a_spool_the_end_says_how_many_could_not_be_written(broker, topic_prefix, tmp_path):
    topic = raw_topic.create(broker.bootstrap_servers, topic_prefix)
    async with Outage(broker, "paused") as outage, vendor() as server:
        settings = settings_for(broker, topic_prefix, server) | {"KAMBI__SPOOL_BYTES": 0, "KAMBI__GRACE_S": 1}
        async with connect_kambi(tmp_path, **settings) as process:
            peer = await server.connected()
            await raw_seen(broker, topic)
            await outage.begin()
            await send(peer, FRAMES[:100])
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 3
    assert "records could not be written to Kafka within the grace period of 1 s" in process.output
    assert not spooled(tmp_path)


def settings_for(broker, prefix, server):
    return {
        "KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "TOPIC_PREFIX": prefix,
        "KAMBI__PUSH_URL": server.url,
        "KAMBI__OFFERING_URL": server.url,
        "KAMBI__EVENTS": "",
        "KAMBI__SHARDS": 1,
        "KAMBI__SETTLEMENTS": "false",
        "KAMBI__SNAPSHOTS": "false",
    }


def spooled(directory):
    """Return how many bytes of the disk wait for Kafka."""
    return sum(path.stat().st_size for path in directory.glob("**/*.sqlite"))


def last_on_disk(directory):
    """Return the number of the last frame that the spool of an ended connector holds."""
    (path,) = directory.glob("**/*.sqlite")
    spool = Spool(path, lock_s=5)
    try:
        spool.open()
        return spool.last_frames()["kambi-0-general"].frame
    finally:
        spool.close()


async def drain_a_little(process, outage, enough):
    """Let Kafka come back, and the connector run in slices until ``enough``: a drain at full speed is soon over."""
    process.signal(signal.SIGSTOP)
    await outage.end()
    while not await asyncio.to_thread(enough):
        process.signal(signal.SIGCONT)
        await asyncio.sleep(0.02)
        process.signal(signal.SIGSTOP)


async def raw_seen(broker, topic):
    """Wait until the connector's first record is in Kafka: it is connected there."""
    await asyncio.to_thread(raw_topic.read, broker.bootstrap_servers, topic, bool)


async def judged(broker, topic, done):
    judge = Judge()
    await asyncio.to_thread(follow, broker.bootstrap_servers, topic, judge, done, patience_s=30)
    return judge


async def send(peer, frames):
    for frame in frames:
        await peer.send(frame)


def frames_of(records):
    return [r.value for r in records if r.value.startswith(b'2["message"')]


def payloads(judge):
    return [value for value in judge.values if value.startswith(b'2["message"')]


def openings(records):
    """Return connection and value of each ``opened``, repeats left out."""
    return list({r.connection: (r.connection, json.loads(r.value)) for r in records if r.kind == "opened"}.values())
