"""Read one Socket.IO packet as a raw frame has it: ``2["message","[{…}]"]``, type, then a JSON array (protocol 5).

The array is cut by structure alone, so that junk in one argument of an event leaves the others whole.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from processors.core.json_array import JSON_SPACE, split_array

# Type, attachments of a binary packet, namespace, acknowledgement id, payload.
_PACKET = re.compile(r"([0-6])(?:[0-9]+-)?(/[^,\[{]*(?:,|\Z))?[0-9]*(.*)", re.DOTALL)
# Engine.IO packets of their own: ping, pong (also as probes), upgrade, noop; a bare digit has no payload.
_ENGINE_PACKETS: Final = frozenset({b"1", b"2", b"3", b"5", b"6", b"2probe", b"3probe"})
_CONTROL: Final = frozenset("014")
_ACKS: Final = frozenset("36")
_BINARY_EVENT: Final = "5"


@dataclass(frozen=True, slots=True)
class Event:
    """An event.

    Attributes:
        name: Its name.
        arguments: JSON texts; bytes that are not UTF-8 stand in them as surrogates.
        namespace: ``/`` is the main one.
        binary: It has binary attachments, which no frame holds.
    """

    name: str
    arguments: tuple[str, ...]
    namespace: str
    binary: bool


@dataclass(frozen=True, slots=True)
class Ack:
    """The answer to an event of the client."""

    namespace: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The server ends a namespace, though not the connection."""

    namespace: str


@dataclass(frozen=True, slots=True)
class Control:
    """Connect, connect error, or a packet of Engine.IO."""


@dataclass(frozen=True, slots=True)
class Broken:
    """No packet, or an event without name; ``is_packet``: its beginning is that of one."""

    detail: str
    is_packet: bool


Packet = Event | Ack | Disconnect | Control | Broken


def read_packet(value: bytes) -> Packet:
    """Return what the frame ``value`` is; never raises."""
    packet = _PACKET.fullmatch(value.decode("utf-8", "surrogateescape"))
    if value in _ENGINE_PACKETS - {b"1"}:
        return Control()
    if packet is None:
        return Broken("no Socket.IO packet type in front", is_packet=False)
    kind, namespace = packet[1], (packet[2] or "/").removesuffix(",").partition("?")[0]
    if kind in _CONTROL:
        return Disconnect(namespace) if kind == "1" else Control()
    if kind in _ACKS:
        return Ack(namespace)
    return _read_event(packet[3].strip(JSON_SPACE), namespace, binary=kind == _BINARY_EVENT)


def read_string(text: str) -> str | None:
    """Return what the JSON string ``text`` holds, surrogates included; ``None`` if it is none."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, str) else None


def _read_event(payload: str, namespace: str, *, binary: bool) -> Event | Broken:
    parts = split_array(payload) if payload.startswith("[") and payload.endswith("]") else ()
    name = read_string(parts[0]) if parts else None
    if name is None:
        return Broken("the payload is no JSON array that begins with an event name", is_packet=True)
    return Event(name, tuple(parts[1:]), namespace, binary)
