"""What servers and networks do wrong, and what they may do: the feed neither breaks nor stays silent about it."""

import asyncio
import contextlib
import json
import logging
import socket as sockets

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from connectors.fastpath.config import FastpathSettings
from connectors.fastpath.connection import silence_s
from connectors.fastpath.connector import run
from schemas.fastpath.feed import feed_of
from schemas.kafka import KafkaSettings
from tests.connectors.fastpath_vendor import ACTIONS, HEARTBEAT, STATISTICS, TENNIS, action, vendor
from tests.connectors.rest_api import fixture, rest_api
from tests.connectors.vendor import eventually

pytestmark = pytest.mark.kafka


def opened(count):
    return lambda seen: sum(r.kind == "opened" for r in seen) == count


def frames(count):
    return lambda seen: sum(r.kind == "frame" for r in seen) == count


async def test_a_server_that_accepts_and_never_speaks_is_left_after_two_and_a_half_heartbeats(fastpath):
    async with vendor() as server, fastpath.connector(server.url, heartbeat_s=0.2):
        await server.connected()
        second = await server.connected()
        assert second.position == 0
        await fastpath.records(opened(2))
    closed = next(r for r in await fastpath.records() if r.kind == "closed")
    assert closed.json == {"code": 1006, "reason": "silent for more than 0.5 s", "frames": 0}


async def test_a_stall_after_data_is_left_and_any_message_is_a_sign_of_life(fastpath):
    async def rubbish_then_nothing(peer):
        if peer.number == 1:
            for _ in range(8):
                await peer.send(b"\xff not json", text=False)
                await asyncio.sleep(0.2)  # the server's pace: each time less than what counts as silence
        await peer.listen()

    async with vendor(rubbish_then_nothing) as server, fastpath.connector(server.url, heartbeat_s=0.4):
        await server.connected()
        await server.connected()
        await fastpath.records(opened(2))
    closed = next(r for r in await fastpath.records() if r.kind == "closed")
    assert closed.json == {"code": 1006, "reason": "silent for more than 1 s", "frames": 8}


def test_silence_is_measured_by_the_feeds_own_heartbeat():
    """Golf sends half as often: what is silence elsewhere is none there."""
    golf = "golf/tournaments/901/round/1/team/21"
    assert silence_s(feed_of(ACTIONS), None) == 25
    assert silence_s(feed_of(golf), None) == 50
    assert silence_s(feed_of(golf), 4) == 10


async def test_a_server_behind_which_nothing_answers_is_found_by_our_pings(fastpath):
    """Half-open: the kernel takes our bytes, nobody reads them."""
    dead = asyncio.Event()

    async def goes_deaf(peer):
        if peer.number == 1:
            peer.socket.transport.pause_reading()  # pings are not answered, the close is not either
            dead.set()
            await peer.socket.wait_closed()
        await peer.listen()

    async with vendor(goes_deaf) as server, fastpath.connector(server.url, ping_interval_s=0.2):
        await server.connected()
        await dead.wait()
        await server.connected()
        await fastpath.records(opened(2))
    closed = next(r for r in await fastpath.records() if r.kind == "closed")
    assert closed.json == {"code": 1011, "reason": "keepalive ping timeout", "frames": 0}


async def test_pings_of_the_server_are_answered(fastpath):
    async with vendor() as server, fastpath.connector(server.url):
        peer = await server.connected()
        await (await peer.socket.ping(b"are you there"))
    assert not [r for r in await fastpath.records() if r.kind == "frame"]


@pytest.mark.parametrize("behaves", ["never answers", "closes", "speaks HTTP 1.0", "speaks rubbish"])
async def test_a_failed_handshake_is_logged_and_tried_again_and_leaves_no_opened(fastpath, caplog, behaves):
    async def serve(reader, writer):
        with contextlib.suppress(ConnectionError):
            if behaves == "never answers":
                await reader.read()
            else:
                await reader.readuntil(b"\r\n\r\n")
                if behaves == "speaks HTTP 1.0":
                    writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
                elif behaves == "speaks rubbish":
                    writer.write(b"\x00\xff" * 100 + b"\r\n\r\n")
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = "ws://{}:{}".format(*server.sockets[0].getsockname())
    async with fastpath.connector(url, handshake_timeout_s=0.3):
        await eventually(lambda: caplog.text.count("line.connect_failed") >= 3)
        assert await fastpath.records() == []
    server.close()


async def test_no_server_at_all_is_logged_and_tried_again_with_a_fresh_look_at_dns(
    fastpath, caplog, unused_tcp_port, monkeypatch
):
    asked = []
    resolve = sockets.getaddrinfo

    def counted(host, *rest, **more):
        asked.append(host)
        return resolve(host, *rest, **more)

    monkeypatch.setattr(sockets, "getaddrinfo", counted)
    async with fastpath.connector(f"ws://localhost:{unused_tcp_port}"):
        await eventually(lambda: caplog.text.count(f"line.connect_failed line={ACTIONS}") >= 3)
        async with vendor(port=unused_tcp_port) as server:
            await server.connected()
    assert asked.count("localhost") >= 4
    assert [r.kind for r in await fastpath.records() if r.kind != "tick"] == ["opened", "closed"]


