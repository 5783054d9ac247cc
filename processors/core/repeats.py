"""Repeats and holes: raw topics are at least once, and frames are numbered, so both can be told exactly.

A spool or a producer may send a frame twice; the second is dropped. A number that never comes is our own loss
(the connector stamped the frame, Kafka never got it), which is a different thing from a loss at the vendor.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import orjson

REMEMBERED_CONNECTIONS = 8
"""Connections of one line whose last number is kept, newest last: a drained spool may repeat the one before."""

Verdict = Literal["new", "repeat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one stamped record turned out to be, and the numbers missing before it (first, last), if any."""

    verdict: Verdict
    missing: tuple[int, int] | None = None


_NEW = Seen(verdict="new")
_REPEAT = Seen(verdict="repeat")


@dataclass(slots=True)
class _Line:
    last_frames: dict[str, int] = field(default_factory=dict)
    """Connection to the highest number seen on it, oldest connection first."""


class RepeatFilter:
    """Follow the frame numbers of every line of one partition; feed records in their order."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._changed: set[str] = set()

    def observe(self, line: str, connection: str, frame: int, *, numbered: bool) -> Seen:
        """Record one stamped record and say whether it is new.

        Args:
            line: ``tc-line``.
            connection: ``tc-connection``.
            frame: ``tc-frame``; of a control record the number of the last frame before it.
            numbered: True for frames, which own their number; control records are never repeats by number.
        """
        state = self._lines.get(line)
        if state is None:
            state = self._lines[line] = _Line()
        frames = state.last_frames
        last = frames.get(connection)
        if last is None:
            last = frames[connection] = 0
            while len(frames) > REMEMBERED_CONNECTIONS:
                del frames[next(iter(frames))]
            self._changed.add(line)
        if numbered and frame <= last:
            return _REPEAT
        if frame <= last:
            return _NEW
        frames[connection] = frame
        self._changed.add(line)
        first_missing = last + 1
        last_missing = frame - 1 if numbered else frame
        if first_missing <= last_missing:
            return Seen(verdict="new", missing=(first_missing, last_missing))
        return _NEW

    def take_changes(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield line and encoded state of every line that changed since the last call."""
        for line in sorted(self._changed):
            yield line.encode(), orjson.dumps(self._lines[line].last_frames)
        self._changed.clear()

    def restore(self, line: bytes, value: bytes) -> None:
        """Load one line's state, as ``take_changes`` gave it."""
        self._lines[line.decode()] = _Line(orjson.loads(value))

    def forget(self, line: bytes) -> None:
        """Drop one line's state, for a deletion in the changelog."""
        self._lines.pop(line.decode(), None)

    def clear(self) -> None:
        """Forget everything, for a restore from the changelog's beginning."""
        self._lines.clear()
        self._changed.clear()
