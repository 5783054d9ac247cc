"""What a frame of FastPath is, read again without the processors' code (fact sheet §4, §12)."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

_MOST = 2**63 - 1
_VOLATILE = ("seqNum", "traceId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A packet that has a place in a sequence.

    Attributes:
        fixture: Fixture it names; empty when it names none.
        number: As sent.
        key: What it is about, whatever its body says: action and send type; element type and time.
        body: Digest of everything but number, trace and sort key.
    """

    fixture: str
    number: int
    key: tuple[str, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Heartbeat, status or message: nothing that is numbered."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No packet that anybody could account for."""

    why: str


Packet = Numbered | PassedOver | Unreadable


def read(value: bytes) -> Packet:
    """Return what ``value`` is."""
    try:
        packet = json.loads(value.decode("utf-8"), parse_float=_Text, parse_int=_whole)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"no JSON: {error}")
    return _packet(packet) if isinstance(packet, dict) else Unreadable("no object")


class _Text(str):
    """A number with a fraction, as it was written: two texts of one float are two bodies, and none is rounded."""

    __slots__ = ()


def _whole(digits: str) -> int | _Text:
    return int(digits) if len(digits) < 20 else _Text(digits)


def _packet(packet: dict[str, Any]) -> Packet:
    if isinstance(packet.get("dataType"), str):
        return _multiplexed(packet)
    action = packet.get("fixtureAction")
    if isinstance(action, dict):
        return _action(action)
    element = _element_type(packet)
    if element is not None:
        return _element(packet, element)
    if "message" in packet or "errorMessage" in packet or ("error" in packet and "status" in packet):
        return PassedOver()
    if "seqNum" in packet:
        fixture = packet.get("fixtureId")
        return _numbered(
            packet.get("seqNum"),
            fixture if isinstance(fixture, str) else "",
            (_plain(packet.get("timestamp")),),
            _without(packet, _VOLATILE),
        )
    return Unreadable("of no known shape")


def _multiplexed(packet: dict[str, Any]) -> Packet:
    inner = packet.get("message")
    if packet["dataType"].lower() != "eventdata":
        return PassedOver()
    if not isinstance(inner, dict):
        return Unreadable("multiplexer message without a message")
    found = _packet(inner)
    if not isinstance(found, Numbered):
        return found
    fixture = f"{packet.get('feedType')}/{packet.get('eventId')}"
    return Numbered(fixture=fixture, number=found.number, key=found.key, body=found.body)


def _action(action: dict[str, Any]) -> Packet:
    fixture = action.get("fixtureId")
    return _numbered(
        action.get("fixtureSeqNum"),
        fixture if isinstance(fixture, str) else "",
        (_plain(action.get("actionId")), _plain(action.get("sendType"))),
        _without(action, ("fixtureSeqNum", "timelineSequence")),
    )


def _element(packet: dict[str, Any], element: str) -> Packet:
    if element.lower() in ("heartbeat", "connectionstatechanged"):
        return PassedOver()
    number = packet.get("seqNum", packet.get("SeqNum"))
    return _numbered(number, "", (element, _plain(packet.get("timestamp"))), _without(packet, (*_VOLATILE, "SeqNum")))


def _element_type(packet: dict[str, Any]) -> str | None:
    for name, value in packet.items():
        if name.lower() == "eventelementtype" and isinstance(value, str):
            return value
    return None


def _numbered(number: object, fixture: str, key: tuple[str, ...], body: dict[str, Any]) -> Packet:
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 20:
        number = int(number)
    elif isinstance(number, _Text):
        number = int(number[:-2]) if number.endswith(".0") and number[:-2].isdigit() else None
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= _MOST:
        return Unreadable("no number")
    digest = hashlib.blake2b(json.dumps(body, sort_keys=True).encode("utf-8", "surrogatepass"), digest_size=12).digest()
    return Numbered(fixture=fixture, number=number, key=key, body=digest)


def _without(packet: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in packet.items() if name not in names}


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
