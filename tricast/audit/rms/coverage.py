"""When somebody listened for a customer, by the audit's own reading of his lines in ``rms.raw``."""

import json
from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from tricast.audit.records import Raw

Span = tuple[int, int]
SILENCE_NS = 55 * 10**9
"""A line without any record for longer may be taken for a dead one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineGap:
    """A line heard nothing after ``from_ns``; it had joined again at ``until_ns``."""

    line: str
    from_ns: int
    until_ns: int
    ours: bool
    is_settled: bool


@dataclass(slots=True)
class _Line:
    connection: str = ""
    since_ns: int | None = None
    proven_ns: int = 0
    was_proven_ns: int | None = None
    """How far it was, while it is not joined; nothing before it ever was."""
    lost_ours: bool = False
    record_ns: int = 0
    strict_ns: int = 0
    """Since when it is joined and was never silent for long."""
    tick: tuple[int, int] = (0, 0)
    """Time and offset of its tick of the greatest time."""
    over: set[str] = field(default_factory=set)
    """Connections that have ended: what comes of them is there twice, and says nothing new."""

    @property
    def is_live(self) -> bool:
        return self.since_ns is not None


@dataclass(slots=True)
class Coverage:
    """Of one customer; fed with his raw records in order. Memory: a name and two numbers a connection, one a tick.

    Attributes:
        now_ns: His greatest time that the processors must know.
        newest_ns: His greatest time of all.
        line_gaps: Of each line, those that have ended.
    """

    now_ns: int = 0
    newest_ns: int = 0
    line_gaps: list[LineGap] = field(default_factory=list)
    _ticked_proven_ns: int = 0
    _lines: dict[str, _Line] = field(default_factory=dict)
    _spans: list[Span] = field(default_factory=list)
    _strict: list[Span] = field(default_factory=list)
    _known: list[Span] | None = None
    _doubted: list[Span] = field(default_factory=list)
    _put_back: dict[int, tuple[int, int]] = field(default_factory=dict)
    """From the offset of a tick to where its time may have been taken back, by offset; and that time."""
    _proven_ns: int = 0
    _is_down: bool = True
    _was_ever_up: bool = False
    _ticks: "array[int]" = field(default_factory=lambda: array("q"))

    def observe(self, raw: Raw, *, joins: bool, leaves: bool = False, hole: bool, is_settled: bool) -> None:
        """Record anything of a socket's line.

        Args:
            raw: The record.
            joins: Whether it says that its connection has joined.
            leaves: Whether it says that its connection has left.
            hole: Whether records before it are missing by our own fault.
            is_settled: Whether the processors had committed it.
        """
        self._known = None
        self.newest_ns = max(self.newest_ns, raw.received_ns)
        line = self._lines.setdefault(raw.line, _Line())
        # A tick is stamped when it is queued, so only a clock that was put back has one of an earlier time. Of a
        # connection that was killed before its next one nobody knows.
        is_another = raw.connection != line.connection and raw.connection not in line.over
        was_killed = is_another and line.connection not in line.over
        if was_killed or (raw.kind in ("tick", "closed") and raw.received_ns < line.tick[0]):
            self._put_back[line.tick[1]] = raw.offset, line.tick[0]
        if raw.kind == "tick":
            line.tick = max(line.tick, (raw.received_ns, raw.offset))
        if raw.connection in line.over or (raw.connection != line.connection and raw.kind == "tick"):
            if raw.kind == "tick":
                self._tick(raw, is_settled)  # a tick between connections is of the last one
            return
        if raw.connection != line.connection:
            self._end(line)
            line.over.add(line.connection)
            line.connection = raw.connection
        said = _said(raw) if raw.kind in ("closed", "tick") else {}
        heard_ns = said.get("heard_ns")
        heard_ns = min(heard_ns, raw.received_ns) if type(heard_ns) is int else None
        if line.is_live and raw.received_ns - line.record_ns > SILENCE_NS:
            self._strict.append((line.strict_ns, line.proven_ns))
            line.strict_ns = raw.received_ns
        line.record_ns = max(line.record_ns, raw.received_ns)
        if (hole or raw.kind == "overflow") and line.is_live:
            self._end(line)
            line.lost_ours = True
            self._begin(raw, line, is_settled)
        if (joins or (said.get("open") is True and said.get("joined") is True)) and not line.is_live:
            self._begin(raw, line, is_settled)
        # When a frame was received proves nothing: after a stall of the connector it is as old as that.
        if line.is_live and heard_ns is not None:
            line.proven_ns = max(line.proven_ns, heard_ns)
        if leaves or raw.kind == "closed" or said.get("open") is False:
            self._end(line)
        if raw.kind == "closed":
            line.over.add(raw.connection)
        self._watch(raw)
        if raw.kind == "tick":
            self._tick(raw, is_settled)

    def is_covered(self, from_ns: int, until_ns: int) -> bool:
        """Return whether somebody listened from ``from_ns`` to after ``until_ns`` without a break."""
        spans = self._union()
        at = bisect_right(spans, from_ns, key=lambda span: span[0]) - 1
        return at >= 0 and spans[at][1] > until_ns

    def is_in_gap(self, at_ns: int, margin_ns: int) -> bool:
        """Return whether nobody listened at some time within ``margin_ns`` of this one."""
        return not self.is_covered(at_ns - margin_ns, at_ns + margin_ns)

    def may_be_doubted(self, from_ns: int, until_ns: int) -> bool:
        """Return whether, as records came, it looked at some time as if nobody had listened throughout."""
        spans = _merged([*self._strict, *((at.strict_ns, at.proven_ns) for at in self._lines.values() if at.is_live)])
        is_covered = any(begin <= from_ns and end > until_ns for begin, end in spans)
        return not is_covered or any(begin <= until_ns and end > from_ns for begin, end in self._doubted)

    @property
    def proven_ns(self) -> int:
        """Until when somebody listened, for all that was on record so far."""
        return self._proven_ns

    def is_proven(self, at_ns: int) -> bool:
        """Return whether a tick that the processors must know says that it was heard after this time."""
        return self._ticked_proven_ns > at_ns

    def was_put_back(self, offset: int, at_ns: int) -> bool:
        """Return whether a clock that was put back may have stamped what came there, by the ticks around it."""
        return any(begin < offset < end and at_ns < ns for begin, (end, ns) in self._put_back.items())

    def tick_after(self, at_ns: int) -> int | None:
        """Return the first time after this one that a tick told."""
        at = bisect_right(self._ticks, at_ns)
        return self._ticks[at] if at < len(self._ticks) else None

    # -- private -----------------------------------------------------------------------------------------------------

    def _tick(self, raw: Raw, is_settled: bool) -> None:
        if not self._ticks or raw.received_ns > self._ticks[-1]:
            self._ticks.append(raw.received_ns)
        if is_settled:
            self.now_ns = max(self.now_ns, raw.received_ns)
            self._ticked_proven_ns = max(self._ticked_proven_ns, self._proven_ns)

    def _begin(self, raw: Raw, line: _Line, is_settled: bool) -> None:
        # A clock put back must not cover what was missed.
        line.since_ns = line.strict_ns = line.proven_ns = max(raw.received_ns, self.newest_ns)
        if line.was_proven_ns is not None and line.since_ns > line.was_proven_ns:
            self.line_gaps.append(
                LineGap(
                    line=raw.line,
                    from_ns=line.was_proven_ns,
                    until_ns=line.since_ns,
                    ours=line.lost_ours,
                    is_settled=is_settled,
                )
            )
        line.lost_ours = False

    def _end(self, line: _Line) -> None:
        if line.since_ns is not None:
            self._spans.append((line.since_ns, line.proven_ns))
            self._strict.append((line.strict_ns, line.proven_ns))
            line.was_proven_ns = line.proven_ns
        line.since_ns = None

    def _watch(self, raw: Raw) -> None:
        """Follow what one who only knows the records so far would take for a gap."""
        live = [line for line in self._lines.values() if line.is_live]
        proven_ns = max((line.proven_ns for line in live), default=0)
        since_ns = min((line.since_ns for line in live if line.since_ns is not None), default=0)
        if not live:
            self._is_down = True
        elif self._is_down or since_ns > self._proven_ns:
            if self._was_ever_up:
                self._doubted.append((self._proven_ns, max(since_ns, raw.received_ns)))
            self._is_down, self._was_ever_up = False, True
        self._proven_ns = max(self._proven_ns, proven_ns)

    def _union(self) -> list[Span]:
        if self._known is None:
            spans = [*self._spans]
            spans += [(line.since_ns, line.proven_ns) for line in self._lines.values() if line.since_ns is not None]
            self._known = _merged(spans)
        return self._known


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _said(raw: Raw) -> dict[str, Any]:
    try:
        said = json.loads(raw.value)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
