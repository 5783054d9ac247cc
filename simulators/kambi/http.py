"""The Offering HTTP API over sockets: conditional requests, compression, errors, and what goes wrong on purpose."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Literal

import orjson
from aiohttp import ETag, web

from simulators.kambi.config import FaultSwitch
from simulators.kambi.resources import Answer, answer, error
from simulators.kambi.staleness import Shown

Failure = Literal["429", "500", "503", "html", "cut", "half", "error-body", "slow", "large"]
HTTP_FAILURES: tuple[Failure, ...] = ("429", "500", "503", "html", "cut", "half", "error-body", "slow", "large")
"""How answers fail, by turns: 429 with ``Retry-After``, 500, 503; 200 with HTML; the connection ends half-way through
the body; 200 with half of the JSON; 200 with an error body; the answer takes ``http_slow_ms``; 5 MB of white space
behind it."""

_RETRY_AFTER_S = 2
_PADDING = b" " * 5_000_000
_HTML = b"<!DOCTYPE html><html><body><h1>Service temporarily unavailable</h1></body></html>"
_JSON = "application/json"


class OfferingApi:
    """Everything below ``/offering/v2018/``.

    Args:
        offering: Identifier of the one offering there is.
        faults: What goes wrong; answers are counted, so it is repeatable.
        shown: Returns the offering that answers show.
    """

    def __init__(self, offering: str, faults: FaultSwitch, shown: Callable[[], Shown]) -> None:
        self._offering = offering
        self._faults = faults
        self._shown = shown
        self._answers = 0
        self._failures = 0

    def attach(self, app: web.Application) -> None:
        """Serve it in ``app``."""
        app.router.add_get("/offering/v2018/{offering}/{path:.+}", self._handle)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        shown = self._shown()
        if request.match_info["offering"] != self._offering:
            said = error(404, "Offering not found")
        else:
            said = answer(shown.offering, request.match_info["path"], request.query)
        if request.query.get("suppress_response_codes", "false") != "false":
            said = Answer(status=200, body=said.body)
        failure = self._failure()
        if self._faults.current.http_delay_ms:
            await asyncio.sleep(self._faults.current.http_delay_ms / 1000)
        response = await self._respond(request, said, failure)
        if shown.age_s is not None and not response.prepared:
            response.headers["Age"] = str(shown.age_s)
        return response

    def _failure(self) -> Failure | None:
        every = self._faults.current.http_fail_every
        self._answers += 1
        if every == 0 or self._answers % every:
            return None
        self._failures += 1
        return HTTP_FAILURES[(self._failures - 1) % len(HTTP_FAILURES)]

    async def _respond(self, request: web.Request, said: Answer, failure: Failure | None) -> web.StreamResponse:
        match failure:
            case None:
                return _whole(request, said)
            case "slow":
                await asyncio.sleep(self._faults.current.http_slow_ms / 1000)
                return _whole(request, said)
            case "large":
                return _whole(request, said, padding=_PADDING)
            case "cut":
                return await _cut(request, orjson.dumps(said.body))
            case _:
                return _instead(failure, orjson.dumps(said.body))


def _instead(failure: Literal["429", "500", "503", "html", "half", "error-body"], body: bytes) -> web.Response:
    """Return what comes in place of ``body``."""
    match failure:
        case "429" | "500" | "503":
            refused = _error(int(failure), int(failure))
            if failure == "429":
                refused.headers["Retry-After"] = str(_RETRY_AFTER_S)
            return refused
        case "html":
            return web.Response(body=_HTML, content_type="text/html")
        case "half":
            return web.Response(body=body[: len(body) // 2], content_type=_JSON)
        case "error-body":
            return _error(200, 500)


def _whole(request: web.Request, said: Answer, padding: bytes = b"") -> web.Response:
    """Return the answer, or 304 when it is what the client has already; compressed when the client takes that."""
    body = orjson.dumps(said.body) + padding
    response = web.Response(status=said.status, body=body, content_type=_JSON, headers={"Vary": "Accept-Encoding"})
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    if said.status == web.HTTPOk.status_code:
        # Weak: the same tag stands for the compressed and the plain form.
        etag = ETag(value=hashlib.blake2b(body, digest_size=12).hexdigest(), is_weak=True)
        if any(held.value in (etag.value, "*") for held in request.if_none_match or ()):
            response = web.Response(status=304)
        response.etag = etag
    return response


def _error(status: int, said: int) -> web.Response:
    """Return an error body that names status ``said``, under the HTTP status ``status``."""
    body = orjson.dumps(error(said, "Something went wrong").body)
    return web.Response(status=status, body=body, content_type=_JSON)


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    """Promise ``body``, send half of it and end the connection as a failing network would."""
    response = web.StreamResponse(headers={"Content-Type": _JSON, "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response
