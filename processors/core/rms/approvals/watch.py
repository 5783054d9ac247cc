"""The lines of one stream task: told what records say, it returns what there is to tell of them.

The caller acts on what is returned, in order. Memory is changed with the store, so whoever catches an exception throws
the watch away (see ``Context.memory``).
"""

from typing import Final

from processors.core.control import Overflow
from processors.core.processor import Hole, Store
from processors.core.rms.approvals import line_health
from processors.core.rms.approvals.book import Book
from processors.core.rms.approvals.control import Closed, Control, Opened, Tick
from processors.core.rms.approvals.coverage import Run
from processors.core.rms.approvals.customers import Customers
from processors.core.rms.approvals.entries import OLDER_CONNECTIONS, Line
from processors.core.rms.approvals.line_findings import Finding, Forgotten, Stamp
from processors.core.rms.approvals.source import line_customer
from schemas.rms.codes import Count

LOST_S: Final = 60
"""A line ticks every second, also between connections; after so long without a record its connector is dead."""
UNHEARD_S: Final = 60
"""The vendor's library pings every 25 s and gives up after 20 more; a connection that is silent for longer is dead."""
FORGOTTEN_S: Final = 24 * 3600
"""A line of which nothing came for so long is forgotten."""
NUMBERS_S: Final = 10
"""How often a line's token age and budget are told."""

_NANOSECONDS: Final = 1_000_000_000
_MEMORY: Final = "rms.watch"


