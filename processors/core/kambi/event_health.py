"""How far what is known of an event can be trusted: from what open lines carry of it, gaps and snapshots.

The state follows from three things: which channels the event needs and which of them an open line holds; whether a
snapshot was asked for since the last loss; whether snapshots find what push never said. All of it is in the store.
"""

from collections.abc import Collection, Iterable
from typing import Final, Literal

import msgspec

from processors.core.kambi.answers import What
from processors.core.kambi.line_entries import GENERAL, Cover
from processors.core.kambi.lines import PREFIX, LineBook
from processors.core.processor import Store
from schemas.kambi.health import Coverage, EventHealth, EventReason, TrustState

MAX_EVENTS: Final = 10_000
"""Events of one task; a large offering has 500 live ones. The one that was heard of longest ago is forgotten."""
SEEN_S: Final = 300
"""That an event was heard of is written once in so many seconds."""
EVENT_KEPT_S: Final = 12 * 3600
"""An event that nothing speaks of for so long is forgotten, unless a line still holds its keys; no match is longer."""
REMOVED_KEPT_S: Final = 300
"""A removed event is remembered, so that late messages do not bring it back; and as long as a line holds its keys."""
_ENTRY: Final = PREFIX + b"e"
_NANOSECONDS: Final = 1_000_000_000

SnapshotKind = Literal["baseline", "repaired", "push-missed"]


class Entry(msgspec.Struct, array_like=True, gc=False):
    """One event.

    Attributes:
        seen_in: Last span of ``SEEN_S`` in which it was heard of.
        state: As last told; ``None`` = never.
        reason: Likewise.
        coverage: Likewise.
        own: Its own pair of keys was subscribed and not given up: it needs that channel beside the general one.
        was_own: It was at any time.
        is_lost: A channel it needs is held by no open line.
        gap_ns: When something may have been lost last; only a snapshot asked for after this says all.
        settled_ns: When the last snapshot was asked for that says all.
        answered: When the last answer of each kind was asked for: what the next of the kind shows came after that.
        push_missed: The last snapshot found what push had not said.
        removed_ns: When it left the offering; 0 = it is there.
    """

    seen_in: int
    state: TrustState | None = None
    reason: EventReason | None = None
    coverage: Coverage = "none"
    own: bool = False
    was_own: bool = False
    is_lost: bool = False
    gap_ns: int = 0
    settled_ns: int = 0
    answered: dict[What, int] = msgspec.field(default_factory=dict)
    push_missed: bool = False
    removed_ns: int = 0


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Entry).decode


