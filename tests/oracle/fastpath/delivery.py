"""From the vendor's list to raw records: lines with drops, swaps, duplicates, reconnects and answers to commands.

What is asked for is known only while the history grows, so an oracle reads along and its commands are answered, in
part or not at all.
"""

import heapq
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from tests.oracle.fastpath.account import Rules
from tests.oracle.fastpath.oracle import Oracle
from tests.oracle.fastpath.said import Command, Said
from tests.oracle.fastpath.vendor import KINDS, START_MS, Entry, Vendor, path_of, time_text

Header = tuple[str, bytes]

MOST_RECORDS: Final = 90
_STATES = (
    "connected",
    "Connected",
    "Connected",
    "Connected",
    "Disconnected",
    "Disconnected",
    "Delayed",
    "Unstable",
    "Resting",
)
_STEPS_MS = (10, 50, 100, 500, 500, 1000, 2000, 3000)
_BAD_NUMBERS = (True, -1, None, "x", 1.5, "-3", 2**63, "")


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw record as the stream task gets it."""

    offset: int
    key: bytes
    value: bytes
    headers: tuple[Header, ...]
    topic: str = "tricast.fastpath.raw"
    partition: int = 0
    timestamp: int = START_MS

    def stamp(self, name: str) -> str:
        """Return a header."""
        return dict(self.headers)[name].decode()


@dataclass(slots=True)
class History:
    """All records of one task.

    Attributes:
        rules: Settings of the processor.
        restarts: Offsets before which the task loses its memory.
        vendors: The truth, by feed.
        carried: Offset of a raw record → the packet in it; bad numbers and odd bodies are in no list.
        said: What the oracle says.
        is_honest: Connections were asked as connectors ask, nothing began anew, numbers and bodies are sound.
        is_far: Numbers are so far apart that some are forgotten.
    """

    rules: Rules
    records: list[Raw] = field(default_factory=list)
    restarts: set[int] = field(default_factory=set)
    vendors: dict[str, Vendor] = field(default_factory=dict)
    carried: dict[int, Entry] = field(default_factory=dict)
    said: Said = field(default_factory=Said)
    is_honest: bool = True
    is_far: bool = False
    contents: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Connection:
    name: str
    asked: int | None
    cursor: int
    frame: int = 0
    is_open: bool = True
    is_poor: bool = False
    skipped: int = 0
    bases: dict[str, int] = field(default_factory=dict)
    numbers: set[tuple[str, int]] = field(default_factory=set)
    aside: list[tuple[int, bytes, Entry | None]] = field(default_factory=list)
    records: list[Raw] = field(default_factory=list)


@dataclass(slots=True)
class _Line:
    name: str
    vendor: Vendor
    skew_ms: int
    connection: _Connection | None = None
    wanted: bool = True
    events: int = 0
    last_number: int = 0


class _Chances:
    """How likely what is in one history."""

    def __init__(self, random: Random) -> None:
        calm = random.random() < 0.1
        for name, choices in (
            ("drop", (0, 0.05, 0.15)), ("twice", (0, 0, 0.08)), ("swap", (0, 0.1, 0.25)), ("lost", (0, 0, 0.06)),
            ("again", (0, 0, 0.08)), ("hole", (0, 0, 0.06)), ("reset", (0, 0, 0, 0.05)), ("gone", (0, 0.3, 0.6)),
            ("odd", (0, 0, 0, 0.04)), ("own_hole", (0, 0, 0, 0.05)), ("wander", (0, 0, 0.3)), ("status", (0, 0.1, 0.4)),
        ):  # fmt: skip
            setattr(self, name, 0.0 if calm and name != "status" else random.choice(choices))
        self.close = 0.0 if calm else random.choice((0, 0.04, 0.1))

    drop: float
    twice: float
    swap: float
    lost: float
    again: float
    hole: float
    reset: float
    gone: float
    odd: float
    own_hole: float
    wander: float
    status: float


def random_history(seed: int) -> History:
    """Return the history of ``seed``, always the same."""
    return _Making(Random(f"fastpath history {seed}")).make()


class _Making:
    def __init__(self, random: Random) -> None:
        self._random = random
        rules = Rules(
            hold_ms=random.choice((200, 1000, 2000)),
            hold_count=random.choice((2, 5, 64)),
            repairs=random.choice((1, 2, 4, 4)),
            window_s=random.choice((20, 600)),
            timeout_s=random.choice((10, 30)),
        )
        self.history = History(rules)
        self._oracle = Oracle(rules)
        self._chances = _Chances(random)
        self._now_ms = START_MS
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._serial = 0
        self._told = 0
        self._lines: list[_Line] = []
        self._states: dict[str, tuple[str, str]] = {}

    def make(self) -> History:
        random, history = self._random, self.history
        for number in range(1 if random.random() < 0.8 else 2):
            self._feed(number + 1)
        end_ms = self._now_ms + 500
        pause_at = random.randint(5, 60) if random.random() < 0.03 else -1
        while self._agenda and len(history.records) < MOST_RECORDS:
            self._now_ms, _, act = heapq.heappop(self._agenda)
            act()
            if 0 <= pause_at <= len(history.records):
                pause_at = -1
                self._pause(random.choice((1, 3, 35, 37)))
            end_ms = self._now_ms
        self._silence(end_ms)
        history.said = self._oracle.said
        if random.random() < 0.3:
            history.restarts = {number for number in range(len(history.records)) if random.random() < 0.2}
        contents = history.contents
        contents["histories"] = 1
        contents["records"] = len(history.records)
        contents["restarts"] = len(history.restarts)
        contents["honest histories"] = history.is_honest
        return history

    def _at(self, delay_ms: int, act: Callable[[], None]) -> None:
        self._serial += 1
        heapq.heappush(self._agenda, (self._now_ms + delay_ms, self._serial, act))

    def _pause(self, hours: int) -> None:
        """Let nothing happen for that long; no connection outlives it, a live one ticks every second."""
        for line in self._lines:
            if line.connection is not None and line.connection.is_open:
                self._close(line, 1006, "lost")
                self._at(self._random.choice((0, 500)), lambda line=line: self._reopen(line))
        self._agenda = [(at_ms + hours * 3_600_000, serial, act) for at_ms, serial, act in self._agenda]
        self._now_ms += hours * 3_600_000
        self.history.is_honest = self.history.is_honest and hours < 2
        self.history.contents["histories with a long silence"] += 1
        self._tick(self._random.choice(self._lines))

    # Feeds.

    def _feed(self, number: int) -> None:
        random = self._random
        kind = random.choice(KINDS)
        path = path_of(kind, number)
        scope = "connection" if kind in ("soccer", "statistics", "golf") and random.random() < 0.4 else "fixture"
        vendor = Vendor(random, kind, path, scope, random.choice(("skip", "at")), 0 if kind == "tennis" else 1)
        vendor.two_fixtures = kind == "soccer" and random.random() < 0.08
        self.history.vendors[path] = vendor
        self.history.contents[f"feeds: {kind}, numbers by {scope}"] += 1
        lines = 1 if random.random() < 0.5 else 2
        for place in range(lines):
            line = _Line(path + ("@b" if place else ""), vendor, random.choice((0, 0, 0, 300)))
            self._lines.append(line)
            asked = random.choice((0, 0, 0, None))
            if random.random() < self._chances.wander:
                asked = self._strange(line)
            delay = random.choice((0, 0, 700, 4000)) if place else 0
            self._at(delay, lambda line=line, asked=asked: self._open(line, asked, "start"))
        packets = random.randint(3, 22)
        at_ms = 0
        for past_ms in sorted(
            (random.randint(5_000, 900_000) for _ in range(random.choice((0, 0, 3, 8)))), reverse=True
        ):
            vendor.publish(self._now_ms - past_ms)
        for _ in range(packets):
            at_ms += random.choice(_STEPS_MS)
            self._at(at_ms, lambda: self._publish(vendor))
        self.history.contents["lines"] += lines

    def _publish(self, vendor: Vendor) -> None:
        random, chances = self._random, self._chances
        skip = random.randint(1, 3) if random.random() < chances.hole else 0
        self.history.contents["permanent holes"] += skip > 0
        if len(vendor.entries) > 4 and random.random() < chances.odd / 4:
            skip = random.choice((9_998, 10_001, 20_000))
            self.history.is_honest, self.history.is_far = False, True
        reset = None
        if vendor.scope == "fixture" and len(vendor.entries) > 2 and random.random() < chances.reset:
            reset = random.choice((vendor.first, vendor.first, vendor.first + 2, vendor.entries[-1].number + 500))
            self.history.contents["resets"] += 1
            self.history.is_honest = False
        vendor.publish(self._now_ms, skip=skip, reset=reset)
        if random.random() < chances.status:
            self._status(vendor)
        for line in self._lines:
            if line.vendor is vendor:
                delay = random.choice((0, 0, 0, 20, 400))
                self._at(delay, lambda line=line: self._serve(line))
                if random.random() < chances.close:
                    self._at(delay + random.choice((0, 5, 900)), lambda line=line: self._drop(line))
                if random.random() < 0.06:
                    self._at(delay + 1, lambda line=line: self._tick(line))
                if random.random() < 0.04:
                    self._at(delay + 1, lambda line=line: self._heartbeat(line))

    def _silence(self, end_ms: int) -> None:
        """Let time go on with ticks, for what waits for it."""
        random = self._random
        if random.random() < 0.15:
            return
        self._agenda.clear()
        self._now_ms = end_ms
        for _ in range(random.randint(1, 7)):
            self._at(random.choice((1, 200, 1_999, 2_000, 9_000, 10_000, 15_000, 30_000, 31_000)), lambda: None)
        steps = [at_ms for at_ms, _, _ in self._agenda]
        self._agenda.clear()
        for at_ms in sorted(steps):
            while self._agenda and self._agenda[0][0] <= at_ms and len(self.history.records) < MOST_RECORDS + 30:
                self._now_ms, _, act = heapq.heappop(self._agenda)
                act()
            self._now_ms = max(self._now_ms, at_ms)
            self._tick(random.choice(self._lines))

    # Lines.

    def _strange(self, line: _Line) -> int:
        self.history.is_honest = False
        return self._random.randint(0, len(line.vendor.entries) + 3)

    def _open(self, line: _Line, asked: int | None, cause: str, *, is_poor: bool = False) -> None:
        if line.connection is not None and line.connection.is_open:
            return
        random, vendor = self._random, line.vendor
        if vendor.kind == "golf":
            asked = None
        before = line.connection
        self._serial += 1
        name = f"00000000-0000-4000-8000-{self._serial:012d}"
        connection = _Connection(name, asked, vendor.start(asked), is_poor=is_poor)
        line.connection = connection
        line.events = asked or 0
        told = {
            "feed": vendor.path, "url": f"ws://localhost/{vendor.path}", "start_position": asked,
            "events": line.events, "cause": cause, "previous_connection": before.name if before else None,
            "previous_frame": before.frame if before else None,
        }  # fmt: skip
        if random.random() < 0.98:
            self._record(line, "opened", json.dumps(told).encode())
        if vendor.path in self._states and random.random() < 0.5:
            self._send_status(line, *self._states[vendor.path])
        self.history.contents["connections"] += 1
        self._serve(line)

    def _drop(self, line: _Line) -> None:
        """Close the line's connection and open it again some time later."""
        if line.connection is None or not line.connection.is_open:
            return
        self._close(line, 1006, "lost")
        self._at(self._random.choice((0, 100, 1500, 12_000)), lambda: self._reopen(line))

    def _close(self, line: _Line, code: int, reason: str) -> None:
        assert line.connection is not None
        line.connection.is_open = False
        line.connection.aside.clear()
        if self._random.random() < 0.9:
            told = {"code": code, "reason": reason, "frames": line.connection.frame}
            self._record(line, "closed", json.dumps(told).encode())

    def _reopen(self, line: _Line) -> None:
        vendor = line.vendor
        asked = max(0, line.events - 2) if vendor.counts_events else line.last_number
        if self._random.random() < self._chances.wander:
            asked = self._strange(line)
        self._open(line, asked, "reconnect")

    def _serve(self, line: _Line) -> None:
        """Send what the list has beyond the connection's place."""
        connection, vendor = line.connection, line.vendor
        if connection is None:
            return
        while connection.is_open and connection.cursor < len(vendor.entries):
            entry = vendor.entries[connection.cursor]
            connection.cursor += 1
            self._send(line, connection, entry)

    def _send(self, line: _Line, connection: _Connection, entry: Entry) -> None:
        random, chances, vendor = self._random, self._chances, line.vendor
        if vendor.scope == "fixture":
            number = entry.number
        else:
            if random.random() < chances.own_hole:
                connection.skipped += random.randint(1, 2)
                self.history.contents["holes of one connection's own"] += 1
                self.history.is_honest = False
            base = connection.bases.setdefault(entry.fixture, entry.ordinal)
            number = entry.ordinal - base + vendor.first + connection.skipped
        if entry.is_gone:
            return
        if random.random() < (0.5 if connection.is_poor else chances.drop):
            self.history.contents["packets dropped"] += 1
            if random.random() < chances.gone:
                entry.is_gone = True
            return
        sent, said = entry, number
        value: bytes | None = None
        if random.random() < chances.odd:
            value, sent = self._odd(vendor, entry, number), None
        if value is None:
            said = random.choice((number, f"{number}", float(number))) if random.random() < 0.03 else number
            value = vendor.encode(entry, said)
        if vendor.counts_events:
            if (entry.fixture, number) not in connection.numbers:
                line.events += 1
        else:
            line.last_number = max(line.last_number, number)
        connection.numbers.add((entry.fixture, number))
        if random.random() < chances.swap:
            self.history.contents["swaps"] += 1
            connection.aside.append((random.randint(1, 5), value, sent))
            self._at(random.choice((100, 1500, 2500)), lambda: self._flush(line, connection))
            return
        self._frame(line, connection, value, sent)
        if random.random() < chances.twice:
            self.history.contents["duplicates"] += 1
            connection.aside.append((random.randint(0, 3), value, sent))

    def _odd(self, vendor: Vendor, entry: Entry, number: int) -> bytes:
        """Return a packet that the list does not hold: other body, other action, no number."""
        random = self._random
        self.history.is_honest = False
        # A far number as the first of all is no oddity to the account but where it begins.
        kinds = ("bad number", "other body", "other action", "far away")
        kind = random.choice(kinds if len(self.history.carried) > 4 else kinds[:3])
        self.history.contents[f"odd packets: {kind}"] += 1
        if kind == "bad number":
            return vendor.encode(entry, random.choice(_BAD_NUMBERS))
        if kind == "far away":
            self.history.is_far = True
            return vendor.encode(entry, number + random.choice((10_000, 10_001, 10**6)))
        other = replace(entry, body=json.loads(json.dumps(entry.body)))
        inner = other.body.get("fixtureAction", other.body)
        inner["changed"] = self._serial
        if kind == "other action":
            inner["actionId" if "actionId" in inner else "timestamp"] = f"other-{self._serial}"
        return vendor.encode(other, number)

    def _frame(self, line: _Line, connection: _Connection, value: bytes, entry: Entry | None) -> None:
        if not connection.is_open:
            return
        waiting, connection.aside = connection.aside, []
        self._one_frame(line, connection, value, entry)
        for after, other, held in waiting:
            if after <= 1:
                self._one_frame(line, connection, other, held)
            else:
                connection.aside.append((after - 1, other, held))

    def _one_frame(self, line: _Line, connection: _Connection, value: bytes, entry: Entry | None) -> None:
        random, chances = self._random, self._chances
        connection.frame += 1
        if random.random() < chances.lost:
            self.history.contents["frames lost by us"] += 1
            if random.random() < 0.3:
                told = {"lost": 1, "first_frame": connection.frame, "last_frame": connection.frame}
                self._record(line, "overflow", json.dumps(told).encode())
            return
        self._record(line, "frame", value, entry)
        if random.random() < chances.again:
            self.history.contents["repeated records"] += 1
            record = random.choice(connection.records[-6:])
            self._append(replace(record, offset=len(self.history.records)), None)

    def _flush(self, line: _Line, connection: _Connection) -> None:
        if connection.is_open and connection.aside:
            _, value, entry = connection.aside.pop(0)
            self._one_frame(line, connection, value, entry)

    # Beside packets.

    def _status(self, vendor: Vendor) -> None:
        state = self._random.choice(_STATES)
        stamp = time_text(self._now_ms)
        if self._random.random() < 0.04:
            stamp = "soon"
        self._states[vendor.path] = (state, stamp)
        for line in self._lines:
            if line.vendor is vendor and self._random.random() < 0.9:
                delay = self._random.choice((0, 0, 0, 300, 4000))
                self._at(delay, lambda line=line: self._send_status(line, state, stamp))

    def _send_status(self, line: _Line, state: str, stamp: str) -> None:
        connection = line.connection
        if connection is None or not connection.is_open:
            return
        self.history.contents["status packets"] += 1
        told = {"eventElementType": "ConnectionStateChanged", "state": state, "timestamp": stamp}
        connection.frame += 1
        self._record(line, "frame", json.dumps(told).encode())

    def _heartbeat(self, line: _Line) -> None:
        if line.connection is not None and line.connection.is_open:
            line.connection.frame += 1
            told = {"message": f"Heartbeat sent at {time_text(self._now_ms)}", "level": "INFO"}
            self._record(line, "frame", json.dumps(told).encode())

    def _tick(self, line: _Line) -> None:
        if line.connection is not None:
            told = {"open": line.connection.is_open, "events": line.events}
            self._record(line, "tick", json.dumps(told).encode())

    # Records.

    def _record(self, line: _Line, kind: str, value: bytes, entry: Entry | None = None) -> None:
        connection = line.connection
        assert connection is not None
        path = line.vendor.path.encode()
        stamps: list[Header] = [
            ("tc-feed", b"fastpath"),
            ("tc-line", line.name.encode()),
            ("tc-connection", connection.name.encode()),
            ("tc-frame", b"%d" % connection.frame),
            ("tc-received-ns", b"%d" % ((self._now_ms - line.skew_ms) * 1_000_000)),
            ("tc-kind", kind.encode()),
        ]
        if connection.asked is not None:
            stamps.append(("tc-position", b"%d" % connection.asked))
        record = Raw(len(self.history.records), path, value, tuple(stamps))
        if kind == "frame":
            connection.records.append(record)
        self._append(record, entry)

    def _append(self, record: Raw, entry: Entry | None) -> None:
        self.history.records.append(record)
        if entry is not None:
            self.history.carried[record.offset] = entry
        self._oracle.read(record)
        commands = self._oracle.said.commands
        while self._told < len(commands):
            self._told += 1
            self._answer(commands[self._told - 1])

    def _answer(self, command: Command) -> None:
        random = self._random
        line = next(line for line in self._lines if line.name == command.line)
        answer = random.choice(("whole", "whole", "whole", "part", "none"))
        self.history.contents[f"commands answered: {answer}"] += 1
        if answer == "none":
            return

        def reconnect() -> None:
            if line.connection is not None and line.connection.is_open:
                self._close(line, 1000, "repair")
            self._at(
                random.choice((0, 50, 500)),
                lambda: self._open(line, command.position, "repair", is_poor=answer == "part"),
            )

        self._at(random.choice((0, 20, 1000, 5000)), reconnect)
