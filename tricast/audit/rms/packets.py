"""Read what the vendor said: approvals in a packet, the answer of a look-up. The audit's own reading."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tricast.audit.rms.facts import Saying
from tricast.audit.rms.values import customer, identifier, load, time_ns

EVENTS: dict[str, Saying] = {"RESERVE_BET_ACCEPT": "accept", "RESERVE_BET_REJECT": "reject"}
_AHEAD_NS = 3600 * 10**9
_PACKET = re.compile(r"(?P<type>[0-6])(?:\d+-)?(?P<namespace>/[^,\[{]*(?:,|\Z))?(?P<ack>\d*)(?P<data>.*)", re.DOTALL)
_SLIP = ("betSlipId", "bet_slip_id")
_CODE = ("bet_code", "betCode", "code")
_CUSTOMER = ("customerId", "customerid", "customer_id")
_TIMES = ("acceptedAt", "rejectedAt", "timestamp")
_ACCEPTED = frozenset({"accepted", "approved", "accept"})
_REJECTED = frozenset({"rejected", "declined", "reject", "cancelled"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One decision of a packet.

    Attributes:
        is_sure: Nothing about it is odd, so that a dead letter of it would be a mistake.
    """

    said: Saying
    slip: str | None
    code: str | None
    reason: str | None = None
    decided_ns: int | None = None
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Bad:
    """An argument, or a part of one, that names no bet: one dead letter."""

    why: str


@dataclass(frozen=True, slots=True)
class Approvals:
    """What an approval event brought, in order."""

    parts: list[Approval | Bad]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A packet that decides nothing."""

    is_join: bool = False
    """Whether it may be the acknowledgement of ``join``."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No packet at all: one dead letter."""

    why: str


def read(packet: bytes, *, of: str, received_ns: int) -> Approvals | PassedOver | Unreadable:
    """Return what a frame of customer ``of`` says."""
    match = _PACKET.fullmatch(packet.decode("utf-8", "surrogateescape"))
    if match is None:
        return Unreadable("no Socket.IO packet")
    if match["type"] != "2":
        return PassedOver(is_join=match["type"] == "3" and bool(match["ack"]))
    try:
        event = load(match["data"])
    except ValueError as error:
        return Unreadable(f"event is no JSON: {error}")
    if not isinstance(event, list) or not event or type(event[0]) is not str:
        return Unreadable("event is no array that begins with a name")
    said = EVENTS.get(event[0])
    if said is None or (match["namespace"] or "/,").rstrip(",") != "/":
        return PassedOver()
    parts = [part for argument in event[1:] for part in _parts(argument, said, of, received_ns, 0)]
    return Approvals(parts or [Bad("no argument")])


def _parts(argument: Any, said: Saying, of: str, received_ns: int, depth: int) -> list[Approval | Bad]:
    if isinstance(argument, dict):
        return [_approval(argument, said, of, received_ns)]
    if isinstance(argument, list) and depth < 3:
        return [p for part in argument for p in _parts(part, said, of, received_ns, depth + 1)] or [Bad("empty list")]
    if type(argument) is str and depth < 3:
        try:
            return _parts(load(argument), said, of, received_ns, depth + 1)
        except ValueError:
            return [Bad("text that is no JSON")]
    return [Bad("no object")]


def _approval(body: dict[str, Any], said: Saying, of: str, received_ns: int) -> Approval | Bad:
    (slip, slip_sure), (code, code_sure) = _id(body, _SLIP), _id(body, _CODE)
    named = [body[name] for name in _CUSTOMER if body.get(name) is not None]
    customers = {customer(value) for value in named}
    if slip is None and code is None:
        return Bad("no id")
    if customers and None not in customers and customers != {of}:
        return Bad(f"of customer {sorted(map(str, customers))}, not {of}")
    reason = body.get("reason")
    times = [body[name] for name in _TIMES if body.get(name) is not None]
    decided_ns = time_ns(times[0], zone_needed=False) if len(times) == 1 else None
    if decided_ns is not None and decided_ns > received_ns + _AHEAD_NS:
        decided_ns = None
    return Approval(
        said=said,
        slip=slip,
        code=code,
        reason=reason if type(reason) is str else None,
        decided_ns=decided_ns,
        is_sure=slip_sure and code_sure and customers <= {of},
    )


def _id(body: dict[str, Any], names: tuple[str, ...]) -> tuple[str | None, bool]:
    """Return an id, and whether there is nothing odd about it."""
    values = [body[name] for name in names if body.get(name) is not None]
    ids = [usable for value in values if (usable := identifier(value)) is not None]
    is_plain = len(ids) == len(values) and len(set(ids)) <= 1 and all(i == i.strip() and i[0] != "-" for i in ids)
    return (ids[0] if ids else None), is_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """What a look-up came to; ``said`` is ``None`` while nobody has decided, or without an answer of use."""

    slip: str
    code: str
    status: int
    said: Saying | None
    is_rubbish: bool = False
    """Whether it needs a dead letter: a success that cannot be read, or that is about another bet."""


def read_look_up(position: str, status: int, body: bytes) -> LookedUp | None:
    """Return what an answer of bet/detail says; ``None``: the record does not say what was asked for."""
    path, _, query = position.partition("?")
    asked = parse_qs(query, keep_blank_values=True)
    if path.rsplit("/", 2)[-2:] != ["bet", "detail"] or not asked.get("code") or not asked.get("slip"):
        return None
    slip, code = asked["slip"][0], asked["code"][0]
    if status != 200:
        return LookedUp(slip=slip, code=code, status=status, said=None)
    try:
        answer = load(body.decode())
    except ValueError:
        answer = None
    inner = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(inner, dict) or identifier(inner.get("code")) != code:
        return LookedUp(slip=slip, code=code, status=status, said=None, is_rubbish=True)
    word = inner["status"].strip().lower() if type(inner.get("status")) is str and answer.get("success") else ""
    said: Saying | None = "accept" if word in _ACCEPTED else "reject" if word in _REJECTED else None
    return LookedUp(slip=slip, code=code, status=status, said=said)
