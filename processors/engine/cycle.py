"""The cycle's second half: what tasks computed becomes one Kafka transaction of this worker.

begin → changelog, then outputs → await produces → offsets → commit
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aiokafka.partitioner import murmur2

from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint, state_records
from processors.engine.task import Partition, StreamTask
from processors.engine.transactions import Membership, RecordBatches, Row, TransactionalProducer
from schemas.raw import Header

PARTITIONER_CACHE_ENTRIES = 200_000
_NO_HEADERS: list[Header] = []


class Partitioner:
    """Java's default: murmur2 of the key, modulo the partition count. Remembers keys; they come back often."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._known: dict[tuple[str, bytes], int] = {}
        self._until: dict[str, bytes] = {}

    def set_count(self, topic: str, partitions: int, until: str | None = None) -> None:
        """Say how many partitions the physical ``topic`` has; ``until``: see ``Topic.partition_until``."""
        self._counts[topic] = partitions
        self._known.clear()
        if until is not None:
            self._until[topic] = until.encode()

    def partition(self, topic: str, key: bytes | None) -> int:
        """Return the partition of ``key`` in the physical ``topic``; records without a key go to 0."""
        if key is None:
            return 0
        known = self._known.get((topic, key))
        if known is None:
            if len(self._known) >= PARTITIONER_CACHE_ENTRIES:
                self._known.clear()
            until = self._until.get(topic)
            placed = key if until is None or until not in key else key.rpartition(until)[0]
            known = self._known[topic, key] = (murmur2(placed) & 0x7FFFFFFF) % self._counts[topic]
        return known


@dataclass(frozen=True, slots=True)
class TaskWork:
    """What one task's state became in one cycle, detached from it: the task may compute on while this is written."""

    task: StreamTask
    position: int
    stream_time_ns: int
    state: list[tuple[bytes, bytes | None]]

    @classmethod
    def take(cls, task: StreamTask) -> "TaskWork":
        """Take what ``task`` computed since the last time."""
        state = list(state_records(task.repeats.take_changes(), task.store.take_changes()))
        return cls(task, task.position, task.stream_time_ns, state)


class Cycle:
    """What tasks compute for one transaction.

    Outputs are encoded a few records after they were made: objects of a thousand records fall out of the processor's
    caches and occupy the garbage collector, which costs a quarter of the whole engine's time.

    Args:
        producer: That will write it.
        partitioner: Of the outputs.
        physical: Registry name to physical topic name, of every output.
    """

    def __init__(self, producer: TransactionalProducer, partitioner: Partitioner, physical: Mapping[str, str]) -> None:
        self.works: list[TaskWork] = []
        """By task, once all is computed."""
        self.outputs: dict[tuple[str, int], RecordBatches] = {}
        """By registry name of their topic and partition."""
        self.output_bytes = 0
        self.timestamp_ms = 0
        """Of the newest source record."""
        self.timestamps_ms: list[int] = []
        """Of the source records, those left out that were processed before."""
        self._producer = producer
        self._partitioner = partitioner
        self._physical = physical

    def take_outputs(self, task: StreamTask) -> None:
        """Take what ``task`` wrote since the last time; the tasks of a cycle may take turns."""
        physical, partition, outputs = self._physical, self._partitioner.partition, self.outputs
        for name, key, value, headers, timestamp_ms in task.take_outputs():
            place = name, partition(physical[name], key)
            batches = outputs.get(place)
            if batches is None:
                batches = outputs[place] = self._producer.batches()
            self.output_bytes += batches.append(key, value, headers, timestamp_ms)

    def finish(self, tasks: Iterable[StreamTask]) -> None:
        """Take the state of ``tasks``, all that were touched."""
        self.works = [TaskWork.take(task) for task in tasks]


class TransactionWriter:
    """Writes what tasks computed as one transaction.

    Args:
        producer: This worker's producer.
        group: Consumer group id.
        physical: Registry name to physical topic name, of every output.
        changelogs: Physical source topic to physical changelog topic.
        committed: Counts committed outputs by their registry name.
    """

    def __init__(
        self,
        producer: TransactionalProducer,
        *,
        group: str,
        physical: Mapping[str, str],
        changelogs: Mapping[str, str],
        committed: Counter[str] | None = None,
    ) -> None:
        self.partitioner = Partitioner()
        self._producer = producer
        self._group = group
        self._physical = physical
        self._committed = Counter() if committed is None else committed
        self._changelogs = changelogs
        self._announced: set[tuple[Partition, Membership]] = set()

    def begin(self) -> Cycle:
        """Return a cycle to be computed."""
        return Cycle(self._producer, self.partitioner, self._physical)

    async def write(self, cycle: Cycle, membership: Membership) -> None:
        """Write state, outputs and positions; on return they are committed.

        Args:
            cycle: What the tasks computed.
            membership: As bound when the cycle began.

        Raises:
            FencedError: Another worker owns a task now. Nothing of this cycle will be visible.
        """
        producer, works = self._producer, cycle.works
        await producer.begin()
        changelog = []
        for work in works:
            checkpoint = self._checkpoint(work, membership)
            partition = work.task.partition
            state = _changelog_rows(work, checkpoint, cycle.timestamp_ms)
            futures = await producer.write(self._changelogs[partition.topic], partition.partition, state)
            changelog.append((work.task, checkpoint, futures))
        newcomers = {(work.task.partition, membership) for work in works} - self._announced
        if newcomers:
            # The next owner finds us by our checkpoint, so it must be there before anything else of the transaction.
            for _, _, futures in changelog:
                await asyncio.gather(*futures)
        produces = []
        for (name, partition_number), batches in cycle.outputs.items():
            produces += await producer.send(self._physical[name], partition_number, batches)
        for _, _, futures in changelog:
            produces += futures
        for future in produces:
            await future
        await producer.send_offsets({work.task.partition: work.position for work in works}, self._group, membership)
        await producer.commit()
        for (name, _), batches in cycle.outputs.items():
            self._committed[name] += len(batches)
        for task, checkpoint, futures in changelog:
            offsets = [future.result().offset for future in futures]
            # A retried batch may be acknowledged without its offset; then the task reads its own records again.
            if all(offset is not None and offset >= 0 for offset in offsets):
                task.changelog_end = max(task.changelog_end, offsets[-1] + 1)
            task.checkpoint = checkpoint
        self._announced |= newcomers

    def forget(self) -> None:
        """Tasks were closed: a later owner of them has to announce itself again."""
        self._announced.clear()

    def _checkpoint(self, work: TaskWork, membership: Membership) -> Checkpoint:
        return Checkpoint(
            group=self._group,
            source=work.task.partition.topic,
            partition=work.task.partition.partition,
            offset=work.position,
            stream_time_ns=work.stream_time_ns,
            owner=self._producer.transactional_id,
            member=membership.member_id,
            generation=membership.generation,
        )


def _changelog_rows(work: TaskWork, checkpoint: Checkpoint, timestamp_ms: int) -> Iterator[Row]:
    yield CHECKPOINT_KEY, encode_checkpoint(checkpoint), _NO_HEADERS, timestamp_ms
    for key, value in work.state:
        yield key, value, _NO_HEADERS, timestamp_ms
