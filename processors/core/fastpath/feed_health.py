"""How far to trust what one feed says: of all that is wrong with it, the worst."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from processors.core.fastpath.connections import CONNECTED, DISCONNECTED, UNKNOWN
from processors.core.fastpath.line_entries import FeedEntry, Line
from schemas.fastpath.health import FeedState

BURST_S: Final = 30
"""How long after its last packet a burst of what was collected offline counts as going on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of a feed, why, and the vendor's own word for it if there is one."""

    state: FeedState
    reason: str
    vendor_state: str | None = None
    vendor_time: str | None = None


_LIVE: Final = Verdict("live", "delivering")


def judge(entry: FeedEntry, lines: Sequence[Line], *, repairing: int, now_s: int) -> Verdict:
    """Return how a feed stands.

    Args:
        entry: What is known of it.
        lines: Its lines, in the order of their names.
        repairing: Gaps with a repair asked for.
        now_s: Stream time, seconds.
    """
    return next(_troubles(entry, lines, repairing, now_s), _LIVE)


def _troubles(entry: FeedEntry, lines: Sequence[Line], repairing: int, now_s: int) -> Iterator[Verdict]:
    """Yield what is wrong, the worst first."""
    upstream, collecting = entry.upstream, entry.collecting
    if not any(line.is_open for line in lines):
        yield Verdict("down", max(lines, key=lambda line: line.ended_ns).reason if lines else "closed")
    if collecting.collection == "dropped":
        yield Verdict("down", "collection-dropped", collecting.status)
    if collecting.collection == "suspended":
        yield Verdict("suspended", "collection-suspended", collecting.status)
    if upstream.state == DISCONNECTED:
        yield Verdict("stale", "upstream-disconnected", upstream.state, upstream.vendor_time)
    if repairing:
        yield Verdict("repairing", "repair-asked")
    if entry.burst_s and now_s - entry.burst_s <= BURST_S:
        yield Verdict("backfilling", "late-burst")
    if upstream.state not in {CONNECTED, UNKNOWN}:
        yield Verdict("suspect", "upstream-doubtful", upstream.state, upstream.vendor_time)
    if doubtful := [part for part in entry.parts.values() if part.state not in {CONNECTED, UNKNOWN}]:
        yield Verdict("suspect", "upstream-doubtful", doubtful[-1].state, doubtful[-1].vendor_time)
    if any(line.is_open and line.is_silent for line in lines):
        yield Verdict("suspect", "line-silent")
