"""Read what the vendor said: approvals in a packet, the answer of a look-up. The audit's own reading."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tricast.audit.rms.facts import Saying
from tricast.audit.rms.values import amount, customer, identifier, load, time_ns
from tricast.audit.socketio import split

EVENTS: dict[str, Saying] = {"RESERVE_BET_ACCEPT": "accept", "RESERVE_BET_REJECT": "reject"}
_SPACE = " \t\n\r"
_DEEPEST = 4
_AHEAD_NS = 3600 * 10**9
_PACKET = re.compile(r"(?P<type>[0-6])(?:\d+-)?(?P<namespace>/[^,\[{]*(?:,|\Z))?(?P<ack>\d*)(?P<data>.*)", re.DOTALL)
_SLIP = ("betslipid",)
_CODE = ("betcode", "code")
_CUSTOMER = ("customerid",)
_TIMES = ("acceptedat", "rejectedat", "timestamp")
"""Names without case and underscores, as all names are compared."""
_LONGEST_REASON = 1_000
"""A longer one stays in details."""
_FIRST_NS = 10**18
"""A time before 2001 is a slip of the pen."""
_ACCEPTED = frozenset({"accepted", "approved", "accept"})
_REJECTED = frozenset({"rejected", "declined", "reject", "cancelled", "canceled"})
_UNDECIDED = frozenset({"reserve", "reserved", "referred", "referral", "pending", "waiting", "open", "new"})
"""Of any other word nobody knows what it means."""


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
    stake: str | None = None
    odds: str | None = None
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
    is_leave: bool = False
    """Whether the server ends the namespace, though not the connection."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No packet at all: one dead letter."""

    why: str


def read(packet: bytes, *, of: str, received_ns: int) -> Approvals | PassedOver | Unreadable:
    """Return what a frame of customer ``of`` says."""
    match = _PACKET.fullmatch(packet.decode("utf-8", "surrogateescape"))
    if match is None:
        return Unreadable("no Socket.IO packet")
    is_main = (match["namespace"] or "/").rstrip(",").partition("?")[0] == "/"
    if match["type"] != "2":
        is_join = match["type"] in ("3", "6") and packet != b"3"
        return PassedOver(is_join=is_main and is_join, is_leave=is_main and match["type"] == "1")
    if packet in (b"2", b"2probe"):
        return PassedOver()
    text = match["data"].strip(_SPACE)
    arguments = split(text) if text.startswith("[") and text.endswith("]") else []
    name = _load(arguments[0]) if arguments else None
    if type(name) is not str:
        return Unreadable("event is no array that begins with a name")
    said = EVENTS.get(name)
    if said is None or not is_main:
        return PassedOver()
    parts = [part for argument in arguments[1:] for part in _parts(argument, said, of, received_ns, 0)]
    return Approvals(parts or [Bad("no argument")])


def _load(text: str) -> Any:
    """Return what a JSON text says; ``None`` when it is none."""
    try:
        return load(text)
    except ValueError:
        return None


def _parts(text: str, said: Saying, of: str, received_ns: int, depth: int) -> list[Approval | Bad]:
    text = text.strip(_SPACE)
    if text.startswith("[") and text.endswith("]") and depth < _DEEPEST:
        found = [part for each in split(text) for part in _parts(each, said, of, received_ns, depth + 1)]
        return found or [Bad("empty list")]
    argument = _load(text)
    if type(argument) is str and argument.lstrip(_SPACE)[:1] in ("{", "[", '"') and depth < _DEEPEST:
        return _parts(argument, said, of, received_ns, depth + 1)
    return [_approval(argument, said, of, received_ns)] if isinstance(argument, dict) else [Bad("no object")]


def _approval(body: dict[str, Any], said: Saying, of: str, received_ns: int) -> Approval | Bad:
    fields: dict[str, list[Any]] = {}
    for name, value in body.items():
        if value is not None:
            fields.setdefault(name.replace("_", "").casefold(), []).append(value)
    (slip, slip_sure), (code, code_sure) = _id(fields, _SLIP), _id(fields, _CODE)
    customers = {customer(value) for name in _CUSTOMER for value in fields.get(name, ())}
    if slip is None and code is None:
        return Bad("no id")
    if any(named is not None and named.lstrip("0") != of.lstrip("0") for named in customers):
        return Bad(f"of another customer than {of}")
    reason = body.get("reason")
    times = [value for name in _TIMES for value in fields.get(name, ())]
    decided_ns = time_ns(times[0], zone_needed=False) if len(times) == 1 else None
    if decided_ns is not None and not _FIRST_NS < decided_ns <= received_ns + _AHEAD_NS:
        decided_ns = None
    return Approval(
        said=said,
        slip=slip,
        code=code,
        reason=reason if type(reason) is str and len(reason) <= _LONGEST_REASON else None,
        stake=_amount(fields, "approvedstake", "stake"),
        odds=_amount(fields, "odds"),
        decided_ns=decided_ns,
        is_sure=slip_sure and code_sure and customers <= {of},
    )


def _amount(fields: dict[str, list[Any]], *names: str) -> str | None:
    return next(
        (number for name in names for each in fields.get(name, ()) if (number := amount(each)) is not None), None
    )


def _id(fields: dict[str, list[Any]], names: tuple[str, ...]) -> tuple[str | None, bool]:
    """Return an id, and whether there is nothing odd about it."""
    values = [value for name in names for value in fields.get(name, ())]
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
    answer = answer if isinstance(answer, dict) else {}
    inner = answer.get("data")
    if not isinstance(inner, dict) or identifier(inner.get("code")) != code:
        return LookedUp(slip=slip, code=code, status=status, said=None, is_rubbish=True)
    word = (
        inner["status"].strip().casefold()
        if type(inner.get("status")) is str and answer.get("success", True) is True
        else ""
    )
    said: Saying | None = "accept" if word in _ACCEPTED else "reject" if word in _REJECTED else None
    is_rubbish = said is None and word not in _UNDECIDED
    return LookedUp(slip=slip, code=code, status=status, said=said, is_rubbish=is_rubbish)
