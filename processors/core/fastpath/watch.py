"""The lines of one stream task: told what records say, it returns what there is to tell; their feeds take note.

The caller acts on what is returned, in order. Memory is changed with the store, so whoever catches an exception throws
the watch away (see ``Context.memory``).
"""

from typing import Final

from processors.core.control import Overflow
from processors.core.fastpath import line_health
from processors.core.fastpath.control import Closed, Control, Opened, Tick
from processors.core.fastpath.feed_watch import FeedWatch
from processors.core.fastpath.line_book import PULSE_S, LineBook
from processors.core.fastpath.line_entries import Line, Pulse
from processors.core.fastpath.line_findings import Down, Finding, Forgotten, LineStamp, Lost, Up
from processors.core.fastpath.source import feed_path, usable_path
from processors.core.processor import Hole, Store
from schemas.fastpath.codes import Count
from schemas.fastpath.health import LineHealth

LOST_S: Final = 60
"""A line ticks every second, also between connections; after so long without a record its connector is dead."""
SILENT_S: Final = 30
"""So long an open line may bring nothing, not even a heartbeat, while another line of the feed does."""
FORGOTTEN_S: Final = 36 * 3600
"""A line that is down for longer than this is forgotten, as its accounts are."""

_NANOSECONDS: Final = 1_000_000_000
_MEMORY: Final = "fastpath.watch"


