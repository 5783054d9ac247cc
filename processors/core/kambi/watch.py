"""Health of lines and events of one stream task: told what records say, it returns what there is to tell.

The caller passes on what is returned, in order. Memory is changed with the store, so these calls are the last of what a
record does (see ``Context.memory``).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from processors.core.control import Overflow
from processors.core.kambi import alarms
from processors.core.kambi.answers import What
from processors.core.kambi.channels import read_keys
from processors.core.kambi.control import Closed, Control, Opened, Tick
from processors.core.kambi.event_health import SEEN_S, EventBook, SnapshotKind
from processors.core.kambi.health import health_of, read_hole, resumed
from processors.core.kambi.line_entries import GENERAL, Line
from processors.core.kambi.lines import LineBook
from processors.core.kambi.shards import Share
from processors.core.processor import Context, Hole, Store
from schemas.kambi.health import Doubt, EventHealth, EventReason, LineHealth

LINE_KEPT_S: Final = 3600
"""A line that is down for longer than this is forgotten, and the keys it held are given up."""
MAX_SETTLED: Final = 50_000
"""Events of one line that are known to need no closer look; beyond it all are looked at again."""
_TIDY_S: Final = 60
_NANOSECONDS: Final = 1_000_000_000
_MEMORY: Final = "kambi.health"

Health = LineHealth | EventHealth
_NOTHING: Final[Sequence[Health]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Where and when a record comes from.

    Attributes:
        line: ``tc-line``.
        connection: ``tc-connection``.
        received_ns: ``tc-received-ns``.
        now_s: Stream time, whole seconds.
        share: Which events are the task's own.
    """

    line: str
    connection: str
    received_ns: int
    now_s: int
    share: Share


