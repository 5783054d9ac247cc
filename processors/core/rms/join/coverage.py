"""Where something may have been missed: the gaps between what a customer's time told to be covered."""

from typing import Final

from processors.core.rms.join.entries import Clock
from schemas.rms.pending import Time

MAX_GAPS: Final = 256
"""Gaps kept of a customer. The two oldest become one, with what is between: doubt may grow, never shrink."""

Gap = tuple[int, int]
"""From, to: UTC ns."""


def take_time(clock: Clock, time: Time) -> tuple[Gap | None, bool]:
    """Advance a customer's time.

    Returns:
        The gap that ended, if one did; and whether coverage began, ended or was interrupted.
    """
    clock.now_ns = max(clock.now_ns, time.now_ns)
    clock.by_code = time.by_code
    before, since = clock.since_ns, time.since_ns
    if since is None:
        if before is not None:
            clock.since_ns, clock.down_ns = None, clock.proven_ns
        return None, before is not None
    proven = since if time.proven_ns is None else time.proven_ns
    if before == since:
        clock.proven_ns = max(clock.proven_ns, proven)
        return None, False
    down = clock.proven_ns if clock.down_ns is None else clock.down_ns
    gap = (down, since) if since > down else None
    if gap is not None:
        clock.gaps.append(gap)
        if len(clock.gaps) > MAX_GAPS:
            clock.gaps[:2] = [(clock.gaps[0][0], clock.gaps[1][1])]
    clock.since_ns, clock.down_ns = since, None
    clock.proven_ns = max(clock.proven_ns, proven)
    return gap, True


def overlaps(gap: Gap, first_ns: int, last_ns: int) -> bool:
    """Tell whether something received in an interval, its ends included, may have been missed.

    At a gap's end a socket had joined; at its begin the last message had come, and whether another followed at the
    same time nobody knows.
    """
    return gap[0] <= last_ns and gap[1] > first_ns


def is_gapped(clock: Clock, first_ns: int, last_ns: int) -> bool:
    """Tell whether anything in an interval may have been missed, as far as is known now."""
    if clock.down_ns is not None and clock.down_ns <= last_ns:
        return True
    return any(overlaps(gap, first_ns, last_ns) for gap in reversed(clock.gaps))
