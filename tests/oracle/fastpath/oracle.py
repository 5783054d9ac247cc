"""What a task has to write for its raw records: reads the bytes, keeps the lines, hands packets to their accounts.

Written from the rules of the sequence account and the fact sheet; it imports nothing from the processors.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from tests.oracle.fastpath.account import SILENT_S, Account, Connection, Packet, Place, Rules
from tests.oracle.fastpath.said import Out, Said
from tests.oracle.fastpath.upstream import Collector

Json = dict[str, Any]

OLD_NS: Final = 10 * 10**9
"""A packet this much older than its connection is a replay (fact sheet, section 8)."""
GREATEST: Final = 2**63 - 1
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z?)")


class SourceRecord(Protocol):
    """A raw record."""

    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes: ...
    @property
    def value(self) -> bytes: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class BadNumberError(Exception):
    """A sequence number that is none."""


def place_of(path: str) -> Place:
    """Return what a path tells (fact sheet, sections 1 and 8)."""
    if path.startswith("tennis/"):
        return Place(path, "actions", "sequence", 0)
    if path.startswith("golf/"):
        return Place(path, "actions", None, 1)
    if path.startswith("mma/"):
        return Place(path, "actions", "sequence", 1)
    return Place(path, "statistics" if path.endswith("/statistics") else "actions", "events", 1)


def time_of(text: Any) -> int | None:
    """Return a vendor's time in ns, UTC; ``None`` if it is none."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    seconds = int(datetime.fromisoformat(match[1]).replace(tzinfo=UTC).timestamp())
    return seconds * 10**9 + int((match[2] or "0").ljust(9, "0"))


