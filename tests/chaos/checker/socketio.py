"""Socket.IO packets as they stand in raw: Engine.IO's "4" is off; ``2["event",argument]`` is an event."""

import json
from dataclasses import dataclass
from typing import Any, Literal

_CONTROL = frozenset("0134")
"""Connect, disconnect, acknowledgement, connect error: they say nothing about the offering."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event and its arguments; a text that is JSON itself is read, too."""

    name: str
    arguments: tuple[Any, ...]


def read(value: bytes) -> Event | Literal["control", "unreadable"]:
    """Return what a packet is."""
    try:
        text = value.decode()
        if text[:1] in _CONTROL or text in {"probe", ""}:
            return "control"
        if not text.startswith("2"):
            return "unreadable"
        at = text.index("[")
        listed = json.loads(text[at:])
        return Event(listed[0], tuple(listed[1:])) if listed and isinstance(listed[0], str) else "unreadable"
    except (ValueError, RecursionError):
        return "unreadable"
