"""Servers that are not ours: the reference implementation (npm ``socket.io``) and python-socketio."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import socketio
from aiohttp import web

pytestmark = pytest.mark.kafka

GENERAL = ["v2018.kambi.en.ev.json", "v2018.kambi.ev.json"]
SOURCES = Path(__file__).parent / "node"
TEXTS = [json.dumps([{"t": str(n), "mt": 11, "boou": {"eventId": n, "name": "Zürich 東京"}}]) for n in range(200)]


def absent(reason):
    """Skip where a person's machine lacks something; in CI nothing may be lacking."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI has to have it)")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def node_server(request):
    """Return the folder of the Node server with its packages; they are installed once per lock file."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        absent("Node and npm are not installed: the npm socket.io server is not tried")
    lock = (SOURCES / "package-lock.json").read_bytes()
    folder = request.config.cache.mkdir(f"node-{hashlib.sha256(lock).hexdigest()[:12]}")
    for source in SOURCES.iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    if not (folder / "node_modules" / "socket.io").is_dir():
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode:
            absent(f"npm could not install socket.io: {done.stderr.strip()[-300:]}")
    return folder


class NodeServer:
    def __init__(self, process, port):
        self._process = process
        self.url = f"http://127.0.0.1:{port}"

    async def says(self):
        return json.loads(await self._process.stdout.readline())

    def order(self, **command):
        self._process.stdin.write(json.dumps(command).encode() + b"\n")


@asynccontextmanager
async def node(folder):
    process = await asyncio.create_subprocess_exec(
        "node", "server.js", cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield NodeServer(process, json.loads(await process.stdout.readline())["port"])
    finally:
        process.kill()
        await process.wait()


def packet(text):
    """Return the Socket.IO packet of a ``message`` event as JavaScript writes it."""
    return ("2" + json.dumps(["message", text], separators=(",", ":"), ensure_ascii=False)).encode()


@pytest.mark.node
async def test_npm_socket_io_with_per_message_deflate(recording, node_server):
    async with node(node_server) as server, recording.connector(server.url):
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
