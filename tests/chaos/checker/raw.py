"""Ledgers against raw, line by line: everything that the vendor sent is there byte for byte, or in a recorded gap.

A gap of a line runs from the last frame of one connection to the next ``opened``, or is told as frames that were
numbered and lost (``overflow``, holes). It has to be on record, and no wider than the line was really down.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.chaos.checker.books import Books, Connection
from tests.chaos.checker.history import Cause
from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Verdict

SLACK_NS = 5_000_000_000
"""What a gap may be wider than its line was down, on either side; what was on its way is in it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the health topic says was lost of a line: connections and frames, or an interval (UTC ns)."""

    line: str
    connection: str
    previous: str | None = None
    frames: tuple[int, int] | None = None
    interval: tuple[int, int] | None = None


def told_gaps(health: Iterable[Record]) -> list[Told]:
    """Return the gaps that a feed's health topic tells of."""
    gaps = []
    for record in health:
        if record.value is None or ".line.health." not in record.header("ce_type"):
            continue
        said = json.loads(record.value)
        previous = said.get("previous_connection")
        if said["state"] != "gapped" and previous is None:
            continue
        frames = (said["first_frame"], said["last_frame"]) if "first_frame" in said else None
        interval = (said["since_ns"], said["until_ns"]) if "until_ns" in said else None
        gaps.append(Told(said["line"], said.get("connection", ""), previous, frames, interval))
    return gaps


def judge_raw(
    feed: str,
    books: Books,
    gaps: Sequence[Told],
    causes: Sequence[Cause],
    verdict: Verdict,
    *,
    quiet_ns: int,
    last_ns: int = 1 << 62,
) -> None:
    """Account for every packet of the ledger.

    Args:
        feed: Its name.
        books: Both sides, read.
        gaps: What the health topic tells of.
        causes: What may have taken lines down.
        verdict: Where findings go.
        quiet_ns: What was sent after this is not asked for.
        last_ns: When the last connector was told to end, for good.
    """
    books.marry()
    verdict.count(f"{feed}: packets sent", books.total())
    by_sid = {connection.sid: connection for connection in books.connections.values() if connection.sid}
    followed = {
        connection.previous: connection for connection in books.connections.values() if connection.previous is not None
    }
    downs = {line: _downs(books, line, causes) for line in books.lines}
    for connection in books.connections.values():
        if connection.sid is None:
            if connection.frames:
                verdict.find("lost", f"{connection.line}, {connection.name}: the vendor never sent any of its frames")
            continue
        for n in books.differing(connection):
            verdict.find("lost", f"{connection.line}, {connection.name}: frame {n} has other bytes than were sent")
    for sid in books.sids():
        connection = by_sid.get(sid)
        missing = [(n, at_ns) for n, at_ns in books.missing(sid, connection.name if connection else "") if n]
        late = sum(at_ns >= quiet_ns for _, at_ns in missing)
        verdict.count(f"{feed}: packets sent after the end", late)
        missing = [(n, at_ns) for n, at_ns in missing if at_ns < quiet_ns]
        if not missing:
            continue
        if connection is None:
            _unheard(feed, sid, missing, books, downs, verdict)
        else:
            _judge_missing(feed, connection, missing, followed.get(connection.name), gaps, downs, last_ns, verdict)


def _judge_missing(
    feed: str,
    connection: Connection,
    missing: list[tuple[int, int]],
    following: Connection | None,
    gaps: Sequence[Told],
    downs: dict[str, list[tuple[int, int]]],
    last_ns: int,
    verdict: Verdict,
) -> None:
    name = f"{connection.line}, {connection.name}"
    spans = connection.spans + [
        gap.frames for gap in gaps if gap.connection == connection.name and gap.frames is not None
    ]
    tail: list[tuple[int, int]] = []
    for n, at_ns in missing:
        if any(first <= n <= last for first, last in spans):
            verdict.count(f"{feed}: packets in recorded holes and overflows")
            _is_down(name, n, at_ns, downs[connection.line], verdict)
        elif n < connection.last:
            verdict.find("gap-not-recorded", f"{name}: packet {n} is neither in raw nor in a hole that was told of")
        else:
            tail.append((n, at_ns))
    if not tail:
        return
    if following is None and connection.closed_ns is not None and connection.closed_ns >= last_ns:
        # The connector ended for good: what it did not get before is in the gap that its next start would tell of.
        verdict.count(f"{feed}: packets in gaps that were open when the connector ended", len(tail))
    elif not _is_told(connection, following, tail, gaps):
        why = "no connection says that it follows" if following is None else "the health topic does not tell of it"
        verdict.find(
            "gap-not-recorded",
            f"{name}: packets {tail[0][0]} to {tail[-1][0]} are not in raw, and {why} (last sent {tail[-1][1]})",
        )
        return
    else:
        verdict.count(f"{feed}: packets in recorded gaps", len(tail))
    for n, at_ns in tail:
        if not _is_down(name, n, at_ns, downs[connection.line], verdict):
            break


