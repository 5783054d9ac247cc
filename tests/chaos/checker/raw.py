"""Ledgers against raw, line by line: everything that the vendor sent is there byte for byte, or in a recorded gap.

A gap of a line runs from the last frame of one connection to the next ``opened``, or is told as frames that were
numbered and lost (``overflow``, holes). It has to be on record, and no wider than the line was really down.
"""

import json
import sqlite3
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.checker.history import Cause
from tests.chaos.checker.ledgers import Connected, Entry, Left, Sent, digest
from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Verdict

SLACK_NS = 5_000_000_000
"""What a gap may be wider than its line was down, on either side; what was on its way is in it."""
_VOTES = 40
_NUMBERED = frozenset({"frame", "snapshot"})


@dataclass(slots=True)
class Connection:
    """One connection as raw has it.

    Attributes:
        spans: Frames that were lost and told of: first and last.
        last: Greatest number of a frame or snapshot that is there.
        frames: How many frames of the vendor's are there.
    """

    name: str
    line: str
    opened_ns: int
    previous: str | None = None
    is_opened: bool = False
    closed_ns: int | None = None
    last: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)
    frames: int = 0
    sid: str | None = None


class Books:
    """Ledger and raw of one feed side by side; in a database, as either may be large."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE sent (sid, n, at_ns, digest, PRIMARY KEY (sid, n)) WITHOUT ROWID")
        self._database.execute("CREATE TABLE got (name, n, digest, PRIMARY KEY (name, n)) WITHOUT ROWID")
        self.connects: dict[str, Connected] = {}
        self.left: dict[str, int] = {}
        self.connections: dict[str, Connection] = {}
        self.lines: defaultdict[str, list[Connection]] = defaultdict(list)

    def take_ledger(self, entries: Iterable[Entry]) -> None:
        """Read the vendor's side."""
        for entry in entries:
            match entry:
                case Connected():
                    self.connects[entry.connection] = entry
                case Left():
                    self.left[entry.connection] = entry.at_ns
                case Sent():
                    row = (entry.connection, entry.number, entry.at_ns, digest(entry.packet))
                    self._database.execute("INSERT OR REPLACE INTO sent VALUES (?, ?, ?, ?)", row)

    def take_raw(self, records: Iterable[Record], verdict: Verdict) -> None:
        """Read our side, each partition in its order."""
        for record in records:
            kind, name = record.header("tc-kind"), record.header("tc-connection")
            if kind == "replay":
                continue  # a request to do an old part again, from no vendor
            if not name or record.number < 0:
                verdict.find("unreadable", f"{record.place}: no tc- headers")
                continue
            connection = self.connections.get(name)
            if connection is None:
                connection = Connection(name, record.header("tc-line"), record.received_ns)
                self.connections[name] = connection
                self.lines[connection.line].append(connection)
            if kind in _NUMBERED:
                self._frame(connection, record, kind, verdict)
            else:
                self._control(connection, record, kind, verdict)

    def _frame(self, connection: Connection, record: Record, kind: str, verdict: Verdict) -> None:
        verdict.count(f"{record.header('tc-feed')}: {kind}s in raw")
        there = digest(record.value or b"")
        found = self._database.execute(
            "SELECT digest FROM got WHERE name = ? AND n = ?", (connection.name, record.number)
        ).fetchone()
        where = f"{record.place}: frame {record.number} of {connection.line}, {connection.name}"
        if found is not None:
            verdict.count(f"{record.header('tc-feed')}: repeats in raw")
            if found[0] != there:
                verdict.find("duplicated", f"{where} is there before with other bytes")
            return
        if record.number < connection.last:
            verdict.find("reordered", f"{where} comes after frame {connection.last}")
        connection.last = max(connection.last, record.number)
        if kind == "frame":
            connection.frames += 1
            self._database.execute("INSERT INTO got VALUES (?, ?, ?)", (connection.name, record.number, there))

    def _control(self, connection: Connection, record: Record, kind: str, verdict: Verdict) -> None:
        try:
            told: dict[str, Any] = json.loads(record.value or b"")
            match kind:
                case "opened":
                    if connection.last > 0:
                        verdict.find("reordered", f"{record.place}: opened comes after frames of {connection.name}")
                    connection.is_opened = True
                    connection.previous = told.get("previous_connection")
                case "overflow":
                    connection.spans.append((told["first_frame"], told["last_frame"]))
                    verdict.count(f"{record.header('tc-feed')}: frames told as overflow", told["lost"])
                case "closed":
                    connection.closed_ns = record.received_ns
                case _:
                    pass
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            verdict.find("unreadable", f"{record.place}: {kind} {error!r}")

    # Which connection of the vendor's is which of ours: the one whose packets it has.

    def marry(self) -> None:
        """Find each connection's counterpart by what came over it, else by when it began."""
        self._database.execute("CREATE INDEX by_digest ON sent (digest)")
        votes: list[tuple[int, str, str]] = []
        for name in self.connections:
            counted: Counter[str] = Counter()
            frames = self._database.execute(
                "SELECT n, digest FROM got WHERE name = ? ORDER BY n LIMIT ?", (name, _VOTES)
            ).fetchall()
            for n, there in frames:
                same = self._database.execute("SELECT sid FROM sent WHERE digest = ? AND n = ? LIMIT 200", (there, n))
                counted.update(sid for (sid,) in same)
            best = max(counted.values(), default=0)
            votes += [(number, name, sid) for sid, number in counted.items() if number >= best - 1]
        votes.sort(key=lambda vote: (-vote[0], self._apart_ns(vote[1], vote[2])))
        taken: set[str] = set()
        for _, name, sid in votes:
            if self.connections[name].sid is None and sid not in taken:
                self.connections[name].sid = sid
                taken.add(sid)

    def _apart_ns(self, name: str, sid: str) -> int:
        connect = self.connects.get(sid)
        return abs(self.connections[name].opened_ns - connect.at_ns) if connect else 1 << 62

    def sids(self) -> list[str]:
        """Return the vendor's connections, by time."""
        return sorted(self.connects, key=lambda sid: self.connects[sid].at_ns)

    def differing(self, connection: Connection) -> list[int]:
        """Return the frames of a connection that are not what was sent under their number."""
        asked = self._database.execute(
            "SELECT got.n FROM got LEFT JOIN sent ON sent.sid = ? AND sent.n = got.n"
            " WHERE got.name = ? AND (sent.digest IS NULL OR sent.digest <> got.digest)",
            (connection.sid, connection.name),
        )
        return [n for (n,) in asked]

    def missing(self, sid: str, name: str) -> list[tuple[int, int]]:
        """Return number and time of what was sent over a connection and is not in raw."""
        asked = self._database.execute(
            "SELECT n, at_ns FROM sent WHERE sid = ?"
            " AND NOT EXISTS (SELECT 1 FROM got WHERE name = ? AND got.n = sent.n) ORDER BY n",
            (sid, name),
        )
        return [(int(n), int(at_ns)) for n, at_ns in asked]

    def delivered(self, line: str) -> list[int]:
        """Return when what is in raw of a line was sent, rising."""
        times: list[int] = []
        for connection in self.lines[line]:
            asked = self._database.execute(
                "SELECT at_ns FROM sent JOIN got ON got.n = sent.n AND got.name = ? WHERE sent.sid = ?",
                (connection.name, connection.sid),
            )
            times += [at_ns for (at_ns,) in asked]
        return sorted(times)

    def total(self) -> int:
        """Return how many packets the vendor sent."""
        return int(self._database.execute("SELECT COUNT(*) FROM sent").fetchone()[0])


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
    """Account for a connection of which nothing is in raw: it was lost before its first frame was in Kafka."""
    feed_path = books.connects[sid].feed
    lines = [line for line in downs if not feed_path or line.rpartition("@")[0] == feed_path or line == feed_path]
    inside = [any(since <= at_ns <= until for line in lines for since, until in downs[line]) for _, at_ns in missing]
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
