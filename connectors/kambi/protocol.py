"""What the connector reads from Kambi's packets: refusals (429) and the life of events. Pure.

A packet is searched for a few bytes first; only a hit is parsed. Everything else about packets is the processors' work.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors import engineio

TOO_MANY_KEYS = 429
_MOST_DIGITS = 19  # ids fit 64 bits; Python refuses to read numbers of thousands of digits
_LIVE_STATE = "STARTED"
_OVER_STATES = frozenset({"NOT_STARTED", "FINISHED"})
# As in `2["message","[{\"mt\":18,\"er\":…`: the element's name, quoted within a string or bare. Only a hint.
_SIGN = re.compile(rb'"(?:er|esu|leo|ea)\\?"')  # one search: looking for each in turn takes four times as long
_EVENT_ID = re.compile(rb'"eventId\\*"\s*:\s*\\*"?([0-9]{1,19})')  # quoted within a string or bare, a number or digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server did not grant routing key ``topic`` (empty: it did not say which); 429: the connection is full."""

    code: int
    topic: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The event left the offering, or is live no more."""

    event: int


@dataclass(frozen=True, slots=True)
class Announced:
    """The event is in the offering now; it may go live one day."""

    event: int


@dataclass(frozen=True, slots=True)
class Started:
    """The event went live."""

    event: int


Sign = Refused | Ended | Announced | Started


def subscribe(key: str, *, acknowledgement: int | None = None) -> str:
    """Return the text message that subscribes to ``key``; success is silent unless an acknowledgement is asked for."""
    return engineio.event("subscribe", {"topic": key}, acknowledgement=acknowledgement)


def unsubscribe(key: str) -> str:
    """Return the text message that unsubscribes from ``key``."""
    return engineio.event("unsubscribe", {"topic": key})


def signs(packet: bytes) -> tuple[Sign, ...]:
    """Return what ``packet`` says about subscriptions and the life of events, in order; mostly nothing.

    Args:
        packet: Socket.IO packet as received. Unreadable ones say nothing: the processors dead-letter them.
    """
    if b"code" not in packet and _SIGN.search(packet) is None:
        return ()
    return tuple(_signs(packet))


def events_named(packet: bytes) -> set[int]:
    """Return the events that messages in ``packet`` are about, as far as a search for their ids shows."""
    return set(map(int, _EVENT_ID.findall(packet)))


def _signs(packet: bytes) -> Iterator[Sign]:
    for argument in _arguments(packet):
        value = _decoded(argument.encode()) if isinstance(argument, str) else argument
        for item in value if isinstance(value, list) else [value]:
            match item:
                case {"mt": _}:
                    yield from _life(item)
                case {"code": code, **said} | {"data": {"code": code, **said}}:
                    yield from _refusal(code, said.get("topic"))


def _arguments(packet: bytes) -> list[Any]:
    """Return the arguments of an event, an acknowledgement or an error packet (fact sheet §4: 429 rides on any)."""
    kind = packet[:1]
    body = packet[1:].lstrip(b"0123456789")  # acknowledgement id
    value = _decoded(body)
    match kind, value:
        case b"2", [str(), *arguments]:
            return arguments
        case b"3", [*arguments]:
            return arguments
        case b"4", _:
            return [value]
    return []


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _refusal(said: Any, topic: Any) -> Iterator[Sign]:
    code = _number(said)
    if code is not None and isinstance(topic, str):
        yield Refused(code=code, topic=topic)
    elif code == TOO_MANY_KEYS:
        yield Refused(code=code, topic="")  # nothing can be moved, but somebody has to be told


def _life(child: dict[str, Any]) -> Iterator[Sign]:
    match child:
        case {"mt": 18, "er": {"eventId": event}} if (known := _event(event)) is not None:
            yield Ended(known)
        case {"mt": 4, "ea": {"event": {"id": event}}} if (known := _event(event)) is not None:
            yield Announced(known)
        case {"mt": 34, "esu": {"state": str(state), "id": event} | {"state": str(state), "eventId": event}}:
            known = _event(event)
            if known is not None and state in _OVER_STATES:
                yield Ended(known)
            elif known is not None and state == _LIVE_STATE:
                yield Started(known)
        case {"mt": 5, "leo": {"event": {"id": event}}} if (known := _event(event)) is not None:
            yield Started(known)


def _event(value: Any) -> int | None:
    """Return the event's id, ``None`` for what can be none: it would end up in routing keys and request lines."""
    known = _number(value)
    return known if known is not None and 0 < known < 10**_MOST_DIGITS else None


def _number(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