def _is_told(
    connection: Connection, following: Connection | None, tail: list[tuple[int, int]], gaps: Sequence[Told]
) -> bool:
    for gap in gaps:
        if gap.line != connection.line:
            continue
        if gap.previous == connection.name:
            return following is not None
        if gap.interval is not None:
            since_ns, until_ns = gap.interval
            # Packets sent after the gap's end went to a socket that nobody held any more.
            if since_ns - SLACK_NS <= tail[0][1] <= until_ns + SLACK_NS:
                return True
    return False


def _is_down(name: str, n: int, at_ns: int, downs: list[tuple[int, int]], verdict: Verdict) -> bool:
    """Tell whether the line was down then; find it too wide otherwise."""
    if any(since <= at_ns <= until for since, until in downs):
        return True
    before = max((until for _, until in downs if until < at_ns), default=None)
    after = min((since for since, _ in downs if since > at_ns), default=None)
    near = [
        f"{(at_ns - before + SLACK_NS) / 1e9:.1f} s after it was up again" if before is not None else "",
        f"{(after + SLACK_NS - at_ns) / 1e9:.1f} s before it went down" if after is not None else "",
    ]
    verdict.find("gap-too-wide", f"{name}: packet {n} was sent while the line was up ({', '.join(filter(None, near))})")
    return False


def judge_intervals(
    books: Books, gaps: Sequence[Told], causes: Sequence[Cause], verdict: Verdict, *, beside_ns: int
) -> None:
    """Judge gaps that are told as intervals: what of one lies where its line was up is no more than ``beside_ns``."""
    for gap in gaps:
        if gap.interval is None or gap.line not in books.lines:
            continue
        since_ns, until_ns = gap.interval
        verdict.count("gaps told as intervals")
        verdict.greatest("longest gap told as an interval, s", round((until_ns - since_ns) / 1e9, 1))
        up_ns, at_ns = 0, since_ns
        for down_ns, again_ns in sorted(_downs(books, gap.line, causes)):
            up_ns += max(0, min(down_ns, until_ns) - at_ns)
            at_ns = max(at_ns, again_ns)
        up_ns += max(0, until_ns - at_ns)
        if up_ns > beside_ns:
            text = f"{gap.line}: of {since_ns} to {until_ns} the line was up for {up_ns / 1e9:.1f} s"
            verdict.find("gap-too-wide", text)


def _unheard(
    feed: str,
    sid: str,
    missing: list[tuple[int, int]],
    books: Books,
    downs: dict[str, list[tuple[int, int]]],
    verdict: Verdict,
) -> None:
    """Account for a connection of which nothing is in raw: it was lost before its first frame was in Kafka.

    Before its line delivered anything at all, its greeting is no loss: nothing had been asked for yet.
    """
    feed_path = books.connects[sid].feed
    lines = [line for line in downs if not feed_path or line.rpartition("@")[0] == feed_path or line == feed_path]
    outsets = [(0, first_ns) for line in lines for first_ns in books.delivered(line)[:1]]
    spans = outsets + [span for line in lines for span in downs[line]]
    inside = [any(since <= at_ns <= until for since, until in spans) for _, at_ns in missing]
    verdict.count(f"{feed}: packets of connections that never came to raw", sum(inside))
    for (n, _), is_inside in zip(missing, inside, strict=True):
        if not is_inside:
            verdict.find("gap-not-recorded", f"{feed}: packet {n} of the vendor's connection {sid}, unknown in raw")
            break


def _downs(books: Books, line: str, causes: Sequence[Cause]) -> list[tuple[int, int]]:
    """Return when a line was really down, with slack: from a cause until it delivered something again."""
    delivered = books.delivered(line)
    spans = [(cause.since_ns, cause.until_ns) for cause in causes]
    spans += [
        (books.left[connection.sid], books.left[connection.sid])
        for connection in books.lines[line]
        if connection.sid in books.left
    ]
    downs = []
    for since_ns, until_ns in spans:
        place = bisect_left(delivered, until_ns)
        up_ns = delivered[place] if place < len(delivered) else 1 << 62
        downs.append((since_ns - SLACK_NS, up_ns + SLACK_NS))
    return downs
