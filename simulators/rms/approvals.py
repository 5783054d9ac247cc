"""Approvals as packets: every shape that a client has to take, and some that it has not (sheet §4). Pure."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

from simulators.rms.bets import Bet
from simulators.rms.config import Spelling, Time
from simulators.rms.trader import Move

EVENTS: Final = {"accept": "RESERVE_BET_ACCEPT", "reject": "RESERVE_BET_REJECT"}
UNKNOWN_EVENT: Final = '2["RESERVE_BET_CHANGED",{"betSlipId":"00000000-0000-4000-8000-000000000000"}]'

JUNK: Final[tuple[str, ...]] = (
    '2["RESERVE_BET_ACCEPT"]',  # no argument
    '2["RESERVE_BET_ACCEPT",null]',
    '2["RESERVE_BET_ACCEPT","{\\"betSlipId\\":"]',  # argument is no JSON
    '2["RESERVE_BET_ACCEPT",[]]',  # nothing in it
    '2["RESERVE_BET_REJECT",7]',
    '2["RESERVE_BET_REJECT",{}]',
    '2["RESERVE_BET_REJECT",{"betSlipId":null,"bet_code":""}]',
    '2["RESERVE_BET_ACCEPT",{"betSlipId":1.5}]',
    '2["RESERVE_BET_ACCEPT",{"betSlipId":NaN}]',
    '2["RESERVE_BET_ACCEPT",{"betSlipId":["a"]}]',
    "2[7]",
    '2["RESERVE_BET_ACCEPT"',  # the packet itself is cut short
    "hello",  # no Socket.IO packet
)
"""Malformed packets, sent by turns; none names a bet."""

_NAMES: Final[dict[Spelling, dict[str, str]]] = {
    "documented": {"slip": "betSlipId", "code": "bet_code", "short": "shortCode", "platform": "platform_id"},
    "camel": {"slip": "betSlipId", "code": "betCode", "short": "shortCode", "platform": "platformId"},
    "snake": {"slip": "bet_slip_id", "code": "bet_code", "short": "short_code", "platform": "platform_id"},
    "code": {"slip": "betSlipId", "code": "code", "short": "shortCode", "platform": "platform_id"},
}
_CUSTOMER: Final[dict[Spelling, str]] = {
    "documented": "customerId",
    "camel": "customerId",
    "snake": "customer_id",
    "code": "customerid",
}
_HOUR_NS: Final = 3_600_000_000_000


def approval(bet: Bet, move: Move, now_ns: int, *, other_code: str) -> str:
    """Return the Socket.IO packet that tells ``move``.

    Args:
        bet: What it is about.
        move: Accept or reject, and how to say it.
        now_ns: When it is decided.
        other_code: The code of another bet, for ids that disagree.
    """
    body = _body(bet, move, now_ns, other_code)
    arguments: list[Any]
    match move.shape:
        case "object":
            arguments = [body]
        case "string":
            arguments = [orjson.dumps(body).decode()]
        case "list":
            arguments = [[body]]
        case "two-arguments":
            arguments = [body, body]
        case "two-elements":
            arguments = [[body, body]]
    return "2" + orjson.dumps([EVENTS[move.outcome], *arguments]).decode()


def _body(bet: Bet, move: Move, now_ns: int, other_code: str) -> dict[str, Any]:
    names = _NAMES[move.spelling]
    ids: dict[str, str | None] = {}
    if move.ids in ("both", "slip", "disagree"):
        ids["slip"] = bet.slip_id
    if move.ids in ("both", "code"):
        ids["code"] = bet.code
    elif move.ids == "disagree":
        ids["code"] = other_code
    if move.ids in ("both", "short"):
        ids["short"] = bet.short_code
    body: dict[str, Any] = {
        names[name]: _written(value, numbers=move.numbers) for name, value in ids.items() if value is not None
    }
    body[_CUSTOMER[move.spelling]] = int(bet.customer) if move.numbers else bet.customer
    body[names["platform"]] = bet.platform
    if move.time != "none":
        body["acceptedAt" if move.outcome == "accept" else "rejectedAt"] = _time(move.time, now_ns)
    if move.reason is not None:
        body["reason"] = move.reason
    if move.stake is not None:
        body["approvedStake"] = _number(move.stake)
    if move.odds is not None:
        body["odds"] = _number(move.odds)
    return body


def _written(value: str, *, numbers: bool) -> str | orjson.Fragment:
    """Return an id; one of digits, without leading zero, can be a JSON number of any size."""
    is_number = value.isascii() and value.isdecimal() and (value == "0" or value[0] != "0")
    return orjson.Fragment(value) if numbers and is_number else value


def _number(value: Decimal) -> orjson.Fragment:
    return orjson.Fragment(format(value, "f"))


def _time(how: Time, now_ns: int) -> str | int:
    if how == "epoch-ms":
        return now_ns // 1_000_000
    if how == "future":
        now_ns += _HOUR_NS
    seconds, rest_ns = divmod(now_ns, 1_000_000_000)
    decimals = 7 if how == "iso7" else 3
    date = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{date}.{rest_ns // 10 ** (9 - decimals):0{decimals}}Z"