class Watch:
    """The lines and customers of one task.

    Args:
        store: State of the stream task; its lines and customers are read once.

    Attributes:
        customers: What their lines come to for the customers; asked at the end of each record.
    """

    def __init__(self, store: Store) -> None:
        self._book = Book(store)
        self.customers = Customers(self._book)

    # Time.

    def advance(self, customer: str, received_ns: int, stream_ns: int) -> list[Finding]:
        """Let time pass up to a record; to be called on every record, before what it says."""
        self.customers.advance(customer, received_ns)
        now_s = stream_ns // _NANOSECONDS
        found: list[Finding] = []
        if self._book.beat(now_s):
            for name, line in self._book.lines():
                if self._is_away(line, now_s, LOST_S):
                    if line.is_open:
                        self._down(line, "silent")
                        line.is_lost = True
                        found += self._judge(name, line, stream_ns, now_s)
                    elif now_s - line.record_s > FORGOTTEN_S:
                        self._book.forget(name)
                        found.append(Forgotten(name))
        return found

    # What records say.

    def frame(self, stamp: Stamp) -> list[Finding]:
        """Take a frame, whatever is in it.

        When it was received does not tell when it was sent, so it covers nothing: a connector that stood still reads
        on waking what is as old as its stall. How far all was read, ticks and ``closed`` say.
        """
        line, found = self._at(stamp)
        if line is None:
            return found
        line.is_unheard = False
        return found + self._judge(stamp.line, line, stamp.received_ns, stamp.now_s)

    def joined(self, stamp: Stamp) -> list[Finding]:
        """After ``frame``: it proves that the connection is in the room."""
        line = self._current(stamp)
        if line is None:
            return []
        found = self._join(stamp, line)
        return found + self._judge(stamp.line, line, stamp.received_ns, stamp.now_s)

    def left(self, stamp: Stamp) -> list[Finding]:
        """After ``frame``: the server takes the connection out of the room."""
        line = self._current(stamp)
        if line is None:
            return []
        self._end(line)
        line.joined = False
        return self._judge(stamp.line, line, stamp.received_ns, stamp.now_s)

    def control(self, control: Control, stamp: Stamp) -> list[Finding]:
        """Take a control record."""
        match control:
            case Opened():
                line, found = self._at(stamp)
                return found if line is not None else [*found, Count.LATE_CONTROL]
            case Closed():
                return self._closed(control, stamp)
            case Overflow():
                return self._overflow(control, stamp)
            case Tick():
                return self._tick(control, stamp)

    def hole(self, hole: Hole) -> list[Finding]:
        """Take frames that never reached the raw topic."""
        line = self._book.line(hole.line)
        if line is None:
            customer, _ = line_customer(hole.line)
            return [Count.UNPLACED_HOLE] if customer is None else [line_health.hole(hole, customer, hole.received_ns)]
        since_ns = min(line.until_ns or hole.received_ns, hole.received_ns)
        if line.connection == hole.connection or hole.connection in line.older:
            self._interrupt(line, hole.received_ns)
            self._book.put_line(hole.line)
        return [line_health.hole(hole, line.customer, since_ns)]

    # Control records.

    def _closed(self, closed: Closed, stamp: Stamp) -> list[Finding]:
        line, found = self._find(stamp)
        if line is None:
            return [*found, Count.LATE_CONTROL]  # an older connection's end, told late: the newer one goes on
        if closed.heard_ns is not None:
            self._hear(line, min(closed.heard_ns, stamp.received_ns))
        self._down(line, line_health.reason_of(closed))
        return found + self._judge(stamp.line, line, stamp.received_ns, stamp.now_s)

    def _overflow(self, overflow: Overflow, stamp: Stamp) -> list[Finding]:
        line, found = self._at(stamp)
        if line is None:
            return found
        is_told = line.since_ns == self._start_ns(line, stamp.received_ns)  # the hole before it is the same loss
        since_ns = stamp.received_ns if line.until_ns is None or is_told else min(line.until_ns, stamp.received_ns)
        self._interrupt(line, stamp.received_ns)
        found.append(line_health.overflow(stamp.line, line, since_ns, stamp.received_ns, overflow))
        return found + self._judge(stamp.line, line, stamp.received_ns, stamp.now_s)

    def _tick(self, tick: Tick, stamp: Stamp) -> list[Finding]:
        line, found = self._at(stamp) if tick.open else self._find(stamp)
        if line is None:
            return found
        if not tick.open and line.is_open:  # the record of its end is lost
            self._down(line, "closed")
        if line.is_open and tick.heard_ns is not None:
            self._hear(line, min(tick.heard_ns, stamp.received_ns))
            line.is_unheard = stamp.received_ns - tick.heard_ns > UNHEARD_S * _NANOSECONDS
        if line.is_open and tick.joined:
            found += self._join(stamp, line)
        return found + self._judge(stamp.line, line, stamp.received_ns, stamp.now_s, tick)

    # Lines.

    def _find(self, stamp: Stamp) -> tuple[Line | None, list[Finding]]:
        """Return the line of a record, its newest connection being the record's; ``None``: that is an older one."""
        found: list[Finding] = []
        line = self._book.line(stamp.line)
        if line is None:
            superfluous = self._book.superfluous()
            if superfluous is not None:
                dropped = self._book.line(superfluous)
                if dropped is not None:
                    self._end(dropped)
                self._book.forget(superfluous)
                found.append(Forgotten(superfluous))
            line = self._book.add(stamp.line, Line(stamp.customer, stamp.connection, cause="closed"))
        line.record_s, line.beat = stamp.now_s, self._book.beats
        if line.connection == stamp.connection:
            return line, found
        if stamp.connection in line.older:
            self._book.put_line(stamp.line)
            return None, found
        # Its connector may have died without a word, so nobody knows when the connection before ended.
        self._down(line, "died")
        line.older = [*line.older, line.connection][-OLDER_CONNECTIONS:]
        line.connection = stamp.connection
        line.told_s = 0
        return line, found

    def _at(self, stamp: Stamp) -> tuple[Line | None, list[Finding]]:
        """Return the line of a record that shows its connection to be open; likewise."""
        known = self._current(stamp)
        is_new = known is None
        line, found = self._find(stamp)
        if line is None:
            return None, found
        if is_new:
            line.is_open, line.is_lost, line.is_unheard, line.joined = True, False, False, False
            found += self._judge(stamp.line, line, stamp.received_ns, stamp.now_s)
        elif line.is_lost:
            line.is_open, line.is_lost = True, False
            if line.joined:
                found += self._begin(stamp, line)
        return line, found

    def _current(self, stamp: Stamp) -> Line | None:
        line = self._book.line(stamp.line)
        return line if line is not None and line.connection == stamp.connection else None

    def _join(self, stamp: Stamp, line: Line) -> list[Finding]:
        if not line.is_open or line.joined:
            return []
        line.joined = True
        return self._begin(stamp, line)

    def _begin(self, stamp: Stamp, line: Line) -> list[Finding]:
        since_ns = self._start_ns(line, stamp.received_ns)
        gap = line.until_ns is not None and since_ns > line.until_ns
        found: list[Finding] = [line_health.gap(stamp.line, line, line.until_ns or 0, since_ns)] if gap else []
        self._cover(line, since_ns, stamp.received_ns)
        return found

    def _start_ns(self, line: Line, received_ns: int) -> int:
        """Return from when on a socket covers that is joined now: a clock put back must not cover what was missed."""
        return max(received_ns, self.customers.now_ns(line.customer))

    def _cover(self, line: Line, since_ns: int, heard_ns: int) -> None:
        line.since_ns, line.until_ns = since_ns, heard_ns
        self.customers.begun(line.customer)

    def _hear(self, line: Line, heard_ns: int) -> None:
        if line.since_ns is not None:
            line.until_ns = max(line.until_ns or 0, heard_ns)

    def _interrupt(self, line: Line, received_ns: int) -> None:
        """Something of the line is lost: what it covers, it covers without a hole from now on."""
        self._end(line)
        if line.is_open and line.joined:
            self._cover(line, self._start_ns(line, received_ns), received_ns)

    def _end(self, line: Line) -> None:
        if line.since_ns is not None:
            self.customers.ended(line.customer, Run(line.since_ns, line.until_ns or 0))
            line.since_ns = None

    def _down(self, line: Line, cause: str) -> None:
        self._end(line)
        if cause != "silent":
            line.joined = False
        line.is_open = line.is_lost = line.is_unheard = False
        line.cause = cause

    def _is_away(self, line: Line, now_s: int, limit_s: int) -> bool:
        return now_s - line.record_s > limit_s and self._book.beats - line.beat > limit_s

    # What is told.

    def _judge(self, name: str, line: Line, received_ns: int, now_s: int, tick: Tick | None = None) -> list[Finding]:
        state: line_health.State
        if not line.is_open:
            state, reason = "down", line.cause
        elif not line.joined:
            state, reason = "suspect", "not-joined"
        elif line.is_unheard:
            state, reason = "suspect", "unheard"
        else:
            state, reason = "live", "joined"
        told = (state, reason, line.joined)
        is_changed = told != line.told
        found: list[Finding] = []
        if is_changed:
            line.told, line.state_ns = told, received_ns
        if is_changed or (tick is not None and now_s - line.told_s >= NUMBERS_S):
            line.told_s = 0 if tick is None else now_s
            found.append(line_health.standing(name, line, state, reason, tick))
        self._book.put_line(name)
        return found


def watch(store: Store, memory: dict[str, object]) -> Watch:
    """Return the task's watch, made anew after a restart."""
    known = memory.get(_MEMORY)
    if not isinstance(known, Watch):
        known = memory[_MEMORY] = Watch(store)
    return known
