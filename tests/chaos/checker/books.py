"""One feed's ledger and its raw topic side by side, and which of the vendor's connections is which of ours."""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.checker.ledgers import Connected, Entry, Left, Sent, digest
from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Verdict

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
        connection.frames += kind == "frame"
        self._database.execute("INSERT INTO got VALUES (?, ?, ?)", (connection.name, record.number, there))

    def _control(self, connection: Connection, record: Record, kind: str, verdict: Verdict) -> None:
        try:
            told: dict[str, Any] = json.loads(record.value or b"")
            match kind:
                case "opened":
                    # Control records are written again, too, when it is not known whether they came to Kafka.
                    if connection.last > 0 and not connection.is_opened:
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
