"""Follow the frame numbers of every line: repeats, holes, and the gaps between connections."""

import json
from dataclasses import dataclass, field
from typing import Any

from tricast.audit.records import Raw
from tricast.audit.report import Gap, Report

NUMBERED = frozenset({"frame", "snapshot"})
"""Kinds that own their number; control records carry that of the last one before them."""


@dataclass(slots=True)
class _Connection:
    last_frame: int = 0
    last_ns: int = 0
    """Last sign of life; its gap begins there."""


@dataclass(slots=True)
class _Line:
    connections: dict[str, _Connection] = field(default_factory=dict)


Lines = dict[str, _Line]
"""By name, what is known of the connections of each."""

SAVED_CONNECTIONS = 64
"""Newest connections of a line that an audit that goes on later still knows; a spool repeats the last one or two."""


class FrameNumbers:
    """One per raw partition, fed in its order. Memory: one number a connection."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._lines: dict[str, _Line] = {}

    def save(self) -> Lines:
        """Return what is known, for an audit that goes on later."""
        newest = {name: list(line.connections.items())[-SAVED_CONNECTIONS:] for name, line in self._lines.items()}
        return {name: _Line(dict(connections)) for name, connections in newest.items()}

    def load(self, lines: Lines) -> None:
        """Know what another one knew."""
        self._lines = lines

    def is_repeat(self, raw: Raw) -> bool:
        """Record anything raw; return whether it is a frame or snapshot that was there before."""
        line = self._lines.setdefault(raw.line, _Line())
        if raw.kind == "opened":
            self._gap(raw, line)
        connection = line.connections.setdefault(raw.connection, _Connection())
        numbered = raw.kind in NUMBERED
        if numbered and raw.frame <= connection.last_frame:
            return True
        if _is_sign_of_life(raw):
            connection.last_ns = raw.received_ns
        missing_until = raw.frame - 1 if numbered else raw.frame
        missing = missing_until - connection.last_frame
        if missing > 0:
            self._missing(raw, connection.last_frame + 1, missing_until)
        connection.last_frame = max(connection.last_frame, raw.frame)
        return False

    def begins_at(self, raw: Raw) -> None:
        """Take ``raw`` as the first record of its connection when none was seen: earlier ones are not read."""
        line = self._lines.setdefault(raw.line, _Line())
        before = raw.frame - 1 if raw.kind in NUMBERED else raw.frame
        line.connections.setdefault(raw.connection, _Connection(last_frame=max(0, before)))

    def _missing(self, raw: Raw, first: int, last: int) -> None:
        lost = _value(raw).get("lost") if raw.kind == "overflow" else None
        if isinstance(lost, int) and lost >= last - first + 1:
            self._report.overflowed += last - first + 1
            return
        self._report.find(
            "hole",
            f"{raw.line} connection {raw.connection}: frames {first}..{last} not in raw before offset {raw.offset}",
            last - first + 1,
        )

    def _gap(self, raw: Raw, line: _Line) -> None:
        value = _value(raw)
        previous = value.get("previous_connection")
        known = line.connections.get(previous) if isinstance(previous, str) else None
        if known is None and not line.connections and previous is None:
            return  # the line's first connection ever
        self._report.gaps.append(
            Gap(
                line=raw.line,
                previous_connection=previous,
                previous_frame=value.get("previous_frame"),
                connection=raw.connection,
                from_ns=known.last_ns if known is not None else None,
                until_ns=raw.received_ns,
            )
        )
        if previous is None:
            self._report.notes.append(
                f"{raw.line}: connection {raw.connection} does not name the one before it; its gap has one end only"
            )


def _is_sign_of_life(raw: Raw) -> bool:
    """Whether its connection stood then: a line without one goes on to tick, in the name of its last."""
    return raw.kind != "closed" and not (raw.kind == "tick" and _value(raw).get("open") is False)


def _value(raw: Raw) -> dict[str, Any]:
    try:
        value = json.loads(raw.value)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
