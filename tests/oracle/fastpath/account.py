"""The sequence account as its rules state it (R1 to R9), over sets of numbers and lists; slow and plain on purpose."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed
from typing import Final

from tests.oracle.fastpath.said import Command, Finding, Out, Said, ranges

REMEMBERED: Final = 10_000
"""Numbers that are remembered, the newest ones."""
FARTHEST: Final = 10_000
"""A number farther than this beyond the last one is implausible (R5)."""
SILENT_S: Final = 36 * 3600
"""Seconds of stream time after which an account of which nothing comes is removed (R10)."""
NEAR: Final = 64
"""Numbers around the one asked for among which a packet is looked for by name (R2)."""
KEPT: Final = 64
"""Numbers that are remembered of a fixture that is over for ``FINISHED_S``."""
FINISHED_S: Final = 2 * 3600
"""The same where a packet said that the fixture is over."""
IN_A_ROW: Final = 3
"""Conflicts that rise by one each and then are a restart (R7)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the processor, seconds and milliseconds of stream time."""

    hold_ms: int = 2000
    hold_count: int = 64
    repairs: int = 4
    window_s: int = 600
    timeout_s: int = 30


@dataclass(frozen=True, slots=True)
class Place:
    """What the feed's path tells: ``position`` is how startPosition counts, ``first`` the first packet's number."""

    feed: str
    kind: str
    position: str | None
    first: int


@dataclass(slots=True)
class Connection:
    """One connection, over all accounts."""

    name: str
    line: str
    asked: int | None
    since: float
    """Step at which it opened; there are three a record: time, the connection, the packet."""
    opened_ns: int = 0
    lost: list[tuple[int, int]] = field(default_factory=list)
    """Frames that we lost, first and last."""


@dataclass(slots=True)
class Packet:
    """A numbered packet: ``out`` is its record but for the number and how it is released; ``at_ns`` stream time."""

    out: Out
    number: int
    key: str
    body: str
    at_ns: int
    connection: Connection
    frame: int
    is_finished: bool
    is_named: bool
    """It has an action's id or a time; others may be equal without being the same."""
    imply: Callable[[], str]
    """Says that the packet is new; returns the state of the upstream collector that it carries."""

    @property
    def content(self) -> tuple[str, str]:
        """What tells two packets apart."""
        return self.key, self.body


@dataclass(slots=True)
class _View:
    """What an account knows of a connection."""

    offset: int | None = None
    own_last: int = -1
    numbers: set[int] = field(default_factory=set)
    """All that it sent since it last began anew."""
    packets: int = 0
    """Distinct packets that it sent."""
    delivered: set[int] = field(default_factory=set)
    """Those that were no conflict, since it last began anew."""
    run: list[int] = field(default_factory=list)
    """Numbers of the last conflicts, if nothing came between."""
    frame: int = 0
    """Of the last packet of this account."""


@dataclass(slots=True)
class _Gap:
    first: int
    last: int
    missing: set[int]
    since_ns: int
    found: int
    """Step at which it was shown."""
    shown_by: Connection
    before: int
    """Distinct packets of that connection before the gap."""
    frames: tuple[int, int]
    """The packet before the gap and the one that showed it."""
    state: str = "waiting"
    came_by: list[Connection] = field(default_factory=list)
    reported: set[int] = field(default_factory=set)
    """Numbers named as not repairable that are still missing."""
    command: Command | None = None
    asked: int = 0
    """Step at which the command was given."""
    asked_ns: int = 0

    @property
    def by(self) -> str:
        """Line that brought the last number that did not come by the connection that showed the gap."""
        others = [connection.line for connection in self.came_by if connection is not self.shown_by]
        return others[-1] if others else self.shown_by.line


