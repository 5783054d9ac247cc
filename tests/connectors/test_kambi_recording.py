"""Server → connector → real Kafka → another client: byte for byte, in order."""

import asyncio
import contextlib
import json
import uuid

import pytest

from tests.connectors.vendor import CONNECTED, vendor

pytestmark = pytest.mark.kafka

GENERAL = ["v2018.kambi.en.ev.json", "v2018.kambi.ev.json"]


def bulk(*children):
    return "2" + json.dumps(["message", json.dumps(children, separators=(",", ":"))], separators=(",", ":"))


ODD_PACKETS = [
    bulk({"t": "1790000000001", "mt": 18, "er": {"eventId": 1}}).encode(),
    b'2["message",  "[ ]" ]',
    '2["message","Zürich 東京 \\u00e9 😀"]'.encode(),
    b'2["message","broken \xff\xfe utf-8"]',
    b"",
    b'{"not":"a packet"}',
    b"2[" + b'"message","' + b"x" * 5_000_000 + b'"]',
    b"2\x00\r\n",
]


async def test_every_packet_is_recorded_byte_for_byte_and_in_order(recording):
    async with vendor() as server, recording.connector(server.url):
        peer = await server.connected()
        await peer.has(lambda peer: peer.keys == GENERAL)
        for packet in ODD_PACKETS:
            await peer.send(packet)
        await peer.socket.send_bytes(b"4 binary")
        await peer.socket.send_str("9 no engine.io packet")
        for number in range(500):
            await peer.send(f'2["message","{number}"]')
        await recording.records(lambda seen: any(r.value == b'2["message","499"]' for r in seen))
    records = await recording.records()
    frames = [r.value for r in records if r.kind == "frame"]
    numbered = [f'2["message","{number}"]'.encode() for number in range(500)]
    assert frames == [CONNECTED[1:].encode(), *ODD_PACKETS, b"4 binary", b"9 no engine.io packet", *numbered]
    assert [r.frame for r in records if r.kind == "frame"] == list(range(1, len(frames) + 1))


async def test_control_records_stand_in_order_with_their_frames(recording):
    async with vendor() as server, recording.connector(server.url):
        peer = await server.connected()
        await peer.send('2["message","[]"]')
        await recording.records(lambda seen: sum(r.kind == "tick" for r in seen) >= 2)
    records = await recording.records()
    first, last = records[0], records[-1]
    uuid.UUID(first.connection)
    assert first.json == {
        "shard": 0,
        "shards": 1,
        "url": server.url,
        "keys": GENERAL,
        "previous_connection": None,
        "previous_frame": None,
    }
    assert last.json == {"code": 1000, "reason": "shutdown", "frames": 2}
    assert [r.kind for r in records if r.kind != "tick"] == ["opened", "frame", "frame", "closed"]
    frame = 0
    for record in records:
        frame += record.kind == "frame"
        assert record.headers == {
            "tc-feed": "kambi",
            "tc-line": "kambi-0-general",
            "tc-connection": first.connection,
            "tc-frame": str(frame),
            "tc-received-ns": record.headers["tc-received-ns"],
            "tc-kind": record.kind,
        }
        assert (record.key, record.partition) == (b"0", 0)
        assert record.timestamp_ms == int(record.headers["tc-received-ns"]) // 1_000_000
    stamps = [int(r.headers["tc-received-ns"]) for r in records]
    assert stamps == sorted(stamps)


async def test_a_dropped_connection_leaves_an_interval_with_two_ends(recording):
    async with vendor() as server, recording.connector(server.url):
        first = await server.connected()
        await first.has(lambda peer: peer.keys == GENERAL)
        await first.send('2["message","a"]')
        await first.socket.close(code=1012, message=b"restart")
        second = await server.connected()
        await second.has(lambda peer: peer.keys == GENERAL)  # everything is subscribed again
        second.drop()
        await server.connected()
        await recording.records(lambda seen: sum(r.kind == "opened" for r in seen) == 3)
    records = await recording.records()
    opened = [r for r in records if r.kind == "opened"]
    closed = [r for r in records if r.kind == "closed"]
    assert [r.json for r in closed] == [
        {"code": 1012, "reason": "restart", "frames": 2},
        {"code": 1006, "reason": "connection lost", "frames": 1},
        {"code": 1000, "reason": "shutdown", "frames": 1},
    ]
    assert [(r.json["previous_connection"], r.json["previous_frame"]) for r in opened] == [
        (None, None),
        (opened[0].connection, 2),
        (opened[1].connection, 1),
    ]
    assert len({r.connection for r in opened}) == 3


async def test_a_restarted_connector_knows_where_its_lines_stood(recording):
    async with vendor() as server:
        for _ in range(2):
            async with recording.connector(server.url, events=(7,)):
                for _ in range(2):
                    peer = await server.connected()
                    await peer.send('2["message","a"]')
                await recording.records(lambda seen: sum(r.kind == "frame" for r in seen) % 4 == 0 and bool(seen))
    records = await recording.records()
    for line in ("kambi-0-general", "kambi-0-events-0"):
        before, after = (r for r in records if r.kind == "opened" and r.line == line)
        assert (after.json["previous_connection"], after.json["previous_frame"]) == (before.connection, 2)


async def chatter(peer):
    """Send numbered packets as fast as they go; ``peer.sent`` of them before the close frame is seen."""
    await peer.handshake()
    listening = asyncio.create_task(peer.listen())
    number = 0
    while not listening.done():
        await peer.send(f'2["message","{number}"]')
        number += 1
        await asyncio.sleep(0)
    peer.received.append(str(number))


async def test_frames_sent_until_the_server_saw_our_close_are_kept(recording):
    async with vendor(chatter) as server:
        async with recording.connector(server.url):
            peer = await server.connected()
            await recording.records(lambda seen: len(seen) > 200)
        records = await recording.records()
    frames = [r.value for r in records if r.kind == "frame"][1:]
    assert frames == [f'2["message","{number}"]'.encode() for number in range(len(frames))]
    assert records[-1].json == {"code": 1000, "reason": "shutdown", "frames": len(frames) + 1}
    # The last packet may have been written after the close frame came in; all before it are there.
    assert int(peer.received[-1]) - len(frames) <= 1


async def test_a_server_that_neither_reads_nor_stops_is_left_within_the_grace_period(recording):
    async def deaf(peer):
        await peer.handshake()
        with contextlib.suppress(ConnectionError):
            while True:
                await peer.send('2["message","[]"]')
                await asyncio.sleep(0.001)

    async with vendor(deaf) as server:
        async with recording.connector(server.url, grace_s=5.0):
            await server.connected()
        records = await recording.records()
    assert records[-1].kind == "closed"
    assert records[-1].json["reason"] == "shutdown"
