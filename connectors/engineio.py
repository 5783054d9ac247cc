"""Engine.IO 4 and Socket.IO packets over WebSocket, client side, without I/O.

Why not python-socketio's client: its read loop starts one task per message and waits for none, so a full queue cannot
push back on the socket; text comes decoded, so broken UTF-8 kills the connection instead of being recorded; and it
keeps the WebSocket close code to itself. Here a message is bytes, in order, and the caller owns the reading.

Engine.IO 4: the first character of a text message is the packet type, ``4`` carries a Socket.IO packet; a binary
message is the payload of a ``4`` without that character. The server pings (``2``), the client answers (``3``).
"""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

MESSAGE = 0x34  # "4"
CONNECT = "40"
PONG = "3"
_PING = 0x32
_IGNORED = frozenset(b"356")  # pong, upgrade, noop: nothing to do over a WebSocket
_CLOSE = b"1"


class EngineOpen(msgspec.Struct, frozen=True, rename="camel"):
    """The server's first packet.

    Attributes:
        sid: Session id.
        ping_interval: Milliseconds between the server's pings.
        ping_timeout: Milliseconds it grants the answer.
    """

    sid: str
    ping_interval: float
    ping_timeout: float

    @property
    def silence_s(self) -> float:
        """How long this server may say nothing before it has to be dead, seconds."""
        return (self.ping_interval + self.ping_timeout) / 1000


@dataclass(frozen=True, slots=True)
class Message:
    """A Socket.IO packet: ``payload`` is exact."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered with ``reply``."""

    reply: str


@dataclass(frozen=True, slots=True)
class Close:
    """The server ends the session."""


@dataclass(frozen=True, slots=True)
class Control:
    """Pong, upgrade, noop: nothing to do."""


Packet = Message | Ping | Close | Control


def read_open(text: bytes) -> EngineOpen | None:
    """Return the open packet in ``text`` or ``None`` when it is something else."""
    if not text.startswith(b"0"):
        return None
    try:
        return msgspec.json.decode(text[1:], type=EngineOpen)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def read_text(text: bytes) -> Packet:
    """Return the packet in a text message. What Engine.IO does not know is a message, whole: it is kept, not judged."""
    if not text:
        return Message(text)
    first = text[0]
    if first == MESSAGE:
        return Message(text[1:])
    if first == _PING:
        return Ping(PONG + text[1:].decode("utf-8", "replace"))
    if first in _IGNORED:
        return Control()
    if text == _CLOSE:
        return Close()
    return Message(text)


def event(name: str, argument: Any, *, acknowledgement: int | None = None) -> str:
    """Return the text message that emits event ``name`` with one argument in the default namespace.

    Args:
        name: Name of the event.
        argument: Its one argument.
        acknowledgement: Number under which the server is to acknowledge it; none is asked for without.
    """
    number = "" if acknowledgement is None else str(acknowledgement)
    return f"42{number}" + json.dumps([name, argument], separators=(",", ":"))


def is_connect_error(payload: bytes) -> bool:
    """Return whether a Socket.IO packet refuses the connect (``4{…}``)."""
    return payload.startswith(b"4")


def is_disconnect(payload: bytes) -> bool:
    """Return whether a Socket.IO packet ends the default namespace: no event follows on this connection."""
    return payload == b"1"
