"""A FastPath server of the tests' own on plain ``websockets``, so that every byte on the wire is chosen here."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

ACTIONS = "soccer/fixtures/11111111-2222-4333-8444-555555555555/actions"
STATISTICS = "soccer/fixtures/11111111-2222-4333-8444-555555555555/statistics"
TENNIS = "tennis/events/2026-0415-MS009/stream"
TOKEN = "EXAMPLE-TOKEN"
HEARTBEAT = '{"message": "Heartbeat sent at 2026-11-20T18:00:10.412Z", "level": "INFO"}'
ACCEPTED = '{"message": "Authorisation accepted", "level": "INFO"}'


def action(number, **fields):
    facts = {"fixtureId": "11111111-2222-4333-8444-555555555555", "actionId": f"a-{number}", "fixtureSeqNum": number}
    return json.dumps({"finished": False, "fixtureAction": facts} | fields)


@dataclass
class Peer:
    """One accepted connection, its first frame read."""

    socket: ServerConnection
    number: int
    """Which connection of the server this is, from 1."""
    path: str
    query: dict[str, list[str]]
    auth: str | bytes = ""
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def position(self) -> int | None:
        given = self.query.get("startPosition")
        return int(given[0]) if given else None

    async def send(self, payload: str | bytes, *, text: bool = True) -> None:
        """Send a message; bytes need not be UTF-8 even as text."""
        await self.socket.send(payload, text=text)

    def drop(self) -> None:
        """Cut the TCP connection, with no word of WebSocket."""
        self.socket.transport.abort()

    async def listen(self) -> None:
        """Wait until the client is gone."""
        await self.socket.wait_closed()


Behaviour = Callable[[Peer], Awaitable[None]]


async def polite(peer: Peer) -> None:
    await peer.listen()


class Vendor:
    """The server: connections arrive in :attr:`peers`; ``behaviour`` says what each does, ``answer`` what comes first.

    ``answers`` maps the number of a handshake (from 1), or ``None`` for all, to a status that it gets for an upgrade.
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._accepted = 0
        self.peers: asyncio.Queue[Peer] = asyncio.Queue()
        self.requests: list[Request] = []
        self.answers: Callable[[int, Request], tuple[int, Mapping[str, str], bytes] | None] = lambda *_: None
        self.url = ""

    async def connected(self) -> Peer:
        """Return the next connection whose token was read."""
        return await self.peers.get()

    def handshake(self, _: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        answer = self.answers(len(self.requests), request)
        if answer is None:
            return None
        status, headers, body = answer
        return Response(status, HTTPStatus(status).phrase, Headers({"Connection": "close"} | dict(headers)), body)

    async def handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        url = urlsplit(socket.request.path)
        self._accepted += 1
        peer = Peer(socket, self._accepted, url.path, parse_qs(url.query))
        try:
            peer.auth = await socket.recv()
            await self.peers.put(peer)
            await self._behaviour(peer)
        finally:
            peer.gone.set()


@asynccontextmanager
async def vendor(behaviour: Behaviour = polite, *, deflate: bool = True, port: int = 0) -> AsyncIterator[Vendor]:
    server = Vendor(behaviour)
    compression = "deflate" if deflate else None
    running: Server
    async with serve(
        server.handle,
        "127.0.0.1",
        port,
        process_request=server.handshake,
        compression=compression,
        close_timeout=0.2,
        max_size=None,
        ping_interval=None,
    ) as running:
        server.url = "ws://{}:{}".format(*next(iter(running.sockets)).getsockname()[:2])
        yield server
