"""What goes into a raw topic, and where a line stood: shared by recorder, sink, spool and producer."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from schemas.raw import RawHeaders

_FIRST_CLOSE_CODE: Final = 1000  # RFC 6455 §7.4; below it a `closed` holds the HTTP status of a refusal


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record of a raw topic: headers and exact bytes."""

    headers: RawHeaders
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFrame:
    """Where a line stood: its connection and the number of the last frame received on it (0: none)."""

    connection: str
    frame: int


LEFT: Final = "left"
"""Why a line is closed that nobody follows any more, by the plan or the lists."""


class _Closed(msgspec.Struct):
    code: int
    reason: str = ""


def is_refusal(value: bytes | None) -> bool:
    """Return whether a ``closed`` record tells of a connection that was refused: then there was none."""
    closed = _closed(value)
    return closed is not None and closed.code < _FIRST_CLOSE_CODE


def is_left(value: bytes | None) -> bool:
    """Return whether a ``closed`` record says that nobody follows the line any more."""
    closed = _closed(value)
    return closed is not None and closed.reason == LEFT


def _closed(value: bytes | None) -> _Closed | None:
    try:
        return msgspec.json.decode(value or b"", type=_Closed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def last_frames(records: Iterable[RawRecord]) -> dict[str, LastFrame]:
    """Return where lines stand after ``records``; a refusal leaves its line where it stood."""
    last: dict[str, LastFrame] = {}
    for record in records:
        headers = record.headers
        if headers.kind != "closed" or headers.frame or not is_refusal(record.value):
            last[headers.line] = LastFrame(connection=headers.connection, frame=headers.frame)
    return last
