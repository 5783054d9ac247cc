"""The way of frames into Kafka: one bounded, ordered queue per raw partition, and the task that empties it.

Frames are counted once each: received, pushed (acknowledged by all replicas) or dropped with a reason.
A spool on disk belongs here, between :meth:`FrameSink.offer` and :meth:`FrameSink.run`.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from schemas.raw import RawHeaders


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record of a raw topic: headers and exact bytes."""

    headers: RawHeaders
    value: bytes


class Writer(Protocol):
    """Writes records to one raw partition, in order; at least once."""

    async def write(self, records: Sequence[RawRecord]) -> Sequence[RawRecord]:
        """Return when all of ``records`` are kept by Kafka, save those returned: no broker will ever take them."""
        ...


@dataclass(slots=True)
class SinkCounts:
    """What became of the frames, as plain numbers."""

    received: int = 0
    pushed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason: ``queue-full``, ``too-large``."""


class FrameSink:
    """Bounded queue in front of one raw partition; all lines of a shard share it, so their order is Kafka's.

    Args:
        writer: Where records go.
        max_bytes: Bound of the values that wait or are under way.
        max_records: Bound of their number.
    """

    def __init__(self, writer: Writer, *, max_bytes: int, max_records: int = 200_000) -> None:
        self._writer = writer
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._queue: deque[RawRecord] = deque()
        self._records = 0
        self._bytes = 0
        self._filled = asyncio.Event()
        self._drained = asyncio.Event()
        self._closing = False
        self.counts = SinkCounts()

    @property
    def has_room(self) -> bool:
        """Whether the next frame may be put."""
        return self._bytes < self._max_bytes and self._records < self._max_records

    @property
    def is_relieved(self) -> bool:
        """Whether at least half of the bound is free: an overflow ends here, not at each single free place."""
        return self._bytes <= self._max_bytes // 2 and self._records <= self._max_records // 2

    @property
    def waiting(self) -> int:
        """Records not yet acknowledged."""
        return self._records

    def put(self, record: RawRecord) -> None:
        """Queue ``record``. For frames the caller looks at :attr:`has_room` first; control records always pass.

        They are few: a line does not reconnect while there is no room, and ticks are left out.
        """
        self._queue.append(record)
        self._records += 1
        self._bytes += len(record.value)
        self._filled.set()

    async def wait_for_room(self) -> None:
        """Return when a frame may be put."""
        while not self.has_room:
            self._drained.clear()
            await self._drained.wait()

    def close(self) -> None:
        """Take no more: :meth:`run` returns once everything queued is in Kafka."""
        self._closing = True
        self._filled.set()

    async def run(self) -> None:
        """Write what is queued until closed and empty. One task per sink; it owns the writer's order."""
        while True:
            if not self._queue:
                if self._closing:
                    return
                self._filled.clear()
                await self._filled.wait()
                continue
            batch = self._take()
            refused = await self._writer.write(batch)
            self._account(batch, refused)

    # A batch is one produce request. 1 MiB keeps the acknowledgement below some 20 ms; a larger record goes alone.
    _BATCH_BYTES = 1024 * 1024
    _BATCH_RECORDS = 4096

    def _take(self) -> list[RawRecord]:
        batch = [self._queue.popleft()]
        size = len(batch[0].value)
        while (
            self._queue and len(batch) < self._BATCH_RECORDS and size + len(self._queue[0].value) <= self._BATCH_BYTES
        ):
            batch.append(self._queue.popleft())
            size += len(batch[-1].value)
        return batch

    def _account(self, batch: list[RawRecord], refused: Sequence[RawRecord]) -> None:
        self._records -= len(batch)
        self._bytes -= sum(len(record.value) for record in batch)
        self.counts.pushed += sum(record.headers.kind == "frame" for record in batch)
        for record in refused:
            if record.headers.kind == "frame":
                self.counts.pushed -= 1
                self.counts.dropped["too-large"] += 1
        self._drained.set()