@pytest.mark.parametrize("how", ["one frame", "compressed to nothing", "fragments"])
async def test_a_message_over_the_limit_ends_the_connection_and_is_counted(fastpath, caplog, how):
    caplog.set_level(logging.INFO, logger="connectors")

    async def too_large(peer):
        if peer.number == 1:
            await peer.send(action(1))
            large = b"x" * 20_000
            await peer.socket.send([large[:7000]] * 3 if how == "fragments" else large, text=True)
        await peer.listen()

    async with (
        vendor(too_large, deflate=how != "one frame") as server,
        fastpath.connector(server.url, max_message_bytes=10_000),
    ):
        await server.connected()
        await server.connected()
        await fastpath.records(opened(2))
    closed = next(r for r in await fastpath.records() if r.kind == "closed")
    assert closed.json["code"] == 1009
    assert closed.json["frames"] == 1
    assert "'over-limit': 1" in caplog.text


async def test_a_message_over_the_limit_does_not_blind_the_feed(fastpath, caplog):
    async def lists(peer):
        for number in range(peer.position + 1, 6):
            await peer.send(action(number, pad="x" * 20_000 if number == 3 else ""))
        await peer.listen()

    async with vendor(lists) as server, fastpath.connector(server.url, max_message_bytes=10_000):
        seen = await fastpath.records(lambda seen: any(b'"fixtureSeqNum": 5' in r.value for r in seen))
    frames = {r.json["fixtureAction"]["fixtureSeqNum"] for r in seen if r.kind == "frame"}
    assert frames == {1, 2, 4, 5}
    assert "fastpath.over_limit" in caplog.text


async def test_broken_websocket_frames_end_the_connection_with_a_reason(fastpath):
    async def breaks(peer):
        if peer.number == 1:
            await peer.send(action(1))
            peer.socket.transport.write(b"\xb1\x05hello")  # reserved bits set
        await peer.listen()

    async with vendor(breaks) as server, fastpath.connector(server.url):
        await server.connected()
        await server.connected()
        await fastpath.records(opened(2))
    closed = next(r for r in await fastpath.records() if r.kind == "closed")
    assert closed.json["code"] == 1002
    assert "reserved bits" in closed.json["reason"]


async def test_a_server_that_neither_reads_nor_stops_is_left_within_the_grace_period(fastpath):
    async def deaf(peer):
        peer.socket.transport.pause_reading()
        with contextlib.suppress(Exception):
            while True:
                await peer.send(HEARTBEAT)
                await asyncio.sleep(0.001)

    async with vendor(deaf) as server:
        async with fastpath.connector(server.url, grace_s=5.0):
            await server.connected()
        records = await fastpath.records()
    assert records[-1].kind == "closed"
    assert records[-1].json["reason"] == "shutdown"


async def test_finished_closes_after_the_grace_for_good_and_the_others_go_on(fastpath):
    async with (
        vendor() as server,
        fastpath.connector(server.url, feeds=(ACTIONS, STATISTICS), finished_grace_s=0.3),
    ):
        peers = {(peer := await server.connected()).path: peer for _ in range(2)}
        finished = peers[f"/{ACTIONS}"]
        await finished.send(action(1, finished=True))
        await finished.send(action(2, finished=True))
        await finished.gone.wait()
        asked = len(server.requests)
        peer = peers[f"/{STATISTICS}"]
        for _ in range(10):  # time enough for the finished one to come back, too
            peer.drop()
            peer = await server.connected()
            assert peer.path == f"/{STATISTICS}"
        assert len(server.requests) == asked + 10
    records = [r for r in await fastpath.records() if r.line == ACTIONS]
    assert records[-1].json == {"code": 1000, "reason": "finished", "frames": 2}


async def test_a_feed_is_left_when_its_fixture_is_over_and_that_is_no_shutdown(fastpath):
    identity = "8c1e8bd0-1f0e-4b52-a6ac-8b7a3c2f8d11"
    path = f"soccer/fixtures/{identity}/statistics"
    quick = {"discovery_interval_s": 0.05, "finished_grace_s": 0.0, "kinds": ("statistics",)}
    async with vendor() as server, rest_api() as api:
        api.lists["soccer/fixtures"] = [fixture(identity)]
        async with fastpath.connector(server.url, feeds=(), sports=("soccer",), api_url=api.url, **quick):
            peer = await server.connected()
            api.lists["soccer/fixtures"] = [fixture(identity, "Completed")]
            await peer.gone.wait()
            (closed,) = [r for r in await fastpath.records(has_closed_as("left"), path=path) if r.kind == "closed"]
    assert closed.json == {"code": 1000, "reason": "left", "frames": 0}


def has_closed_as(reason):
    return lambda seen: any(record.kind == "closed" and record.json["reason"] == reason for record in seen)


