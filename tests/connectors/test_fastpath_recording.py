"""Server → connector → real Kafka → another client: byte for byte, in order, with what was asked for."""

import asyncio
import json
import uuid

import pytest
from aiokafka.partitioner import DefaultPartitioner

from connectors.fastpath import names
from tests.connectors.fastpath_vendor import ACCEPTED, ACTIONS, HEARTBEAT, STATISTICS, TENNIS, TOKEN, action, vendor

pytestmark = pytest.mark.kafka

ODD = [
    HEARTBEAT.encode(),
    action(1).encode(),
    b'{"seqNum": 7,  "x" : 1.0e-5 }',
    '{"name":"Zürich 東京 \\u00e9 😀"}'.encode(),
    b'{"broken":"\xff\xfe utf-8"}',
    b"",
    b"not json",
    b"[" * 50_000,
    b'{"fixtureAction":{"x":"' + b"x" * 5_000_000 + b'"}}',
    b"\x00\r\n",
]


async def test_every_message_is_recorded_byte_for_byte_and_in_order(fastpath):
    async with vendor() as server, fastpath.connector(server.url):
        peer = await server.connected()
        for payload in ODD:
            await peer.send(payload)
        await peer.send(b"\x00\xffbinary", text=False)
        await peer.socket.send([b'{"in":', b'"three ', b'frames"}'], text=True)
        for number in range(500):
            await peer.send(action(number))
        await fastpath.records(lambda seen: any(r.value == action(499).encode() for r in seen))
    frames = [r for r in await fastpath.records() if r.kind == "frame"]
    numbered = [action(number).encode() for number in range(500)]
    assert [r.value for r in frames] == [*ODD, b"\x00\xffbinary", b'{"in":"three frames"}', *numbered]
    assert [r.frame for r in frames] == list(range(1, len(frames) + 1))


async def test_the_handshake_and_the_first_frame_are_as_documented(fastpath):
    feeds = (ACTIONS, TENNIS, "multiplexer/?sport=golf", "new/sport")
    async with vendor() as server, fastpath.connector(server.url, feeds=feeds):
        peers = [await server.connected() for _ in feeds]
    assert {json.dumps(json.loads(peer.auth)) for peer in peers} == {json.dumps({"authToken": TOKEN})}
    assert all(isinstance(peer.auth, str) for peer in peers)
    for request in server.requests:
        assert request.headers["Accept"] == "application/vnd.imggaming.dde.api+json;version=1"
        assert request.headers["Connection"] == "Upgrade"
        assert "permessage-deflate" in request.headers["Sec-WebSocket-Extensions"]
    assert sorted(request.path for request in server.requests) == [
        "/multiplexer/?sport=golf",
        "/new/sport",
        f"/{ACTIONS}?startPosition=0",
        f"/{TENNIS}?startPosition=0",
    ]


async def test_control_records_stand_in_order_with_their_frames(fastpath):
    async with vendor() as server, fastpath.connector(server.url):
        peer = await server.connected()
        for text in (ACCEPTED, action(1), action(2), action(2)):
            await peer.send(text)
        await fastpath.records(lambda seen: any(r.kind == "tick" and r.json["events"] == 2 for r in seen))
    records = await fastpath.records()
    first, last = records[0], records[-1]
    uuid.UUID(first.connection)
    assert first.json == {
        "local": "{}:{}".format(*peer.socket.remote_address[:2]),
        "feed": ACTIONS,
        "url": f"{server.url}/{ACTIONS}?startPosition=0",
        "start_position": 0,
        "events": 0,
        "cause": "start",
        "previous_connection": None,
        "previous_frame": None,
    }
    assert last.json == {"code": 1000, "reason": "shutdown", "frames": 4}
    assert [r.kind for r in records if r.kind != "tick"] == ["opened", *["frame"] * 4, "closed"]
    assert {r.json["open"] for r in records if r.kind == "tick"} == {True}
    frame = 0
    for record in records:
        frame += record.kind == "frame"
        assert record.headers == {
            "tc-feed": "fastpath",
            "tc-line": ACTIONS,
            "tc-connection": first.connection,
            "tc-frame": str(frame),
            "tc-received-ns": record.headers["tc-received-ns"],
            "tc-kind": record.kind,
            "tc-position": "0",
        }
        assert record.key == ACTIONS.encode()
        assert record.timestamp_ms == int(record.headers["tc-received-ns"]) // 1_000_000
    stamps = [int(r.headers["tc-received-ns"]) for r in records]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    "path", [ACTIONS, STATISTICS, TENNIS, "multiplexer/?sport=golf", "v2/volleyball/fixtures/1/actions"]
)
def test_a_feed_lies_where_kafkas_default_partitioner_puts_its_key(path):
    everywhere = list(range(names.PARTITIONS))
    assert names.partition_of(path) == DefaultPartitioner()(path.encode(), everywhere, everywhere)


