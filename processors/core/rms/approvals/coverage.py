"""How far nothing can have been missed: the union of what the sockets of a customer cover.

A socket covers from joining on until when its connector says that all was read: a message that came after that time
proves it, since a connection keeps the order. When a message was received proves nothing by itself: after a stall of
the connector it may be as old as the stall, and what was sent after it may be lost. The vendor sends to every joined
socket, so one of them is enough.

What is told of a customer is one uninterrupted run of that union. It is followed as long as a live socket hangs
together with it, even when another that joined later was heard later: the first may still prove what lies between. So
neither end of a run ever goes back, and the next run begins after the end of the one before: a gap is one for good.
"""

from collections.abc import Sequence

import msgspec


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Covered from ``since_ns`` to ``until_ns`` without a hole, UTC ns."""

    since_ns: int
    until_ns: int


def follow(run: Run | None, live: Sequence[Run], ended: Sequence[Run] = ()) -> list[Run | None]:
    """Return what the customer's run comes to: one run, or the end of the old one and what follows it.

    Args:
        run: The run told last; ``None``: there is none.
        live: What each joined socket covers by now; not yet heard of after joining, its end lies before its start.
        ended: What sockets covered that are gone with this record.
    """
    told: list[Run | None] = []
    if run is not None:
        grown = _grow(run, [*live, *ended])
        if any(cover.since_ns <= grown.until_ns for cover in live):
            return [grown]
        if grown != run:
            told.append(grown)
    begun = [cover for cover in live if cover.since_ns <= cover.until_ns]
    first = min(begun, key=lambda cover: (cover.since_ns, cover.until_ns), default=None)
    told.append(None if first is None else _grow(first, begun))
    return told


def _grow(run: Run, covers: Sequence[Run]) -> Run:
    until_ns = run.until_ns
    for cover in sorted(covers, key=lambda cover: cover.since_ns):
        if cover.since_ns <= until_ns:
            until_ns = max(until_ns, cover.until_ns)
    return Run(run.since_ns, until_ns)
