"""Where replayed and real records are laid side by side, in a scratch file: memory does not grow with the window."""

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from schemas.raw import Header
from schemas.replay import Position
from tricast.replay.difference import differences
from tricast.replay.report import Report
from tricast.replay.window import Windows
from tricast.replay.written import Written

_TABLES = """
CREATE TABLE expected (
    id INTEGER PRIMARY KEY, task TEXT, topic TEXT, partition INT, "key" BLOB, kind TEXT, named INT, inside INT,
    identity BLOB, digest BLOB, record BLOB, at INT, verdict TEXT
);
CREATE INDEX by_identity ON expected (topic, identity, id);
CREATE TABLE extra (topic TEXT, partition INT, at INT, "key" BLOB, kind TEXT, named INT, record BLOB);
CREATE TABLE newest (topic TEXT, "key" BLOB, expected INT, PRIMARY KEY (topic, "key"));
CREATE TABLE begins (topic TEXT, partition INT, at INT, PRIMARY KEY (topic, partition));
"""


class _Packed(msgspec.Struct, array_like=True):
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]
    timestamp: int


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)


class Bench:
    """First everything that is expected, then everything that is there, then the verdict.

    Args:
        database: A scratch file.
        windows: What is compared.
        compacted: Registry names of topics from which Kafka removes what a later record of its key replaces.
    """

    def __init__(self, database: sqlite3.Connection, windows: Windows, compacted: frozenset[str]) -> None:
        self._database = database
        self._windows = windows
        self._compacted = compacted
        database.executescript(_TABLES)

    def expect(self, task: str, written: Iterable[Written], *, inside: bool) -> None:
        """Add what the replay of one task wrote, in order.

        Args:
            task: Processor and source partition.
            written: Its records.
            inside: Whether their sources are compared. Of others only those are kept that do not name their source:
                by them real records of that time are known for what they are.
        """
        rows = (
            (
                task,
                record.topic,
                record.partition,
                record.key,
                record.kind,
                record.source is not None,
                inside,
                record.identity,
                record.digest,
                _pack(record) if inside else None,
            )
            for record in written
            if inside or record.source is None
        )
        self._database.execute("BEGIN")
        self._database.executemany(
            'INSERT INTO expected (task, topic, partition, "key", kind, named, inside, identity, digest, record)'
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._database.execute("COMMIT")

    def begins(self, topic: str, partition: int, offset: int) -> None:
        """Say which record of an output partition is the first that Kafka still has."""
        self._database.execute("INSERT INTO begins VALUES (?, ?, ?)", (topic, partition, offset))

    def observe(self, real: Iterable[tuple[Written, int]]) -> None:
        """Take real records with their offsets, those of each partition in order."""
        self._database.execute("BEGIN")
        for record, offset in real:
            self._one(record, offset)
        self._database.execute("COMMIT")

    def judge(self, report: Report) -> None:
        """Count everything into ``report``, with texts where something is wrong."""
        self._pair_nameless()
        self._excuse()
        for topic, kind, verdict, number in self._database.execute(
            "SELECT topic, kind, verdict, count(*) FROM expected WHERE inside GROUP BY topic, kind, verdict"
        ):
            report.count(topic, kind, verdict or "missing", number)
        for topic, kind, number in self._database.execute(
            "SELECT topic, kind, count(*) FROM extra GROUP BY topic, kind"
        ):
            report.count(topic, kind, "extra", number)
        self._show(report)
        self._order(report)

    # -- private -----------------------------------------------------------------------------------------------------

    def _one(self, record: Written, offset: int) -> None:
        database = self._database
        if record.source is not None and not self._windows.holds(record.source, record.timestamp):
            self._note_newest(record, None)
            return
        found = database.execute(
            "SELECT id, digest, inside FROM expected WHERE topic = ? AND identity = ? AND at IS NULL"
            " ORDER BY id LIMIT 1",
            (record.topic, record.identity),
        ).fetchone()
        self._note_newest(record, found[0] if found is not None else None)
        if found is None:
            if self._windows.holds(record.source, record.timestamp):
                database.execute(
                    "INSERT INTO extra VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (
                        record.topic,
                        record.partition,
                        offset,
                        record.key,
                        record.kind,
                        record.source is not None,
                        _pack(record),
                    ),
                )
            return
        number, digest, inside = found
        verdict = "equal" if digest == record.digest or not inside else "different"
        database.execute("UPDATE expected SET at = ?, verdict = ? WHERE id = ?", (offset, verdict, number))
        if verdict == "different":
            self._keep(number, record)

    def _keep(self, number: int, actual: Written) -> None:
        ((expected,),) = self._database.execute("SELECT record FROM expected WHERE id = ?", (number,))
        both = _ENCODER.encode([expected, _pack(actual)])
        self._database.execute("UPDATE expected SET record = ? WHERE id = ?", (both, number))

    def _note_newest(self, record: Written, expected: int | None) -> None:
        if record.topic in self._compacted:
            self._database.execute(
                "INSERT OR REPLACE INTO newest VALUES (?, ?, ?)", (record.topic, record.key, expected)
            )

    def _pair_nameless(self) -> None:
        """Records without an id that are missing and others of their type and key that are extra: the same, changed."""
        missing = self._database.execute(
            'SELECT id, topic, kind, "key" FROM expected'
            " WHERE inside AND NOT named AND verdict IS NULL ORDER BY topic, id"
        ).fetchall()
        for number, topic, kind, key in missing:
            found = self._database.execute(
                'SELECT rowid, partition, at, record FROM extra WHERE topic = ? AND kind = ? AND "key" IS ?'
                " AND NOT named ORDER BY partition, at LIMIT 1",
                (topic, kind, key),
            ).fetchone()
            if found is None:
                continue
            row, _, at, record = found
            self._database.execute("DELETE FROM extra WHERE rowid = ?", (row,))
            self._database.execute("UPDATE expected SET at = ?, verdict = 'different' WHERE id = ?", (at, number))
            self._keep(number, _unpack(topic, record))

    def _excuse(self) -> None:
        """Name what is missing because Kafka removed it: compacted away, or older than the topic's first record."""
        for topic in self._compacted:
            self._database.execute(
                "UPDATE expected SET verdict = 'compacted' WHERE topic = ? AND inside AND verdict IS NULL AND ("
                ' EXISTS (SELECT 1 FROM newest AS n WHERE n.topic = expected.topic AND n."key" IS expected."key"'
                "  AND (n.expected IS NULL OR n.expected > expected.id))"
                " OR kind = 'tombstone' OR EXISTS (SELECT 1 FROM expected AS later WHERE later.topic = expected.topic"
                '  AND later."key" IS expected."key" AND later.id > expected.id AND later.kind = \'tombstone\'))',
                (topic,),
            )
        self._database.execute(
            "CREATE TEMP TABLE first_found AS SELECT task, topic, partition, min(id) AS id FROM expected"
            " WHERE verdict IN ('equal', 'different') GROUP BY task, topic, partition"
        )
        self._database.execute(
            "UPDATE expected SET verdict = 'expired' WHERE inside AND verdict IS NULL"
            " AND EXISTS (SELECT 1 FROM begins AS b WHERE b.topic = expected.topic AND b.partition = expected.partition"
            "  AND b.at > 0)"
            " AND NOT EXISTS (SELECT 1 FROM first_found AS f WHERE f.task = expected.task AND f.topic = expected.topic"
            "  AND f.partition = expected.partition AND f.id < expected.id)"
        )

    def _show(self, report: Report) -> None:
        shown = report.shown
        for task, topic, kind, at, both in self._database.execute(
            "SELECT task, topic, kind, at, record FROM expected WHERE verdict = 'different' AND inside"
            " ORDER BY id LIMIT ?",
            (shown,),
        ).fetchall():
            expected, actual = (_unpack(topic, packed) for packed in msgspec.msgpack.decode(both))
            report.show(
                "different",
                f"{Position(topic, actual.partition, at)} {kind} (by {task})",
                differences(expected, actual),
            )
        for task, topic, packed in self._database.execute(
            "SELECT task, topic, record FROM expected WHERE verdict IS NULL AND inside ORDER BY id LIMIT ?", (shown,)
        ).fetchall():
            record = _unpack(topic, packed)
            report.show("missing", f"{topic} {record.kind} (by {task})", described(record))
        for topic, at, packed in self._database.execute(
            "SELECT topic, at, record FROM extra ORDER BY topic, partition, at LIMIT ?", (shown,)
        ).fetchall():
            record = _unpack(topic, packed)
            report.show("extra", f"{Position(topic, record.partition, at)} {record.kind}", described(record))

    def _order(self, report: Report) -> None:
        """The records that one task writes under one key stand in the order in which it writes them."""
        for topic, kind, at, before, partition, key in self._database.execute(
            'SELECT topic, kind, at, before, partition, "key" FROM (SELECT topic, kind, at, partition, "key", max(at)'
            ' OVER (PARTITION BY task, topic, partition, "key" ORDER BY id'
            "  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before"
            " FROM expected WHERE at IS NOT NULL) WHERE at < before"
        ):
            report.count(topic, kind, "reordered", 1)
            shown_key = (key or b"").decode(errors="replace")
            report.show(
                "reordered", f"{Position(topic, partition, at)} {kind}", [f"key {shown_key}: stands before {before}"]
            )


def described(record: Written) -> Iterator[str]:
    """Yield what a record is, for people."""
    text = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    for name in ("ce_id", "ce_replayed", "tc-source", "tc-detail"):
        if name in text:
            yield f"{name}: {text[name]}"
    yield f"key: {(record.key or b'').decode(errors='replace')}"
    yield f"timestamp: {record.timestamp}"
    yield f"value: {(record.value or b'').decode(errors='replace')[:400]}"


def _pack(record: Written) -> bytes:
    headers = [(name, value) for name, value in record.headers]
    return _ENCODER.encode(_Packed(record.partition, record.key, record.value, headers, record.timestamp))


def _unpack(topic: str, packed: bytes) -> Written:
    found = _DECODER.decode(packed)
    return Written(
        topic=topic,
        partition=found.partition,
        key=found.key,
        value=found.value,
        headers=found.headers,
        timestamp=found.timestamp,
    )