class Watch:
    """The lines and events of one task.

    Args:
        store: State of the stream task; read through once.
    """

    def __init__(self, store: Store) -> None:
        self.lines = LineBook(store)
        self.events = EventBook(store, self.lines)

    # What records say.

    def control(self, control: Control, stamp: Stamp) -> list[Health]:
        """Take a control record."""
        if isinstance(control, Opened):
            control = self._with_previous(control, stamp)
        found: list[Health] = [
            *health_of(control, line=stamp.line, connection=stamp.connection, received_ns=stamp.received_ns)
        ]
        match control:
            case Opened():
                found += self._opened(control, stamp)
            case Closed():
                found += self._closed(stamp)
            case Overflow():
                found += self._lossy(stamp.line, "overflow", now_s=stamp.now_s, received_ns=stamp.received_ns)
            case Tick():
                found += self._tick(control, stamp)
        return found

    def hole(self, hole: Hole, now_s: int) -> list[Health]:
        """Take a hole in a connection's frame numbers."""
        return [*read_hole(hole), *self._lossy(hole.line, "hole", now_s=now_s, received_ns=hole.received_ns)]

    def frame(
        self,
        line: str,
        connection: str,
        messages: Sequence[tuple[int, int]],
        *,
        received_ns: int,
        now_s: int,
        share: Share,
    ) -> Sequence[Health]:
        """Take a frame that is a message.

        Args:
            line: ``tc-line``.
            connection: ``tc-connection``.
            messages: Type and event of each child that names an event, of any shard.
            received_ns: ``tc-received-ns``.
            now_s: Stream time, whole seconds.
            share: Which events are the task's own.
        """
        known = self.lines.get(line)
        if known is None or known.entry.connection != connection:
            return _NOTHING
        pulse, settled = known.pulse, known.settled
        found: list[Health] | None = None
        if pulse.heard_s != now_s or known.entry.doubts or not known.entry.is_open:
            stamp = Stamp(line=line, connection=connection, received_ns=received_ns, now_s=now_s, share=share)
            found = self._heard(known, stamp)
            if not known.entry.is_open:
                return found
        if pulse.message_s != now_s or not known.entry.delivered:
            found = [*(found or ()), *self._delivered(known, now_s, received_ns)]
        valid = (now_s // SEEN_S, self.events.forgotten)
        if known.settled_in != valid or len(settled) > MAX_SETTLED:
            settled.clear()
            known.settled_in = valid
        is_settled = GENERAL in settled
        for mt, event_id in messages:
            if not is_settled or event_id not in settled:
                found = [*(found or ()), *self._message(known, mt, event_id, now_s, received_ns, share)]
                is_settled = GENERAL in settled
        return _NOTHING if found is None else found

    def _message(  # noqa: PLR0917  # the rare part of the above, once for a message
        self, line: Line, mt: int, event_id: int, now_s: int, received_ns: int, share: Share
    ) -> list[Health]:
        settled = line.settled
        found: list[Health] = []
        if GENERAL not in settled:
            found += self._count(line, GENERAL, mt, now_s, received_ns)
            if alarms.is_decided(line, GENERAL):
                settled.add(GENERAL)
        if event_id not in settled:
            found += self._count(line, event_id, mt, now_s, received_ns)
            is_known = not share.holds(event_id)
            if not is_known:
                found += self.events.see(event_id, now_s, received_ns)
                is_known = event_id in self.events
            if is_known and alarms.is_decided(line, event_id):
                settled.add(event_id)
        return found

    def copies(self, line: str, met: int, unmet: int, now_s: int) -> None:
        """Take how many bet-offer facts of a general line met their copy, and how many did not, for certain.

        Only facts of events whose coverage is full are to be told: no others have copies.
        """
        known = self.lines.get(line)
        if known is not None and met + unmet:
            counts = known.counts
            counts.copies_s = counts.copies_s or now_s
            counts.copies_met += met
            counts.copies_unmet += unmet
            self.lines.write_counts(known)

    def snapshot_kind(self, event_id: int, what: What) -> SnapshotKind:
        """Return what a difference is that a snapshot of the event shows now; to be asked before :meth:`snapshot`."""
        return self.events.snapshot_kind(event_id, what)

    def snapshot(
        self,
        event_ids: Iterable[int],
        differing: Collection[int],
        *,
        what: What,
        requested_ns: int,
        received_ns: int,
        now_s: int,
    ) -> list[Health]:
        """Take a snapshot that was merged.

        Args:
            event_ids: Own events of which it says all that there is.
            differing: Own events of which it said something else than was known.
            what: What was asked for.
            requested_ns: ``tc-requested-ns``.
            received_ns: ``tc-received-ns``.
            now_s: Stream time, whole seconds.
        """
        task = self.lines.task
        if task.life_s != now_s and any(self.events.snapshot_kind(event, what) != "baseline" for event in differing):
            task.life_s = now_s
            self.lines.write_task()
        return [
            *self.events.snapshot(
                event_ids,
                differing,
                what=what,
                requested_ns=requested_ns,
                received_ns=received_ns,
                now_s=now_s,
            )
        ]

    def removed(self, event_id: int, received_ns: int) -> list[Health]:
        """Take that an event left the offering, by push or by snapshot, as it went out."""
        return [*self.events.remove(event_id, received_ns)]

    # Control records.

    def _with_previous(self, opened: Opened, stamp: Stamp) -> Opened:
        """Return ``opened`` with the line's last connection that is known here, where its connector knew none: raw
        topics had forgotten it, or records of other lines lay before it."""
        line = self.lines.get(stamp.line)
        if opened.previous_connection is not None or line is None or line.entry.connection == stamp.connection:
            return opened
        return msgspec.structs.replace(opened, previous_connection=line.entry.connection)

    def _opened(self, opened: Opened, stamp: Stamp) -> list[Health]:
        holding = read_keys(opened.keys)
        line = self.lines.get(stamp.line)
        cause: EventReason = "covered" if line is None else "reconnected"
        before = set(line.entry.pairs) if line is not None else set[int]()
        if line is not None and line.entry.is_open:
            self._gap(
                line, stamp.now_s, stamp.received_ns
            )  # its end went unsaid: whatever came since its last record is lost
        touched = self.lines.open(stamp.line, stamp.connection, holding, stamp.now_s)
        line = self.lines.get(stamp.line)
        assert line is not None
        line.share = stamp.share
        self._note_heard(line, stamp.now_s)
        own = [event_id for event_id in holding.events if stamp.share.holds(event_id)]
        dropped = touched - set(holding.events) - {GENERAL}
        found: list[Health] = [*self.events.give_up(dropped, stamp.received_ns)]
        found += self.events.judge(self._events_of(touched), cause, stamp.received_ns)
        found += self.events.hold(own, stamp.now_s, stamp.received_ns, before=before)
        return found

    def _closed(self, stamp: Stamp) -> list[Health]:
        line = self.lines.get(stamp.line)
        if line is None:
            return []
        if line.entry.connection != stamp.connection:
            # An older connection's end, told late: the newer one goes on.
            return [self._standing(line, stamp.received_ns)] if line.entry.is_open else []
        touched = self.lines.close(line, is_lost=False)
        self._note_heard(line, stamp.now_s)
        return [*self.events.judge(self._events_of(touched), "closed", stamp.received_ns)]

    def _lossy(self, name: str, cause: EventReason, *, now_s: int, received_ns: int) -> list[Health]:
        line = self.lines.get(name)
        if line is None or not line.entry.is_open:
            return []
        doubtful = [_doubtful(line, line.doubt, received_ns)] if line.doubt else []
        return [*doubtful, *self.events.judge(self._gap(line, now_s, received_ns), cause, received_ns)]

    def _tick(self, tick: Tick, stamp: Stamp) -> list[Health]:
        line, now_s, received_ns = self.lines.get(stamp.line), stamp.now_s, stamp.received_ns
        found: list[Health] = []
        if line is not None and line.entry.connection == stamp.connection:
            if line.share != stamp.share:
                line.settled.clear()
                line.share = stamp.share
            found += self._heard(line, stamp)
            if tick.keys is not None and line.entry.is_open:
                found += self._hold(line, tick.keys, stamp)
            if line.entry.leaving:
                dropped = self.lines.end_moves(line, now_s)
                found += self._dropped(dropped, received_ns)
        if now_s > self.lines.task.beat_s and self.lines.all():
            found += self._beat(now_s, received_ns)
        return found

    def _hold(self, line: Line, keys: Sequence[str], stamp: Stamp) -> list[Health]:
        touched = self.lines.hold(line, read_keys(keys), stamp.now_s)
        own = {event_id for event_id in touched - {GENERAL} if stamp.share.holds(event_id)}
        found: list[Health] = [*self.events.judge(self._events_of(touched), "covered", stamp.received_ns)]
        found += self.events.hold(own, stamp.now_s, stamp.received_ns)
        return found

    def _dropped(self, dropped: set[int], received_ns: int) -> list[Health]:
        return [
            *self.events.give_up(dropped - {GENERAL}, received_ns),
            *self.events.judge(self._events_of(dropped), "uncovered", received_ns),
        ]

    # Time.

    def _beat(self, now_s: int, received_ns: int) -> list[Health]:
        """Look at all lines, once in a second of stream time."""
        book = self.lines
        is_minute = now_s // _TIDY_S != book.task.beat_s // _TIDY_S
        book.task.beats += 1
        book.task.beat_s = now_s
        book.write_task()
        found: list[Health] = []
        for line in book.by_name():
            if line.entry.is_open:
                found += self._look(line, now_s, received_ns)
            elif now_s - line.pulse.heard_s > LINE_KEPT_S:
                found += self._dropped(book.forget(line), received_ns)
        if is_minute:
            found += self.events.tidy(now_s, received_ns)
        return found

    def _look(self, line: Line, now_s: int, received_ns: int) -> list[Health]:
        book, before = self.lines, line.doubt
        if alarms.is_lost(book, line, now_s):
            touched = book.close(line, is_lost=True)
            return [
                _doubtful(line, "silent", received_ns, "down"),
                *self.events.judge(self._events_of(touched), "silent", received_ns),
            ]
        is_touched = alarms.look_at_silence(book, line, now_s)
        if not line.entry.delivered:
            is_touched |= alarms.look_at_delivery(book, line, alarms.life_beside(book, line), now_s)
        is_touched |= alarms.look_at_copies(book, line, now_s)
        touched = alarms.look_at_sides(book, line, now_s)
        if is_touched:
            touched = set(line.entry.pairs)
        return self._said(line, before, touched, received_ns) if touched else []

    def _heard(self, line: Line, stamp: Stamp) -> list[Health]:
        entry, before = line.entry, line.doubt
        found: list[Health] = []
        if entry.is_lost:
            touched = self.lines.find(line, stamp.now_s)
            found.append(resumed(line.name, entry.connection, stamp.received_ns))
            found += self.events.judge(self._events_of(touched), "resumed", stamp.received_ns)
        elif "silent" in entry.doubts:
            self.lines.settle(line, "silent")
            found += self._said(line, before, set(entry.pairs), stamp.received_ns)
        self._note_heard(line, stamp.now_s)
        return found

    def _note_heard(self, line: Line, now_s: int) -> None:
        pulse = line.pulse
        if pulse.heard_s != now_s:
            pulse.heard_s, pulse.beat = now_s, self.lines.task.beats
            self.lines.write_pulse(line)

    def _delivered(self, line: Line, now_s: int, received_ns: int) -> list[Health]:
        entry, before = line.entry, line.doubt
        if line.pulse.message_s != now_s:
            line.pulse.message_s = now_s
            self.lines.write_pulse(line)
        if entry.delivered:
            return []
        entry.delivered = True
        if "never-delivered" not in entry.doubts:
            self.lines.write(line)
            return []
        self.lines.settle(line, "never-delivered")
        return self._said(line, before, set(entry.pairs), received_ns)

    def _count(self, line: Line, pair: int, mt: int, now_s: int, received_ns: int) -> list[Health]:
        before = line.doubt
        if alarms.count_message(self.lines, line, pair, mt, now_s):
            return self._said(line, before, {pair}, received_ns)
        return []

    # What is to be told.

    def _gap(self, line: Line, now_s: int, received_ns: int) -> list[int]:
        """Note a loss for the events of ``line`` that no other line held meanwhile; return them."""
        exposed = {pair for pair in line.entry.pairs if not self.lines.is_covered_beside(line, pair)}
        self.lines.interrupt(line, now_s)
        events = self._events_of(exposed)
        self.events.gap(events, received_ns)
        return events

    def _events_of(self, pairs: set[int]) -> list[int]:
        return self.events.ids() if GENERAL in pairs else sorted(pairs)

    @staticmethod
    def _standing(line: Line, received_ns: int) -> LineHealth:
        doubt = line.doubt
        if doubt is None:
            return resumed(line.name, line.entry.connection, received_ns)
        return _doubtful(line, doubt, received_ns)

    def _said(self, line: Line, before: Doubt | None, pairs: set[int], received_ns: int) -> list[Health]:
        """Return the line's health if it is another than ``before``, and that of the events of ``pairs``."""
        found: list[Health] = []
        if line.doubt != before:
            found.append(self._standing(line, received_ns))
        found += self.events.judge(self._events_of(pairs), "resumed", received_ns)
        return found


def watch(context: Context) -> Watch:
    """Return the task's watch, made anew after a restart."""
    memory = context.memory.get(_MEMORY)
    if not isinstance(memory, Watch):
        memory = context.memory[_MEMORY] = Watch(context.store)
    return memory


def _doubtful(line: Line, doubt: Doubt, received_ns: int, state: Literal["suspect", "down"] = "suspect") -> LineHealth:
    connection = line.entry.connection
    return LineHealth(line=line.name, state=state, reason=doubt, since_ns=received_ns, connection=connection)
