"""Everything that was read, on disk: runs of minutes have a million records."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.chaos.checker.record import Record

_BATCH = 5_000
_COLUMNS = "topic, partition, position, timestamp_ms, key, value, headers"


class Cabinet:
    """Records by topic, partition and offset; by the position of their source, too.

    Args:
        path: The database; ``None`` keeps it in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._database = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS records (topic TEXT, partition INTEGER, position INTEGER,"
            " timestamp_ms INTEGER, key BLOB, value BLOB, headers TEXT, source TEXT, source_partition INTEGER,"
            " source_position INTEGER, source_index INTEGER, identity TEXT)"
        )
        self._is_indexed = False

    def put(self, records: Iterable[Record]) -> int:
        """Keep records; return how many."""
        rows = [_row(record) for record in records]
        self._database.executemany("INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._database.commit()
        return len(rows)

    def index(self) -> None:
        """Make what the questions below need; done with the first of them."""
        if self._is_indexed:
            return
        self._is_indexed = True
        for name, columns in (
            ("place", "topic, partition, position"),
            ("source", "source, source_partition, source_position, source_index"),
            ("identity", "topic, identity"),
        ):
            self._database.execute(f"CREATE INDEX IF NOT EXISTS by_{name} ON records ({columns})")
        self._database.commit()

    def positions(self) -> dict[tuple[str, int], int]:
        """Return topic and partition to the offset after the last one that is here."""
        self.index()
        asked = self._database.execute("SELECT topic, partition, MAX(position) FROM records GROUP BY topic, partition")
        return {(topic, partition): last + 1 for topic, partition, last in asked}

    def partitions(self, topic: str) -> list[int]:
        """Return the partitions of a topic that have records."""
        self.index()
        asked = self._database.execute("SELECT DISTINCT partition FROM records WHERE topic = ? ORDER BY 1", (topic,))
        return [partition for (partition,) in asked]

    def topics(self) -> list[str]:
        """Return the topics that have records."""
        self.index()
        return [topic for (topic,) in self._database.execute("SELECT DISTINCT topic FROM records ORDER BY 1")]

    def read(self, topic: str, partition: int | None = None) -> Iterator[Record]:
        """Yield the records of a topic, each partition in its order."""
        self.index()
        where, arguments = ("", (topic,)) if partition is None else (" AND partition = ?", (topic, partition))
        asked = self._database.cursor().execute(
            f"SELECT {_COLUMNS} FROM records WHERE topic = ?{where} ORDER BY partition, position", arguments
        )
        yield from _records(asked)

    def made_of(self, source: str, partition: int) -> Iterator[Record]:
        """Yield what says that it comes from a source partition (physical topic), in the order of source positions."""
        self.index()
        asked = self._database.cursor().execute(
            f"SELECT {_COLUMNS} FROM records WHERE source = ? AND source_partition = ?"
            " ORDER BY source_position, source_index, topic, partition, position",
            (source, partition),
        )
        yield from _records(asked)

    def twice(self) -> Iterator[tuple[str, str, int]]:
        """Yield topic, ``ce_id`` and how often it is there, of those that are there more than once."""
        self.index()
        yield from self._database.cursor().execute(
            "SELECT topic, identity, COUNT(*) FROM records WHERE identity IS NOT NULL"
            " GROUP BY topic, identity HAVING COUNT(*) > 1"
        )

    def offsets(self, topic: str, partition: int) -> Iterator[int]:
        """Yield the offsets that are here, rising."""
        self.index()
        asked = self._database.cursor().execute(
            "SELECT position FROM records WHERE topic = ? AND partition = ? ORDER BY position", (topic, partition)
        )
        yield from (offset for (offset,) in asked)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _row(record: Record) -> tuple[object, ...]:
    origin = record.origin
    headers = json.dumps({name: content.decode("latin-1") for name, content in record.headers.items()})
    source = (None, None, None, None) if origin is None else origin
    identity = record.header("ce_id") or None
    place = (record.topic, record.partition, record.offset, record.timestamp_ms)
    return (*place, record.key, record.value, headers, *source, identity)


def _records(rows: Iterable[tuple[object, ...]]) -> Iterator[Record]:
    for topic, partition, offset, timestamp_ms, key, value, headers in rows:
        yield Record(
            topic=topic,  # type: ignore[arg-type]
            partition=partition,  # type: ignore[arg-type]
            offset=offset,  # type: ignore[arg-type]
            timestamp_ms=timestamp_ms,  # type: ignore[arg-type]
            key=key,  # type: ignore[arg-type]
            value=value,  # type: ignore[arg-type]
            headers={name: text.encode("latin-1") for name, text in json.loads(headers).items()},  # type: ignore[arg-type]
        )
