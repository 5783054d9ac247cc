"""Writes answers of a feed's HTTP API beside its frames, as ``snapshot`` records: common to all feeds."""

import uuid
from dataclasses import replace

from connectors.record import RawRecord
from connectors.sink import FrameSink
from schemas.raw import Kind, RawHeaders


class SnapshotRecorder:
    """Snapshot records of one line: one connection per process, numbered from 1 without holes.

    A snapshot can be asked for again, a frame cannot: snapshots go only into a queue that is at least half empty and
    has nothing on disk. What finds no room is skipped, counted, and takes no number.

    Args:
        feed: Name of the feed.
        line: Name of the line.
        sink: Queue of the line's raw partition.
        tick: Value of a tick that stands before the first snapshot of this process: what its reader has to know by
            then, though no other line may have said it yet.
    """

    def __init__(self, *, feed: str, line: str, sink: FrameSink, tick: bytes | None = None) -> None:
        self._feed = feed
        self._sink = sink
        self._tick = tick
        self._connection = str(uuid.uuid4())
        self.line = line
        self.recorded = 0
        self.skipped = 0

    @property
    def has_room(self) -> bool:
        """Whether a snapshot would be recorded now: worth a look before the vendor is asked for one."""
        return self._sink.is_relieved and self._sink.waiting == self._sink.unkept

    def record(self, body: bytes, *, position: str, requested_ns: int, received_ns: int, status: int) -> bool:
        """Record one answer; return whether there was room for it.

        Args:
            body: The answer, exact bytes after content decoding.
            position: Path and query that name the request.
            requested_ns: The answer says nothing older than that, UTC nanoseconds.
            received_ns: When all of it was there, UTC nanoseconds.
            status: HTTP status.
        """
        if not self.has_room:
            self.skipped += 1
            return False
        if self._tick is not None:
            tick, self._tick = self._tick, None
            self._sink.put(RawRecord(self._headers("tick", received_ns), tick))
        self.recorded += 1
        headers = replace(
            self._headers("snapshot", received_ns), position=position, requested_ns=requested_ns, status=status
        )
        self._sink.put(RawRecord(headers, body))
        return True

    def _headers(self, kind: Kind, received_ns: int) -> RawHeaders:
        return RawHeaders(
            feed=self._feed,
            line=self.line,
            connection=self._connection,
            frame=self.recorded,
            received_ns=received_ns,
            kind=kind,
        )
