"""What clients send: Engine.IO 4 frames with Socket.IO 5 packets in them (sheet §3). Pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """``40``: a wish to connect to a namespace."""

    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``42``: an event; ``ack`` is the number under which an acknowledgement is waited for."""

    name: str
    arguments: tuple[Any, ...]
    ack: int | None


@dataclass(frozen=True, slots=True)
class Disconnect:
    """``41``: the client leaves the namespace; its WebSocket stays."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """``43``: to an event of ours; nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Pong:
    """``3``."""


@dataclass(frozen=True, slots=True)
class Close:
    """``1``: the client closes the Engine.IO session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What makes a Socket.IO 4 server close the connection (sheet §12)."""

    why: str


Packet = Connect | Event | Disconnect | Acknowledgement | Pong | Close | Unreadable

_PACKET: Final = re.compile(r"([0-6])(?:(/[^,]*),?)?([0-9]{0,18})(.*)", re.DOTALL)
_RESERVED: Final = frozenset(
    {"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}
)
_PARSE_ERROR: Final = Unreadable(why="parse error")


def read(frame: str) -> Packet:
    """Return what a client's text frame says."""
    match frame[:1]:
        case "1":
            return Close()
        case "3":
            return Pong()
        case "4":
            return _read_message(frame[1:])
        case "2":
            return Unreadable(why="invalid heartbeat direction")
        case _:
            return _PARSE_ERROR


def _read_message(text: str) -> Packet:
    match = _PACKET.fullmatch(text)
    if match is None:
        return _PARSE_ERROR
    kind, namespace, number, rest = match.groups()
    try:
        return _packet(kind, namespace or "/", int(number) if number else None, orjson.loads(rest) if rest else None)
    except orjson.JSONDecodeError:
        return _PARSE_ERROR


def _packet(kind: str, namespace: str, number: int | None, payload: Any) -> Packet:
    match kind, payload:
        case "0", None | dict():
            return Connect(namespace=namespace)
        case "1", None:
            return Disconnect()
        case "2", [str(name), *arguments] if name not in _RESERVED:
            return Event(name=name, arguments=tuple(arguments), ack=number)
        case "3", [*_]:
            return Acknowledgement()
        case _:
            return _PARSE_ERROR


def opened(sid: str, *, ping_interval_s: float, ping_timeout_s: float, payload_max: int) -> str:
    """Return the Engine.IO open packet."""
    handshake = {
        "sid": sid,
        "upgrades": [],
        "pingInterval": round(ping_interval_s * 1_000),
        "pingTimeout": round(ping_timeout_s * 1_000),
        "maxPayload": payload_max,
    }
    return "0" + orjson.dumps(handshake).decode()


def connected(sid: str) -> str:
    """Return the Socket.IO packet that accepts a CONNECT."""
    return "0" + orjson.dumps({"sid": sid}).decode()


def acknowledged(number: int, *arguments: Any) -> str:
    """Return the acknowledgement of the event that was numbered so."""
    return f"3{number}{orjson.dumps(arguments).decode()}"
