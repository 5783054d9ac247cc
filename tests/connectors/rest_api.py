"""A REST API of the tests' own: fixtures in any shape, and each way of not answering; over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.connectors.offering_api import serving

TOKEN = "EXAMPLE-TOKEN"
ACCEPT = "application/vnd.imggaming.dde.api+json;version=1"


def fixture(identity: str, status: str = "Live", **more: Any) -> dict[str, Any]:
    collection = {"Live": "CollectingLive", "Scheduled": "CollectionScheduled"}.get(status, "CollectionCompleted")
    return {"id": identity, "name": f"{identity} v Northport", "status": status, "collectionStatus": collection} | more


class RestApi:
    """Lists by path, fixtures by path; what was asked is kept, in order, with the loop's time."""

    def __init__(self) -> None:
        self.lists: dict[str, Any] = {}
        """By path without leading slash: the JSON of a list."""
        self.fixtures: dict[str, Any] = {}
        """By path: the JSON of one fixture."""
        self.fault: Callable[[web.Request], Awaitable[web.StreamResponse | None]] | None = None
        """Answers in place of the API, unless it returns ``None``."""
        self.asked: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.times: list[float] = []
        self.headers: list[dict[str, str]] = []
        self.changed = asyncio.Condition()
        self.url = ""

    async def has_been_asked(self, condition: Callable[[list[str]], bool]) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: condition(self.asked))

    async def has_been_asked_again(self, path: str, times: int = 1) -> None:
        """Wait until ``path`` was asked for so many times more, and answered all but the last time."""
        there = self.asked.count(path)
        await self.has_been_asked(lambda asked: asked.count(path) >= there + times)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/")
        async with self.changed:
            self.asked.append(path)
            self.queries.append(dict(request.query))
            self.times.append(asyncio.get_running_loop().time())
            self.headers.append(dict(request.headers))
            self.changed.notify_all()
        if self.fault is not None and (response := await self.fault(request)) is not None:
            return response
        if request.headers.get("Accept") != ACCEPT:
            return web.Response(status=400, text="Request is missing required HTTP header 'Accept'")
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"errorMessage": "Supplied token could not be authenticated"}, status=401)
        known = {**self.fixtures, **self.lists}
        if path not in known:
            return web.json_response({"error": "no such path", "status": 404}, status=404)
        return web.json_response(known[path])


@asynccontextmanager
async def rest_api() -> AsyncIterator[RestApi]:
    api = RestApi()
    async with serving(api.answer) as url:
        api.url = url
        yield api
