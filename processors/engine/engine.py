"""The engine of one worker: which tasks are open, what waits for the next cycle, and what happens on a rebalance.

A cycle binds our membership, takes the batches that wait, computes, and hands the result to a transaction
(``cycle.py``). While one transaction is on its way the next cycle computes and gathers what arrives; there is never
more than one transaction open. Low load gives small transactions and low latency, high load large ones.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping

from aiokafka.errors import KafkaConnectionError

from processors.core.processor import Processor
from processors.engine.config import EngineSettings
from processors.engine.counts import Counts, CycleCounts, Fetched, WorkerFacts
from processors.engine.cycle import Cycle, TransactionWriter
from processors.engine.opening import UNSEEN, TaskOpener
from processors.engine.task import Batch, Partition, StreamTask
from processors.engine.topology import Topology
from processors.engine.transactions import FENCED, Membership, TransactionalProducer
from schemas.errors import EngineError, FencedError, PositionError, TricastError
from schemas.kafka import KafkaSettings
from schemas.unreached import unreached

log = logging.getLogger(__name__)

ABORT_TIMEOUT_S = 2.0
BROKERS_AWAY_S = 10.0
"""How long a worker that was told of its tasks tries to reach any broker."""
PENDING_CYCLES = 2
"""Cycles' worth of records that may wait in memory before the fetch is held back."""
CYCLE_BYTES = 16 * 1024 * 1024
"""Of source records, or of outputs: a cycle ends here even below its record limit. Bulks of megabytes must not add up
in memory, and writing overlaps with computing only from one cycle to the next."""
PART_BYTES = 32 * 1024
"""Of source records, computed and encoded at one go: what they become stays in the processor's caches until it is
encoded, and neither the transaction on its way nor a rebalance waits long for the loop, however large the bulks."""


