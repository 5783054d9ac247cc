"""The way of records into Kafka: one bounded, ordered queue per raw partition, and the task that empties it.

Records wait in memory while Kafka takes them. When it does not for a moment, or memory fills, what waits and everything
after it goes to disk and is sent from there, oldest first, until the disk holds nothing: the order never changes.
Frames are counted once each: received, pushed (acknowledged by all replicas) or dropped with a reason.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from connectors.backlog import Backlog
from connectors.counts import SinkCounts
from connectors.record import LastFrame, RawRecord, last_frames
from schemas.raw import NUMBERED

# A batch is one produce request. 1 MiB keeps the acknowledgement below some 20 ms; a larger record goes alone.
_BATCH_BYTES: Final = 1024 * 1024
_BATCH_RECORDS: Final = 4096
# One transaction on disk, and how long to collect for it: a commit may cost a disk some 10 ms.
_SPILL_BYTES: Final = 4 * 1024 * 1024
_SPILL_INTERVAL_S: Final = 0.1
_NS_A_S: Final = 1_000_000_000


class Writer(Protocol):
    """Writes records to one raw partition, in order; at least once."""

    async def write(self, records: Sequence[RawRecord]) -> Sequence[RawRecord]:
        """Return when all of ``records`` are kept by Kafka, save those returned: no broker will ever take them."""
        ...


@dataclass(slots=True)
class _Write:
    """The batch on its way to Kafka; ``place``: where its last record stands on disk, if it does."""

    records: list[RawRecord]
    task: "asyncio.Task[Sequence[RawRecord]]"
    since: float
    place: int | None


class FrameSink:
    """Bounded queue in front of one raw partition; all lines of a shard share it, so their order is Kafka's.

    Args:
        writer: Where records go.
        max_bytes: Bound of the values that wait or are under way in memory.
        max_records: Bound of their number.
        backlog: Where they wait when Kafka is away; ``None``: in memory only.
        patience_s: How long Kafka may keep a batch waiting before it counts as away.
        now_ns: The clock that stamps frames, UTC nanoseconds: what an acknowledgement is measured with.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        max_bytes: int,
        max_records: int = 200_000,
        backlog: Backlog | None = None,
        patience_s: float = 1.0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._writer = writer
        self._now_ns = now_ns
        self._max_bytes = max_bytes
        self._max_records = max_records
        self._backlog = backlog
        self._patience_s = patience_s
        self._queue: deque[RawRecord] = deque()
        self._records = 0
        self._bytes = 0
        self._writing: _Write | None = None
        self._written: dict[str, LastFrame] = {}
        self._stood: dict[str, LastFrame] = {}
        self._recalling: asyncio.Future[None] | None = None
        self._spilled_at = 0.0
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._closing = False
        self._given_up = False
        self.counts = SinkCounts()

    async def open(self) -> dict[str, LastFrame]:
        """Take up what an earlier process left on disk; it goes first. Return where the lines stand after it.

        Returns:
            For every line known, or nothing when nothing was left: Kafka knows then (:meth:`remember`).

        Raises:
            SpoolLocked: Another process uses the file.
        """
        if self._backlog is not None:
            self.remember(await self._backlog.open())
        return dict(self._written)

    def remember(self, lines: Mapping[str, LastFrame]) -> None:
        """Take over where the lines stand in Kafka, for the next process if this one dies with records on disk."""
        self._written.update(lines)
        self._stood.update(lines)

    def recall(self, recalling: "asyncio.Future[None]") -> None:
        """Have :meth:`stood` wait for ``recalling``, which calls :meth:`remember`: Kafka has not told yet."""
        self._recalling = recalling

    async def stood(self, line: str) -> LastFrame | None:
        """Return where ``line`` stood before this process, as soon as that is known."""
        if self._recalling is not None:
            await asyncio.shield(self._recalling)
        return self._stood.get(line)

    @property
    def has_room(self) -> bool:
        """Whether the next frame may be put."""
        return self._bytes < self._max_bytes and self._records < self._max_records and self._free_on_disk > 0

    @property
    def is_relieved(self) -> bool:
        """Whether there is room for half of what memory holds: an overflow ends here, not at each single free place."""
        return (
            self._bytes <= self._max_bytes // 2
            and self._records <= self._max_records // 2
            and self._free_on_disk > self._max_bytes // 2
        )

    @property
    def full_because(self) -> str:
        """The reason to count a frame under that finds no room."""
        if self._backlog is not None and self._backlog.failing:
            return "spool-failed"
        return "queue-full" if self._free_on_disk > 0 else "spool-full"

    @property
    def waiting(self) -> int:
        """Records not yet acknowledged, on disk or in memory."""
        return self._records + (self._backlog.count if self._backlog else 0)

    @property
    def unkept(self) -> int:
        """Records that are in memory only."""
        return self._records

    @property
    def unacknowledged_s(self) -> float:
        """How long the batch on its way to Kafka has waited; 0: there is none. To be asked in the event loop."""
        return 0.0 if self._writing is None else asyncio.get_running_loop().time() - self._writing.since

    @property
    def spool_free_bytes(self) -> int | None:
        """What the spool may still take of the disk, 0 while it fails; ``None``: there is none."""
        if self._backlog is None:
            return None
        return 0 if self._backlog.failing else self._backlog.free_bytes

    def put(self, record: RawRecord) -> None:
        """Queue ``record``. For frames the caller looks at :attr:`has_room` first; control records always pass.

        They are few: a line does not reconnect while there is no room, and ticks are left out.
        """
        self._queue.append(record)
        self._records += 1
        self._bytes += len(record.value)
        self._wake.set()

    async def wait_for_room(self) -> None:
        """Return when a frame may be put."""
        while not self.has_room:
            self._drained.clear()
            await self._drained.wait()

    def close(self) -> None:
        """Take no more: :meth:`run` returns once everything is in Kafka, or on disk while Kafka is away."""
        self._closing = True
        self._wake.set()

    def give_up(self) -> None:
        """Have :meth:`run` return at once; what Kafka has not taken goes to disk, if there is one."""
        self._given_up = True
        self._wake.set()

    async def run(self) -> None:
        """Write what is queued until closed and empty. One task per sink; it owns the order.

        Whatever ends it, what it held goes to disk first; :attr:`unkept` says what found no place there.
        """
        try:
            while not self._is_over():
                self._wake.clear()
                if self._writing is None:
                    await self._begin_write()
                now = asyncio.get_running_loop().time()
                due_at = self._spill_due_at(now)
                if due_at is not None and due_at <= now:
                    await self._spill()
                else:
                    await self._changed(due_at)
                if self._writing is not None and self._writing.task.done():
                    await self._end_write(self._writing)
        finally:
            await self._leave()

    async def release(self) -> None:
        """Let go of the disk: for a sink that was opened and never ran."""
        if self._backlog is not None:
            await self._backlog.close()

    # -- to Kafka ----------------------------------------------------------------------------------------------------

    async def _begin_write(self) -> None:
        place = None
        records: list[RawRecord] = []
        if self._backlog is not None and self._backlog.count:
            oldest = await self._backlog.oldest(max_bytes=_BATCH_BYTES, max_records=_BATCH_RECORDS)
            if oldest is not None:
                records, place = oldest
            else:
                self._wake.set()  # it holds nothing any more: that may be the end
            if self._backlog.lost:
                self.counts.dropped["spool-damaged"] = self._backlog.lost
        if not records:
            records = self._oldest(_BATCH_BYTES, _BATCH_RECORDS)
            for _ in records:
                self._queue.popleft()
        if records:
            task = asyncio.ensure_future(self._writer.write(records))
            task.add_done_callback(lambda _: self._wake.set())
            self._writing = _Write(records, task, asyncio.get_running_loop().time(), place)

    async def _end_write(self, write: _Write) -> None:
        refused = write.task.result()
        self._writing = None
        if write.place is None:
            self._release(write.records)
        elif self._backlog is not None:
            await self._backlog.sent(write.place)
            self._drained.set()
        self._written.update(last_frames(write.records))
        self._count(write.records, refused)

    def _count(self, records: Sequence[RawRecord], refused: Sequence[RawRecord]) -> None:
        if refused:
            lost = set(map(id, refused))
            records = [record for record in records if id(record) not in lost]
            self.counts.dropped["too-large"] += _frames(refused)
        frames = [record for record in records if record.headers.kind in NUMBERED]
        now_ns, counts = self._now_ns(), self.counts
        counts.pushed += len(frames)
        counts.pushed_bytes += sum(len(record.value) for record in frames)
        counts.acknowledged.observe_all([(now_ns - record.headers.received_ns) / _NS_A_S for record in frames])

    # -- to disk -----------------------------------------------------------------------------------------------------

    @property
    def _free_on_disk(self) -> int:
        """What the spool would have left with all of memory in it; while it is not in use, memory is the bound."""
        if self._backlog is None or not self._backlog.count or self._backlog.failing:
            return self._max_bytes
        return self._backlog.free_bytes - self._bytes

    def _spill_due_at(self, now: float) -> float | None:
        """Return when memory is to go to disk: the loop's time, or ``None`` while Kafka takes what it gets."""
        if self._backlog is None or not self._unspilled():
            return None
        if self._bytes > self._max_bytes // 2:
            due_at = now
        elif self._backlog.count:
            due_at = now if self._bytes > _BATCH_BYTES else self._spilled_at + _SPILL_INTERVAL_S
        elif self._writing is not None:
            due_at = self._writing.since + self._patience_s
        else:
            return None
        return max(due_at, self._backlog.retry_at)

    def _unspilled(self) -> bool:
        return bool(self._queue) or (self._writing is not None and self._writing.place is None)

    async def _spill(self) -> bool:
        """Move the oldest of memory to disk; what is under way to Kafka first, as it is older than all."""
        assert self._backlog is not None
        write = self._writing if self._writing is not None and self._writing.place is None else None
        records = write.records if write is not None else self._oldest(_SPILL_BYTES, len(self._queue))
        place = await self._backlog.append(records, self._written)
        self._spilled_at = asyncio.get_running_loop().time()
        if place is None:
            return False
        if write is not None:
            write.place = place
        else:
            for _ in records:
                self._queue.popleft()
        self._release(records)
        self.counts.spooled += _frames(records)
        return True

    # -- private -----------------------------------------------------------------------------------------------------

    def _is_over(self) -> bool:
        if self._given_up:
            return True
        if not self._closing or self._unspilled():
            return False
        if self._writing is None:
            return not (self._backlog is not None and self._backlog.count)
        # All is on disk: the next process goes on with it if Kafka does not answer now.
        return asyncio.get_running_loop().time() >= self._writing.since + self._patience_s

    async def _changed(self, due_at: float | None) -> None:
        """Wait for a record, an answer, the end, or ``due_at``."""
        if due_at is None and self._closing and self._writing is not None and not self._unspilled():
            due_at = self._writing.since + self._patience_s
        try:
            async with asyncio.timeout_at(due_at):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _leave(self) -> None:
        write = self._writing
        if write is not None:
            write.task.cancel()
            await asyncio.wait({write.task})
            if not write.task.cancelled() and write.task.exception() is None:
                await self._end_write(write)
        if self._backlog is not None:
            while self._unspilled() and await self._spill():
                pass
            await self.release()

    def _oldest(self, max_bytes: int, max_records: int) -> list[RawRecord]:
        """Return the head of the queue: one record at least, if there is any."""
        records: list[RawRecord] = []
        size = 0
        for record in islice(self._queue, max_records):
            size += len(record.value)
            if records and size > max_bytes:
                break
            records.append(record)
        return records

    def _release(self, records: Sequence[RawRecord]) -> None:
        self._records -= len(records)
        self._bytes -= sum(len(record.value) for record in records)
        self._drained.set()


def _frames(records: Sequence[RawRecord]) -> int:
    return sum(record.headers.kind in NUMBERED for record in records)
