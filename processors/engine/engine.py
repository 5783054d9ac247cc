"""The engine of one worker: which tasks are open, what waits for the next cycle, and what happens on a rebalance."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from processors.core.processor import Processor
from processors.engine.config import EngineSettings
from processors.engine.cycle import TransactionWriter
from processors.engine.opening import TaskOpener
from processors.engine.task import Batch, Partition, StreamTask
from processors.engine.transactions import FENCED, Membership, TransactionalProducer
from schemas.errors import EngineError, FencedError, PositionError, TricastError
from schemas.kafka import KafkaSettings
from schemas.topics import Topic

log = logging.getLogger(__name__)

ABORT_TIMEOUT_S = 2.0
PENDING_CYCLES = 2
"""Cycles' worth of records that may wait in memory before the fetch is held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Names of one processor's topics on a real Kafka.

    Attributes:
        prefix: Topic prefix setting, e.g. ``tricast.``.
        group: Consumer group id.
        sources: Registry name to physical name.
        outputs: Registry entry of every output, dead letters included, by registry name.
    """

    prefix: str
    group: str
    sources: Mapping[str, str]
    outputs: Mapping[str, Topic]
    registry: Mapping[str, Topic]

    @classmethod
    def of(cls, processor: Processor, prefix: str, registry: Mapping[str, Topic]) -> "Topology":
        """Return the topology of ``processor`` under ``prefix``."""
        outputs = (*processor.outputs, f"{processor.feed}.dead-letters")
        return cls(
            prefix=prefix,
            group=prefix + processor.name,
            sources={name: prefix + name for name in processor.sources},
            outputs={name: registry[name] for name in outputs},
            registry=registry,
        )

    def changelogs(self, processor: Processor) -> dict[str, str]:
        """Return physical source topic to physical changelog topic."""
        return {physical: f"{self.prefix}changelog.{processor.name}.{name}" for name, physical in self.sources.items()}


@dataclass(slots=True)
class CycleCounts:
    """What this worker's cycles did, for metrics."""

    cycles: int = 0
    records: int = 0
    opened: int = 0
    kept: int = 0
    last_cycle_s: float = 0.0
    by_task: dict[Partition, int] = field(default_factory=dict)


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
        )
        self.opener = TaskOpener(
            kafka,
            settings,
            group=topology.group,
            transactional_id=self.transactional_id,
            changelogs=changelogs,
        )
        self._membership: Membership | None = None
        self._tasks: dict[Partition, StreamTask] = {}
        self._open: dict[Partition, int] = {}
        """Open partitions and the seek that opened them."""
        self._something_open = asyncio.Event()
        self._closed: dict[Partition, tuple[StreamTask, Membership | None]] = {}
        self._pending: list[tuple[Partition, Batch]] = []
        self._pending_records = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._cycle_running = asyncio.Lock()
        self._opening: asyncio.Task[None] | None = None
        self._loop_task: asyncio.Task[None] | None = None

    def _new_producer(self) -> TransactionalProducer:
        return TransactionalProducer(self._kafka, self.transactional_id, self._settings.transaction_timeout_s)

    # Life.

    async def start(self) -> None:
        """End the transaction that an earlier process of this name left open, and check the outputs.

        Raises:
            PositionError: An output topic is missing or has another partition count than the registry says.
        """
        predecessor = self._new_producer()
        try:
            await predecessor.start()
            for name, topic in self._topology.outputs.items():
                physical = self._topology.prefix + name
                found = await predecessor.partitions_of(physical)
                if found != topic.partitions:
                    raise PositionError(
                        f"{physical} has {found} partitions, the registry says {topic.partitions}: keys would move",
                        action="`tricast topics check` shows all differences; changing a count is a migration",
                    )
                self._writer.partitioner.set_count(physical, found)
        finally:
            await predecessor.stop()
        self._loop_task = asyncio.create_task(self._run(), name="cycles")

    async def _start_producer(self) -> None:
        """Take our transactional id for good, once the group knows us: whoever opens tasks of our dead predecessor
        before that may fence the id and harms nobody; afterwards it finds us alive."""
        if not self._producer.started:
            await self._producer.start()

    async def stop(self) -> None:
        """Finish the running cycle, close all tasks, stop the producer."""
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
        async with self._cycle_running:
            self._pending.clear()
            self._pending_records = 0
            self._room.set()
            for partition, task in self._tasks.items():
                self._closed[partition] = task, membership if partition in self._open else None
            self._tasks.clear()
            self._open.clear()
            self._something_open.clear()
            self._writer.forget()

    def open_tasks(self, assigned: set[Partition], membership: Membership) -> None:
        """Begin to open the tasks of ``assigned``; returns at once, they join the fetch when they are ready.

        Args:
            assigned: Everything the group gave us.
            membership: Generation and member id of this assignment.
        """
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
        self._membership = membership
        self._opening = asyncio.create_task(self._open_now(kept, restore, membership), name="opening")

    def _new_task(self, partition: Partition) -> StreamTask:
        return StreamTask(
            partition,
            self._processor,
            topics=dict(self._topology.outputs),
            version=self._version,
            stop_ratio=self._settings.dead_letter_stop_ratio,
            window=self._settings.dead_letter_window,
        )

    async def _open_now(self, kept: list[StreamTask], restore: list[StreamTask], membership: Membership) -> None:
        try:
            await self._start_producer()
            await self._admit(kept)
            self.counts.kept += len(kept)
            if restore:
                began = asyncio.get_running_loop().time()
                await self.opener.open(restore, lambda: self._membership is membership)
                await self._admit(restore)
                self.counts.opened += len(restore)
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

    async def _admit(self, tasks: list[StreamTask]) -> None:
        for task in tasks:
            seek = await self._seek(task.partition, task.position)
            self._open[task.partition] = seek
        if tasks:
            self._something_open.set()

    async def open_partitions(self) -> Mapping[Partition, int]:
        """Wait until a task is open; return the live view of open ones (it changes under the caller)."""
        await self._something_open.wait()
        return self._open

    # Batches in, cycles out.

    async def put(self, partition: Partition, batch: Batch) -> None:
        """Hand over one fetched batch; waits while too much is pending.

        A batch fetched before its task's last seek is dropped: the task was closed in between.
        """
        await self._room.wait()
        if self._open.get(partition) != batch.seek:
            return
        self._pending.append((partition, batch))
        self._pending_records += len(batch.records)
        self._wake.set()
        if self._pending_records >= PENDING_CYCLES * self._settings.max_cycle_records:
            self._room.clear()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            async with self._cycle_running:
                membership = self._membership
                batches = self._take()
                if membership is None or not batches:
                    continue
                try:
                    await self._cycle(batches, membership)
                except asyncio.CancelledError:
                    raise
                except BaseException as error:
                    await self._producer.abort(ABORT_TIMEOUT_S)
                    self._fail(_as_engine_error(error))
                    return

    def _take(self) -> list[tuple[Partition, Batch]]:
        taken, records = 0, 0
        for _, batch in self._pending:
            if taken and records + len(batch.records) > self._settings.max_cycle_records:
                break
            taken += 1
            records += len(batch.records)
        batches, self._pending = self._pending[:taken], self._pending[taken:]
        self._pending_records -= records
        if not self._pending:
            self._wake.clear()
        self._room.set()
        return batches

    async def _cycle(self, batches: list[tuple[Partition, Batch]], membership: Membership) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        touched: dict[Partition, StreamTask] = {}
        timestamp_ms = 0
        for partition, batch in batches:
            task = self._tasks[partition]
            before = task.position
            done = task.process(batch)
            self.counts.records += done
            if task.position > before:
                touched[partition] = task
            timestamp_ms = max(timestamp_ms, batch.records[-1].timestamp)
            await asyncio.sleep(0)
        if touched:
            async with asyncio.timeout(self._settings.transaction_timeout_s + self._settings.rebalance_timeout_s):
                await self._writer.write(list(touched.values()), membership, timestamp_ms)
            self.counts.cycles += 1
            self.counts.last_cycle_s = loop.time() - began


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
