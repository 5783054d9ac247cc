"""Read a Socket.IO packet text, on its own terms: the audit must not share a parser with what it judges.

Packet: type digit, attachments ``n-``, namespace ``/name,``, acknowledgement id, JSON (socket.io-protocol, version 5).
"""

import json
import re
from dataclasses import dataclass
from typing import Any

_PACKET = re.compile(r"(?P<type>[0-6])(?:\d+-)?(?:/[^,]*,)?(?:\d+)?(?P<data>.*)", re.DOTALL)
_EVENT = "2"
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
"""Strings as wholes, so that what looks like structure inside them is passed over."""


@dataclass(frozen=True, slots=True)
class Bulk:
    """The children of one ``message`` event, in order."""

    children: list[Any]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A packet that carries no offering data: connect, acknowledgement, error, another event."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no packet, or a ``message`` whose argument is no JSON; the whole frame is one dead letter."""

    why: str


def read(packet: bytes) -> Bulk | PassedOver | Unreadable:
    """Return what a frame holds."""
    try:
        match = _PACKET.fullmatch(packet.decode("utf-8"))
    except UnicodeDecodeError:
        return Unreadable("not UTF-8")
    if match is None:
        return Unreadable("not a Socket.IO packet")
    return _event(match["data"]) if match["type"] == _EVENT else PassedOver()


def _event(text: str) -> Bulk | PassedOver | Unreadable:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("event is not JSON")
    if not isinstance(event, list) or not event or not isinstance(event[0], str):
        return Unreadable("event is not an array that begins with a name")
    if event[0] != "message":
        return PassedOver()
    return _bulk(event[1:])


class NotJson:
    """A part of a bulk that is not JSON; its siblings are read nevertheless."""


def _child(part: str) -> Any:
    try:
        return json.loads(part)
    except (ValueError, RecursionError):
        return NotJson()


def _split(array: str) -> list[str]:
    """Return the texts between the top-level commas of a JSON array that does not parse; none when it is no array."""
    if not (array.startswith("[") and array.endswith("]")):
        return []
    parts, depth, begin = [], 0, 1
    for match in _STRUCTURE.finditer(array, 1, len(array) - 1):
        mark = match[0]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        elif mark == "," and depth == 0:
            parts.append(array[begin : match.start()])
            begin = match.end()
    return [*parts, array[begin:-1]] if depth == 0 else []


def _bulk(arguments: list[Any]) -> Bulk | PassedOver | Unreadable:
    if len(arguments) != 1:
        return Unreadable(f"message has {len(arguments)} arguments")
    argument = arguments[0]
    if isinstance(argument, str):
        try:
            argument = json.loads(argument)
        except (ValueError, RecursionError):
            parts = _split(argument.strip())
            return Bulk([_child(part) for part in parts]) if parts else Unreadable("argument is not JSON")
    match argument:
        case list():
            return Bulk(argument)
        case {"code": _, "topic": _}:
            return PassedOver()  # a refused subscription (sheet §4); it is the connector's business
        case dict():
            return Bulk([argument])
        case _:
            return Unreadable("argument is neither array nor object")