async def test_a_reconnect_asks_again_from_two_events_before_and_names_what_was_before(fastpath):
    async with vendor() as server, fastpath.connector(server.url):
        first = await server.connected()
        for number in range(1, 11):
            await first.send(action(number))
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == 10)
        await first.socket.close(code=1012, reason="restart")
        second = await server.connected()
        assert second.position == 8
        await second.send(action(9))
        await second.send(action(10))
        await second.send(action(11))
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == 13)
        second.drop()
        third = await server.connected()
        assert third.position == 9
        await fastpath.records(lambda seen: sum(r.kind == "opened" for r in seen) == 3)
    records = await fastpath.records()
    opened = [r for r in records if r.kind == "opened"]
    assert [r.json for r in records if r.kind == "closed"] == [
        {"code": 1012, "reason": "restart", "frames": 10},
        {"code": 1006, "reason": "connection lost", "frames": 3},
        {"code": 1000, "reason": "shutdown", "frames": 0},
    ]
    assert [
        (r.json["start_position"], r.json["events"], r.json["cause"], r.json["previous_frame"]) for r in opened
    ] == [(0, 0, "start", None), (8, 8, "reconnect", 10), (9, 9, "reconnect", 3)]
    assert [r.json["previous_connection"] for r in opened[1:]] == [r.connection for r in opened[:-1]]
    for r in records:
        assert r.headers["tc-position"] == {o.connection: str(o.json["start_position"]) for o in opened}[r.connection]


async def test_family_b_asks_again_for_the_last_number(fastpath):
    async with vendor() as server, fastpath.connector(server.url, feeds=(TENNIS,)):
        first = await server.connected()
        for number in (0, 1, 2, 3):
            await first.send(json.dumps({"seqNum": number, "eventElementType": "PointStarted"}))
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == 4, path=TENNIS)
        first.drop()
        assert (await server.connected()).position == 3


async def test_a_feed_without_positions_asks_for_none_and_has_no_position_header(fastpath):
    path = "tennis/events/2026-0415-MS009/statistics"
    async with vendor() as server, fastpath.connector(server.url, feeds=(path,)):
        first = await server.connected()
        await first.send('{"seqNum": 5, "eventElementType": "x"}')
        await fastpath.records(lambda seen: any(r.kind == "frame" for r in seen), path=path)
        first.drop()
        assert (await server.connected()).position is None
    records = await fastpath.records(path=path)
    assert all("tc-position" not in r.headers for r in records)
    assert records[0].json["start_position"] is None


async def test_between_connections_time_goes_on_in_the_name_of_the_last_one(fastpath):
    async with vendor() as server, fastpath.connector(server.url):
        peer = await server.connected()
        await peer.send(action(1))
        await fastpath.records(lambda seen: any(r.kind == "frame" for r in seen))
        server.answers = lambda *_: (503, {}, b"")
        await peer.socket.close()

        def ticked(seen):
            return sum(r.kind == "tick" and not r.json["open"] for r in seen) >= 3

        await fastpath.records(ticked)
        server.answers = lambda *_: None
        await server.connected()
        await fastpath.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    records = await fastpath.records()
    first, second = (r for r in records if r.kind == "opened")
    between = [r for r in records if r.kind == "tick" and not r.json["open"]]
    assert {(r.connection, r.frame, r.json["events"], r.headers["tc-position"]) for r in between} == {
        (first.connection, 1, 1, "0")
    }
    refusal = next(r for r in records if r.kind == "closed" and r.json["code"] == 503)
    assert refusal.json == {"code": 503, "reason": "unavailable", "frames": 0}
    assert refusal.connection not in {first.connection, second.connection}
    assert second.json["previous_connection"] == first.connection
    assert second.json["previous_frame"] == 1


async def test_two_lines_of_a_feed_meet_in_its_partition(fastpath):
    async with vendor() as server, fastpath.connector(server.url), fastpath.connector(server.url, replica="b"):
        for _ in range(2):
            await (await server.connected()).send(action(1))
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == 2)
    records = await fastpath.records()
    assert {r.line for r in records} == {ACTIONS, f"{ACTIONS}@b"}
    assert {r.key for r in records} == {ACTIONS.encode()}


async def test_frames_sent_until_the_server_saw_our_close_are_kept(fastpath):
    sent = 0

    async def chatter(peer):
        nonlocal sent
        listening = asyncio.create_task(peer.listen())
        while not listening.done():
            await peer.send(action(sent))
            sent += 1
            await asyncio.sleep(0)

    async with vendor(chatter) as server:
        async with fastpath.connector(server.url):
            await server.connected()
            await fastpath.records(lambda seen: len(seen) > 200)
        records = await fastpath.records()
    frames = [r.value for r in records if r.kind == "frame"]
    assert frames == [action(number).encode() for number in range(len(frames))]
    assert records[-1].json == {"code": 1000, "reason": "shutdown", "frames": len(frames)}
    assert sent - len(frames) <= 2
