"""What servers do wrong, and what they may do: the connector neither breaks nor stays silent about it."""

import asyncio
import json
import logging

import pytest

from connectors.kambi import roster
from tests.connectors.vendor import eventually, polite, vendor

pytestmark = pytest.mark.kafka

GENERAL = ["v2018.kambi.en.ev.json", "v2018.kambi.ev.json"]
DENIED = {"code": 429, "message": "Subscription denied, max subscriptions 40 reached."}


def first_only(behaviour):
    """Misbehave on the first connection, be polite from the second on."""

    async def behave(peer):
        await (behaviour(peer) if peer.number == 1 else polite(peer))

    return behave


async def never_answers(peer):
    await peer.gone.wait()


async def opens_and_never_accepts(peer):
    await peer.socket.send_str('0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
    await peer.gone.wait()


async def closes_at_once(peer):
    await peer.socket.close(code=1013)


async def speaks_something_else(peer):
    await peer.socket.send_str("hello")
    await peer.listen()


async def opens_with_broken_json(peer):
    await peer.socket.send_str('0{"sid":')
    await peer.listen()


async def refuses_the_connect(peer):
    await peer.handshake(connected='44{"message":"not today"}')
    await peer.listen()


async def disconnects_in_place_of_accepting(peer):
    await peer.handshake(connected="41")
    await peer.listen()


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (never_answers, "no accepted connect within 0.3 s"),
        (opens_and_never_accepts, "no accepted connect within 0.3 s"),
        (closes_at_once, "no Engine.IO open packet but CLOSE"),
        (speaks_something_else, "no Engine.IO open packet but TEXT b'hello'"),
        (opens_with_broken_json, "no Engine.IO open packet"),
        (refuses_the_connect, "the server refused the connect"),
        (disconnects_in_place_of_accepting, "the server refused the connect: b'1'"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_a_failed_handshake_is_logged_and_tried_again_and_leaves_no_opened(recording, caplog, behaviour, said):
    async with (
        vendor(first_only(behaviour)) as server,
        recording.connector(server.url, handshake_timeout_s=0.3),
    ):
        await server.peers.get()
        second = await server.connected()
        await second.has(lambda peer: peer.keys == GENERAL)
        await recording.records(bool)
    assert said in caplog.text
    assert [r.kind for r in await recording.records() if r.kind != "tick"] == ["opened", "frame", "closed"]


async def test_stopping_while_a_server_does_not_answer_does_not_wait_for_it(recording):
    # Leaving the connector raises when the grace period was not enough.
    async with vendor(never_answers) as server, recording.connector(server.url, handshake_timeout_s=60.0, grace_s=5.0):
        await server.peers.get()
    assert await recording.records() == []


async def test_no_server_at_all_is_logged_and_tried_again(recording, caplog, unused_tcp_port):
    async with recording.connector(f"http://127.0.0.1:{unused_tcp_port}", backoff_cap_s=0.1):
        refused = "line.connect_failed line=kambi-0-general reason=ClientConnectorError"
        await eventually(lambda: caplog.text.count(refused) >= 3)
        async with vendor(port=unused_tcp_port) as server:
            await server.connected()
    assert [r.kind for r in await recording.records() if r.kind != "tick"] == ["opened", "frame", "closed"]


async def test_a_message_over_the_limit_ends_the_connection_and_is_counted(recording):
    async def too_large(peer):
        await peer.handshake()
        await peer.send('2["message","small"]')
        await peer.send('2["message","' + "x" * 20_000 + '"]')
        await peer.listen()

    async with vendor(first_only(too_large)) as server, recording.connector(server.url, max_message_bytes=10_000):
        await server.connected()
        await (await server.connected()).has(lambda peer: peer.keys == GENERAL)
        await recording.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    closed, _ = (r for r in await recording.records() if r.kind == "closed")
    assert closed.json["code"] == 1009
    assert closed.json["frames"] == 2
    assert "exceeds" in closed.json["reason"]


async def test_a_silent_server_is_left(recording):
    async def falls_silent(peer):
        await peer.handshake('0{"sid":"e","upgrades":[],"pingInterval":200,"pingTimeout":200}')
        await peer.listen()

    async with vendor(first_only(falls_silent)) as server, recording.connector(server.url):
        await server.connected()
        await server.connected()
        await recording.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    closed = next(r for r in await recording.records() if r.kind == "closed")
    assert closed.json["code"] == 1006
    assert closed.json["reason"].startswith("silent for")


async def test_pings_are_answered_and_are_no_frames(recording):
    async with vendor() as server, recording.connector(server.url):
        peer = await server.connected()
        await peer.has(lambda peer: peer.keys == GENERAL)
        for text in ("2", "2probe", "6"):
            await peer.socket.send_str(text)
        await peer.has(lambda peer: peer.received[-2:] == ["3", "3probe"])
    assert sum(r.kind == "frame" for r in await recording.records()) == 1


@pytest.mark.parametrize("farewell", ["41", "1"], ids=["socket.io disconnect", "engine.io close"])
async def test_a_server_may_say_goodbye(recording, request, farewell):
    async def says_goodbye(peer):
        await peer.handshake()
        await peer.socket.send_str(farewell)
        await peer.listen()

    async with vendor(first_only(says_goodbye)) as server, recording.connector(server.url):
        await server.connected()
        await server.connected()
        await recording.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    closed = next(r for r in await recording.records() if r.kind == "closed")
    assert closed.json == {"code": 1000, "reason": request.node.callspec.id, "frames": 1 + (farewell == "41")}


async def limited(peer, granted=4):
    """Grant ``granted`` keys, refuse the others with a 429; say nonsense about one of them first."""
    await peer.handshake()
    held = set()
    async for message in peer.socket:
        async with peer.changed:
            peer.received.append(message.data)
            peer.changed.notify_all()
        name, argument = json.loads(message.data[2:])
        topic = argument["topic"]
        if name == "unsubscribe":
            held.discard(topic)
        elif len(held) < granted or topic in held:
            held.add(topic)
        else:
            await peer.send('2["error",{"code":429,"topic":"v2018.kambi')
            await peer.send("2" + json.dumps(["error", DENIED | {"topic": topic}]))


async def test_refused_keys_move_to_another_connection(recording, caplog):
    events = (1, 2, 3)
    wanted = {key for event in events for key in (f"v2018.kambi.en.ev.{event}.json", f"v2018.kambi.ev.{event}.json")}
    async with vendor(limited) as server, recording.connector(server.url, events=events):
        peers = [await server.connected() for _ in range(3)]

        def settled():
            lines = [set(peer.keys) for peer in peers if not set(peer.keys) & set(GENERAL)]
            return sorted(map(len, lines)) == [2, 4] and set().union(*lines) == wanted

        await eventually(settled)
    assert "kambi.refused line=kambi-0-events-0 code=429 topic=v2018.kambi.en.ev.3.json" in caplog.text
    lines = {r.line for r in await recording.records()}
    assert lines == {"kambi-0-general", "kambi-0-events-0", "kambi-0-events-1"}


async def test_live_events_are_discovered_followed_and_dropped_when_they_end(recording):
    async with vendor() as server:
        server.live = [11]
        async with recording.connector(server.url, events="live", discovery_interval_s=30.0):
            peers = [await server.connected() for _ in range(2)]
            general, line = sorted(peers, key=lambda peer: peer.number)
            await line.has(lambda peer: peer.keys == ["v2018.kambi.en.ev.11.json", "v2018.kambi.ev.11.json"])
            # An event opens: it is followed at once, not in 30 s. The one that ended is still listed there.
            server.live = [11, 12]
            ended = json.dumps([{"mt": 34, "esu": {"id": 11, "state": "FINISHED"}}])
            opened = json.dumps([{"mt": 5, "leo": {"event": {"id": 12}}}])
            await general.send("2" + json.dumps(["message", ended]))
            await line.has(lambda peer: peer.keys == [])
            await general.send("2" + json.dumps(["message", opened]))
            await line.has(lambda peer: peer.keys == ["v2018.kambi.en.ev.12.json", "v2018.kambi.ev.12.json"])


async def test_broken_discovery_keeps_what_is_followed(recording, caplog):
    async with vendor() as server:
        server.live = [11]
        async with recording.connector(server.url, events="live", discovery_interval_s=0.1):
            await server.connected()
            line = await server.connected()
            await line.has(lambda peer: len(peer.keys) == 2)
            server.live = ["not an id"]
            await eventually(lambda: caplog.text.count("kambi.discovery_incomplete") > 4)
            assert len(line.keys) == 2


async def test_empty_lists_drop_only_who_is_silent_for_as_long(recording, caplog, monkeypatch):
    monkeypatch.setattr(roster, "EMPTY_FOR_S", 2.0)
    async with vendor() as server:
        server.live = [11, 12]
        async with asyncio.timeout(60), recording.connector(server.url, events="live", discovery_interval_s=0.1):
            general, line = sorted([await server.connected() for _ in range(2)], key=lambda peer: peer.number)
            await line.has(lambda peer: len(peer.keys) == 4)
            alive = json.dumps([{"mt": 12, "mcr": {"eventId": 12}}])
            began_s = asyncio.get_running_loop().time()
            server.live = []
            while len(line.keys) == 4:  # no wait for anything: a message every 50 ms
                await general.send("2" + json.dumps(["message", alive]))
                await asyncio.sleep(0.05)
            assert asyncio.get_running_loop().time() - began_s >= 2.0
            await line.has(lambda peer: peer.keys == ["v2018.kambi.en.ev.12.json", "v2018.kambi.ev.12.json"])
            await line.has(lambda peer: peer.keys == [])
    assert caplog.text.count("kambi.discovery_empty followed=2") == 1


@pytest.mark.parametrize("deflate", [True, False], ids=["deflate", "plain"])
async def test_permessage_deflate_is_negotiated_where_the_server_has_it(recording, caplog, deflate):
    caplog.set_level(logging.INFO, logger="connectors")
    async with vendor(deflate=deflate) as server, recording.connector(server.url):
        peer = await server.connected()
        await peer.send('2["message","' + "x" * 1000 + '"]')
        await recording.records(lambda seen: sum(r.kind == "frame" for r in seen) == 2)
    assert server.offered == ["permessage-deflate; client_max_window_bits"]
    assert (server.accepted[0] or "").startswith("permessage-deflate") is deflate
    assert f"line.opened line=kambi-0-general keys=2 deflate={deflate}" in caplog.text
    frames = [r.value for r in await recording.records() if r.kind == "frame"]
    assert frames[1] == b'2["message","' + b"x" * 1000 + b'"]'
