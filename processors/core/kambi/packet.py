"""Read one Socket.IO packet of Kambi: the JSON text that came as the argument of ``message``.

A raw frame is the packet's text, ``2["message","[{…}]"]``. The argument of ``message`` is a string that is JSON itself
(fact sheet §0).
"""

from typing import assert_never

import msgspec
import orjson

from processors.core import socketio
from processors.core.json_array import JSON_SPACE
from processors.core.kambi.findings import READ_ERRORS, PassedOver, Unreadable
from schemas.kambi.codes import Code, Count

_BEFORE, _BEHIND = b'2["message","', b'"]'
_STRING = slice(len(_BEFORE) - 1, 1 - len(_BEHIND))
_ANY = msgspec.json.Decoder()


def read_packet(value: bytes) -> str | PassedOver | Unreadable:
    """Return what the frame ``value`` carries.

    Returns:
        A bulk's JSON text, an array or an object; bytes that are not UTF-8 stand in it as surrogates.
    """
    if value.startswith(_BEFORE) and value.endswith(_BEHIND):
        try:
            return _message(orjson.loads(value[_STRING]))
        except READ_ERRORS:
            pass  # more than one argument, or something in it needs the exact way
    return _read_exactly(value)


def _read_exactly(value: bytes) -> str | PassedOver | Unreadable:
    packet = socketio.read_packet(value)
    match packet:
        case socketio.Event():
            return _event(packet)
        case socketio.Ack():
            return PassedOver(Count.ACK)
        case socketio.Control() | socketio.Disconnect():
            return PassedOver(Count.CONTROL_PACKET)
        case socketio.Broken():
            return Unreadable(Code.NOT_JSON if packet.is_packet else Code.NOT_A_PACKET, packet.detail)
        case _:
            assert_never(packet)


def _event(event: socketio.Event) -> str | PassedOver | Unreadable:
    if event.name != "message":
        return PassedOver(Count.OTHER_EVENT)
    if event.binary:
        return Unreadable(Code.BINARY, "message with binary attachments")
    if len(event.arguments) != 1:
        return Unreadable(Code.NOT_AN_ARRAY, f"message with {len(event.arguments)} arguments instead of one")
    # A string that holds the array, or the array itself.
    (text,) = event.arguments
    argument = socketio.read_string(text) if text.startswith('"') else text
    return _message(argument) if argument is not None else Unreadable(Code.NOT_JSON, "the argument is a broken string")


def _message(text: str) -> str | Unreadable:
    bare = text.strip(JSON_SPACE)
    if bare.startswith(("[", "{")):
        return bare
    try:
        _ANY.decode(bare)
    except READ_ERRORS:
        return Unreadable(Code.NOT_JSON, "the message's argument is no JSON")
    return Unreadable(Code.NOT_AN_ARRAY, "the message's argument is neither an array nor an object")
