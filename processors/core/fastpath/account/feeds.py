"""The connections of each feed: in which order they opened, which are open, which frames of them we lost."""

from collections.abc import Iterable
from typing import Final

from processors.core.fastpath.account.entries import Connection, ConnectionsEntry, encode, feed_key
from processors.core.fastpath.account.ranges import Range
from processors.core.processor import Store

MAX_OPEN: Final = 16
"""Connections of one feed that count as open at once; there are two lines, perhaps three while one is replaced."""
MAX_CLOSED: Final = 8
"""Closed connections of a feed that are remembered, newest last; a late frame of an older one starts anew."""
MAX_LOST: Final = 16
"""Ranges of lost frames remembered of a connection, newest last."""


class FeedConnections:
    """The connections of one feed.

    Args:
        store: State of the stream task.
        entry: What it knows of the feed.
    """

    __slots__ = ("_by_name", "_key", "_store", "entry")

    def __init__(self, store: Store, entry: ConnectionsEntry) -> None:
        self._store = store
        self._key = feed_key(entry.path)
        self.entry = entry
        self._by_name = {(one.line, one.connection): one for one in entry.connections}

    def heard(self, line: str, connection: str, position: int | None) -> Connection:
        """Return the connection; one that was not heard of before counts as open from now on."""
        known = self._by_name.get((line, connection))
        if known is None:
            return self._new(line, connection, position)
        if known.position is None and position is not None:  # a loss was heard of first
            known.position = position
            self._write()
        return known

    def open(self, line: str, connection: str, position: int | None, now_s: int) -> None:
        """A connection is up: the line's earlier ones are not any more, whether or not they said so."""
        for one in self.entry.connections:
            if one.line == line and one.connection != connection:
                one.is_open = False
        one = self.heard(line, connection, position)
        one.is_open, one.position = True, position
        self.entry.heard_s = now_s
        self._write()

    def close(self, line: str, connection: str, now_s: int) -> None:
        """A connection is not up any more. One never heard of was refused, so the line has none."""
        for one in self.entry.connections:
            if one.line == line and ((line, connection) not in self._by_name or one.connection == connection):
                one.is_open = False
        self.entry.heard_s = now_s
        self._write()

    def lose(self, line: str, connection: str, frames: Range) -> Connection:
        """Frames of a connection are lost."""
        one = self.heard(line, connection, None)
        one.lost.append(frames)
        del one.lost[:-MAX_LOST]
        self._write()
        return one

    def open_lines(self) -> list[str]:
        """Return the lines with an open connection, in order of their names."""
        return sorted({one.line for one in self.entry.connections if one.is_open})

    def ordinals(self) -> Iterable[int]:
        """Return the ordinals of the connections that are remembered."""
        return (one.ordinal for one in self.entry.connections)

    def forget(self) -> None:
        """Remove the feed from the store."""
        self._store.delete(self._key)

    def _write(self) -> None:
        self._store.put(self._key, encode(self.entry))

    def _new(self, line: str, connection: str, position: int | None) -> Connection:
        entry = self.entry
        one = Connection(entry.following, line, connection, position)
        entry.following += 1
        entry.connections.append(one)
        self._by_name[line, connection] = one
        for is_open, most in ((True, MAX_OPEN), (False, MAX_CLOSED)):
            same = [other for other in entry.connections if other.is_open is is_open]
            for other in same[: max(0, len(same) - most)]:
                entry.connections.remove(other)
                del self._by_name[other.line, other.connection]
        self._write()
        return one