def number_of(value: Any) -> int:
    """Return a sequence number.

    Raises:
        BadNumberError: It is none.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if type(value) is not int or not 0 <= value <= GREATEST:
        raise BadNumberError
    return value


def canonical(value: Any) -> str:
    """Return JSON in one form, numbers as they were sent."""
    return json.dumps(value, sort_keys=True, default=lambda number: f"number {number}")


class _Feed:
    def __init__(self, path: str, said: Said) -> None:
        self.place = place_of(path)
        self.open: dict[str, str] = {}
        """Line → its open connection."""
        self.connections: list[Connection] = []
        self.heard_s: dict[str, int] = {}
        """Line → second of its last record; what is closed and was not heard of for long is forgotten."""
        self._said = said
        self.listen()
        self.accounts: dict[str, Account] = {}

    def listen(self) -> None:
        """Begin to listen to what is told of the collector."""
        path, said = self.place.feed, self._said
        self.collector = Collector(path, said, lambda connection: connection in self.open.values())


class Oracle:
    """One task's account of everything.

    Args:
        rules: Settings.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.said = Said()
        self.now_ns = 0
        self._feeds: dict[str, _Feed] = {}
        self._connections: dict[tuple[str, str], Connection] = {}
        self._frames: dict[tuple[str, str], int] = {}
        self._forgotten: set[str] = set()
        """Connections of feeds without accounts: they are new again with their next packet."""

    def read(self, record: SourceRecord) -> None:
        """Take one raw record."""
        stamps = {name: value.decode() for name, value in record.headers}
        self.now_ns = max(self.now_ns, int(stamps["tc-received-ns"]))
        line, name, kind = stamps["tc-line"], stamps["tc-connection"], stamps["tc-kind"]
        frame, last = int(stamps["tc-frame"]), self._frames.get((line, name), 0)
        if kind == "frame" and frame <= last:
            return
        self._frames[line, name] = max(frame, last)
        path = record.key.decode()
        feed = self._feeds.get(path)
        if feed is None:
            feed = self._feeds[path] = _Feed(path, self.said)
        connection = self._connections.get((line, name))
        received_ns = int(stamps["tc-received-ns"])
        is_new = connection is None
        if connection is None:
            asked = int(stamps["tc-position"]) if "tc-position" in stamps else None
            is_shown_by_hole = last + (kind == "frame") < frame  # that is told before time passes
            since = 3 * record.offset + (-0.5 if is_shown_by_hole else 1)
            connection = self._connections[line, name] = Connection(name, line, asked, since, received_ns)
        if last + (kind == "frame") < frame:
            connection.lost.append((last + 1, frame - (kind == "frame")))
        if kind == "overflow":
            told = json.loads(record.value)
            connection.lost.append((told["first_frame"], told["last_frame"]))
        self._deadlines(record.offset)
        feed.heard_s[line] = self.now_ns // 10**9
        if is_new:
            feed.connections.append(connection)
            self._shut(feed, line)
            feed.open[line] = name
        self._one(record, feed, connection, frame, kind)

    def _deadlines(self, at: int) -> None:
        accounts = [account for feed in self._feeds.values() for account in feed.accounts.values()]
        waiting = [due for account in accounts for due in account.due(self.now_ns)]
        for *_, first, owner in sorted(waiting, key=lambda due: due[:4]):
            owner.give_up_due(first, at, self.now_ns)
        asked = [due for account in accounts for due in account.overdue(self.now_ns)]
        for *_, first, owner in sorted(asked, key=lambda due: due[:4]):
            owner.end_attempt(first, at, self.now_ns)
        self._forget(at)

    def _forget(self, at: int) -> None:
        for feed in self._feeds.values():
            for account in feed.accounts.values():
                account.shrink(self.now_ns)
        silent = [
            (account.heard_ns // 10**9, path, fixture)
            for path, feed in self._feeds.items()
            for fixture, account in feed.accounts.items()
            if account.is_silent(self.now_ns)
        ]
        for _, path, fixture in sorted(silent):
            feed = self._feeds[path]
            feed.accounts.pop(fixture).remove(at, self.now_ns)
            if not feed.accounts:
                self._forgotten |= {connection.name for connection in feed.connections}
        for feed in self._feeds.values():
            for line, heard_s in list(feed.heard_s.items()):
                if line not in feed.open and self.now_ns // 10**9 - heard_s > SILENT_S:
                    del feed.heard_s[line]
                    if not feed.heard_s:
                        feed.listen()

    def _open_lines(self, feed: _Feed) -> list[str]:
        return sorted(line for line, connection in feed.open.items() if connection not in self._forgotten)

    def _shut(self, feed: _Feed, line: str) -> None:
        if feed.open.pop(line, None) is not None and not feed.open:
            feed.collector.alone()

    def _one(self, record: SourceRecord, feed: _Feed, connection: Connection, frame: int, kind: str) -> None:
        shuts = kind == "closed" or (kind == "tick" and not json.loads(record.value)["open"])
        if shuts and feed.open.get(connection.line) == connection.name:
            self._shut(feed, connection.line)
        elif kind == "frame":
            self._frame(record, feed, connection, frame)

    def _frame(self, record: SourceRecord, feed: _Feed, connection: Connection, frame: int) -> None:
        received_ns = int(dict(record.headers)["tc-received-ns"])
        packet = json.loads(record.value, parse_float=Decimal)
        element = packet.get("eventElementType")
        if element == "ConnectionStateChanged":
            time_ns = time_of(packet.get("timestamp"))
            line, name = connection.line, connection.name
            feed.collector.status(record.offset, packet["state"], time_ns, received_ns, line, name)
            return
        if "message" in packet or element == "heartbeat":
            return
        self._event(record, feed, connection, frame, packet)

    def _event(self, record: SourceRecord, feed: _Feed, connection: Connection, frame: int, packet: Json) -> None:
        received_ns = int(dict(record.headers)["tc-received-ns"])
        action = packet.get("fixtureAction")
        inner = packet if action is None else action
        name = "seqNum" if action is None else "fixtureSeqNum"
        try:
            number = number_of(inner[name]) if name in inner else None
        except BadNumberError:
            self.said.dead_letters.append(f"{record.offset} fastpath.bad-sequence")
            return
        time_ns = time_of(inner.get("timestamp"))
        delivery = "live"
        if inner.get("delayStatus"):
            delivery = "late_burst"
        elif time_ns is not None and time_ns < connection.opened_ns - OLD_NS:
            delivery = "replayed"
        fixture = inner.get("fixtureId") or feed.place.feed.split("/")[2]
        if feed.place.feed.startswith("golf/"):
            fixture = "-".join(feed.place.feed.split("/")[number] for number in (2, 4, 6))
        kind = "statistics" if feed.place.kind == "statistics" else "a" if action is not None else "b"
        what = {
            "a": (inner.get("actionId"), inner.get("sendType")),
            "b": (inner.get("eventElementType"), inner.get("timestamp")),
            "statistics": (inner.get("timestamp"),),
        }[kind]
        left_out = {"a": ("fixtureSeqNum", "timelineSequence")}.get(kind, ("seqNum", "traceId"))
        shown = tuple(text or None for text in what)
        body = canonical({name: value for name, value in inner.items() if name not in left_out})
        out = Out(
            record.offset, record.offset, feed.place.feed, fixture, None, number, shown,
            connection.line, connection.name, "unordered", 0, frozenset(), delivery, feed.collector.state,
        )  # fmt: skip
        if number is None:
            self.said.actions.append(out)
            return

        def imply() -> str:
            if delivery == "live":
                feed.collector.alive(record.offset, time_ns, received_ns, connection.line, connection.name)
            return feed.collector.state

        account = feed.accounts.get(fixture)
        if account is None:
            account = Account(feed.place, fixture, self.rules, self.said, lambda: self._open_lines(feed))
            feed.accounts[fixture] = account
        if connection.name in self._forgotten:
            self._forgotten.remove(connection.name)
            connection.since, connection.lost = 3 * record.offset + 1, []
        is_finished = packet.get("finished") is True
        is_named = bool(what[0] if kind == "a" else what[-1])
        taken = Packet(out, number, canonical(what), body, self.now_ns, connection, frame, is_finished, is_named, imply)
        account.take(taken, record.offset, self.now_ns)


def expected(records: Iterable[SourceRecord], rules: Rules) -> Said:
    """Return what a task has to write for its records."""
    oracle = Oracle(rules)
    for record in records:
        oracle.read(record)
    return oracle.said
