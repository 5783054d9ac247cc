"""An offering HTTP API of the tests' own: each answer, and each way of not answering, is chosen here."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

ROOT = "/offering/v2018/kambi/"

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OfferingApi:
    """Answers by the first word that the position has; what was asked is kept, in order."""

    def __init__(self) -> None:
        self.live: list[int] = []
        self.gone: set[int] = set()
        """Events that exist no more."""
        self.fault: Callable[[web.Request, str], Awaitable[web.StreamResponse | None]] | None = None
        """Answers in place of the API, unless it returns ``None``."""
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.changed = asyncio.Condition()
        self.url = ""

    async def has_been_asked(self, condition: Callable[[list[str]], bool]) -> None:
        async with self.changed:
            await self.changed.wait_for(lambda: condition(self.asked))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        position = request.path_qs.removeprefix(ROOT)
        async with self.changed:
            self.asked.append(position)
            self.headers.append(dict(request.headers))
            self.changed.notify_all()
        if self.fault is not None and (response := await self.fault(request, position)) is not None:
            return response
        return self.honest(position)

    def honest(self, position: str) -> web.Response:
        path = position.partition(".json")[0]
        if path == "event/live/open":
            return web.json_response({"liveEvents": [{"event": {"id": event}} for event in self.live]})
        if path.startswith("listView/"):
            return web.json_response({"events": []})
        known = [event for event in map(int, path.rpartition("/")[2].split(",")) if event not in self.gone]
        if not known:
            return web.json_response({"error": {"status": 404, "message": "Not found"}}, status=404)
        return web.json_response({"betOffers": [], "events": [{"id": event} for event in known]})


@asynccontextmanager
async def offering_api() -> AsyncIterator[OfferingApi]:
    api = OfferingApi()
    async with serving(api.answer) as url:
        api.url = url
        yield api


@asynccontextmanager
async def serving(answering: Answering) -> AsyncIterator[str]:
    """Serve every path by ``answering``; give the URL."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answering)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def wire(*answers: bytes) -> AsyncIterator[str]:
    """Serve exact bytes: one of ``answers`` a request, the last one again and again, and then close."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                answer = left.pop(0) if len(left) > 1 else left[0]
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer or not answer:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield "http://{}:{}".format(*server.sockets[0].getsockname()[:2])


def ok(body: bytes, **headers: str) -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = ["HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


LIVE = json.dumps({"liveEvents": []}).encode()
