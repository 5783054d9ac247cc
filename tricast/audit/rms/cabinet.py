"""Facts on disk, by bet: the audit's memory does not grow with the topics."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from tricast.audit.records import digest_of
from tricast.audit.rms.facts import AnyFact, Place, pack, unpack


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter of one source record."""

    place: str
    code: str
    index: int
    is_same: bool
    """Whether its bytes are those of the source."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A record on its way through ``rms.pending``: what of it, by its customer's time."""

    what: str
    seen_ns: int | None


class Cabinet:
    """Tables in ``database``: facts by bet, dead letters by source, passages by source, normalized approvals."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(
            """
            CREATE TABLE facts (customer, slip, body);
            CREATE TABLE aliases (customer, code, slip, PRIMARY KEY (customer, code, slip)) WITHOUT ROWID;
            CREATE TABLE by_code (customer, code, body);
            CREATE TABLE letters (topic, partition, offset, "index", place, code, value);
            CREATE INDEX letters_by_source ON letters (topic, partition, offset);
            CREATE TABLE passages (source, what, seen_ns);
            CREATE INDEX passages_by_source ON passages (source);
            CREATE TABLE approvals (partition, offset, place, key, value);
            CREATE INDEX approvals_by_source ON approvals (partition, offset);
            CREATE TABLE ids (id PRIMARY KEY, place) WITHOUT ROWID;
            BEGIN;
            """
        )

    # -- putting in --------------------------------------------------------------------------------------------------

    def put(self, customer: str, slip: str | None, code: str | None, fact: AnyFact) -> None:
        """Add a fact about a bet; what names a bet code only goes to its bet later."""
        if slip is None:
            self._database.execute("INSERT INTO by_code VALUES (?, ?, ?)", (customer, code, pack(fact)))
        else:
            self._database.execute("INSERT INTO facts VALUES (?, ?, ?)", (customer, slip, pack(fact)))

    def put_alias(self, customer: str, code: str, slip: str) -> None:
        """Note that a bet code belongs to a slip."""
        self._database.execute("INSERT OR IGNORE INTO aliases VALUES (?, ?, ?)", (customer, code, slip))

    def put_letter(self, topic: str, source: tuple[int, int, int], place: str, code: str, value: bytes) -> None:
        """Add a dead letter of partition, offset and index in ``topic``."""
        self._database.execute("INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?)", (topic, *source, place, code, value))

    def put_passage(self, source: str, what: str, seen_ns: int | None) -> None:
        """Add what was sent on of a source."""
        self._database.execute("INSERT INTO passages VALUES (?, ?, ?)", (source, what, seen_ns))

    def put_approval(self, source: tuple[int, int], place: str, key: bytes, value: bytes) -> None:
        """Add a record of ``rms.approvals``."""
        self._database.execute("INSERT INTO approvals VALUES (?, ?, ?, ?, ?)", (*source, place, key, value))

    def is_new(self, identity: str, place: str) -> str | None:
        """Note a ``ce_id``; return where it is already."""
        row = self._database.execute("SELECT place FROM ids WHERE id = ?", (identity,)).fetchone()
        if row is None:
            self._database.execute("INSERT INTO ids VALUES (?, ?)", (identity, place))
        return None if row is None else str(row[0])

    # -- taking out --------------------------------------------------------------------------------------------------

    def take_letters(self, topic: str, partition: int, offset: int, value: bytes) -> list[Letter]:
        """Take the dead letters of a source record out; what is left in the end has no source."""
        where = (topic, partition, offset)
        select = 'SELECT place, code, "index", value FROM letters WHERE topic = ? AND partition = ? AND offset = ?'
        letters = [
            Letter(place, code, index, index >= 0 or digest_of(body) == digest_of(value))
            for place, code, index, body in self._database.execute(select, where)
        ]
        if letters:
            self._database.execute("DELETE FROM letters WHERE topic = ? AND partition = ? AND offset = ?", where)
        return letters

    def letters_left(self) -> Iterator[tuple[str, int, int, str]]:
        """Yield topic, partition and offset of what is left, and where that is."""
        yield from self._database.execute("SELECT topic, partition, offset, place FROM letters")

    def take_approvals(self, partition: int, offset: int) -> list[tuple[str, bytes, bytes]]:
        """Take place, key and value of what was made of a raw record out."""
        query = "SELECT place, key, value FROM approvals WHERE partition = ? AND offset = ?"
        found = self._database.execute(query, (partition, offset)).fetchall()
        if found:
            self._database.execute("DELETE FROM approvals WHERE partition = ? AND offset = ?", (partition, offset))
        return found

    def approvals_left(self) -> Iterator[tuple[int, int, str]]:
        """Yield partition, offset and place of approvals that no raw record called for."""
        yield from self._database.execute("SELECT partition, offset, place FROM approvals")

    def passages(self, source: str) -> list[Passage]:
        """Return what was sent on of a source."""
        query = "SELECT what, seen_ns FROM passages WHERE source = ?"
        return [Passage(what, seen_ns) for what, seen_ns in self._database.execute(query, (source,))]

    def contested(self, customer: str, codes: set[str]) -> frozenset[str]:
        """Return those of ``codes`` that more than one slip has."""
        query = "SELECT COUNT(*) FROM aliases WHERE customer = ? AND code = ?"
        return frozenset(code for code in codes if self._database.execute(query, (customer, code)).fetchone()[0] > 1)

    def bets(self) -> Iterator[tuple[str, str, list[AnyFact]]]:
        """Yield customer, slip and facts of each bet; of a code that nobody knows ``code:…`` is the slip.

        A word by code is with every slip that has the code.
        """
        self._database.executescript(
            """
            INSERT INTO facts SELECT c.customer, COALESCE(a.slip, 'code:' || c.code), c.body
              FROM by_code c LEFT JOIN aliases a ON a.customer = c.customer AND a.code = c.code;
            CREATE INDEX facts_by_bet ON facts (customer, slip);
            """
        )
        rows = self._database.execute("SELECT customer, slip, body FROM facts ORDER BY customer, slip, rowid")
        for (customer, slip), group in groupby(rows, key=lambda row: (row[0], row[1])):
            yield customer, slip, [unpack(body) for _, _, body in group]


def name_of(place: Place) -> str:
    """Return the name under which a word passes through ``rms.pending``."""
    return "/".join(map(str, place))