class Watch:
    """The lines and feeds of one task.

    Args:
        store: State of the stream task; read through once.

    Attributes:
        book: What is known of them.
        feeds: Judges them, at the end of each record.
    """

    def __init__(self, store: Store) -> None:
        self.book = LineBook(store)
        self.feeds = FeedWatch(self.book)

    # What records say.

    def frame(self, stamp: LineStamp) -> list[Finding]:
        """Take a frame, whatever is in it."""
        return self._heard(stamp, is_frame=True)

    def control(self, control: Control, stamp: LineStamp) -> list[Finding]:
        """Take a control record."""
        match control:
            case Opened():
                return self._opened(control, stamp)
            case Closed():
                return self._closed(control, stamp)
            case Overflow():
                return self._overflow(control, stamp)
            case Tick():
                return self._tick(control, stamp)

    def hole(self, hole: Hole) -> list[Finding]:
        """Take frames that never reached the raw topic."""
        line = self.book.get(hole.line)
        feed = usable_path(feed_path(hole.line)) if line is None else line.feed
        if feed is None:
            return [Count.UNPLACED_HOLE]
        found: list[Finding] = [
            line_health.holed(hole, feed),
            Lost(feed, hole.line, hole.connection, hole.first, hole.last),
        ]
        if line is not None and line.is_open:
            found.append(self._standing(hole.line, line, hole.received_ns))
        return found

    def opened_ns(self, line: str, connection: str) -> int:
        """Return when a connection opened whose record was just taken, UTC ns."""
        opened_ns = self.book.opened_ns(line, connection)
        assert opened_ns is not None, "each record of a connection that nobody knows opens it"
        return opened_ns

    def is_open(self, line: str, connection: str) -> bool:
        """Tell whether that very connection is open."""
        known = self.book.get(line)
        return known is not None and known.is_open and known.connection == connection

    # Time.

    def advance(self, now_ns: int) -> list[Finding]:
        """Look at all lines, once in a second of stream time; to be called on every record, before what it says."""
        now_s = now_ns // _NANOSECONDS
        if not self.book.beat(now_s):
            return []
        found: list[Finding] = []
        for name, line, pulse in self.book.by_name():
            if line.is_open:
                found += self._look(name, line, pulse, now_ns)
            elif now_s - pulse.heard_s > FORGOTTEN_S:
                feed = self.book.forget(name)
                found.append(Forgotten(name, feed))
                if feed is not None:
                    self.feeds.forget(feed)
        self.feeds.advance(now_s)
        return found

    # Control records.

    def _opened(self, opened: Opened, stamp: LineStamp) -> list[Finding]:
        line, found = self.book.get(stamp.line), list[Finding]()
        if line is not None and line.connection == stamp.connection and line.is_open:
            return []  # said already by a record that came before it
        if line is not None and line.is_open:
            # Its connector died without a word, so nobody knows when the connection ended.
            found += self._down(stamp.line, line, "died", self.book.pulse(stamp.line).heard_s * _NANOSECONDS)
        is_first = line is None
        self.book.place(
            stamp.line,
            Line(feed=stamp.feed, connection=stamp.connection, is_open=True, opened_ns=stamp.received_ns),
        )
        self.book.note_heard(stamp.line, stamp.now_s, is_frame=True)
        self.feeds.touch(stamp.feed)
        found.append(Up(stamp.feed, stamp.line, stamp.connection))
        found.append(
            line_health.opened(stamp.line, stamp.feed, stamp.connection, stamp.received_ns, opened, is_first=is_first)
        )
        return found

    def _closed(self, closed: Closed, stamp: LineStamp) -> list[Finding]:
        line, found = self.book.get(stamp.line), list[Finding]()
        if line is not None and stamp.connection != line.connection and stamp.connection in line.older:
            return [Count.LATE_CONTROL]  # an older connection's end, told late: the newer one goes on
        if line is not None and line.is_open and line.connection != stamp.connection:
            found += self._down(stamp.line, line, "died", self.book.pulse(stamp.line).heard_s * _NANOSECONDS)
        if line is None or line.connection != stamp.connection:
            line = self.book.place(
                stamp.line,
                Line(feed=stamp.feed, connection=stamp.connection, is_open=False, opened_ns=stamp.received_ns),
            )
        line.is_open = line.is_lost = line.is_silent = False
        line.reason, line.ended_ns = line_health.reason_of(closed), stamp.received_ns
        self.book.write(stamp.line)
        self.book.note_heard(stamp.line, stamp.now_s, is_frame=False)
        found.append(Down(stamp.feed, stamp.line, stamp.connection))
        found.append(line_health.closed(stamp.line, stamp.feed, stamp.connection, stamp.received_ns, closed))
        self.feeds.silence(stamp.feed, stamp.received_ns)
        return found

    def _overflow(self, overflow: Overflow, stamp: LineStamp) -> list[Finding]:
        found = self._heard(stamp, is_frame=False)
        found.append(line_health.overflowed(stamp.line, stamp.feed, stamp.connection, stamp.received_ns, overflow))
        last = overflow.last_frame or 0
        first = overflow.first_frame or max(0, last - overflow.lost + 1)
        found.append(Lost(stamp.feed, stamp.line, stamp.connection, first, last))
        line = self.book.get(stamp.line)
        if line is not None and line.is_open:
            found.append(self._standing(stamp.line, line, stamp.received_ns))
        return found

    def _tick(self, tick: Tick, stamp: LineStamp) -> list[Finding]:
        line = self.book.get(stamp.line)
        if tick.open:
            return self._heard(stamp, is_frame=False)
        if line is None:
            return []
        self.book.note_heard(stamp.line, stamp.now_s, is_frame=False)
        if line.connection == stamp.connection and line.is_open:  # the record of its end is lost
            return self._down(stamp.line, line, "closed", stamp.received_ns)
        return []

    # Lines.

    def _heard(self, stamp: LineStamp, *, is_frame: bool) -> list[Finding]:
        line = self.book.get(stamp.line)
        if line is None or (line.connection != stamp.connection and stamp.connection not in line.older):
            return self._opened(Opened(), stamp)  # its opening is lost; nothing before this record is known of it
        self.book.note_heard(stamp.line, stamp.now_s, is_frame=is_frame)
        if line.connection != stamp.connection:
            return []
        found: list[Finding] = []
        if line.is_lost:
            line.is_open, line.is_lost, line.reason = True, False, ""
            found.append(Up(stamp.feed, stamp.line, stamp.connection))
        elif line.is_silent and is_frame:
            line.is_silent = False
        else:
            return []
        self.book.write(stamp.line)
        self.feeds.touch(stamp.feed)
        found.append(line_health.resumed(stamp.line, stamp.feed, stamp.connection, stamp.received_ns))
        return found

    def _look(self, name: str, line: Line, pulse: Pulse, now_ns: int) -> list[Finding]:
        now_s, beats = now_ns // _NANOSECONDS, self.book.task.beats
        if now_s - pulse.heard_s > LOST_S and beats - pulse.beat > LOST_S:
            line.is_lost = True
            return self._down(name, line, "silent", now_ns)
        if line.is_silent or not _is_quiet(pulse, now_s, beats) or not self._another_delivers(name, line.feed, now_s):
            return []
        line.is_silent = True
        self.book.write(name)
        self.feeds.touch(line.feed)
        return [line_health.silent(name, line.feed, line.connection, now_ns)]

    def _another_delivers(self, name: str, feed: str, now_s: int) -> bool:
        beats = self.book.task.beats
        return any(
            other.is_open and other_name != name and not _is_quiet(self.book.pulse(other_name), now_s, beats)
            for other_name, other in self.book.lines_of(feed)
        )

    def _down(self, name: str, line: Line, reason: str, since_ns: int) -> list[Finding]:
        line.is_open = line.is_silent = False
        line.reason, line.ended_ns = reason, since_ns
        self.book.write(name)
        self.feeds.silence(line.feed, since_ns)
        return [
            Down(line.feed, name, line.connection),
            line_health.down(name, line.feed, line.connection, since_ns, reason),
        ]

    @staticmethod
    def _standing(name: str, line: Line, received_ns: int) -> LineHealth:
        tell = line_health.silent if line.is_silent else line_health.resumed
        return tell(name, line.feed, line.connection, received_ns)


def watch(store: Store, memory: dict[str, object]) -> Watch:
    """Return the task's watch, made anew after a restart."""
    known = memory.get(_MEMORY)
    if not isinstance(known, Watch):
        known = memory[_MEMORY] = Watch(store)
    return known


def _is_quiet(pulse: Pulse, now_s: int, beats: int) -> bool:
    limit = SILENT_S + PULSE_S
    return now_s - pulse.frame_s > limit and beats - pulse.frame_beat > limit
