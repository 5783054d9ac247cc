"""The real process: signals, exit codes, Kafka that goes away, and what the next one knows."""

import asyncio
import signal

import pytest

from connectors.fastpath import names
from tests.connectors import raw_topic
from tests.connectors.fastpath_vendor import ACTIONS, TOKEN, action, vendor
from tests.connectors.test_kafka_outage import PAGE, Outage, judged, raw_seen, spooled
from tests.connectors.test_kambi_process import connect
from tests.connectors.vendor import eventually


def settings_for(bootstrap, prefix, server, **more):
    return {
        "KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "TOPIC_PREFIX": prefix,
        "FASTPATH__STREAM_URL": server.url,
        "FASTPATH__TOKEN": TOKEN,
        "FASTPATH__FEEDS": ACTIONS,
    } | more


@pytest.mark.kafka
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_flushes_everything_writes_closed_and_exits_0(fastpath, tmp_path, number):
    async with vendor() as server:
        settings = settings_for(fastpath.kafka.bootstrap_servers, fastpath.prefix, server)
        async with connect("fastpath", tmp_path, **settings) as process:
            peer = await server.connected()
            for frame in range(1000):
                await peer.send(action(frame))
            process.signal(number)
            assert await process.exit_code() == 0, process.output
    records = await fastpath.records()
    assert [r.value for r in records if r.kind == "frame"] == [action(n).encode() for n in range(1000)]
    assert records[-1].json == {"code": 1000, "reason": "shutdown", "frames": 1000}
    assert "Traceback" not in process.output
    assert TOKEN not in process.output


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FASTPATH__TOKEN", f"{TOKEN}\n{TOKEN}", "TRICAST_FASTPATH__TOKEN: "),
        ("FASTPATH__TOKEN", " ", "TRICAST_FASTPATH__TOKEN"),
        ("FASTPATH__STREAM_URL", "dde-streams.data.srarena.io", "TRICAST_FASTPATH__STREAM_URL: "),
        ("FASTPATH__FEEDS", "wss://host/soccer", "TRICAST_FASTPATH__FEEDS: "),
        ("FASTPATH__TOKENS", TOKEN, "unknown environment variable TRICAST_FASTPATH__TOKENS"),
    ],
    ids=["token with a newline", "no token", "no URL", "URL for a path", "misspelt"],
)
async def test_a_wrong_setting_is_an_error_that_names_it(tmp_path, variable, value, said):
    async with vendor() as server:
        settings = settings_for("127.0.0.1:9", "t.", server) | {variable: value}
        async with connect("fastpath", tmp_path, **settings) as process:
            assert await process.exit_code() == 2
        assert not server.requests
    assert said in process.output
    assert TOKEN not in process.output
    assert "Traceback" not in process.output


@pytest.mark.cluster
async def test_ended_and_killed_while_kafka_is_away_nothing_is_lost_and_the_chain_goes_on(
    broker, topic_prefix, tmp_path
):
    bootstrap = broker.bootstrap_servers
    raw_topic.create(bootstrap, topic_prefix, name="fastpath.commands")
    topic = raw_topic.create(bootstrap, topic_prefix, name="fastpath.raw")
    frames = [action(number, note="x" * 10_000) for number in range(1, 601)]

    async def send(peer, some):
        for frame in some:
            await peer.send(frame)

    async with Outage(broker, "paused") as outage, vendor() as server:
        paths = (f"soccer/fixtures/{number}/actions" for number in range(1000))
        path = next(path for path in paths if names.partition_of(path) == 0)  # the judge reads that one
        settings = settings_for(bootstrap, topic_prefix, server, FASTPATH__FEEDS=path)
        async with connect("fastpath", tmp_path, **settings) as process:
            peer = await server.connected()
            await send(peer, frames[:100])
            await raw_seen(broker, topic)
            await outage.begin()
            await send(peer, frames[100:200])
            await eventually(lambda: spooled(tmp_path) > 0)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
        assert "sink.left_on_disk" in process.output
        # Kafka is still away: the next one does not wait for it long, and is killed in turn.
        async with connect("fastpath", tmp_path, **settings) as process:
            peer = await server.connected()
            assert peer.position == 0, "how far the feed had come stands in Kafka"
            before = spooled(tmp_path)
            await send(peer, frames[:400])
            await eventually(lambda: spooled(tmp_path) >= before + 400 * PAGE)
            await send(peer, frames[400:410])
            # Transactions that follow tell that those before them are on disk for good.
            await eventually(lambda: spooled(tmp_path) > before + 405 * PAGE)
            process.signal(signal.SIGKILL)
            await process.exit_code()
        async with connect("fastpath", tmp_path, **settings) as process:
            peer = await server.connected()
            await outage.end()
            await send(peer, frames)
            await eventually(lambda: "spool.drained" in process.output)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
    assert not spooled(tmp_path)
    judge = await judged(broker, topic, lambda judge: judge.verdict.kinds.get("closed") == 2)
    assert not judge.verdict.holes
    kept = len(judge.values) - 200 - len(frames)
    assert 400 <= kept <= 410
    assert judge.values == [frame.encode() for frame in (*frames[:200], *frames[:kept], *frames)]
    records = await asyncio.to_thread(raw_topic.read, bootstrap, topic)
    openings = list({r.connection: r.json for r in records if r.kind == "opened"}.items())
    assert [value["previous_connection"] for _, value in openings] == [None, *(c for c, _ in openings[:-1])]
    assert [value["previous_frame"] for _, value in openings] == [None, 200, kept]