async def test_finished_that_is_taken_back_does_not_close(fastpath):
    async with vendor() as server, fastpath.connector(server.url, finished_grace_s=0.3):
        peer = await server.connected()
        await peer.send(action(1, finished=True))
        await peer.send(action(2))
        before = len(await fastpath.records(frames(2)))
        await fastpath.records(lambda seen: sum(r.kind == "tick" for r in seen[before:]) > 6)
        assert not peer.gone.is_set()


async def test_a_feed_that_finished_while_it_reconnects_ends_without_a_connection(fastpath, caplog):
    caplog.set_level(logging.INFO, logger="connectors")
    async with vendor() as server, fastpath.connector(server.url, finished_grace_s=0.3):
        peer = await server.connected()
        await peer.send(action(1, finished=True))
        await fastpath.records(frames(1))
        server.answers = lambda *_: (503, {}, b"")
        peer.drop()
        await eventually(lambda: "fastpath.finished" in caplog.text)
        closed = [r for r in await fastpath.records(has_closed_as("finished")) if r.kind == "closed"]
    assert [r.json["reason"] for r in closed].index("finished") == len(closed) - 1


async def command(fastpath, line, position, **more):
    value = {"feed": line.partition("@")[0], "fixture_id": "1", "line": line, "first": 3, "last": 4,
             "position": position, "attempt": 1} | more  # fmt: skip
    producer = AIOKafkaProducer(**fastpath.kafka.client())
    await producer.start()
    try:
        await producer.send_and_wait(
            f"{fastpath.prefix}fastpath.commands",
            json.dumps(value).encode(),
            key=value["feed"].encode(),
            headers=[("ce_type", b"tricast.fastpath.command.repair.v1")],
        )
    finally:
        await producer.stop()


async def test_a_repair_reconnects_that_line_with_that_position(fastpath, caplog):
    caplog.set_level(logging.INFO, logger="connectors")
    async with vendor() as server, fastpath.connector(server.url, feeds=(ACTIONS, STATISTICS)):
        peers = {(peer := await server.connected()).path: peer for _ in range(2)}
        for number in range(1, 21):
            await peers[f"/{ACTIONS}"].send(action(number))
        await fastpath.records(frames(20))
        await eventually(lambda: "fastpath.commands_read" in caplog.text)
        await command(fastpath, ACTIONS, 1)
        second = await server.connected()
        assert (second.path, second.position) == (f"/{ACTIONS}", 1)
        await fastpath.records(lambda seen: sum(r.kind == "opened" and r.line == ACTIONS for r in seen) == 2)
        assert not peers[f"/{STATISTICS}"].gone.is_set()
    records = [r for r in await fastpath.records() if r.line == ACTIONS]
    closed = next(r for r in records if r.kind == "closed")
    assert closed.json == {"code": 1000, "reason": "repair", "frames": 20}
    _, again = (r for r in records if r.kind == "opened")
    assert (again.json["cause"], again.json["start_position"], again.headers["tc-position"]) == ("repair", 1, "1")


async def test_repairs_have_a_budget(fastpath, caplog):
    caplog.set_level(logging.INFO, logger="connectors")
    async with vendor() as server, fastpath.connector(server.url, repairs_per_fixture=2):
        peer = await server.connected()
        await eventually(lambda: "fastpath.commands_read" in caplog.text)
        for _ in range(2):
            await command(fastpath, ACTIONS, 0)
            await peer.gone.wait()
            peer = await server.connected()
        await command(fastpath, ACTIONS, 0)
        await eventually(lambda: "reason=declined" in caplog.text)
        assert not peer.gone.is_set()


async def test_family_b_repairs_ask_for_a_number(fastpath, caplog):
    caplog.set_level(logging.INFO, logger="connectors")
    async with vendor() as server, fastpath.connector(server.url, feeds=(TENNIS,)):
        peer = await server.connected()
        for number in range(9):
            await peer.send(json.dumps({"seqNum": number, "eventElementType": "PointStarted"}))
        await fastpath.records(frames(9), path=TENNIS)
        await eventually(lambda: "fastpath.commands_read" in caplog.text)
        await command(fastpath, TENNIS, 3)
        assert (await server.connected()).position == 3


@pytest.mark.parametrize("deflate", [True, False], ids=["deflate", "plain"])
async def test_permessage_deflate_is_negotiated_where_the_server_has_it(fastpath, caplog, deflate):
    caplog.set_level(logging.INFO, logger="connectors")
    async with vendor(deflate=deflate) as server, fastpath.connector(server.url):
        await (await server.connected()).send("x" * 1000)
        await fastpath.records(frames(1))
    assert f"line.opened line={ACTIONS} position=0 cause=start deflate={deflate}" in caplog.text


async def test_the_legacy_host_is_warned_of(caplog, unused_tcp_port):
    nowhere = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")  # nothing is dialled before Kafka answers
    settings = FastpathSettings(
        stream_url="wss://dde-streams.data.imgarena.com", token=SecretStr("t"), feeds=(ACTIONS,), spool_bytes=0
    )
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, nowhere, stop=stop))
    await eventually(lambda: "fastpath.legacy_host" in caplog.text)
    stop.set()
    await task
    assert "host=dde-streams.data.imgarena.com shutdown='30 September 2026'" in caplog.text
