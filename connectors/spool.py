"""Raw records on disk while Kafka is away: one ordered, crash-safe queue in one sqlite file. Blocking.

The file is there exactly as long as it holds something: made by the first append, removed with the last record. So
it is never reorganised, gives its space back, and what it says about lines is never older than what Kafka holds.

Measured (1.4 kB values, 700 a transaction, synchronous=FULL): a rollback journal takes 110,000 records/s and gives
back 230,000/s, a write-ahead log 105,000 and 220,000 with five times the longest commit, because new pages are written
twice. 16 KiB pages hold 1.4 kB values with 18 % of overhead, 4 KiB pages with 47 %.
"""

import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from connectors.record import LastFrame, RawRecord, last_frames
from schemas.errors import EnvironmentFault
from schemas.raw import KINDS, RawHeaders

_VERSION: Final = 2
_PAGE_BYTES: Final = 16 * 1024
# The statements of this module are right for its own files, so an SQL error, too, means that the file is another's.
_UNREADABLE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})
_COLUMNS: Final = "feed, line, connection, frame, received_ns, kind, position, requested_ns, status, after_ns, value"
_TABLES: Final = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE records (
        seq INTEGER PRIMARY KEY, feed TEXT NOT NULL, line TEXT NOT NULL, connection TEXT NOT NULL,
        frame INTEGER NOT NULL, received_ns INTEGER NOT NULL, kind TEXT NOT NULL,
        position TEXT, requested_ns INTEGER, status INTEGER, after_ns INTEGER, value BLOB NOT NULL
    );
    CREATE TABLE lines (line TEXT PRIMARY KEY, connection TEXT NOT NULL, frame INTEGER NOT NULL);
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""
_FROM_1: Final = f"""
    BEGIN IMMEDIATE;
    ALTER TABLE records ADD COLUMN after_ns INTEGER;
    PRAGMA user_version = {_VERSION};
    COMMIT;
"""
"""What brings a file of the first version up to this one."""


class SpoolFailed(EnvironmentFault):
    """The disk does not take or give what it should: full, read-only, no rights, an I/O error."""

    code = "spool-failed"


class SpoolLocked(SpoolFailed):
    """Another process has the file open."""

    code = "spool-locked"


class SpoolCorrupt(SpoolFailed):
    """The file is no spool, or no longer one: only moving it aside helps."""

    code = "spool-corrupt"


