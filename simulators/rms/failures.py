"""Answers of HTTP that go wrong: when, and what they look like. Each n-th fails, by turns, so it is repeatable."""

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import orjson
from aiohttp import web

F = TypeVar("F", bound=str)

HTML: Final = b"<!DOCTYPE html><html><body><h1>Service temporarily unavailable</h1></body></html>"


class Turns(Generic[F]):
    """Count answers and failures."""

    def __init__(self) -> None:
        self._answers = 0
        self._failures = 0

    def next(self, every: int, failures: Sequence[F]) -> F | None:
        """Return how the next answer fails, if it does."""
        self._answers += 1
        if every == 0 or self._answers % every:
            return None
        self._failures += 1
        return failures[(self._failures - 1) % len(failures)]


def json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer."""
    return web.Response(status=status, body=orjson.dumps(body), content_type="application/json", headers=headers)


def html() -> web.Response:
    """Return what a proxy says in place of the service behind it: 200 with HTML."""
    return web.Response(body=HTML, content_type="text/html")


async def cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """Promise ``body``, send half of it and end the connection as a failing network would."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
