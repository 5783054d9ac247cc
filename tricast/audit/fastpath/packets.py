"""What a frame of FastPath is, read again without the processors' code (fact sheet §4, §12)."""

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

_MOST = 2**63 - 1
_MOST_LETTERS = 200
"""Of an id; a longer one is none."""
_VOLATILE = frozenset({"traceId"})
_SILENT = frozenset({"heartbeat", "heartbeats", "connectionstate", "connectionstatechanged"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A packet that has a place in a sequence.

    Attributes:
        fixture: Fixture it names; empty when it names none.
        number: As sent.
        key: What it is about, whatever its body says: action and send type; element type and time.
        body: Digest of everything but number, trace and sort key.
        is_named: An action's id or a time is in the key; others may be equal without being the same.
    """

    fixture: str
    number: int
    key: tuple[str, ...]
    body: bytes
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class Unnumbered:
    """A packet of a match without a number: it becomes a record in no order."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Heartbeat, status or message: nothing that is numbered."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No packet that anybody could account for."""

    why: str


Packet = Numbered | Unnumbered | PassedOver | Unreadable


def read(value: bytes, *, is_statistics: bool = False) -> Packet:
    """Return what ``value`` is; ``is_statistics``: its feed is one of statistics."""
    try:
        packet = json.loads(value.decode("utf-8-sig"), parse_float=_Text, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"no JSON: {error}")
    return _packet(packet, is_statistics=is_statistics) if isinstance(packet, dict) else Unreadable("no object")


class _Text(str):
    """A number as it was written: two texts of one float are two bodies, and none is rounded."""

    __slots__ = ()


def _whole(digits: str) -> int | _Text:
    return int(digits) if len(digits) < 20 else _Text(digits)


def _packet(packet: dict[str, Any], *, is_statistics: bool) -> Packet:
    if "fixtureAction" in packet:
        return _action(packet["fixtureAction"], "")
    if "dataType" in packet or ("feedType" in packet and isinstance(packet.get("message"), dict)):
        return _multiplexed(packet)
    return _bare(packet, "", is_statistics=is_statistics)


def _multiplexed(packet: dict[str, Any]) -> Packet:
    inner, feed_type, event = packet.get("message"), _identity(packet.get("feedType")), _identity(packet.get("eventId"))
    if str(packet.get("dataType")).lower() in _SILENT:
        return PassedOver()
    if not isinstance(inner, dict):
        return Unreadable("multiplexer message without a message")
    fixture = f"{feed_type}/{event}" if feed_type or event else ""
    if "fixtureAction" in inner:
        return _action(inner["fixtureAction"], fixture)
    return _bare(inner, fixture, is_statistics=feed_type.lower() != "rounddetails")


def _action(action: Any, envelope: str) -> Packet:
    if not isinstance(action, dict):
        return Unreadable("an action that is no object")
    if "fixtureSeqNum" not in action:
        return Unnumbered()
    return _numbered(
        action["fixtureSeqNum"],
        envelope or _identity(action.get("fixtureId")),
        (_plain(action.get("actionId")), _plain(action.get("sendType"))),
        _without(action, {"fixtureSeqNum", "timelineSequence"}),
        is_named=bool(_identity(action.get("actionId"))),
    )


def _bare(packet: dict[str, Any], envelope: str, *, is_statistics: bool) -> Packet:
    named, numbered = _spelling(packet, "eventElementType"), _spelling(packet, "seqNum")
    named_type = packet.get(named or "")
    element = named_type if isinstance(named_type, str) else ""
    if element.lower() in _SILENT:
        return PassedOver()
    if not element and _is_message(packet, is_anonymous=numbered is None and "fixtureId" not in packet):
        return PassedOver()
    if numbered is None:
        is_known = element or (is_statistics and ("timestamp" in packet or "fixtureId" in packet))
        return Unnumbered() if is_known else Unreadable("of no known shape")
    return _numbered(
        packet[numbered],
        envelope or _identity(packet.get("fixtureId")),
        (element, _plain(packet.get("timestamp"))),
        _without(packet, _VOLATILE | {numbered}),
        is_named="timestamp" in packet,
    )


def _is_message(packet: dict[str, Any], *, is_anonymous: bool) -> bool:
    if isinstance(packet.get("message"), str) and (is_anonymous or isinstance(packet.get("level"), str)):
        return True
    return is_anonymous and any(isinstance(packet.get(name), str) for name in ("errorMessage", "error"))


def _spelling(packet: dict[str, Any], name: str) -> str | None:
    if name in packet:
        return name
    return next((key for key in packet if key.lower() == name.lower()), None)


def _numbered(number: Any, fixture: str, key: tuple[str, ...], body: dict[str, Any], *, is_named: bool) -> Packet:
    if isinstance(number, _Text):
        number = _integer(number)
    elif isinstance(number, str):
        number = int(number) if number.isascii() and number.isdecimal() and len(number) <= 400 else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _MOST:
        return Unreadable("no number")
    digest = hashlib.blake2b(json.dumps(body, sort_keys=True).encode("utf-8", "surrogatepass"), digest_size=12).digest()
    return Numbered(fixture=fixture, number=number, key=key, body=digest, is_named=is_named)


def _integer(text: str) -> int | None:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return int(number) if 0 <= number <= _MOST and number == number.to_integral_value() else None


def _identity(value: Any) -> str:
    text = str(value) if type(value) in {str, int} else ""
    return text if len(text) <= _MOST_LETTERS else ""


def _without(packet: dict[str, Any], names: set[str] | frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in packet.items() if name not in names}


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
