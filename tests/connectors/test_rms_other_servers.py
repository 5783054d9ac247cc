"""Servers that are not ours: the reference implementation of Socket.IO, and one that repeats our secrets."""

import asyncio
import json
import logging
from dataclasses import replace

import pytest
from aiohttp import WSMsgType, web

from simulators.rms.server import RmsUrls
from tests.connectors import contract, npm
from tests.connectors.test_rms_against_simulator import has, has_joined, refusals
from tests.connectors.vendor import eventually
from tests.simulators.rms_client import staged

pytestmark = pytest.mark.kafka

BODIES = [{"betSlipId": f"slip-{n}", "reason": "Zürich 東京 😀", "stake": n / 8, "n": [None, True]} for n in range(200)]


def packet(body):
    """Return the Socket.IO packet of an approval as JavaScript writes it."""
    numbers = body | {"stake": int(body["stake"]) if body["stake"].is_integer() else body["stake"]}
    return "2" + json.dumps(["RESERVE_BET_ACCEPT", numbers], separators=(",", ":"), ensure_ascii=False)


@pytest.mark.node
async def test_npm_socket_io_with_per_message_deflate(rms, node_server, tmp_path):
    async with staged(tmp_path) as stage, npm.node(node_server, "rms.js", "429") as server:
        urls = replace(stage.simulator.urls, socket_url=f"ws://{server.address}")
        async with rms.connector(urls):
            assert (await server.says())["refused"] == "not yet"
            for turn, order in enumerate(({"disconnect": True}, {"close": 4000}, {"close": 1001}), 1):
                said = await server.says()
                assert said["customer"] == "90210"
                assert said["extensions"].startswith("permessage-deflate")
                await rms.records(has_joined(turn))
                for body in BODIES:
                    server.order(customer="90210", event="RESERVE_BET_ACCEPT", body=body)
                # Its close drops what it has not sent yet.
                await rms.records(
                    lambda seen, turn=turn: sum(packet(BODIES[-1]).encode() == r.value for r in seen) == turn
                )
                server.order(**order)
            await rms.records(has_joined(4))
            # Several pings go by: a client that did not answer them would be thrown out, and connect again.
            await rms.records(has("tick", 10, joined=True))
    records = await rms.records()
    refused, connected = refusals(records)
    contract.check(connected, feed="rms")
    by_connection = {}
    for record in connected:
        if record.kind == "frame":
            by_connection.setdefault(record.connection, []).append(record.value.decode())
    first, *others, last = by_connection.values()
    assert first[0].startswith('0{"sid":')
    assert first[1:] == ['30[{"status":"ok"}]', *map(packet, BODIES), "1"]
    assert [frames[2:] for frames in others] == [list(map(packet, BODIES))] * 2
    assert len(last) == 2
    assert [r.json["code"] for r in refused] == [429]
    closed = [(r.json["code"], r.json["reason"]) for r in connected if r.kind == "closed"]
    assert closed == [(1000, "socket.io disconnect"), (4000, "bye"), (1001, "bye"), (1000, "shutdown")]


class Echo:
    """Authentication and socket that repeat what they were told; connections end in one way after the other."""

    def __init__(self):
        self.tokens = 0
        self.handshakes = 0
        self.elsewhere = []

    async def exchange(self, request):
        self.tokens += 1
        asked = await request.json()
        access = f"sesame-access-{self.tokens}".ljust(1000, "x")  # as long as a JWT: a cut goes through it
        tokens = {"accessToken": access, "refreshToken": f"sesame-refresh-{self.tokens}"}
        return web.json_response(tokens | {"expiresIn": 1800, "message": json.dumps(asked)})

    async def socket(self, request):
        self.handshakes += 1
        said = f"who is {request.headers['Authorization']}?"
        match self.handshakes:
            case 1:
                raise web.HTTPFound("/elsewhere", headers={"X-Said": said})
            case 2:
                raise web.HTTPForbidden(text=said, reason=said)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if self.handshakes == 3:
            await socket.close(code=4401, message=said.encode()[:123])
            return socket
        if self.handshakes == 6:
            await socket.send_str(said)
            return socket
        await socket.send_str('0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000}')
        await socket.receive()
        error = json.dumps({"message": said, "data": {"statusCode": 500, "said": said}})
        await socket.send_str(f"44{error}" if self.handshakes == 4 else '40{"sid":"s"}')
        if self.handshakes == 5:
            await socket.receive()
            await socket.close(code=4000, message=said.encode()[:123])
        async for message in socket:
            if message.type is WSMsgType.TEXT and message.data == '420["join"]':
                await socket.send_str(f"430{json.dumps([said])}")
        return socket

    async def other(self, request):
        self.elsewhere.append(request)
        return web.Response()


async def test_no_secret_is_told_on_by_a_server_that_repeats_them_and_redirects_are_not_followed(rms, caplog):
    caplog.set_level(logging.DEBUG, "connectors")
    echo = Echo()
    app = web.Application()
    app.router.add_post("/{path:identity/.*}", echo.exchange)
    app.router.add_get("/rms-socket/socket.io/", echo.socket)
    app.router.add_get("/elsewhere", echo.other)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = "http://{}:{}".format(*runner.addresses[0][:2])
        urls = RmsUrls(socket_url=url.replace("http", "ws"), auth_url=url, bets_url=url)
        async with rms.connector(urls, client_id="us", secret="sesame-secret"):
            await rms.records(has_joined(1))
    finally:
        await runner.cleanup()
    records = await rms.records()
    refused, connected = refusals(records)
    contract.check(connected, feed="rms")
    assert [(r.json["code"], r.json["reason"]) for r in refused] == [
        (302, "refused"), (403, "forbidden"), (401, "unauthorised"), (500, "server-error"),
    ]  # fmt: skip
    assert [r.json["code"] for r in connected if r.kind == "closed"] == [4000, 1000]
    assert "who is" in caplog.text
    assert not echo.elsewhere
    everything = caplog.text + "".join(repr((r.headers, r.value)) for r in records)
    assert "sesame" not in everything


async def test_a_server_that_cuts_handshakes_sees_no_more_of_them_than_were_counted(rms, tmp_path, caplog):
    seen = 0

    async def cut(reader, writer):
        nonlocal seen
        seen += (await reader.readuntil(b"\r\n\r\n")).startswith(b"GET")
        writer.close()

    async with staged(tmp_path) as stage, await asyncio.start_server(cut, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        urls = replace(stage.simulator.urls, socket_url=f"ws://127.0.0.1:{port}")
        async with rms.connector(urls, connects_per_minute=3):
            await eventually(lambda: caplog.text.count("line.connect_failed") == 3)
    assert seen == 3
