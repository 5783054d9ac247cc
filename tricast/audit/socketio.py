"""Read a Socket.IO packet text, on its own terms: the audit must not share a parser with what it judges.

Packet: type digit, attachments ``n-``, namespace ``/name,``, acknowledgement id, JSON (socket.io-protocol, version 5).
Bytes that are not UTF-8 and JSON that is broken cost the child they stand in, never its siblings.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

_PACKET = re.compile(r"(?P<type>[0-6])(?:\d+-)?(?:/[^,\[{]*(?:,|\Z))?\d*(?P<data>.*)", re.DOTALL)
_ENGINE_PACKETS = frozenset({"1", "2", "3", "5", "6", "2probe", "3probe"})
"""Engine.IO's own: ping, pong and their probes, upgrade, noop."""
_EVENT, _BINARY_EVENT = "2", "5"
_TOKEN = re.compile(r'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)|[\[\]{},]', re.DOTALL)
"""Strings as wholes, so that what looks like structure inside them is passed over."""
_SPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Bulk:
    """The children of one ``message`` event, in order; :class:`NotJson` where one cannot be read."""

    children: list[Any]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A packet that carries no offering data: connect, acknowledgement, error, another event."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no packet, or a ``message`` whose argument is no JSON; the whole frame is one dead letter."""

    why: str


class NotJson:
    """A part of a bulk that is not JSON."""


def read(packet: bytes) -> Bulk | PassedOver | Unreadable:
    """Return what a frame holds."""
    text = packet.decode("utf-8", "surrogateescape")
    match = _PACKET.fullmatch(text)
    if text in _ENGINE_PACKETS:
        return PassedOver()
    if match is None:
        return Unreadable("not a Socket.IO packet")
    if match["type"] not in (_EVENT, _BINARY_EVENT):
        return PassedOver()
    return _event(match["data"].strip(_SPACE), binary=match["type"] == _BINARY_EVENT)


def _event(text: str, *, binary: bool) -> Bulk | PassedOver | Unreadable:
    parts = split(text) if text.startswith("[") and text.endswith("]") else []
    name = _loads(parts[0]) if parts else None
    if not isinstance(name, str):
        return Unreadable("event is not an array that begins with a name")
    if name != "message":
        return PassedOver()
    if binary or len(parts) != 2:
        return Unreadable("message with attachments" if binary else f"message with {len(parts) - 1} arguments")
    argument = _loads(parts[1]) if parts[1].startswith('"') else parts[1]
    return _bulk(argument.strip(_SPACE)) if isinstance(argument, str) else Unreadable("argument is a broken string")


def _bulk(text: str) -> Bulk | PassedOver | Unreadable:
    if not text.startswith(("[", "{")):
        return Unreadable("argument is neither array nor object")
    found = _loads(text)
    match found:
        case list():
            return Bulk(found)
        case {"code": _, "topic": _} if "mt" not in found:
            return PassedOver()  # a refused subscription (sheet §4); it is the connector's business
        case NotJson() if text.startswith("["):
            return Bulk([_loads(part) for part in split(text)])
        case _:
            return Bulk([found])


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return NotJson()


def split(array: str) -> list[str]:
    """Return the texts of an array's elements, also of a broken one.

    A closing mark that closes nothing is junk of its element; what is never closed reaches to the end.
    """
    stop = len(array) - 1 if array.endswith("]") else len(array)
    parts: list[str] = []
    open_marks: list[str] = []
    begin = 1
    for token in _TOKEN.finditer(array, 1, stop):
        mark = token[0]
        if mark in ("[", "{"):
            open_marks.append("]" if mark == "[" else "}")
        elif mark == "," and not open_marks:
            parts.append(array[begin : token.start()].strip(_SPACE))
            begin = token.end()
        elif mark in open_marks:
            while open_marks.pop() != mark:
                pass
    last = array[begin:stop].strip(_SPACE)
    return [*parts, last] if last or parts else []
