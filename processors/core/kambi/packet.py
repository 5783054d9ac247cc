"""Read one Socket.IO packet: which event it is, and the JSON text that came as its argument.

A raw frame is the packet's text, ``2["message","[{…}]"]``: type, JSON array of event name and argument. The argument
of ``message`` is a string that is JSON itself (fact sheet §0).
"""

import json
import re
from dataclasses import dataclass

import msgspec

from processors.core.kambi.findings import READ_ERRORS, PassedOver, Unreadable
from processors.core.kambi.split import JSON_SPACE, split_array
from schemas.kambi.codes import Code, Count

_MESSAGE = b'2["message",'
_EVENT = msgspec.json.Decoder(tuple[str, str])
_ANY = msgspec.json.Decoder()
# Socket.IO protocol 5: type, attachments of a binary packet, namespace, acknowledgement id, payload.
_PACKET = re.compile(r"([0-6])(?:[0-9]+-)?(?:/[^,\[{]*(?:,|\Z))?[0-9]*(.*)", re.DOTALL)
# Engine.IO packets of their own: ping, pong (also as probes), upgrade, noop; a bare digit has no payload.
_ENGINE_PACKETS = frozenset({b"1", b"2", b"3", b"5", b"6", b"2probe", b"3probe"})
_CONTROL = frozenset("014")
_ACKS = frozenset("36")
_BINARY_EVENT = "5"


@dataclass(frozen=True, slots=True)
class Message:
    """A bulk's JSON text, an array or an object; bytes that are not UTF-8 stand in it as surrogates."""

    text: str


def read_packet(value: bytes) -> Message | PassedOver | Unreadable:
    """Return what the frame ``value`` carries."""
    if value.startswith(_MESSAGE):
        try:
            return _message(_EVENT.decode(value[1:])[1])
        except READ_ERRORS:
            pass  # the argument is no string, or something in it needs the exact way
    return _read_exactly(value)


def _read_exactly(value: bytes) -> Message | PassedOver | Unreadable:
    packet = _PACKET.fullmatch(value.decode("utf-8", "surrogateescape"))
    if value in _ENGINE_PACKETS or (packet is not None and packet[1] in _CONTROL):
        return PassedOver(Count.CONTROL_PACKET)
    if packet is None:
        return Unreadable(Code.NOT_A_PACKET, "no Socket.IO packet type in front")
    if packet[1] in _ACKS:
        return PassedOver(Count.ACK)
    return _read_event(packet[2].strip(JSON_SPACE), binary=packet[1] == _BINARY_EVENT)


def _read_event(payload: str, *, binary: bool) -> Message | PassedOver | Unreadable:
    parts = split_array(payload) if payload.startswith("[") and payload.endswith("]") else ()
    event = _string(parts[0]) if parts else None
    if event is None:
        return Unreadable(Code.NOT_JSON, "the payload is no JSON array that begins with an event name")
    if event != "message":
        return PassedOver(Count.OTHER_EVENT)
    if binary:
        return Unreadable(Code.BINARY, "message with binary attachments")
    if len(parts) != 2:
        return Unreadable(Code.NOT_AN_ARRAY, f"message with {len(parts) - 1} arguments instead of one")
    # A string that holds the array, or the array itself.
    argument = _string(parts[1]) if parts[1].startswith('"') else parts[1]
    return _message(argument) if argument is not None else Unreadable(Code.NOT_JSON, "the argument is a broken string")


def _string(text: str) -> str | None:
    """Return what the JSON string ``text`` holds, surrogates included; ``None`` if it is none."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, str) else None


def _message(text: str) -> Message | Unreadable:
    bare = text.strip(JSON_SPACE)
    if bare.startswith(("[", "{")):
        return Message(bare)
    try:
        _ANY.decode(bare)
    except READ_ERRORS:
        return Unreadable(Code.NOT_JSON, "the message's argument is no JSON")
    return Unreadable(Code.NOT_AN_ARRAY, "the message's argument is neither an array nor an object")
