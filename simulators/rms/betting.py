"""The bet API over HTTP (sheet §8): place-bet, bet/detail, and what goes wrong on purpose."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson
from aiohttp import web

from simulators.rms.circumstances import Circumstances
from simulators.rms.config import BetsFailure
from simulators.rms.desk import Desk
from simulators.rms.failures import Turns, cut, html, json
from simulators.rms.gate import Gate
from simulators.rms.slips import Answer, detail, error, read_slip
from simulators.rms.tokens import Access, Tokens

PLACE_BET: Final = "/rms-bet/v1/cart/place-bet"
BET_DETAIL: Final = "/rms-bet/v1/bet/detail"
_FAULT_RETRY_NS: Final = 2_000_000_000
_MESSAGES: Final = {"404": "Not found", "500": "Internal error", "503": "Database is unavailable"}


class BetApi:
    """The two calls.

    Args:
        around: Statuses, refusals, faults.
        tokens: Who may call.
        desk: Where bets are.
        gate: What requests pass.
    """

    def __init__(self, around: Circumstances, tokens: Tokens, desk: Desk, gate: Gate) -> None:
        self._settings = around.settings
        self._faults = around.faults
        self._clock = around.clock
        self._tokens = tokens
        self._desk = desk
        self._gate = gate
        self._turns: Turns[BetsFailure] = Turns()

    def attach(self, app: web.Application) -> None:
        """Serve it in ``app``."""
        app.router.add_post(PLACE_BET, self._place_bet)
        app.router.add_post(BET_DETAIL, self._bet_detail)

    async def _place_bet(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._placed)

    async def _bet_detail(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._told)

    async def _serve(self, request: web.Request, answer: Callable[[Access, Any], Answer]) -> web.StreamResponse:
        passage = self._gate.enter(request, "bets")
        status = 0
        try:
            if passage.allowed:
                response = await self._answer(request, answer)
            else:
                response = self._too_many(passage.retry_ns)
            status = response.status
        finally:
            self._gate.note(request, passage, status)
        return response

    async def _answer(self, request: web.Request, answer: Callable[[Access, Any], Answer]) -> web.StreamResponse:
        faults = self._faults.current
        failure = self._turns.next(faults.bets_fail_every, faults.bets_failures)
        match failure:
            case "404" | "500" | "503":
                return _response(error(int(failure), _MESSAGES[failure]))
            case "429":
                return self._too_many(_FAULT_RETRY_NS)
            case "html":
                return html()
            case _:
                pass
        said = self._said(request, await request.read(), answer)
        text = orjson.dumps(said.body)
        if failure == "cut":
            return await cut(request, text)
        if failure == "half":
            text = text[: len(text) // 2]
        elif failure == "slow":
            await asyncio.sleep(faults.slow_s)
        return web.Response(status=said.status, body=text, content_type="application/json")

    def _said(self, request: web.Request, text: bytes, answer: Callable[[Access, Any], Answer]) -> Answer:
        access = self._tokens.check(request.headers.get("Authorization"), self._clock())
        if access is None:
            return error(401, "Unauthorized")
        try:
            return answer(access, orjson.loads(text))
        except orjson.JSONDecodeError:
            return error(400, "Invalid request")

    def _placed(self, access: Access, body: Any) -> Answer:
        slip = read_slip(body)
        if isinstance(slip, Answer):
            return slip
        customer = access.credential.customer_id
        slip_id = slip.get("betSlipId")
        if slip_id is not None and self._desk.book.by_slip(customer, slip_id) is not None:
            return error(409, "Bet slip was not saved: betSlipId exists")
        bet = self._desk.place(customer, access.credential.platform_ids[0], slip)
        if bet.disposition == "rejected" and self._settings.rejected_answer == "409":
            return error(409, "Bet slip was rejected")
        return Answer(status=200, body=bet.answer)

    def _told(self, access: Access, body: Any) -> Answer:
        code = body.get("code") if isinstance(body, dict) else None
        if not isinstance(code, str) or not code:
            return error(400, "Invalid request")
        bet = self._desk.book.by_code(code)
        if bet is None or bet.customer != access.credential.customer_id:
            return error(404, "Bet not found")
        return detail(bet, self._settings.waiting_status)

    def _too_many(self, retry_ns: int) -> web.Response:
        return json(error(429, "Too Many Requests").body, 429, self._gate.retry_after(retry_ns))


def _response(said: Answer) -> web.Response:
    return json(said.body, said.status)
