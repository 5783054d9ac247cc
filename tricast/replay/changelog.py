"""The processor's own state at its last commit: its changelog, folded, in a scratch file."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, decode_checkpoint
from schemas.record import KafkaRecord
from tricast.replay.report import Shown

_SHOWN_LETTERS = 200


@dataclass(slots=True)
class StateDifference:
    """What two states of one task differ in; the first of it in full."""

    entries: int = 0
    wrong: int = 0
    shown: list[Shown] = field(default_factory=list)


class Fold:
    """The changelog of one partition, fed in order.

    Records count once their transaction is known to be whole: up to the next checkpoint, with which one begins, or to
    an end that is not in the middle of one.
    """

    def __init__(self, database: sqlite3.Connection, task: str) -> None:
        self._database = database
        self._task = task
        self.checkpoint: Checkpoint | None = None
        self._waiting: list[KafkaRecord] = []
        database.execute(
            'CREATE TABLE IF NOT EXISTS state (task TEXT, "key" BLOB, value BLOB, PRIMARY KEY (task, "key"))'
        )

    def take(self, records: Iterable[KafkaRecord]) -> None:
        """Take the next records."""
        for record in records:
            if record.key == CHECKPOINT_KEY:
                self._apply()
            self._waiting.append(record)

    def finish(self, end: int) -> None:
        """Say that ``end`` is one past the last offset that was read.

        A transaction that reaches up to there has no commit marker below it: the rest of it may not have been read.
        """
        if self._waiting and self._waiting[-1].offset + 1 < end:
            self._apply()
        self._waiting.clear()

    def compare(self, state: Iterable[tuple[bytes, bytes]], shown: int) -> StateDifference:
        """Compare the folded state with that of a replay, entry by entry."""
        found = StateDifference()
        database = self._database
        database.execute('CREATE TEMP TABLE IF NOT EXISTS met ("key" BLOB PRIMARY KEY)')
        database.execute("DELETE FROM met")
        for key, value in state:
            found.entries += 1
            row = database.execute('SELECT value FROM state WHERE task = ? AND "key" = ?', (self._task, key)).fetchone()
            database.execute("INSERT INTO met VALUES (?)", (key,))
            if row is None:
                _wrong(found, shown, key, value, None)
            elif row[0] != value:
                _wrong(found, shown, key, value, row[0])
        for key, value in database.execute(
            'SELECT "key", value FROM state WHERE task = ? AND "key" NOT IN (SELECT "key" FROM met) ORDER BY "key"',
            (self._task,),
        ):
            _wrong(found, shown, key, None, value)
        return found

    def _apply(self) -> None:
        for record in self._waiting:
            key = record.key or b""
            if key == CHECKPOINT_KEY:
                self._take_checkpoint(record)
            elif record.value is None:
                self._database.execute('DELETE FROM state WHERE task = ? AND "key" = ?', (self._task, key))
            else:
                self._database.execute("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", (self._task, key, record.value))
        self._waiting.clear()

    def _take_checkpoint(self, record: KafkaRecord) -> None:
        try:
            self.checkpoint = decode_checkpoint(record.value or b"")
        except msgspec.MsgspecError:
            self.checkpoint = None  # nobody's; a worker refuses to start over it and says what to do


def _wrong(found: StateDifference, shown: int, key: bytes, replayed: bytes | None, real: bytes | None) -> None:
    found.wrong += 1
    if len(found.shown) < shown:
        lines = [f"value: {_text(replayed)} -> {_text(real)}"]
        found.shown.append(Shown("state", f"state {key.decode(errors='backslashreplace')}", lines))


def _text(value: bytes | None) -> str:
    if value is None:
        return "(absent)"
    text = value.decode(errors="backslashreplace")
    text = text if text.isprintable() else repr(value)[2:-1]
    return text if len(text) <= _SHOWN_LETTERS else text[: _SHOWN_LETTERS - 1] + "…"
