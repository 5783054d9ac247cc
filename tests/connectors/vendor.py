"""A push server of the tests' own: Engine.IO 4 on plain aiohttp, so that every byte on the wire is chosen here."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

OPEN = '0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
CONNECTED = '40{"sid":"s"}'


@dataclass
class Peer:
    """One accepted connection."""

    socket: web.WebSocketResponse
    request: web.Request
    number: int
    """Which connection of the server this is, from 1."""
    received: list[str] = field(default_factory=list)
    """Every text message after the handshake."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def keys(self) -> list[str]:
        """Routing keys held, in the order they were subscribed."""
        held: dict[str, None] = {}
        for text in self.received:
            if text.startswith("42"):
                name, argument = json.loads(text[2:])
                if name == "subscribe":
                    held[argument["topic"]] = None
                else:
                    held.pop(argument["topic"], None)
        return list(held)

    async def has(self, condition: Callable[["Peer"], bool]) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: condition(self))

    async def handshake(self, opening: str = OPEN, connected: str = CONNECTED) -> None:
        await self.socket.send_str(opening)
        assert await self.socket.receive_str() == "40"
        await self.socket.send_str(connected)
        self.ready.set()

    async def send(self, payload: str | bytes) -> None:
        """Send the text message that carries Socket.IO packet ``payload``; bytes need not be UTF-8."""
        data = payload.encode() if isinstance(payload, str) else payload
        await self.socket.send_frame(b"4" + data, WSMsgType.TEXT)

    def drop(self) -> None:
        """Cut the TCP connection, with no word of WebSocket."""
        assert self.request.transport is not None
        self.request.transport.abort()

    async def listen(self) -> None:
        """Collect what the client sends until it is gone."""
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                async with self.changed:
                    self.received.append(message.data)
                    self.changed.notify_all()


Behaviour = Callable[[Peer], Awaitable[None]]


async def polite(peer: Peer) -> None:
    await peer.handshake()
    await peer.listen()


class Vendor:
    """The server: connections arrive in :attr:`peers`; ``behaviour`` says what each does."""

    def __init__(self, behaviour: Behaviour, *, deflate: bool) -> None:
        self._behaviour = behaviour
        self._deflate = deflate
        self._count = 0
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.live: list[object] = []
        self.offered: list[str] = []
        self.accepted: list[str | None] = []
        self.discoveries = 0
        self.url = ""

    async def connected(self) -> Peer:
        """Return the next connection once its handshake is done."""
        peer = await self.peers.get()
        await peer.ready.wait()
        return peer

    async def push(self, request: web.Request) -> web.WebSocketResponse:
        assert request.query == {"EIO": "4", "transport": "websocket"}
        socket = web.WebSocketResponse(compress=self._deflate)
        await socket.prepare(request)
        self._count += 1
        self.offered.append(request.headers.get("Sec-WebSocket-Extensions", ""))
        self.accepted.append(socket.headers.get("Sec-WebSocket-Extensions"))
        peer = Peer(socket, request, self._count)
        await self.peers.put(peer)
        try:
            await self._behaviour(peer)
        finally:
            peer.gone.set()
        return socket

    async def live_open(self, _: web.Request) -> web.Response:
        self.discoveries += 1
        return web.json_response({"liveEvents": [{"event": {"id": event}, "liveData": {}} for event in self.live]})


@asynccontextmanager
async def vendor(behaviour: Behaviour = polite, *, deflate: bool = True, port: int = 0) -> AsyncIterator[Vendor]:
    server = Vendor(behaviour, deflate=deflate)
    app = web.Application()
    app.router.add_get("/socket.io/", server.push)
    app.router.add_get("/offering/v2018/kambi/event/live/open.json", server.live_open)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    server.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield server
    finally:
        await runner.cleanup()


async def eventually(condition: Callable[[], bool], *, every_s: float = 0.01) -> None:
    """Wait for what tells nobody: a log line, several peers at once. Bounded by the test's time-out."""
    while not condition():  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(every_s)
