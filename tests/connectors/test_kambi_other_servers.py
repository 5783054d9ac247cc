"""Servers that are not ours: the reference implementation (npm ``socket.io``) and python-socketio."""

import asyncio
import json

import pytest
import socketio
from aiohttp import web

from tests.connectors import npm

pytestmark = pytest.mark.kafka

GENERAL = ["v2018.kambi.en.ev.json", "v2018.kambi.ev.json"]
TEXTS = [json.dumps([{"t": str(n), "mt": 11, "boou": {"eventId": n, "name": "Zürich 東京"}}]) for n in range(200)]


def packet(text):
    """Return the Socket.IO packet of a ``message`` event as JavaScript writes it."""
    return ("2" + json.dumps(["message", text], separators=(",", ":"), ensure_ascii=False)).encode()


@pytest.mark.node
async def test_npm_socket_io_with_per_message_deflate(recording, node_server):
    async with (
        npm.node(node_server, "server.js") as server,
        recording.connector(f"http://{server.address}"),
    ):
        for topic in GENERAL:
            said = await server.says()
            assert said["subscribe"] == topic
            assert said["extensions"].startswith("permessage-deflate")
        for text in TEXTS:
            server.order(topic=GENERAL[1], text=text)
        await recording.records(lambda seen: sum(r.kind == "frame" for r in seen) == 1 + len(TEXTS))
        server.order(drop=True)
        assert [(await server.says())["subscribe"] for _ in GENERAL] == GENERAL
        server.order(topic=GENERAL[0], text="[]")
        await recording.records(lambda seen: sum(r.kind == "frame" for r in seen) == 3 + len(TEXTS))
    records = await recording.records()
    connections = list(dict.fromkeys(r.connection for r in records))
    frames = [[r.value for r in records if r.kind == "frame" and r.connection == one] for one in connections]
    assert frames[0][0].startswith(b'0{"sid":')
    assert frames[0][1:] == [packet(text) for text in TEXTS]
    assert frames[1][1:] == [packet("[]")]
    assert [r.json["reason"] for r in records if r.kind == "closed"] == ["connection lost", "shutdown"]


async def test_python_socketio_with_its_ping(recording):
    server = socketio.AsyncServer(async_mode="aiohttp", transports=["websocket"], ping_interval=0.3, ping_timeout=5)
    subscribed = asyncio.Queue()

    @server.event
    async def subscribe(sid, argument):
        await server.enter_room(sid, argument["topic"])
        await subscribed.put(argument["topic"])

    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with recording.connector("http://{}:{}".format(*runner.addresses[0][:2])):
            assert [await subscribed.get() for _ in GENERAL] == GENERAL
            for text in TEXTS:
                await server.emit("message", text, room=GENERAL[1])
            # Several pings go by: a client that did not answer them would be thrown out, and connect again.
            await recording.records(lambda seen: sum(r.kind == "tick" for r in seen) >= 6)
    finally:
        await runner.cleanup()
    records = await recording.records()
    frames = [r.value for r in records if r.kind == "frame"]
    assert [json.loads(frame[1:])[1] for frame in frames[1:]] == TEXTS
    assert sum(r.kind == "opened" for r in records) == 1
