"""Copies whose ``t`` differs from line to line, for a vendor that stamps each routing key by itself.

Whether Kambi does is not documented (fact sheet §4, §11); the setting ``copy_skew_ms`` says how far apart such times
may be. A fact is a copy if another line said the same value within the skew and this line has not matched that yet.
The facts of one entity lie in buckets of time; two hold all that may match.

An entity that changes faster than twice the skew, there and back, may end with the wrong one of its values until a
snapshot: then no rule over times alone can tell a copy from a change. So the setting should be no larger than it must.
"""

from collections.abc import Iterator
from typing import Final, Literal

from processors.core.kambi.dedupe import Sighting, entry_key

_LEAST_SPAN_MS: Final = 1_000
_LINE_BITS: Final = 32
_LATE: Final = 0
"""In place of a line's number: the fact went out late."""

Lines = dict[int, int]
"""Time in the bucket and line, in one number → how often the line said the fact then."""


class NewFact:
    """A fact that is new, so that it can be marked when it turns out to be late."""

    __slots__ = ("_lines", "_offset")

    def __init__(self, lines: Lines, offset: int) -> None:
        self._lines = lines
        self._offset = offset

    def mark_late(self) -> None:
        """Have no later ``t`` be taken for a copy of it: that one may be the current value."""
        self._lines[self._offset << _LINE_BITS | _LATE] = 1


class NearSighting:
    """The facts of one frame, seen on one line, whose copies may differ in ``t``.

    Args:
        sighting: The facts of the frame; what is seen here is written with it.
        line: Number of the line.
        skew_ms: How far copies may be apart.
    """

    __slots__ = ("_line", "_sighting", "_skew_ms", "_span_ms")

    def __init__(self, sighting: Sighting, line: int, skew_ms: int) -> None:
        self._sighting = sighting
        self._line = line
        self._skew_ms = skew_ms
        self._span_ms = max(2 * skew_ms, _LEAST_SPAN_MS)

    def observe(self, identity: str, t: int, fact: int) -> NewFact | Literal["equal", "near"]:
        """Count ``fact``, said at ``t`` (ms), once more on this line; return it if it is new, else what copy it is.

        Args:
            identity: ``event|mt|entity``.
            t: The vendor's time.
            fact: Number of the value, which has no time in it.
        """
        copied = self._oldest(identity, t, fact)
        bucket, offset = divmod(t, self._span_ms)
        if copied is not None:
            said, lines, mine = copied
            lines[mine] = lines.get(mine, 0) + 1
            return "equal" if said == t else "near"
        lines = self._sighting.lines_of(self._key(identity, bucket), fact)
        mine = offset << _LINE_BITS | self._line
        lines[mine] = lines.get(mine, 0) + 1
        return NewFact(lines, offset)

    def _key(self, identity: str, bucket: int) -> bytes:
        return entry_key(f"{identity}|~{bucket}")

    def _oldest(self, identity: str, t: int, fact: int) -> tuple[int, Lines, int] | None:
        """Return when the oldest fact was said that this line has not matched, and where its copy is to be counted.

        The oldest, not the nearest: each line is in order, so the first of its facts is a copy of the first.
        """
        first, last = (t - self._skew_ms) // self._span_ms, (t + self._skew_ms) // self._span_ms
        for bucket in range(first, last + 1):
            lines = self._sighting.known_lines_of(self._key(identity, bucket), fact)
            for offset in sorted({key >> _LINE_BITS for key in lines}):
                said = bucket * self._span_ms + offset
                if abs(said - t) <= self._skew_ms and self._is_unmatched(lines, offset, said < t):
                    return said, lines, offset << _LINE_BITS | self._line
        return None

    def _is_unmatched(self, lines: Lines, offset: int, is_earlier: bool) -> bool:
        if is_earlier and offset << _LINE_BITS | _LATE in lines:
            return False
        return lines.get(offset << _LINE_BITS | self._line, 0) < max(_said_at(lines, offset), default=0)


def _said_at(lines: Lines, offset: int) -> Iterator[int]:
    """Yield how often each line said the fact at one time."""
    return (
        count for key, count in lines.items() if key >> _LINE_BITS == offset and key & ((1 << _LINE_BITS) - 1) != _LATE
    )
