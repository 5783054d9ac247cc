"""What the connector reads from Kambi's packets: refusals (429) and the life of events. Pure.

A packet is searched for a few bytes first; only a hit is parsed. Everything else about packets is the processors' work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors import engineio

TOO_MANY_KEYS = 429
_LIVE_STATE = "STARTED"
_OVER_STATES = frozenset({"NOT_STARTED", "FINISHED"})
# As in `2["message","[{\"mt\":18,\"er\":…`: the element's name, quoted within a string. Only a hint.
_SIGNS = (b'"er\\"', b'"esu\\"', b'"leo\\"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The server did not grant routing key ``topic``; ``code`` 429 says the connection is full."""

    code: int
    topic: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The event left the offering, or is live no more."""

    event: int


@dataclass(frozen=True, slots=True)
class Started:
    """The event went live."""

    event: int


Sign = Refused | Ended | Started


def subscribe(key: str) -> str:
    """Return the text message that subscribes to ``key`` (no acknowledgement is asked for; success is silent)."""
    return engineio.event("subscribe", {"topic": key})


def unsubscribe(key: str) -> str:
    """Return the text message that unsubscribes from ``key``."""
    return engineio.event("unsubscribe", {"topic": key})


def signs(packet: bytes) -> tuple[Sign, ...]:
    """Return what ``packet`` says about subscriptions and the life of events, in order; mostly nothing.

    Args:
        packet: Socket.IO packet as received. Unreadable ones say nothing: the processors dead-letter them.
    """
    refusal = b"code" in packet and b"topic" in packet
    if not refusal and not any(sign in packet for sign in _SIGNS):
        return ()
    return tuple(_signs(packet))


def _signs(packet: bytes) -> Iterator[Sign]:
    for argument in _arguments(packet):
        value = _decoded(argument.encode()) if isinstance(argument, str) else argument
        if isinstance(value, dict) and "code" in value and "topic" in value:
            yield from _refusal(value)
        else:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, dict):
                    yield from _life(child)


def _arguments(packet: bytes) -> list[Any]:
    """Return the arguments of an event, an acknowledgement or an error packet (vendor sheet §4: 429 rides on any)."""
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


def _refusal(value: dict[str, Any]) -> Iterator[Sign]:
    code, topic = value["code"], value["topic"]
    if isinstance(code, str) and code.isdecimal():
        code = int(code)
    if isinstance(code, int) and isinstance(topic, str):
        yield Refused(code=code, topic=topic)


def _life(child: dict[str, Any]) -> Iterator[Sign]:
    match child:
        case {"mt": 18, "er": {"eventId": event}} if (known := _event(event)) is not None:
            yield Ended(known)
        case {"mt": 34, "esu": {"state": str(state), "id": event} | {"state": str(state), "eventId": event}}:
            known = _event(event)
            if known is not None and state in _OVER_STATES:
                yield Ended(known)
            elif known is not None and state == _LIVE_STATE:
                yield Started(known)
        case {"mt": 5, "leo": {"event": {"id": event}}} if (known := _event(event)) is not None:
            yield Started(known)


def _event(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