class Spool:
    """The records of one raw partition (and replica) that Kafka has not taken, oldest first.

    One thread at a time. Records are numbered without holes; a number is a record's place, valid until it is removed.

    Args:
        path: The file. Its directory is made when it is needed.
        lock_s: How long to wait for another process to let go of it.
    """

    def __init__(self, path: Path, *, lock_s: float) -> None:
        self.path = path
        self._lock_s = lock_s
        self._db: sqlite3.Connection | None = None
        self._first = 1
        self._last = 0
        self.size_bytes = 0
        """What the records take of the disk, in whole pages."""
        self.damaged = False

    @property
    def first(self) -> int:
        """Place of the oldest record, or of the next one when there is none."""
        return self._first

    @property
    def count(self) -> int:
        """Records held."""
        return self._last - self._first + 1

    def open(self) -> None:
        """Take up what an earlier process left; without a file there is nothing to do.

        Raises:
            SpoolLocked: Another process has it.
            SpoolCorrupt: It cannot be read.
            SpoolFailed: Everything else.
        """
        if self._db is None and self.path.exists():
            with self._told():
                self._open()
            if self.count == 0:
                self._remove_file()

    def probe(self) -> None:
        """Return when something can be written where the file would be; nothing of it stays.

        Raises:
            SpoolFailed: It cannot.
        """
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path.parent) as file:
                file.write(bytes(_PAGE_BYTES))

    def append(self, records: Sequence[RawRecord], before: Mapping[str, LastFrame]) -> int:
        """Keep ``records``, all or none, and return the place of the last; they are on disk then.

        Args:
            records: In order, at least one.
            before: Where every line stood before them; noted when they are the first.

        Raises:
            SpoolFailed: Nothing was kept.
        """
        with self._told():
            db = self._open()
            rows = [
                (
                    place, h.feed, h.line, h.connection, h.frame, h.received_ns, h.kind,
                    h.position, h.requested_ns, h.status, h.after_ns, record.value,
                )
                for place, record in enumerate(records, self._last + 1)
                for h in (record.headers,)
            ]  # fmt: skip
            stand = last_frames(records)
            if not self.count:
                stand = {**before, **stand}
            lines = [(line, last.connection, last.frame) for line, last in stand.items()]
            with _transaction(db):
                db.executemany(f"INSERT INTO records (seq, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", rows)  # noqa: S608 - our own names
                db.executemany("INSERT OR REPLACE INTO lines (line, connection, frame) VALUES (?,?,?)", lines)
            self._last += len(rows)
            self._measure(db)
        return self._last

    def read(self, after: int, *, max_bytes: int, max_records: int) -> tuple[list[RawRecord], int]:
        """Return the oldest records after place ``after`` (one at least) and the place of the last of them.

        Raises:
            SpoolCorrupt: They are not there.
            SpoolFailed: They cannot be read now.
        """
        with self._told():
            db = self._open()
            after = max(after, self._first - 1)
            cursor = db.execute(
                f"SELECT seq, {_COLUMNS} FROM records WHERE seq > ? ORDER BY seq LIMIT ?",  # noqa: S608 - our own names
                (after, max_records),
            )
            records: list[RawRecord] = []
            size = 0
            try:
                for row in cursor:
                    if row[0] != after + 1:
                        break
                    record = self._record(row[1:])
                    size += len(record.value)
                    if records and size > max_bytes:
                        break
                    records.append(record)
                    after += 1
            except (sqlite3.Error, SpoolCorrupt):
                if not records:
                    raise
                # The next call begins at the bad one, and fails.
            finally:
                cursor.close()
            if not records:
                raise SpoolCorrupt(f"{self.path}: record {after + 1} of {self._last} is not there")
            return records, after

    def next_readable(self, after: int) -> int | None:
        """Return the place of a record after ``after`` that can be read although the one right after it cannot.

        The file counts as damaged from then on: nothing is deleted in it, and in the end it is kept.
        """
        self.damaged = True
        bad, step = max(after + 1, self._first), 1
        while bad + step <= self._last and not self._is_readable(bad + step):
            step *= 2
        good = bad + step
        if good > self._last:
            good = self._last
            if good <= bad or not self._is_readable(good):
                return None
        bad += step // 2
        while good - bad > 1:  # damage is a stretch of pages, as good as always
            middle = (bad + good) // 2
            bad, good = (bad, middle) if self._is_readable(middle) else (middle, good)
        return good

    def remove_through(self, place: int) -> None:
        """Forget the records up to ``place``: Kafka has them. With the last one the file goes, too.

        Raises:
            SpoolFailed: They are still there.
        """
        with self._told():
            if place < self._last:
                db = self._open()
                if not self.damaged:
                    with _transaction(db):
                        db.execute("DELETE FROM records WHERE seq <= ?", (place,))
                self._first = max(self._first, place + 1)
                self._measure(db)
            elif self.damaged:
                self.set_aside()
            elif self.count:
                # No room on the disk is needed for this, so it is done even where a deletion would fail.
                self._remove_file()

    def last_frames(self) -> dict[str, LastFrame]:
        """Return where every line stands after the last record; nothing when there is none.

        Raises:
            SpoolFailed: It cannot be read now.
        """
        if not self.count:
            return {}
        with self._told():
            rows = self._open().execute("SELECT line, connection, frame FROM lines").fetchall()
        return {line: LastFrame(connection=connection, frame=frame) for line, connection, frame in rows}

    def set_aside(self) -> Path:
        """Move the file to a name of its own, for a person to look at; the spool is empty then. Return the name.

        Raises:
            SpoolFailed: It cannot be moved.
        """
        aside = self.path.with_name(f"{self.path.name}.corrupt-{time.time_ns()}")
        with self._told():
            with contextlib.suppress(sqlite3.Error):
                self.close()
            self.path.replace(aside)
            with contextlib.suppress(FileNotFoundError):
                self._journal.replace(aside.with_name(aside.name + "-journal"))
            self._forget()
        return aside

    def close(self) -> None:
        """Let go of the file; what it holds stays."""
        db, self._db = self._db, None
        if db is not None:
            db.close()

    # -- private -----------------------------------------------------------------------------------------------------

    @property
    def _journal(self) -> Path:
        return self.path.with_name(self.path.name + "-journal")

    def _open(self) -> sqlite3.Connection:
        if self._db is not None:
            return self._db
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if not self.path.exists():
            self._journal.unlink(missing_ok=True)  # of a file that is gone: it must not be played into this one
        db = sqlite3.connect(self.path, timeout=self._lock_s, isolation_level=None, check_same_thread=False)
        try:
            db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
            db.execute("PRAGMA locking_mode = EXCLUSIVE")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("BEGIN IMMEDIATE")  # takes the lock, and plays a journal back
            db.execute("COMMIT")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
                db.executescript(_TABLES)
            elif version == 1:
                db.executescript(_FROM_1)
            elif version != _VERSION:
                raise SpoolCorrupt(f"{self.path}: a spool of version {version}, only {_VERSION} is known")
            db.execute(f"SELECT {_COLUMNS} FROM records LIMIT 0")  # noqa: S608 - our own names
            # One by one each is a look at one end of the table; together they would be a walk through all of it.
            first = db.execute("SELECT min(seq) FROM records").fetchone()[0]
            last = db.execute("SELECT max(seq) FROM records").fetchone()[0]
            if first is None:
                self._forget()
            else:
                self._first, self._last = first, last
            self._measure(db)
        except BaseException:
            db.close()
            raise
        self._db = db
        return db

    def _measure(self, db: sqlite3.Connection) -> None:
        pages: int = db.execute("PRAGMA page_count").fetchone()[0] - db.execute("PRAGMA freelist_count").fetchone()[0]
        self.size_bytes = pages * _PAGE_BYTES

    def _remove_file(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self.close()
        self.path.unlink(missing_ok=True)
        self._journal.unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        # Places go on: what is still known by one must not be taken for a record of the next file.
        self._first, self.size_bytes, self.damaged = self._last + 1, 0, False

    def _is_readable(self, place: int) -> bool:
        try:
            self.read(place - 1, max_bytes=1, max_records=1)
        except SpoolFailed:
            return False
        return True

    def _record(self, row: tuple[Any, ...]) -> RawRecord:
        feed, line, connection, frame, received_ns, kind, position, requested_ns, status, after_ns, value = row
        # sqlite keeps what it is given, whatever the column says; half a check is enough to know a foreign row.
        if kind not in KINDS or not isinstance(frame, int) or not isinstance(value, bytes):
            raise SpoolCorrupt(f"{self.path}: a row is no raw record")
        headers = RawHeaders(
            feed=feed,
            line=line,
            connection=connection,
            frame=frame,
            received_ns=received_ns,
            kind=kind,
            position=position,
            requested_ns=requested_ns,
            status=status,
            after_ns=after_ns,
        )
        return RawRecord(headers, value)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise _failure(self.path, error) from error


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        raise


def _failure(path: Path, error: Exception) -> SpoolFailed:
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None  # the rest says more about the same thing
    if primary in _UNREADABLE:
        return SpoolCorrupt(f"{path}: {error}")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SpoolLocked(
            f"{path}: another process has it open",
            action="stop the other connector of this shard, or give this one a replica name of its own",
        )
    return SpoolFailed(f"{path}: {error}", action="look at the disk: is there room, may this process write there?")
