"""The REST API over sockets: token, limit of requests, and what goes wrong on purpose."""

import asyncio
import hmac
import time
from collections.abc import Callable
from typing import Final, Literal

from aiohttp import web

from simulators.fastpath.admission import NO_ACCEPT
from simulators.fastpath.config import FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.resources import Answer, Resources

Failure = Literal["500", "503", "429", "html", "half", "cut", "error-body", "other-shape", "empty", "slow"]
REST_FAILURES: tuple[Failure, ...] = (
    "500",
    "503",
    "429",
    "html",
    "half",
    "cut",
    "error-body",
    "other-shape",
    "empty",
    "slow",
)
"""How answers fail, by turns: 500, 503; 429 with ``Retry-After``; 200 with HTML; half of the JSON; the connection ends
half-way through the body; 200 with an error body; another JSON document than asked for; nothing; the answer, but
``rest_slow_s`` later."""

_JSON: Final = "application/json"
_HTML: Final = b"<!DOCTYPE html><html><body><h1>Service temporarily unavailable</h1></body></html>"
_BAD_TOKEN: Final = "Supplied token could not be authenticated"  # noqa: S105  # the vendor's words


class Allowance:
    """So many requests per second, with as many at once (fact sheet §9).

    Args:
        per_s: How many.
    """

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._left = max(1.0, per_s)
        self._last_s: float | None = None

    def take(self, now_s: float) -> bool:
        """Return whether one more is allowed."""
        if self._last_s is not None:
            self._left = min(max(1.0, self._per_s), self._left + (now_s - self._last_s) * self._per_s)
        self._last_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class RestApi:
    """Every GET that is neither a WebSocket nor the simulator's own.

    Args:
        settings: Token, shapes, limit.
        faults: What goes wrong; answers are counted, so it is repeatable.
        answer: Returns what a path and its query give.
    """

    def __init__(
        self,
        settings: FastpathSimulatorSettings,
        faults: FaultSwitch,
        answer: Callable[[Resources, web.Request], Answer],
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._answer = answer
        self._resources = Resources(settings.rest_list, settings.rest_error)
        self._allowance = Allowance(settings.rest_per_s)
        self._answers = 0
        self._failures = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        refused = self._refused(request)
        if refused is not None:
            return refused
        said = self._answer(self._resources, request)
        failure = self._failure()
        if failure == "slow":
            await asyncio.sleep(self._faults.everywhere.rest_slow_s)
        if failure == "cut":
            return await _cut(request, said.body)
        return _response(said) if failure is None else self._instead(failure, said)

    def _instead(self, failure: Failure, said: Answer) -> web.Response:
        """Return what comes in place of ``said``."""
        match failure:
            case "429":
                return self._too_many()
            case "500" | "503":
                said = self._resources.error(int(failure), "Something went wrong")
            case "error-body":
                said = Answer(status=200, body=self._resources.error(500, "Something went wrong").body)
            case "html":
                return web.Response(body=_HTML, content_type="text/html")
            case "half":
                said = Answer(status=200, body=said.body[: len(said.body) // 2])
            case "other-shape":
                said = Answer(status=200, body=b'{"status":"UP"}')
            case "empty":
                said = Answer(status=200, body=b"")
            case "slow" | "cut":
                pass
        return _response(said)

    def _refused(self, request: web.Request) -> web.Response | None:
        if not self._allowance.take(time.monotonic()):
            return self._too_many()
        if self._settings.require_accept and "Accept" not in request.headers:
            return _response(self._resources.error(400, NO_ACCEPT))
        sent = request.headers.get("Authorization", "")
        expected = f"Bearer {self._settings.token.get_secret_value()}"
        if not hmac.compare_digest(sent.encode(errors="surrogateescape"), expected.encode()):
            return _response(self._resources.error(401, _BAD_TOKEN))
        return None

    def _too_many(self) -> web.Response:
        response = _response(self._resources.error(429, "Too many requests"))
        response.headers["Retry-After"] = "1"
        return response

    def _failure(self) -> Failure | None:
        every = self._faults.everywhere.rest_fail_every
        self._answers += 1
        if every == 0 or self._answers % every:
            return None
        self._failures += 1
        return REST_FAILURES[(self._failures - 1) % len(REST_FAILURES)]


def _response(said: Answer) -> web.Response:
    return web.Response(status=said.status, body=said.body, content_type=_JSON)


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """Promise ``body``, send half of it and end the connection as a failing network would."""
    response = web.StreamResponse(headers={"Content-Type": _JSON, "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
