"""Raw against a simulator's ledger: every packet it sent is in raw byte for byte, or in a recorded gap.

A ledger numbers the packets of a connection from 1, as the connector does. How a ledger is written, and which of its
connections is which of ours, is each simulator's own: see the forms.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from schemas.errors import ConfigurationError
from tricast.audit.records import Raw
from tricast.audit.report import Report

IN_FLIGHT_NS = 5_000_000_000
"""A packet sent so shortly before the last record of its line may still have been on its way when that was written."""

_BATCH = 5_000


@dataclass(slots=True)
class _Connection:
    sid: str
    line: str
    last_frame: int
    last_ns: int


Sent = tuple[str, int, bytes, int]
"""Connection, number, bytes and time of sending (UTC ns) of a packet."""


class LedgerForm(Protocol):
    """How one simulator writes its ledger."""

    def sent(self, line: Mapping[str, Any]) -> Sent | None:
        """Return what a line says was sent; ``None``: it is about something else.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: It is no line of a ledger.
        """
        ...

    def connection_of(self, raw: Raw) -> str | None:
        """Return which of the ledger's connections the one of ``raw`` is, if this record tells."""
        ...


class Ledger:
    """Fed with the raw records of all partitions; ``finish`` adds what is missing. Memory: little a connection."""

    def __init__(self, path: Path, form: LedgerForm, database: sqlite3.Connection) -> None:
        """Read the ledger into ``database``; a last line cut short by a killed simulator is left out."""
        self._database = database
        self._form = form
        database.execute("CREATE TABLE ledger (sid, n, digest, sent_ns, PRIMARY KEY (sid, n)) WITHOUT ROWID")
        rows = ((sid, n, _digest(packet), sent_ns) for sid, n, packet, sent_ns in _sent(path, form))
        while batch := list(islice(rows, _BATCH)):
            database.execute("BEGIN")
            database.executemany("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?)", batch)
            database.execute("COMMIT")
        self._sids = {str(sid) for (sid,) in database.execute("SELECT DISTINCT sid FROM ledger")}
        self._connections: dict[str, _Connection] = {}
        self._matched = 0
        self._foreign = 0
        self._newest_ns = 0

    def observe(self, raw: Raw, *, repeat: bool, report: Report) -> None:
        """Compare one raw record."""
        self._newest_ns = max(self._newest_ns, raw.received_ns)
        connection = self._connections.get(raw.connection)
        if connection is None:
            sid = self._form.connection_of(raw)
            if sid is not None and sid in self._sids:
                connection = self._connections[raw.connection] = _Connection(sid, raw.line, 0, 0)
        if connection is None:
            self._foreign += raw.kind == "frame"
            return
        connection.last_ns = max(connection.last_ns, raw.received_ns)
        connection.last_frame = max(connection.last_frame, raw.frame)
        if raw.kind == "frame" and not repeat:
            self._compare(raw, connection, report)

    def _compare(self, raw: Raw, connection: _Connection, report: Report) -> None:
        query = "SELECT digest FROM ledger WHERE sid = ? AND n = ?"
        row = self._database.execute(query, (connection.sid, raw.frame)).fetchone()
        where = f"raw {raw.partition}/{raw.offset}, frame {raw.frame} of {raw.line}"
        if row is None:
            report.find("ledger-altered", f"{where}: the simulator sent no such packet to {connection.sid}")
        elif row[0] != _digest(raw.value):
            report.find("ledger-altered", f"{where}: other bytes than the simulator sent")
        else:
            self._matched += 1

    def finish(self, report: Report) -> None:
        """Account for every packet that is not in raw."""
        total = self._database.execute("SELECT COUNT(*) FROM ledger").fetchone()[0]
        in_gaps = in_flight = 0
        known = {connection.sid: (name, connection) for name, connection in self._connections.items()}
        ends = {gap.previous_connection for gap in report.gaps}
        for sid in sorted(self._sids):
            name, connection = known.get(sid, ("", None))
            after = connection.last_frame if connection is not None else 0
            missing = self._database.execute("SELECT n, sent_ns FROM ledger WHERE sid = ? AND n > ?", (sid, after))
            for n, sent_ns in missing:
                last_ns = connection.last_ns if connection is not None else self._newest_ns
                if name in ends or _in_gap(sent_ns, report, connection.line if connection is not None else None):
                    in_gaps += 1
                elif sent_ns > last_ns - IN_FLIGHT_NS:
                    in_flight += 1
                else:
                    report.find("ledger-lost", f"packet {n} of {sid} is neither in raw nor in a recorded gap")
        report.ledger = {
            "packets sent": total,
            "in raw, byte for byte": self._matched,
            "in recorded gaps": in_gaps,
            "on their way at the end": in_flight,
            "frames of other runs": self._foreign,
        }


def _in_gap(sent_ns: int, report: Report, line: str | None) -> bool:
    return any(
        (gap.from_ns is None or gap.from_ns <= sent_ns) and sent_ns <= gap.until_ns
        for gap in report.gaps
        if line in (None, gap.line)
    )


def _sent(path: Path, form: LedgerForm) -> Iterator[Sent]:
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if not text.endswith(b"\n"):
                return  # its simulator was killed
            try:
                sent = form.sent(json.loads(text))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ConfigurationError(f"{path}, line {number} is no line of a ledger: {error!r}") from error
            if sent is not None:
                yield sent


def _digest(packet: bytes) -> bytes:
    return hashlib.blake2b(packet, digest_size=12).digest()