class Account:
    """The account of one fixture of one feed.

    Args:
        place: What the path tells.
        fixture: Fixture id.
        rules: Settings.
        said: Where what is to be told goes.
        lines: Tells which lines of the feed are open, sorted.
    """

    def __init__(self, place: Place, fixture: str, rules: Rules, said: Said, lines: Callable[[], list[str]]) -> None:
        self.place, self.fixture, self.rules, self.said, self.lines = place, fixture, rules, said, lines
        self.views: dict[str, _View] = {}
        self.known: dict[int, tuple[str, str]] = {}
        """Content by number."""
        self.held: dict[int, Packet] = {}
        self.gaps: list[_Gap] = []
        self.asked_ns: list[int] = []
        """When commands were given."""
        self.base: int | None = None
        """Lowest number."""
        self.unpromised: set[int] = set()
        """Missing numbers that are below the first baseline: in no gap, and not forgotten."""
        self.last = -1
        self.offset = 0
        self.scope = "unknown"
        self.is_finished = self.is_small = False
        self.floor = 0
        """Numbers below it are forgotten."""
        self.reading = 0
        """How far from position and own number the newest connection stood that was found by content."""
        self.at, self.step, self.now_ns, self.heard_ns = 0, 0, 0, 0

    # One packet.

    def take(self, packet: Packet, at: int, now_ns: int) -> None:
        """Take a packet that arrived in the record at offset ``at``."""
        self.at, self.step, self.now_ns = at, 3 * at + 2, now_ns
        self.heard_ns, self.is_finished = now_ns, self.is_finished or packet.is_finished
        view = self.views.setdefault(packet.connection.name, _View())
        self.known = {number: known for number, known in self.known.items() if number > self.last - REMEMBERED}
        self.known = {number: known for number, known in self.known.items() if number >= self.floor}
        number, own_last, before = packet.number, view.own_last, view.packets
        reached = self._place(packet, view, own_last, before)
        view.own_last = max(view.own_last, number)
        view.packets += number not in view.numbers
        view.numbers.add(number)
        view.frame = packet.frame
        if reached is not None:
            self._attempts_reached(packet.connection, reached)

    def _place(self, packet: Packet, view: _View, own_last: int, before: int) -> int | None:
        """Return the account number that the connection has reached with it."""
        if self.base is None:
            return self._baseline(packet, view)
        if view.offset is None and not self._align(packet, view):
            number = self._restart(packet, view, before)
            if packet.connection.asked:
                self._ask_after_restart(packet.connection, number)
            return number
        assert view.offset is not None
        expected = packet.number + view.offset
        number = self._shifted(packet, view, expected)
        is_elsewhere = number != expected
        known = self.known.get(number)
        reason = self._mismatch(number, packet, view)
        if reason is not None:
            if packet.number == self.place.first < own_last:
                return self._restart(packet, view, before)
            return self._unmatched(packet, view, number, reason, before)
        if self._is_forgotten(number):
            view.run = []
            view.delivered.add(packet.number)
            return None
        if self.base == self.last == own_last + view.offset and FARTHEST < self.base - number < 2**62:
            return self._restart(packet, view, before)
        view.run = []
        if known is not None and known[1] != packet.body:
            self._find("conflict", first=number, reason="body-differs")
            if packet.number in view.delivered:
                self._conflict(packet, number)
            return None
        if known is not None:
            if packet.number in view.delivered and not is_elsewhere:
                self._find("duplicate", first=number)
            else:
                view.delivered.add(packet.number)
                self.said.copies += 1
            return number
        self._remember(number, packet, view)
        if number > self.last:
            self._beyond(number, packet, view, before)
        else:
            self._fill(number, packet)
        return number

    def _mismatch(self, number: int, packet: Packet, view: _View) -> str | None:
        """Return why the packet cannot have that number, ``None`` if it can."""
        known = self.known.get(number)
        began_anew = self._is_forgotten(number) and packet.number == self.place.first < view.own_last
        if number < 0 or began_anew or (known is not None and known[0] != packet.key):
            return "other-action"
        return "implausible-jump" if number - self.last > FARTHEST else None

    def _is_forgotten(self, number: int) -> bool:
        is_missing = number in self.unpromised or any(number in gap.missing for gap in self.gaps)
        return self._base <= number <= max(self.last - REMEMBERED, self.floor - 1) and not is_missing

    def _remember(self, number: int, packet: Packet, view: _View) -> None:
        packet.out = changed(packet.out, state=packet.imply())
        self.known[number] = packet.content
        view.delivered.add(packet.number)

    # R1, R2.

    def _baseline(self, packet: Packet, view: _View) -> int:
        number = packet.number
        view.offset = 0
        self._find("baseline", first=number, asked=packet.connection.asked)
        self.base = self.last = number
        self._remember(number, packet, view)
        first = self.place.first
        if packet.connection.asked == 0 and first < number <= first + FARTHEST:
            self._show(first, number - 1, packet, 0, view)
            self.base = first
        self._hold_or_release(number, packet)
        return number

    def _align(self, packet: Packet, view: _View) -> bool:
        """Set the connection's offset; return false if nothing tells it."""
        assert self.base is not None
        number, asked = packet.number + self.offset, packet.connection.asked or 0
        known = self.known.get(number)
        same = [other for other, known in self.known.items() if known == packet.content]
        is_same = known == packet.content or (known is not None and known[0] == packet.key and not same)
        if is_same:
            view.offset = self.offset
            if (asked > 0 or self.place.position == "sequence") and packet.number > self.place.first:
                self.scope = "fixture"
        elif number > self.last or (number >= self.base and known is None and not self._is_forgotten(number)):
            view.offset = self.offset
        elif same:
            self._counts_itself(packet, view, min(same, key=lambda other: (abs(other - asked - 1), -other)))
        elif 0 <= number < self.base:
            view.offset = self.offset
        elif near := self._namesakes(packet, asked + packet.number):
            nearest = min(near, key=lambda other: (abs(other - asked - packet.number), -other))
            self._counts_itself(packet, view, nearest)
        elif number in self.known and self._is_awaited(asked + packet.number + self.reading, asked):
            self._counts_itself(packet, view, asked + packet.number + self.reading)
        elif self._is_forgotten(number):
            view.offset = self.offset
        return view.offset is not None

    def _counts_itself(self, packet: Packet, view: _View, place: int) -> None:
        """Take the connection's numbers for its own; this one stands at ``place``."""
        reading = place - (packet.connection.asked or 0) - packet.number
        if abs(reading) <= NEAR:
            self.reading = reading
        view.offset = place - packet.number
        self.scope = "connection"
        if view.offset != self.offset:
            self._find_restart(packet, place, aligned=True)

    def _is_awaited(self, place: int, asked: int) -> bool:
        """Tell whether a replay from ``asked`` can begin at ``place`` with something that nobody brought."""
        if self.scope == "fixture" or self.place.position != "events" or not asked:
            return False
        is_missing = place in self.unpromised or any(place in gap.missing for gap in self.gaps)
        return is_missing or self.last < place <= self.last + NEAR

    def _namesakes(self, packet: Packet, asked: int) -> list[int]:
        """Return where the packet's name is known around the place that was asked for: its body is rendered anew."""
        if self.scope == "fixture" or self.is_small or self.place.position != "events" or not packet.is_named:
            return []
        return [other for other, known in self.known.items() if known[0] == packet.key and abs(other - asked) <= NEAR]

    # R3, R4, R7.

    def _shifted(self, packet: Packet, view: _View, number: int) -> int:
        """Return the number, or the one that the same content has elsewhere, and shift to it."""
        known = self.known.get(number)
        if known is not None and known[0] == packet.key:
            return number
        assert view.offset is not None
        same = [
            other
            for other, known in self.known.items()
            if known == packet.content and other - view.offset not in view.delivered
        ]
        ahead, behind = [other for other in same if other > number], [other for other in same if other < number]
        by_default = packet.number + self.offset
        is_conflict = self._mismatch(number, packet, view) is not None
        found = None
        is_free = self.scope != "fixture" and packet.is_named and not self._is_forgotten(number)
        if is_free and number <= self.last and ahead:
            found = min(ahead)
        elif is_free and self.last < number <= self.last + FARTHEST and behind:
            found = max(behind)
        elif is_conflict and by_default in self.known and self.known[by_default] == packet.content:
            found = by_default
        elif is_free and is_conflict and number in self.known and behind:
            found = max(behind)
        if found is None:
            return number
        view.offset = found - packet.number
        if packet.number in view.delivered:
            self._start_anew(view)
        return found

    def _start_anew(self, view: _View) -> None:
        """Forget what the connection delivered: its numbers began anew."""
        view.own_last = -1
        view.numbers.clear()
        view.delivered.clear()

    def _unmatched(self, packet: Packet, view: _View, number: int, reason: str, before: int) -> int | None:
        if view.run and packet.number == view.run[-1] + 1:
            view.run.append(packet.number)
        else:
            view.run = [packet.number]
        if len(view.run) == IN_A_ROW:
            return self._restart(packet, view, before)
        self._find("conflict", first=None if number < 0 else number, reason=reason)
        self._conflict(packet, number)
        return None

    def _conflict(self, packet: Packet, number: int) -> None:
        packet.out = changed(packet.out, state=packet.imply())
        self._out(packet, number, "conflict", "conflict")

    def _restart(self, packet: Packet, view: _View, before: int) -> int:
        """Begin anew behind all that is known, or follow another connection that did."""
        view.run = []
        self._start_anew(view)
        number = packet.number + self.offset
        is_near = self._base <= number <= self.last + FARTHEST and number not in self.known
        is_near = is_near and not self._is_forgotten(number)
        if view.offset not in (None, self.offset) and is_near:
            view.offset = self.offset
        else:
            number = self.last + 1
            self._find_restart(packet, number, aligned=False)
            self.offset = view.offset = number - packet.number
            self.scope = "unknown"
        self._remember(number, packet, view)
        if number > self.last:
            self._beyond(number, packet, view, before)
        else:
            self._fill(number, packet)
        return number

    @property
    def _base(self) -> int:
        assert self.base is not None
        return self.base

    def _ask_after_restart(self, connection: Connection, number: int) -> None:
        if self.place.position is not None and not self._is_statistics() and self._in_budget():
            self._ask(connection.line, number, number, self._beginning, 1)

    @property
    def _beginning(self) -> int:
        return self.place.first if self.place.position == "sequence" else 0

    # R5, R6, R8.

    def _beyond(self, number: int, packet: Packet, view: _View, before: int) -> None:
        first, self.last = self.last + 1, number
        if first < number:
            self._show(first, number - 1, packet, before, view)
        self._hold_or_release(number, packet)

    def _show(self, first: int, last: int, packet: Packet, before: int, view: _View) -> None:
        connection = packet.connection
        missing, frames = set(range(first, last + 1)), (view.frame, packet.frame)
        self.gaps.append(_Gap(first, last, missing, self.now_ns, self.step, connection, before, frames))

    def _hold_or_release(self, number: int, packet: Packet) -> None:
        if self._is_statistics():
            self._out(packet, number, "unordered" if self._first_missing() < number else "in_order")
        elif self._first_missing() < number:
            self.held[number] = packet
            while len(self.held) > self.rules.hold_count:
                self._give_up(self._waiting()[0], "overfull")
        else:
            self._out(packet, number, "in_order")

    def _first_missing(self) -> int:
        """Return the lowest number that is waited for, one beyond the last if there is none."""
        return min((number for gap in self._waiting() for number in gap.missing), default=self.last + 1)

    def _waiting(self) -> list[_Gap]:
        return sorted((gap for gap in self.gaps if gap.state == "waiting"), key=lambda gap: gap.first)

    def _fill(self, number: int, packet: Packet) -> None:
        self.unpromised |= set(range(number + 1, self._base))
        self.unpromised.discard(number)
        self.base = min(self._base, number)
        gap = next((gap for gap in self.gaps if number in gap.missing), None)
        if gap is None:
            self._out(packet, number, "repaired", "repaired")
            return
        gap.missing.remove(number)
        gap.came_by.append(packet.connection)
        if gap.state == "waiting":
            if not gap.missing:
                self._complete(gap)
            if not self._is_statistics():
                self._hold_or_release(number, packet)
                self._release("filled")
                return
        mark = "late" if packet.connection is gap.shown_by else "repaired"
        self._out(packet, number, "unordered" if gap.state == "waiting" else mark, mark)
        if gap.state == "waiting":
            return
        if number in gap.reported:
            gap.reported.remove(number)
            kind = "gap_repaired" if packet.connection.since > gap.found else "gap_closed"
            self._find(kind, first=number, last=number, by=packet.connection.line)
            if not gap.missing:
                self.gaps.remove(gap)
        elif not gap.missing:
            repaired = any(connection.since > gap.found for connection in gap.came_by)
            self._find("gap_repaired" if repaired else "gap_closed", first=gap.first, last=gap.last, by=gap.by)
            self.gaps.remove(gap)

    def _is_statistics(self) -> bool:
        return self.place.kind == "statistics"

    def _complete(self, gap: _Gap) -> None:
        if any(connection is not gap.shown_by for connection in gap.came_by):
            self._find("gap_closed", first=gap.first, last=gap.last, by=gap.by)
        else:
            self._find("reordered", first=gap.first, last=gap.last)
        self.gaps.remove(gap)

    def _release(self, why: str) -> None:
        """Let out what is below the lowest number that is waited for."""
        first = self._first_missing()
        for number in sorted(number for number in self.held if number < first):
            self._out(self.held.pop(number), number, why)

    def due(self, now_ns: int) -> Iterator[tuple[int, str, str, int, "Account"]]:
        """Yield the waiting gaps whose time is over, as what they are sorted by."""
        for gap in self._waiting():
            if now_ns >= gap.since_ns + self.rules.hold_ms * 1_000_000:
                yield gap.since_ns, self.place.feed, self.fixture, gap.first, self

    def give_up_due(self, first: int, at: int, now_ns: int) -> None:
        """Give up the gap that begins at ``first``."""
        self.at, self.step, self.now_ns = at, 3 * at, now_ns
        self._give_up(next(gap for gap in self.gaps if gap.first == first), "timeout")

    def _give_up(self, gap: _Gap, why: str) -> None:
        gap.state = "open"
        before, after = gap.frames
        ours = any(first < after and last > before for first, last in gap.shown_by.lost)
        self._find("gap_suspected", first=gap.first, last=gap.last, missing=ranges(gap.missing), ours=ours)
        if self._is_statistics():
            gap.reported = set(gap.missing)
        elif self.place.position is None:
            self._not_repairable(gap, "no-replay")
        elif self.place.position == "events":
            self._repair(gap, max(0, (gap.shown_by.asked or 0) + gap.before - 2), 1)
        else:
            self._repair(gap, max(self.place.first, gap.first - 1 - self.offset), 1)
        self._release(why)

    # R9.

    def _in_budget(self) -> bool:
        recent = [asked for asked in self.asked_ns if asked > self.now_ns - self.rules.window_s * 10**9]
        return len(recent) < self.rules.repairs

    def _repair(self, gap: _Gap, position: int, attempt: int) -> None:
        if not self._in_budget():
            self._not_repairable(gap, "budget")
            return
        line = gap.shown_by.line
        if attempt > 1:
            line = next((other for other in self.lines() if other != line), line)
        gap.command = self._ask(line, gap.first, gap.last, position, attempt)
        gap.asked, gap.asked_ns = self.step, self.now_ns

    def _ask(self, line: str, first: int, last: int, position: int, attempt: int) -> Command:
        self.asked_ns.append(self.now_ns)
        command = Command(self.at, self.place.feed, self.fixture, line, first, last, position, attempt)
        self.said.commands.append(command)
        return command

    def _not_repairable(self, gap: _Gap, reason: str) -> None:
        gap.command = None
        gap.reported = set(gap.missing)
        self._find("not_repairable", missing=ranges(gap.missing), reason=reason)

    def _attempts_reached(self, connection: Connection, reached: int) -> None:
        """End attempts that this connection has passed without the numbers."""
        for gap in sorted(self.gaps, key=lambda gap: gap.first):
            command = gap.command
            if command is None or reached <= gap.last or connection.since < gap.asked:
                continue
            if (connection.asked or 0) <= command.position:
                self._attempt_over(gap, command, "not-in-replay")

    def overdue(self, now_ns: int) -> Iterator[tuple[int, str, str, int, "Account"]]:
        """Yield the gaps whose repair took too long, as what they are sorted by."""
        for gap in self.gaps:
            if gap.command is not None and now_ns >= gap.asked_ns + self.rules.timeout_s * 10**9:
                yield gap.asked_ns, self.place.feed, self.fixture, gap.first, self

    def end_attempt(self, first: int, at: int, now_ns: int) -> None:
        """End the attempt to repair the gap that begins at ``first``, for its time is over."""
        self.at, self.step, self.now_ns = at, 3 * at, now_ns
        gap = next(gap for gap in self.gaps if gap.first == first)
        assert gap.command is not None
        self._attempt_over(gap, gap.command, "timeout")

    def _attempt_over(self, gap: _Gap, command: Command, reason: str) -> None:
        gap.command = None
        if command.attempt == 1:
            self._repair(gap, self._beginning, 2)
        else:
            self._not_repairable(gap, reason)

    # R10.

    def is_silent(self, now_ns: int) -> bool:
        """Tell whether nothing came for so long that the account is removed."""
        return now_ns // 10**9 - self.heard_ns // 10**9 >= SILENT_S

    def shrink(self, now_ns: int) -> None:
        """Forget, once, all but the newest numbers of a fixture that is over for long enough."""
        is_over = self.is_finished and now_ns // 10**9 - self.heard_ns // 10**9 >= FINISHED_S
        if is_over and not self.is_small:
            self.is_small, self.floor = True, max(0, self.last - KEPT + 1)

    def remove(self, at: int, now_ns: int) -> None:
        """Say what becomes of the numbers that are still asked for."""
        self.at, self.now_ns = at, now_ns
        for gap in sorted(self.gaps, key=lambda gap: gap.first):
            if gap.command is not None:
                self._not_repairable(gap, "forgotten")

    # Telling.

    def _find(self, kind: str, **facts: object) -> None:
        told = tuple(sorted((name, fact) for name, fact in facts.items() if fact is not None))
        self.said.findings.append(Finding(self.at, self.place.feed, self.fixture, kind, told))

    def _find_restart(self, packet: Packet, number: int, *, aligned: bool) -> None:
        self._find("restarted", vendor_first=packet.number, first=number, old_last=self.last, aligned=aligned)

    def _out(self, packet: Packet, number: int, why: str, *marks: str) -> None:
        after_ms = (self.now_ns - packet.at_ns) // 1_000_000
        topic = self.said.statistics if self._is_statistics() else self.said.actions
        sequence = None if number < 0 else number  # before the account's beginning, by a connection's offset
        told = changed(packet.out, at=self.at, sequence=sequence, why=why, after_ms=after_ms, marks=frozenset(marks))
        topic.append(told)
