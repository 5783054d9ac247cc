"""The connector lines of a stream task: which are open, what they hold, when they were last heard, what is odd.

All of it is in the store, so a restart changes nothing; the objects here are its cache. What changes with every record
is kept in whole seconds and bounded counts, so that a busy line costs a write or two a second.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from processors.core.kambi.channels import Holding
from processors.core.kambi.line_entries import GENERAL, Counts, Cover, Entry, Line, Pulse, TaskPulse
from processors.core.processor import Store
from schemas.kambi.health import Doubt

MAX_LINES: Final = 500
"""Lines of one task: 20,000 keys of 40 each; beyond it the one that was heard longest ago is forgotten."""
MOVE_OVERLAP_S: Final = 2
"""How long a line counts as holding a key after a tick said that it gave it up, seconds.

The connector subscribes at the new place first, but the two lines say so in ticks of their own, a second apart.
"""

_NANOSECONDS: Final = 1_000_000_000
PREFIX: Final = b"h"
"""First byte of the store keys of health; the second says of what."""
_ENTRY: Final = b"hl"
_PULSE: Final = b"hp"
_COUNTS: Final = b"hs"
_TASK: Final = b"ht"


_encode = msgspec.msgpack.Encoder().encode
_decode_entry = msgspec.msgpack.Decoder(Entry).decode
_decode_pulse = msgspec.msgpack.Decoder(Pulse).decode
_decode_counts = msgspec.msgpack.Decoder(Counts).decode
_decode_task = msgspec.msgpack.Decoder(TaskPulse).decode


class LineBook:
    """The lines of one task, by name.

    Args:
        store: State of the stream task; read through once, written with every change.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines: dict[str, Line] = {}
        self._holders: dict[int, set[str]] = {}
        task = store.get(_TASK)
        self.task = TaskPulse() if task is None else _decode_task(task)
        for key, value in sorted(store.items(PREFIX)):
            if key.startswith(_ENTRY):
                name = key[len(_ENTRY) :].decode()
                pulse, counts = store.get(_PULSE + key[2:]), store.get(_COUNTS + key[2:])
                line = Line(
                    name,
                    _decode_entry(value),
                    Pulse() if pulse is None else _decode_pulse(pulse),
                    Counts() if counts is None else _decode_counts(counts),
                    set(),
                )
                self._lines[name] = line
                self._index(line)

    def get(self, name: str) -> Line | None:
        """Return the line ``name`` if it was ever opened (and not forgotten since)."""
        return self._lines.get(name)

    def all(self) -> Iterable[Line]:
        """Return every line, in no promised order."""
        return self._lines.values()

    def by_name(self) -> list[Line]:
        """Return every line, in the order of their names."""
        return [self._lines[name] for name in sorted(self._lines)]

    def cover(self, event_id: int) -> Cover:
        """Return what open lines carry of an event."""
        general, general_doubt = self._holding(GENERAL)
        own, own_doubt = self._holding(event_id)
        return Cover(general=general, own=own, doubt=general_doubt or own_doubt)

    def is_held(self, event_id: int) -> bool:
        """Tell whether an open line holds the event's own pair."""
        return event_id in self._holders

    def since_ns(self, pair: int) -> int | None:
        """Return since when an open line holds ``pair`` without a break, UTC nanoseconds; ``None`` = none does."""
        names = self._holders.get(pair)
        if not names:
            return None
        return (min(self._lines[name].entry.pairs[pair] for name in names) + 1) * _NANOSECONDS

    def is_covered_beside(self, line: Line, pair: int) -> bool:
        """Tell whether a sound line held ``pair`` from before the last record of ``line`` on, so its loss is none."""
        for name in self._holders.get(pair, ()):
            other = self._lines[name]
            if other is not line and other.entry.pairs[pair] < line.pulse.heard_s and other.doubt_of(pair) is None:
                return True
        return False

    # What changes a line. Each returns the pairs whose cover may have changed.

    def open(self, name: str, connection: str, holding: Holding, now_s: int) -> set[int]:
        """A connection of the line is up and is about to hold ``holding``."""
        line = self._lines.get(name)
        touched: set[int] = set()
        if line is None:
            touched |= self._make_room()
            line = self._lines[name] = Line(name, Entry(connection), Pulse(), Counts(), set())
        else:
            touched |= set(line.entry.pairs)
            self._unindex(line)
        pairs = _pairs(holding)
        line.entry = Entry(connection, keyed_s=now_s if holding.keys else 0, pairs=dict.fromkeys(sorted(pairs), now_s))
        line.counts = Counts()
        line.settled.clear()
        self._index(line)
        self.write_counts(line)
        self.write(line)
        return touched | pairs

    def hold(self, line: Line, holding: Holding, now_s: int) -> set[int]:
        """The open line holds exactly ``holding`` from now on."""
        entry, pairs = line.entry, _pairs(holding)
        touched = set()
        for pair in sorted(pairs - entry.pairs.keys()):
            entry.pairs[pair] = now_s
            touched.add(pair)
        for pair in sorted(pairs & entry.leaving.keys()):
            del entry.leaving[pair]
        for pair in sorted(entry.pairs.keys() - pairs - entry.leaving.keys()):
            entry.leaving[pair] = now_s
        if not holding.keys:
            entry.keyed_s = 0
        elif not entry.keyed_s:
            entry.keyed_s = now_s
        line.settled.clear()
        self._index(line)
        self.write(line)
        return touched

    def end_moves(self, line: Line, now_s: int) -> set[int]:
        """Let go of what the line gave up long enough ago."""
        entry = line.entry
        ended = {pair for pair, since_s in entry.leaving.items() if now_s - since_s >= MOVE_OVERLAP_S}
        if ended:
            self._unindex(line)
            for pair in ended:
                del entry.leaving[pair], entry.pairs[pair]
                line.counts.sides.pop(pair, None)
                for doubt in list(entry.doubts):
                    if pair in entry.doubts[doubt]:
                        self.settle(line, doubt, pair)
            if entry.is_open:
                self._index(line)
            line.settled.clear()
            self.write(line)
            self.write_counts(line)
        return ended

    def interrupt(self, line: Line, now_s: int) -> None:
        """Something of the open line is lost: what it holds, it holds without a break from now on."""
        line.entry.pairs = dict.fromkeys(line.entry.pairs, now_s)
        self.write(line)

    def close(self, line: Line, *, is_lost: bool) -> set[int]:
        """The line carries nothing any more: it closed, or nothing is heard of it."""
        self._unindex(line)
        entry = line.entry
        entry.is_open, entry.is_lost, entry.doubts = False, is_lost, {}
        self.write(line)
        return set(entry.pairs)

    def find(self, line: Line, now_s: int) -> set[int]:
        """A lost line is heard of again, on the same connection: what it holds, it holds from now on."""
        entry = line.entry
        entry.is_open, entry.is_lost = True, False
        entry.pairs = dict.fromkeys(entry.pairs, now_s)
        self._index(line)
        self.write(line)
        return set(entry.pairs)

    def forget(self, line: Line) -> set[int]:
        """Drop a line; what it held is given up."""
        self._unindex(line)
        del self._lines[line.name]
        name = line.name.encode()
        for kind in (_ENTRY, _PULSE, _COUNTS):
            self._store.delete(kind + name)
        return set(line.entry.pairs)

    # Doubts.

    def doubt(self, line: Line, doubt: Doubt, pair: int | None = None) -> None:
        """Something is odd about the line, or about one pair of it."""
        pairs = line.entry.doubts.setdefault(doubt, [])
        if pair is not None and pair not in pairs:
            pairs.append(pair)
            pairs.sort()
        self.write(line)

    def settle(self, line: Line, doubt: Doubt, pair: int | None = None) -> None:
        """It is odd no more."""
        pairs = line.entry.doubts.pop(doubt)
        left = [other for other in pairs if other != pair] if pair is not None else []
        if left:
            line.entry.doubts[doubt] = left
        self.write(line)

    # Writing.

    def write(self, line: Line) -> None:
        """Put what the line's entry says now."""
        self._put(_ENTRY + line.name.encode(), line.entry)

    def write_pulse(self, line: Line) -> None:
        """Put when the line was heard."""
        self._store.put(_PULSE + line.name.encode(), _encode(line.pulse))

    def write_counts(self, line: Line) -> None:
        """Put what is counted of the line."""
        self._put(_COUNTS + line.name.encode(), line.counts)

    def write_task(self) -> None:
        """Put how the task's time went on."""
        self._store.put(_TASK, _encode(self.task))

    # Private.

    def _put(self, key: bytes, value: Entry | Counts) -> None:
        encoded = _encode(value)
        if self._store.get(key) != encoded:
            self._store.put(key, encoded)

    def _holding(self, pair: int) -> tuple[bool, Doubt | None]:
        names = self._holders.get(pair)
        if not names:
            return False, None
        doubt: Doubt | None = None
        for name in sorted(names):
            found = self._lines[name].doubt_of(pair)
            if found is None:
                return True, None
            doubt = doubt or found
        return True, doubt

    def _index(self, line: Line) -> None:
        if line.entry.is_open:
            for pair in line.entry.pairs:
                self._holders.setdefault(pair, set()).add(line.name)

    def _unindex(self, line: Line) -> None:
        for pair in line.entry.pairs:
            names = self._holders.get(pair)
            if names is not None:
                names.discard(line.name)
                if not names:
                    del self._holders[pair]

    def _make_room(self) -> set[int]:
        if len(self._lines) < MAX_LINES:
            return set()
        oldest = min(self._lines.values(), key=lambda line: (line.entry.is_open, line.pulse.heard_s, line.name))
        return self.forget(oldest)


def _pairs(holding: Holding) -> set[int]:
    return {*holding.events, GENERAL} if holding.general else set(holding.events)
