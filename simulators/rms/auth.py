"""ARENA360's authentication over HTTP (sheet §2): exchange, refresh, and what goes wrong on purpose."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final, Literal

import orjson
from aiohttp import web

from simulators.rms.circumstances import Circumstances
from simulators.rms.config import AuthFailure
from simulators.rms.failures import Turns, cut, html, json
from simulators.rms.gate import Gate
from simulators.rms.tokens import Pair, Tokens

EXCHANGE: Final = "/identity/resources/auth/v1/api-token"
REFRESH: Final = "/identity/resources/auth/v2/api-token/token/refresh"

_BAD_INPUT: Final = {"errors": ["Invalid input json"], "errorCode": "ER-00006"}
_SNAKE: Final = {"accessToken": "access_token", "refreshToken": "refresh_token", "expiresIn": "expires_in"}
_BEFORE: Final[frozenset[AuthFailure]] = frozenset({"429", "500", "401", "html"})
_FAULT_RETRY_NS: Final = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One of the two calls.

    Attributes:
        fields: What its body has to have, all text.
        pair: Returns the tokens that these give, or ``None``.
        refusal: What is said for ``None``.
        case: Spelling of its answer.
    """

    fields: Sequence[str]
    pair: Callable[..., Pair | None]
    refusal: str
    case: Literal["camel", "snake"]


class AuthApi:
    """The two calls.

    Args:
        around: Casing, expiry, faults, storms.
        tokens: All of them.
        gate: What requests pass.
    """

    def __init__(self, around: Circumstances, tokens: Tokens, gate: Gate) -> None:
        self._settings = around.settings
        self._faults = around.faults
        self._weather = around.weather
        self._clock = around.clock
        self._gate = gate
        self._turns: Turns[AuthFailure] = Turns()
        self._exchange_call = _Call(
            fields=("clientId", "secret"), pair=tokens.exchange, refusal="Invalid authentication", case="camel"
        )
        self._refresh_call = _Call(
            fields=("refreshToken",), pair=tokens.refresh, refusal="Unauthorized", case=around.settings.refresh_case
        )

    def attach(self, app: web.Application) -> None:
        """Serve it in ``app``."""
        app.router.add_post(EXCHANGE, self._exchange)
        app.router.add_post(REFRESH, self._refresh)

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._exchange_call)

    async def _refresh(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._refresh_call)

    async def _serve(self, request: web.Request, call: _Call) -> web.StreamResponse:
        passage = self._gate.enter(request, "auth")
        status = 0
        try:
            response = await self._answer(request, call) if passage.allowed else self._too_many(passage.retry_ns)
            status = response.status
        finally:
            self._gate.note(request, passage, status)
        return response

    async def _answer(self, request: web.Request, call: _Call) -> web.StreamResponse:
        failure = self._failure(call)
        if failure in _BEFORE:
            return self._instead(failure)
        fields = _fields(await request.read(), call.fields)
        if fields is None:
            return json(_BAD_INPUT, 400)
        pair = call.pair(*fields, self._clock())
        if pair is None:
            return json({"errors": [call.refusal]}, 401)
        body = self._body(pair, failure)
        if call.case == "snake":
            body = {_SNAKE.get(name, name): value for name, value in body.items()}
        if failure == "cut":
            return await cut(request, orjson.dumps(body))
        if failure == "slow":
            await asyncio.sleep(self._faults.current.slow_s)
        return json(body)

    def _failure(self, call: _Call) -> AuthFailure | None:
        faults = self._faults.current
        failure = self._turns.next(faults.auth_fail_every, faults.auth_failures)
        match self._weather.auth_kind(self._clock()):
            case "429" | "500" as kind:
                return kind
            case "401" if call is self._refresh_call:
                return "401"
            case _:
                return failure

    def _instead(self, failure: AuthFailure | None) -> web.Response:
        match failure:
            case "429":
                return self._too_many(_FAULT_RETRY_NS)
            case "500":
                return json({"errors": ["Internal Server Error"]}, 500)
            case "401":
                return json({"errors": ["Unauthorized"]}, 401)
            case _:
                return html()

    def _too_many(self, retry_ns: int) -> web.Response:
        return json({"errors": ["Too Many Requests"]}, 429, self._gate.retry_after(retry_ns))

    def _body(self, pair: Pair, failure: AuthFailure | None) -> dict[str, Any]:
        date = formatdate(pair.expires_ns / 1e9, usegmt=True) if self._settings.expires == "date" else ""
        body: dict[str, Any] = {
            "expires": date,
            "expiresIn": self._settings.access_token_s,
            "accessToken": pair.access,
            "refreshToken": pair.refresh,
        }
        if failure == "no-expiry":
            del body["expires"], body["expiresIn"]
        elif failure == "no-refresh-token":
            del body["refreshToken"]
        return body


def _fields(body: bytes, names: Sequence[str]) -> list[str] | None:
    """Return the fields of a request; ``None`` when it is no JSON object, or one is missing or no text."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(fields, dict):
        return None
    values = [value for name in names if isinstance(value := fields.get(name), str) and value]
    return values if len(values) == len(names) else None
