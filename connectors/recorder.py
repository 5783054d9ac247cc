"""Numbers the frames of one line and writes them with their control records, in order: common to all feeds."""

import asyncio
import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

from connectors.clock import Clock
from connectors.counts import Ending
from connectors.record import LEFT, LastFrame, RawRecord
from connectors.sink import FrameSink
from schemas.raw import Kind, RawHeaders

NORMAL: Final = 1000  # RFC 6455 §7.4.1


class LineRecorder:
    """Records of one line. Frames are numbered when they are queued, so a number never stands before its frame.

    When Kafka is slow a frame waits for room (the socket is not read meanwhile); after ``push_back_s`` frames are
    dropped instead, numbered and counted, until half of the queue is free: then an ``overflow`` record says which.

    Args:
        feed: Name of the feed.
        line: Name of the line.
        sink: Queue of the line's raw partition.
        clock: What stamps the records.
        push_back_s: How long to leave the socket unread, seconds.
        previous: Where the line stood before this process, when known.
    """

    def __init__(
        self,
        *,
        feed: str,
        line: str,
        sink: FrameSink,
        clock: Clock,
        push_back_s: float,
        previous: LastFrame | None = None,
    ) -> None:
        self._feed = feed
        self.line = line
        self._sink = sink
        self._clock = clock
        self._push_back_s = push_back_s
        self.previous = previous
        """Where the line stood when its last connection was closed."""
        self._begun = False
        self._connection: str | None = None
        self._position: str | None = None
        self._number = 0
        self._lost_from: int | None = None

    async def ready(self) -> None:
        """Return when it is known where the line stood before this process; to be awaited before a connection."""
        if self.previous is None and not self._begun:
            self.previous = await self._sink.stood(self.line)

    def opened(self, facts: Mapping[str, Any], *, position: str | None = None) -> None:
        """A connection of the line is up: begin to record it, and say where the last one ended.

        Args:
            facts: What the record says beside that.
            position: The position that was asked for; on every record until the next connection.
        """
        self._begun = True
        self._connection = str(uuid.uuid4())
        self._position = position
        self._number = 0
        previous = self.previous
        self._control(
            "opened",
            {
                **facts,
                "previous_connection": previous.connection if previous else None,
                "previous_frame": previous.frame if previous else None,
            },
        )

    async def frame(self, value: bytes, *, after_ns: int | None = None) -> bool:
        """Record one frame and return whether it is queued; else it was dropped and counted, after the push-back.

        One caller at a time.

        Args:
            value: Its bytes.
            after_ns: The vendor sent it after this, where that is told, UTC nanoseconds.
        """
        received_ns = self._clock.now_ns()
        self._sink.counts.received += 1
        self._sink.counts.received_bytes += len(value)
        if self._lost_from is not None or not self._sink.has_room:
            try:
                room = await self._make_room()
            except asyncio.CancelledError:
                self._drop()
                raise
            if not room:
                self._drop()
                return False
        self._number += 1
        assert self._connection is not None
        at = LastFrame(connection=self._connection, frame=self._number)
        self._sink.put(RawRecord(self._headers("frame", received_ns, at, after_ns), value))
        return True

    def tick(self, facts: Mapping[str, Any]) -> bool:
        """Say that the line is alive, with ``facts`` as the value; return whether it was said.

        Left out while the queue is full: time then stands still with the frames.
        """
        told = self._sink.has_room and self._overflow_is_told()
        if told:
            self._control("tick", facts)
        return told

    def closed(
        self, code: int, reason: str, facts: Mapping[str, Any] | None = None, *, ending: Ending = "closed"
    ) -> None:
        """The connection is over.

        Args:
            code: Close code.
            reason: Why.
            facts: What the record says beside that.
            ending: What it is counted as.
        """
        self._sink.counts.ended[ending] += 1
        self._tell_overflow()
        self._control("closed", {"code": code, "reason": reason, "frames": self._number, **(facts or {})})
        assert self._connection is not None
        self.previous = LastFrame(connection=self._connection, frame=self._number)
        self._connection = None

    def tick_between(self, facts: Mapping[str, Any]) -> None:
        """Say while no connection is open that time goes on, in the name of the last one; left out when the queue is
        full, and before the first.
        """
        if self.previous is not None and self._sink.has_room:
            self._put("tick", facts, self.previous)

    def left(self) -> None:
        """Nobody follows the line any more: its last connection is closed as such, so that no one misses the next."""
        if self.previous is not None:
            self._put("closed", {"code": NORMAL, "reason": LEFT, "frames": self.previous.frame}, self.previous)

    def refused(
        self, code: int, reason: str, *, position: str | None = None, facts: Mapping[str, Any] | None = None
    ) -> None:
        """A connection was refused before it was one, or none is to come: a ``closed`` of its own; where the line stood
        stays.

        Args:
            code: HTTP status, which is below every close code of WebSocket; a close code where none is to come.
            reason: Why.
            position: The position that was asked for; on this record only.
            facts: What the record says beside that.
        """
        stood, self._position = self._position, position
        refusal = LastFrame(connection=str(uuid.uuid4()), frame=0)
        self._put("closed", {"code": code, "reason": reason, "frames": 0, **(facts or {})}, refusal)
        self._position = stood

    def _drop(self) -> None:
        self._number += 1
        self._lost_from = self._lost_from or self._number
        self._sink.counts.dropped[self._sink.full_because] += 1

    async def _make_room(self) -> bool:
        if self._lost_from is not None:
            return self._overflow_is_told()
        try:
            async with asyncio.timeout(self._push_back_s):
                await self._sink.wait_for_room()
        except TimeoutError:
            return False
        return True

    def _overflow_is_told(self) -> bool:
        if self._lost_from is not None and self._sink.is_relieved:
            self._tell_overflow()
        return self._lost_from is None

    def _tell_overflow(self) -> None:
        first = self._lost_from
        if first is not None:
            self._lost_from = None
            lost = self._number - first + 1
            self._control("overflow", {"lost": lost, "first_frame": first, "last_frame": self._number})

    def _control(self, kind: Kind, value: Mapping[str, Any]) -> None:
        assert self._connection is not None
        self._put(kind, value, LastFrame(connection=self._connection, frame=self._number))

    def _put(self, kind: Kind, value: Mapping[str, Any], at: LastFrame) -> None:
        encoded = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
        self._sink.put(RawRecord(self._headers(kind, self._clock.now_ns(), at), encoded))

    def _headers(self, kind: Kind, received_ns: int, at: LastFrame, after_ns: int | None = None) -> RawHeaders:
        return RawHeaders(
            feed=self._feed,
            line=self.line,
            connection=at.connection,
            frame=at.frame,
            received_ns=received_ns,
            kind=kind,
            position=self._position,
            after_ns=after_ns,
        )
