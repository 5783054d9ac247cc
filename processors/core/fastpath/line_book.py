"""The lines and feeds of a stream task as health knows them; all of it is in the store, the objects are its cache."""

from collections.abc import Iterator
from typing import Final

import msgspec

from processors.core.fastpath.line_entries import OLDER_CONNECTIONS, FeedEntry, Line, Pulse, TaskPulse
from processors.core.processor import Store

MAX_LINES: Final = 4_000
"""Lines of one task; beyond it the one heard longest ago is forgotten. Ours have hundreds, only garbage has more."""
PULSE_S: Final = 5
"""Step in which it is noted when a line was heard: a tick a second and line would be a write a second and line."""

PREFIX: Final = b"w"
"""First byte of the store keys of health; the second says of what."""
_LINE: Final = b"wl"
_PULSE: Final = b"wp"
_FEED: Final = b"wf"
_TASK: Final = b"wt"

_encode = msgspec.msgpack.Encoder().encode
_decode_line = msgspec.msgpack.Decoder(Line).decode
_decode_pulse = msgspec.msgpack.Decoder(Pulse).decode
_decode_feed = msgspec.msgpack.Decoder(FeedEntry).decode
_decode_task = msgspec.msgpack.Decoder(TaskPulse).decode


class LineBook:
    """Lines by name, feeds by path.

    Args:
        store: State of the stream task; read through once, written with every change.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lines: dict[str, Line] = {}
        self._pulses: dict[str, Pulse] = {}
        self._feeds: dict[str, FeedEntry] = {}
        self._names: dict[str, list[str]] = {}
        task = store.get(_TASK)
        self.task = TaskPulse() if task is None else _decode_task(task)
        for key, value in sorted(store.items(PREFIX)):
            kind, name = key[:2], key[2:].decode()
            if kind == _LINE:
                self._lines[name] = _decode_line(value)
                self._index(name)
            elif kind == _PULSE:
                self._pulses[name] = _decode_pulse(value)
            elif kind == _FEED:
                self._feeds[name] = _decode_feed(value)

    def __len__(self) -> int:
        return len(self._lines)

    def get(self, name: str) -> Line | None:
        """Return the line ``name`` if anything of it was ever heard (and it is not forgotten)."""
        return self._lines.get(name)

    def pulse(self, name: str) -> Pulse:
        """Return when the line was heard."""
        return self._pulses[name]

    def by_name(self) -> Iterator[tuple[str, Line, Pulse]]:
        """Yield every line in the order of names; lines may be forgotten meanwhile."""
        for name in sorted(self._lines):
            yield name, self._lines[name], self._pulses[name]

    def lines_of(self, feed: str) -> list[tuple[str, Line]]:
        """Return the lines of a feed in the order of their names."""
        return [(name, self._lines[name]) for name in self._names.get(feed, ())]

    def open_lines(self, feed: str) -> int:
        """Return how many lines of a feed are open."""
        return sum(self._lines[name].is_open for name in self._names.get(feed, ()))

    def feed(self, path: str) -> FeedEntry:
        """Return what is known of a feed."""
        entry = self._feeds.get(path)
        if entry is None:
            entry = self._feeds[path] = FeedEntry()
        return entry

    def opened_ns(self, name: str, connection: str) -> int | None:
        """Return when a connection of the line opened; ``None``: nobody knows it."""
        line = self._lines.get(name)
        if line is None:
            return None
        return line.opened_ns if line.connection == connection else line.older.get(connection)

    # What changes. Each writes what it changed.

    def place(self, name: str, line: Line) -> Line:
        """Note ``line`` as the newest of its name; connections known before stay known."""
        before = self._lines.get(name)
        if before is None:
            self._pulses[name] = Pulse()
            self._make_room()
        else:
            self._unindex(name, before)
            older = before.older | {before.connection: before.opened_ns}
            older.pop(line.connection, None)
            line.older = dict(list(older.items())[-OLDER_CONNECTIONS:])
        self._lines[name] = line
        self._index(name)
        self.write(name)
        return line

    def forget(self, name: str) -> str | None:
        """Drop a line; return its feed if that was its last."""
        line = self._lines[name]
        self._unindex(name, line)
        del self._lines[name], self._pulses[name]
        key = name.encode()
        self._store.delete(_LINE + key)
        self._store.delete(_PULSE + key)
        if self._names.get(line.feed):
            return None
        self._feeds.pop(line.feed, None)
        self._store.delete(_FEED + line.feed.encode())
        return line.feed

    def note_heard(self, name: str, now_s: int, *, is_frame: bool) -> None:
        """Note that a record of the line came."""
        pulse = self._pulses[name]
        is_due = now_s - pulse.heard_s >= PULSE_S
        is_frame = is_frame and now_s - pulse.frame_s >= PULSE_S
        if is_due:
            pulse.heard_s, pulse.beat = now_s, self.task.beats
        if is_frame:
            pulse.frame_s, pulse.frame_beat = now_s, self.task.beats
        if is_due or is_frame:
            self._store.put(_PULSE + name.encode(), _encode(pulse))

    def write(self, name: str) -> None:
        """Put what the line says now."""
        self._store.put(_LINE + name.encode(), _encode(self._lines[name]))

    def write_feed(self, path: str) -> None:
        """Put what is known of the feed now."""
        self._store.put(_FEED + path.encode(), _encode(self._feeds[path]))

    def beat(self, now_s: int) -> bool:
        """Count the second ``now_s`` unless it is counted; tell whether it was new."""
        if now_s <= self.task.beat_s:
            return False
        self.task.beats += 1
        self.task.beat_s = now_s
        self._store.put(_TASK, _encode(self.task))
        return True

    # Private.

    def _make_room(self) -> None:
        if len(self._lines) >= MAX_LINES:
            self.forget(min(self._lines, key=lambda name: (self._pulses[name].heard_s, name)))

    def _index(self, name: str) -> None:
        names = self._names.setdefault(self._lines[name].feed, [])
        names.append(name)
        names.sort()

    def _unindex(self, name: str, line: Line) -> None:
        names = self._names[line.feed]
        names.remove(name)
        if not names:
            del self._names[line.feed]
