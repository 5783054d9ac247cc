"""What the connector has to know of an answer of the offering API: is it one, and which events are live. Pure.

The bytes are recorded whatever they are; what is in them is the processors' work.
"""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

NOT_JSON: Final = "not-json"
ERROR_BODY: Final = "error-body"

_MOST_DIGITS: Final = 19  # of a 64-bit integer; today's ids have ten. Longer ones would only fill request lines


@dataclass(frozen=True, slots=True)
class Unusable:
    """An answer with status 200 that answers nothing; ``reason`` is one of the constants above."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The live events of an ``event/live/open`` answer.

    Attributes:
        events: Their ids, in the API's order.
        unreadable: Entries without a readable id. A listing that has some is not the whole: it ends nobody's life.
    """

    events: tuple[int, ...]
    unreadable: int = 0


class _Body(msgspec.Struct):
    error: Any = None  # {"error": {"status": …, "message": …}}, with status 200 where codes are suppressed


class _LiveOpen(msgspec.Struct, rename="camel"):
    live_events: list[msgspec.Raw]


class _Event(msgspec.Struct):
    id: int | str


class _LiveEvent(msgspec.Struct):
    event: _Event


def fault(body: bytes) -> Unusable | None:
    """Return why ``body`` is no answer, ``None`` when it is a JSON object without an error, or a JSON array."""
    try:
        read = msgspec.json.decode(body, type=_Body | list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unusable(NOT_JSON, f"{error}; it begins with {body[:60]!r}")
    if isinstance(read, _Body) and read.error is not None:
        return Unusable(ERROR_BODY, f"{read.error!r:.200}")
    return None


def live_events(body: bytes) -> Listing | None:
    """Return what ``body`` lists as live, ``None`` when it has not the documented shape."""
    try:
        entries = msgspec.json.decode(body, type=_LiveOpen).live_events
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    read = [_event(entry) for entry in entries]
    known = tuple(dict.fromkeys(event for event in read if event is not None))
    return Listing(events=known, unreadable=read.count(None))


def _event(entry: msgspec.Raw) -> int | None:
    try:
        event = msgspec.json.decode(entry, type=_LiveEvent).event.id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    digits = str(event)
    readable = digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS
    return int(digits) or None if readable else None
