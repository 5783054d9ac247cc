"""The vendor's HTTP of the tests' own: answers anything to a POST, keeps what it was asked; over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

SECRET = "PLANTED-SECRET-c0ffee"


@dataclass(frozen=True)
class Cut:
    """Promise ``body``, send half of it and cut the connection."""

    body: bytes


@dataclass(frozen=True)
class Silence:
    """No answer at all, for as long as the client cares."""


@dataclass(frozen=True)
class Said:
    """A whole answer."""

    status: int = 200
    body: bytes | dict[str, Any] | list[Any] = b""
    headers: dict[str, str] = field(default_factory=dict)


Reply = Said | Cut | Silence


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    body: Any
    authorization: str


class Api:
    """Answers what ``reply`` returns for each request."""

    def __init__(self, reply: Callable[[Asked], Reply]) -> None:
        self.reply = reply
        self.asked: list[Asked] = []
        self.under_way = 0
        self.most_at_once = 0
        self.url = ""

    async def has_been_asked(self, times: int) -> None:
        async with asyncio.timeout(20):
            while len(self.asked) < times or self.under_way:  # noqa: ASYNC110  # nobody there to set an event
                await asyncio.sleep(0.001)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            body = await request.json()
            asked = Asked(request.path, body, request.headers.get("Authorization", ""))
            self.asked.append(asked)
            reply = self.reply(asked)
            match reply:
                case Silence():
                    await asyncio.sleep(30)
                    raise web.HTTPGatewayTimeout
                case Cut(text):
                    cut = web.StreamResponse(headers={"Content-Length": str(len(text))})
                    await cut.prepare(request)
                    await cut.write(text[: len(text) // 2])
                    assert request.transport is not None
                    request.transport.close()
                    return cut
                case Said(status, bytes() as text, headers):
                    return web.Response(status=status, body=text, headers=headers)
                case Said(status, fields, headers):
                    return web.json_response(fields, status=status, headers=headers)
        finally:
            self.under_way -= 1


@asynccontextmanager
async def api(reply: Callable[[Asked], Reply]) -> AsyncIterator[Api]:
    """Serve POSTs to every path."""
    serving = Api(reply)
    app = web.Application()
    app.router.add_post("/{path:.*}", serving.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    serving.url = "http://{}:{}".format(*runner.addresses[0][:2])
    try:
        yield serving
    finally:
        await runner.cleanup()


@asynccontextmanager
async def http_session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session:
        yield session


class FreeBudget:
    """A budget without limits, that counts."""

    def __init__(self) -> None:
        self.requests = 0
        self.lookups = 0

    async def request(self) -> None:
        self.requests += 1

    async def look_up(self) -> None:
        self.lookups += 1