class Engine:
    """Opens and closes stream tasks and runs cycles over the open ones.

    Args:
        processor: The pure core.
        topology: Its topics.
        kafka: How to reach Kafka.
        settings: Time-outs and sizes.
        version: Code version for dead letters.
        seek: Moves the fetch of a partition and returns the seek's number; called before its task counts as open.
        fail: Called once with what stopped the engine; must not return control to it.
    """

    def __init__(
        self,
        processor: Processor,
        topology: Topology,
        *,
        kafka: KafkaSettings,
        settings: EngineSettings,
        version: str,
        seek: Callable[[Partition, int], Awaitable[int]],
        fail: Callable[[BaseException], None],
    ) -> None:
        self.transactional_id = f"{topology.group}-{settings.worker_name}"
        self.counts = CycleCounts()
        self.task_counts = Counts()
        """Over all tasks this worker ever had."""
        self._processor = processor
        self._topology = topology
        self._settings = settings
        self._version = version
        self._seek = seek
        self._fail = fail
        changelogs = topology.changelogs(processor)
        self._kafka = kafka
        self._producer = self._new_producer()
        self._writer = TransactionWriter(
            self._producer,
            group=topology.group,
            physical={name: topology.prefix + name for name in topology.outputs},
            changelogs=changelogs,
            committed=self.counts.outputs,
        )
        self.opener = TaskOpener(
            kafka,
            settings,
            group=topology.group,
            transactional_id=self.transactional_id,
            changelogs=changelogs,
            away_s=BROKERS_AWAY_S,
        )
        self._membership: Membership | None = None
        self.bound: Membership | None = None
        """The last membership tasks were opened under, kept after they are closed."""
        self._tasks: dict[Partition, StreamTask] = {}
        self.open_partitions: dict[Partition, int] = {}
        """Open partitions and the seek that opened them; changes under whoever looks at it."""
        self._committed: dict[Partition, int] = {}
        self._closed: dict[Partition, tuple[StreamTask, Membership | None]] = {}
        self._pending: deque[tuple[Partition, Batch, int]] = deque()
        """Parts of batches with their bytes."""
        self._pending_records = self._pending_bytes = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._computing = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._loop_task: asyncio.Task[None] | None = None
        self._failed = self._stopping = False

    def _new_producer(self) -> TransactionalProducer:
        return TransactionalProducer(self._kafka, self.transactional_id, self._settings.transaction_timeout_s)

    # Life.

    async def start(self) -> None:
        """End the transaction that an earlier process of this name left open, and compare topics with the registry.

        Raises:
            EnvironmentFault: Kafka cannot be reached.
            PositionError: A source, output or changelog is missing or has another partition count.
        """
        predecessor = self._new_producer()
        try:
            await predecessor.start()
            topics = self._topology.topics(self._processor)
            found = await predecessor.partition_counts(topics)
        except KafkaConnectionError as error:
            raise await unreached(self._kafka.client(), error) from error
        finally:
            await predecessor.stop()
        for physical, topic in topics.items():
            if physical not in found:
                raise PositionError(f"topic {physical} is not there, or not for this user to see", action=UNSEEN)
            if found[physical] != topic.partitions:
                raise PositionError(
                    f"{physical} has {found[physical]} partitions, the registry says {topic.partitions}:"
                    " keys and tasks would move",
                    action="set the counts that Kafka has (TRICAST_PARTITIONS__…), or have `tricast topics grow`"
                    " change them",
                )
            self._writer.partitioner.set_count(physical, topic.partitions, topic.partition_until)
        self._loop_task = asyncio.create_task(self._run(), name="cycles")
        self._loop_task.add_done_callback(self._loop_ended)

    async def _start_producer(self) -> None:
        """Take our transactional id for good, once the group knows us: whoever opens tasks of our dead predecessor
        before that may fence the id and harms nobody; afterwards it finds us alive."""
        if not self._producer.started:
            await self._producer.start()

    async def stop(self) -> None:
        """Finish the running cycle, close all tasks, stop the producer."""
        self._stopping = True
        with contextlib.suppress(Exception):  # a failed transaction has been reported by _stop_for
            await self.close_tasks()
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
        await self._producer.stop()

    # Rebalance.

    async def close_tasks(self) -> None:
        """Close every task after the running cycle; called on a revoke and on stop. Nobody else may commit now."""
        membership, self._membership = self._membership, None
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
            self._opening = None
        async with self._computing:
            await self._written()
            self._pending.clear()
            self._pending_records = self._pending_bytes = 0
            self._wake.clear()  # set over nothing pending, it would let _run spin without ever yielding
            self._room.set()
            for partition, task in self._tasks.items():
                self._closed[partition] = task, membership if partition in self.open_partitions else None
            self._tasks.clear()
            self.open_partitions.clear()
            self._committed.clear()
            self._writer.forget()

    def open_tasks(self, assigned: set[Partition], membership: Membership) -> None:
        """Begin to open the tasks of ``assigned``; returns at once, they join the fetch when they are ready.

        Args:
            assigned: Everything the group gave us.
            membership: Generation and member id of this assignment.
        """
        if self._failed:
            return
        kept: list[StreamTask] = []
        restore: list[StreamTask] = []
        for partition in sorted(assigned):
            task, was = self._closed.get(partition, (None, None))
            if task is None:
                task = self._new_task(partition)
            self._tasks[partition] = task
            nobody_between = was is not None and was == Membership(membership.generation - 1, membership.member_id)
            (kept if nobody_between else restore).append(task)
        self._closed.clear()
        self._membership = self.bound = membership
        self._opening = asyncio.create_task(self._open_now(kept, restore, membership), name="opening")
        self._opening.add_done_callback(self._opening_ended)

    def _new_task(self, partition: Partition) -> StreamTask:
        return StreamTask(
            partition,
            self._processor,
            topics=dict(self._topology.outputs),
            version=self._version,
            stop_ratio=self._settings.dead_letter_stop_ratio,
            window=self._settings.dead_letter_window,
            counts=self.task_counts,
        )

    async def _open_now(self, kept: list[StreamTask], restore: list[StreamTask], membership: Membership) -> None:
        try:
            await self.opener.patiently(self._start_producer)
            await self._admit(kept)
            self.counts.kept += len(kept)
            if restore:
                began = asyncio.get_running_loop().time()
                self.counts.restored_entries += await self.opener.open(restore, lambda: self._membership is membership)
                await self._admit(restore)
                self.counts.opened += len(restore)
                self.counts.restore.observe(asyncio.get_running_loop().time() - began)
                log.info(
                    "tasks.opened count=%d kept=%d generation=%d entries=%d seconds=%.2f",
                    len(restore),
                    len(kept),
                    membership.generation,
                    sum(len(task.store) for task in restore),
                    asyncio.get_running_loop().time() - began,
                )
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(error)

    def _opening_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() and self._membership is not None:  # `close_tasks` takes that away before it cancels
            self._fail(EngineError("something cancelled the opening of the tasks, and nobody asked for that"))

    async def _admit(self, tasks: list[StreamTask]) -> None:
        for task in tasks:
            seek = await self._seek(task.partition, task.position)
            self._committed[task.partition] = task.position
            self.open_partitions[task.partition] = seek

    def facts(self, fetched: Mapping[Partition, Fetched], *, kafka_away: bool) -> WorkerFacts:
        """Return how this worker stands, given how far the fetch of its partitions is; called in its event loop."""
        committed = {part: at for part, at in self._committed.items() if part in self.open_partitions}
        lags = [fetched[part].lag(at) for part, at in committed.items() if part in fetched]
        return WorkerFacts(
            joined=self._membership is not None,
            ending=self._failed or self._stopping,
            assigned=len(self._tasks),
            open=len(self.open_partitions),
            state_entries=sum(len(task.store) for part, task in self._tasks.items() if part in self.open_partitions),
            pending=self._pending_records,
            committed=sum(committed.values()),
            lag=sum(lags),
            kafka_away=kafka_away,
        )

    # Batches in, cycles out.

    async def put(self, partition: Partition, batch: Batch) -> None:
        """Hand over one fetched batch; waits while too much is pending.

        A batch fetched before its task's last seek is dropped: the task was closed in between.
        """
        await self._room.wait()
        if self.open_partitions.get(partition) != batch.seek:
            return
        for part, size in batch.parts(PART_BYTES):
            self._pending.append((partition, part, size))
            self._pending_bytes += size
        self._pending_records += len(batch.records)
        self._wake.set()
        if not self._has_room:
            self._room.clear()

    @property
    def _has_room(self) -> bool:
        most_records, most_bytes = PENDING_CYCLES * self._settings.max_cycle_records, PENDING_CYCLES * CYCLE_BYTES
        return self._pending_records < most_records and self._pending_bytes < most_bytes

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            async with self._computing:
                membership = self._membership
                if membership is None:
                    self._wake.clear()
                    continue
                try:
                    cycle = await self._compute(membership)
                    await self._written()
                except asyncio.CancelledError:
                    raise
                except BaseException as error:  # fail-stop: nothing half done may go on
                    await self._stop_for(error)
                    return
                if cycle.works:
                    self._writing = asyncio.create_task(self._write(cycle, membership), name="transaction")

    def _loop_ended(self, task: asyncio.Task[None]) -> None:
        if not self._stopping and not self._failed:
            self._fail(EngineError(f"the cycle loop ended unasked: {task!r}"))

    async def _compute(self, membership: Membership) -> Cycle:
        """Compute what waits, and what arrives until the transaction before is through."""
        cycle = self._writer.begin()
        limit, records, size = self._settings.max_cycle_records, 0, 0
        touched: dict[Partition, StreamTask] = {}
        while self._membership is membership:
            while self._pending and records < limit and max(size, cycle.output_bytes) < CYCLE_BYTES:
                partition, part, part_size = self._take()
                task = self._tasks[partition]
                before = task.position
                done = task.process(part)
                cycle.take_outputs(task)
                self.counts.records += done
                if task.position > before:
                    touched[partition] = task
                records, size = records + len(part.records), size + part_size
                # What was processed before stands at the front.
                cycle.timestamps_ms += [record.timestamp for record in part.records[len(part.records) - done :]]
                cycle.timestamp_ms = max(cycle.timestamp_ms, part.records[-1].timestamp)
                await asyncio.sleep(0)
            if self._writing is None or self._writing.done() or self._pending:
                break
            arrived = asyncio.ensure_future(self._wake.wait())
            try:
                await asyncio.wait({arrived, self._writing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrived.cancel()
        cycle.finish(touched.values())
        return cycle

    def _take(self) -> tuple[Partition, Batch, int]:
        partition, part, size = self._pending.popleft()
        self._pending_records -= len(part.records)
        self._pending_bytes -= size
        if not self._pending:
            self._wake.clear()
        if self._has_room:
            self._room.set()
        return partition, part, size

    async def _write(self, cycle: Cycle, membership: Membership) -> None:
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._settings.transaction_timeout_s + self._settings.rebalance_timeout_s):
                await self._writer.write(cycle, membership)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # fail-stop, see _run
            await self._stop_for(error)
            raise
        self._committed.update((work.task.partition, work.position) for work in cycle.works)
        self._count(cycle.timestamps_ms, asyncio.get_running_loop().time() - began)

    def _count(self, timestamps_ms: list[int], seconds: float) -> None:
        counts, now_ms = self.counts, time.time_ns() // 1_000_000
        counts.cycles += 1
        counts.commit.observe(seconds)
        ages_s = [(now_ms - timestamp_ms) / 1000 for timestamp_ms in timestamps_ms]
        counts.readable.observe_all(ages_s)
        counts.oldest_s = max(ages_s, default=0.0)

    async def _written(self) -> None:
        """Wait for the transaction on its way.

        Raises:
            Exception: What it failed with; ``_stop_for`` has been called.
        """
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _stop_for(self, error: BaseException) -> None:
        if self._failed:
            return
        self._failed = True
        self._membership = None
        error = self._producer.refusal or error
        await self._producer.abort(ABORT_TIMEOUT_S)
        self._fail(_as_engine_error(error))


def _as_engine_error(error: BaseException) -> BaseException:
    if isinstance(error, TricastError):
        return error
    if isinstance(error, FENCED):
        fenced = FencedError(f"another producer has this worker's transactional id or tasks: {error!r}")
        fenced.__cause__ = error
        return fenced
    if isinstance(error, Exception):
        broken = EngineError(f"the cycle failed: {error!r}")
        broken.__cause__ = error
        return broken
    return error
