"""Outputs sorted by source, on disk: the audit's memory does not grow with the topics."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields

from tricast.audit.records import Output

_COLUMNS = [field.name for field in fields(Output)]
_QUOTED = [f'"{name}"' for name in _COLUMNS]  # `index` is a word of SQL
_OUTCOMES = _COLUMNS.index("outcomes")


class Shelf:
    """A table of outputs in ``database``."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute(f"CREATE TABLE outputs ({', '.join(_QUOTED)})")

    def put(self, outputs: Iterable[Output]) -> None:
        """Add outputs in any order."""
        places = ", ".join("?" for _ in _COLUMNS)
        self._database.execute("BEGIN")
        self._database.executemany(
            f"INSERT INTO outputs VALUES ({places})",  # noqa: S608 - question marks only
            (_to_row(output) for output in outputs),
        )
        self._database.execute("COMMIT")

    def sort(self) -> None:
        """Make reading by source fast; call it once, after the last ``put``."""
        self._database.execute('CREATE INDEX by_source ON outputs (source_partition, source_offset, "index")')

    def of_partition(self, partition: int) -> Iterator[Output]:
        """Yield the outputs of one raw partition by offset and index, then by where they are."""
        rows = self._database.execute(
            "SELECT * FROM outputs WHERE source_partition = ? "
            'ORDER BY source_offset, "index", dead, topic, partition, offset',
            (partition,),
        )
        for row in rows:
            yield _from_row(row)

    def from_offset(self, partition: int, offset: int) -> Iterator[Output]:
        """Yield the outputs of one raw partition from a raw offset on."""
        rows = self._database.execute(
            "SELECT * FROM outputs WHERE source_partition = ? AND source_offset >= ? ORDER BY rowid",
            (partition, offset),
        )
        for row in rows:
            yield _from_row(row)

    def twice(self) -> Iterator[tuple[Output, Output]]:
        """Yield each record that came by a replay with another record of the same id, however that came."""
        again = self._database.execute(
            "SELECT * FROM outputs WHERE replayed != '' AND NOT dead ORDER BY rowid"
        ).fetchall()
        seen: dict[tuple[int, str], Output] = {}
        for row in again:
            output = _from_row(row)
            first = seen.setdefault((output.source_partition, output.replayed), output)
            if first is not output:
                yield first, output
            offset, *numbers = output.replayed.split("/")
            others = self._database.execute(
                'SELECT * FROM outputs WHERE source_partition = ? AND source_offset = ? AND "index" = ?'
                " AND replayed = '' AND NOT dead AND below < 0",
                (output.source_partition, int(offset), int(numbers[0])),
            )
            for other in others if len(numbers) == 1 else ():
                yield _from_row(other), output

    def elsewhere(self, partitions: Iterable[int]) -> Iterator[Output]:
        """Yield the outputs whose raw partition is none of ``partitions``."""
        known = ", ".join(str(int(partition)) for partition in partitions)
        for row in self._database.execute(f"SELECT * FROM outputs WHERE source_partition NOT IN ({known})"):  # noqa: S608
            yield _from_row(row)


def _to_row(output: Output) -> tuple[object, ...]:
    row: list[object] = [getattr(output, name) for name in _COLUMNS]
    row[_OUTCOMES] = ",".join(output.outcomes)
    return tuple(row)


def _from_row(row: tuple[object, ...]) -> Output:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["outcomes"] = tuple(str(values["outcomes"]).split(",")) if values["outcomes"] else ()
    values |= {"dead": bool(values["dead"]), "snapshot": bool(values["snapshot"])}
    return Output(**values)  # type: ignore[arg-type]  # columns are the fields, written by _to_row