class EventBook:
    """The events of one task, by id.

    Args:
        store: State of the stream task; read through once, written with every change.
        lines: What carries them.

    Attributes:
        forgotten: How many were, in the life of this object.
    """

    def __init__(self, store: Store, lines: LineBook) -> None:
        self._store = store
        self._lines = lines
        self.forgotten = 0
        self._entries = {
            int.from_bytes(key[len(_ENTRY) :], "big"): _decode(value)
            for key, value in store.items(PREFIX)
            if key.startswith(_ENTRY)
        }

    def __contains__(self, event_id: int) -> bool:
        """Tell whether the event is known, be it as removed."""
        return event_id in self._entries

    def ids(self) -> list[int]:
        """Return all events that are known and not removed, in order."""
        return sorted(event_id for event_id, entry in self._entries.items() if not entry.removed_ns)

    def coverage(self, event_id: int) -> Coverage:
        """Return what open lines carry of an event."""
        return _coverage(self._lines.cover(event_id))

    def snapshot_kind(self, event_id: int, what: What) -> SnapshotKind:
        """Return what a difference is that a snapshot of the event shows now."""
        entry = self._entries.get(event_id)
        answered_ns = 0 if entry is None else entry.answered.get(what, 0)
        # Without keys of its own only what live/open shows is pushed of an event; before its start, nothing is.
        if entry is None or not answered_ns or what == "list-view" or not (entry.own or what == "live-open"):
            return "baseline"
        return "repaired" if entry.is_lost or answered_ns <= entry.gap_ns else "push-missed"

    # What happens to events. Each returns what is to be told.

    def see(self, event_id: int, now_s: int, received_ns: int) -> list[EventHealth]:
        """A message about the event came on an open line."""
        entry = self._entries.get(event_id)
        if entry is None:
            if self.coverage(event_id) == "none":
                return []
            return self._add(event_id, now_s, received_ns)
        if entry.seen_in != now_s // SEEN_S and not entry.removed_ns:
            entry.seen_in = now_s // SEEN_S
            self._write(event_id, entry)
        return []

    def hold(
        self, event_ids: Iterable[int], now_s: int, received_ns: int, *, before: Collection[int] = ()
    ) -> list[EventHealth]:
        """A line holds the events' keys; ``before`` are those of which it did already, on its last connection."""
        found: list[EventHealth] = []
        for event_id in sorted(event_ids):
            entry = self._entries.get(event_id)
            if entry is not None and entry.removed_ns and event_id not in before:
                entry = None  # who plans the keys knows that it is back
            if entry is None:
                found += self._add(event_id, now_s, received_ns)
        return found

    def gap(self, event_ids: Iterable[int], received_ns: int) -> None:
        """Messages about the events may be lost until now; ``judge`` is to follow."""
        for event_id in event_ids:
            entry = self._entries.get(event_id)
            if entry is not None and not entry.removed_ns:
                entry.gap_ns = max(entry.gap_ns, received_ns)
                self._write(event_id, entry)

    def give_up(self, event_ids: Iterable[int], received_ns: int) -> list[EventHealth]:
        """Keys of the events were given up; where no other line holds them, the general keys have to do."""
        found: list[EventHealth] = []
        for event_id in sorted(event_ids):
            entry = self._entries.get(event_id)
            if entry is not None and not entry.removed_ns and entry.own and not self._lines.is_held(event_id):
                entry.own = False
                entry.gap_ns = max(entry.gap_ns, received_ns)
                found += self.judge((event_id,), "uncovered", received_ns)
        return found

    def judge(self, event_ids: Iterable[int], cause: EventReason, received_ns: int) -> list[EventHealth]:
        """Return those of the events whose state is another than was told, because of ``cause``."""
        found: list[EventHealth] = []
        for event_id in sorted(event_ids):
            entry = self._entries.get(event_id)
            if entry is not None and not entry.removed_ns:
                told = self._judge(event_id, entry, cause, received_ns)
                if told is not None:
                    found.append(told)
                self._write(event_id, entry)
        return found

    def snapshot(
        self,
        event_ids: Iterable[int],
        differing: Iterable[int],
        *,
        what: What,
        requested_ns: int,
        received_ns: int,
        now_s: int,
    ) -> list[EventHealth]:
        """A snapshot that says all of ``what`` about the events was merged; ``differing`` showed differences."""
        found: list[EventHealth] = []
        whole, different = set(event_ids), set(differing)
        for event_id in sorted(whole | different):
            entry = self._entries.get(event_id)
            if entry is None or (entry.removed_ns and requested_ns > entry.removed_ns):
                if what == "list-view" or self.coverage(event_id) == "none":
                    continue  # what nobody subscribed to has nothing to be judged by
                found += self._add(event_id, now_s, received_ns)
                entry = self._entries[event_id]
            if entry.removed_ns:
                continue
            kind = self.snapshot_kind(event_id, what)
            says_all = what == "offers" or (what == "live-open" and not entry.own)
            cause: EventReason = "repaired" if entry.answered else "baseline"
            if requested_ns > entry.gap_ns:
                if says_all:
                    entry.settled_ns, entry.push_missed = max(entry.settled_ns, requested_ns), False
                if event_id in whole:
                    entry.answered[what] = max(entry.answered.get(what, 0), requested_ns)
            if kind == "push-missed" and event_id in different:
                entry.push_missed = True
            entry.seen_in = now_s // SEEN_S
            found += self.judge((event_id,), cause, received_ns)
        return found

    def remove(self, event_id: int, received_ns: int) -> list[EventHealth]:
        """The event left the offering: its last record."""
        entry = self._entries.get(event_id)
        if entry is None or entry.removed_ns:
            return []
        entry.removed_ns = received_ns
        self._write(event_id, entry)
        return [_told(event_id, "down", "removed", "none", received_ns)]

    def tidy(self, now_s: int, received_ns: int) -> list[EventHealth]:
        """Forget what ended; return last words for what nothing speaks of any more."""
        found: list[EventHealth] = []
        for event_id in sorted(self._entries):
            entry = self._entries[event_id]
            if self._lines.is_held(event_id):
                continue
            if entry.removed_ns:
                if now_s - entry.removed_ns // _NANOSECONDS > REMOVED_KEPT_S:
                    self._forget(event_id)
            elif now_s - entry.seen_in * SEEN_S > EVENT_KEPT_S:
                found.append(_told(event_id, "down", "uncovered", "none", received_ns))
                self._forget(event_id)
        return found

    # Private.

    def _add(self, event_id: int, now_s: int, received_ns: int) -> list[EventHealth]:
        found: list[EventHealth] = []
        if event_id not in self._entries and len(self._entries) >= MAX_EVENTS:
            oldest = min(self._entries, key=lambda other: (self._entries[other].seen_in, other))
            if not self._entries[oldest].removed_ns:
                found.append(_told(oldest, "down", "uncovered", "none", received_ns))
            self._forget(oldest)
        # Whatever the general keys said of it since a line holds them was received, though nobody knew of it yet.
        since_ns = self._lines.since_ns(GENERAL)
        gap_ns = received_ns if since_ns is None else min(since_ns, received_ns)
        self._entries[event_id] = Entry(now_s // SEEN_S, gap_ns=gap_ns)
        return found + self.judge((event_id,), "covered", received_ns)

    def _judge(self, event_id: int, entry: Entry, cause: EventReason, received_ns: int) -> EventHealth | None:
        cover = self._lines.cover(event_id)
        if cover.own and not entry.own:
            entry.own, entry.gap_ns = True, max(entry.gap_ns, received_ns)
            cause = "moved" if entry.reason == "uncovered" else "covered"
            if not entry.was_own:
                entry.was_own, entry.answered = True, {}
        is_missing = not cover.general or (entry.own and not cover.own)
        if is_missing:
            entry.is_lost = True
        elif entry.is_lost:
            entry.is_lost, entry.gap_ns = False, max(entry.gap_ns, received_ns)
        state: TrustState
        if not cover.general and not cover.own:
            state = "down"
        elif is_missing:
            state = "gapped"
        elif entry.settled_ns <= entry.gap_ns:
            state = "stale"
        elif cover.doubt is not None:
            state, cause = "suspect", cover.doubt
        elif entry.push_missed:
            state, cause = "suspect", "push-missed"
        else:
            state = "live"
        coverage = _coverage(cover)
        if (state, coverage) == (entry.state, entry.coverage) and (state != "suspect" or cause == entry.reason):
            return None
        entry.state, entry.reason, entry.coverage = state, cause, coverage
        return _told(event_id, state, cause, coverage, received_ns)

    def _write(self, event_id: int, entry: Entry) -> None:
        key, encoded = _ENTRY + event_id.to_bytes(8, "big"), _encode(entry)
        if self._store.get(key) != encoded:
            self._store.put(key, encoded)

    def _forget(self, event_id: int) -> None:
        del self._entries[event_id]
        self.forgotten += 1
        self._store.delete(_ENTRY + event_id.to_bytes(8, "big"))


def _coverage(cover: Cover) -> Coverage:
    if not cover.general:
        return "none"
    return "full" if cover.own else "main"


def _told(event_id: int, state: TrustState, reason: EventReason, coverage: Coverage, since_ns: int) -> EventHealth:
    return EventHealth(event_id=event_id, state=state, reason=reason, since_ns=since_ns, coverage=coverage)
