"""The cycle: everything that waits becomes one Kafka transaction of this worker (Kafka Streams' exactly_once_v2).

    bind membership → take batches → compute → begin → changelog, then outputs → await produces → offsets → commit

Low load gives small transactions and low latency, high load large ones.
"""

import asyncio
from collections.abc import Iterator, Mapping

from aiokafka.partitioner import murmur2

from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint, state_records
from processors.engine.task import Output, Partition, StreamTask
from processors.engine.transactions import Membership, Row, TransactionalProducer
from schemas.raw import Header

PARTITIONER_CACHE_ENTRIES = 200_000
_NO_HEADERS: list[Header] = []


class Partitioner:
    """Java's default: murmur2 of the key, modulo the partition count. Remembers keys; they come back often."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._known: dict[tuple[str, bytes], int] = {}

    def set_count(self, topic: str, partitions: int) -> None:
        """Say how many partitions the physical ``topic`` has."""
        self._counts[topic] = partitions
        self._known.clear()

    def partition(self, topic: str, key: bytes | None) -> int:
        """Return the partition of ``key`` in the physical ``topic``; records without a key go to 0."""
        if key is None:
            return 0
        known = self._known.get((topic, key))
        if known is None:
            if len(self._known) >= PARTITIONER_CACHE_ENTRIES:
                self._known.clear()
            known = self._known[topic, key] = (murmur2(key) & 0x7FFFFFFF) % self._counts[topic]
        return known


class TransactionWriter:
    """Writes what tasks computed as one transaction.

    Args:
        producer: This worker's producer.
        group: Consumer group id.
        physical: Registry name to physical topic name, of every output.
        changelogs: Physical source topic to physical changelog topic.
    """

    def __init__(
        self,
        producer: TransactionalProducer,
        *,
        group: str,
        physical: Mapping[str, str],
        changelogs: Mapping[str, str],
    ) -> None:
        self.partitioner = Partitioner()
        self._producer = producer
        self._group = group
        self._physical = physical
        self._changelogs = changelogs
        self._announced: set[tuple[Partition, Membership]] = set()

    async def write(self, tasks: list[StreamTask], membership: Membership, timestamp_ms: int) -> None:
        """Write state, outputs and positions of ``tasks``; on return they are committed.

        Raises:
            FencedError: Another worker owns a task now. Nothing of this cycle will be visible.
        """
        producer = self._producer
        await producer.begin()
        changelog = []
        for task in tasks:
            checkpoint = self._checkpoint(task, membership)
            rows = _changelog_rows(task, checkpoint, timestamp_ms)
            topic = self._changelogs[task.partition.topic]
            changelog.append((task, checkpoint, await producer.write(topic, task.partition.partition, rows)))
        newcomers = {(task.partition, membership) for task in tasks} - self._announced
        if newcomers:
            # The next owner finds us by our checkpoint, so it must be there before anything else of the transaction.
            for _, _, futures in changelog:
                await asyncio.gather(*futures)
        produces = []
        for (topic, partition), outputs in self._grouped(tasks).items():
            rows = ((output.key, output.value, output.headers, output.timestamp_ms) for output in outputs)
            produces += await producer.write(topic, partition, rows)
        for future in produces:
            await future
        for task, checkpoint, futures in changelog:
            for future in futures:
                written = await future
                if written.offset is not None:  # a retried batch may be acknowledged without its offset
                    task.changelog_end = max(task.changelog_end, written.offset + 1)
            task.checkpoint = checkpoint
        await producer.send_offsets({task.partition: task.position for task in tasks}, self._group, membership)
        await producer.commit()
        self._announced |= newcomers

    def forget(self) -> None:
        """Tasks were closed: a later owner of them has to announce itself again."""
        self._announced.clear()

    def _checkpoint(self, task: StreamTask, membership: Membership) -> Checkpoint:
        return Checkpoint(
            group=self._group,
            source=task.partition.topic,
            partition=task.partition.partition,
            offset=task.position,
            stream_time_ns=task.stream_time_ns,
            owner=self._producer.transactional_id,
            member=membership.member_id,
            generation=membership.generation,
        )

    def _grouped(self, tasks: list[StreamTask]) -> dict[tuple[str, int], list[Output]]:
        groups: dict[tuple[str, int], list[Output]] = {}
        partition = self.partitioner.partition
        for task in tasks:
            for output in task.take_outputs():
                topic = self._physical[output.topic]
                place = (topic, partition(topic, output.key))
                group = groups.get(place)
                if group is None:
                    groups[place] = [output]
                else:
                    group.append(output)
        return groups


def _changelog_rows(task: StreamTask, checkpoint: Checkpoint, timestamp_ms: int) -> Iterator[Row]:
    yield CHECKPOINT_KEY, encode_checkpoint(checkpoint), _NO_HEADERS, timestamp_ms
    for key, value in state_records(task.repeats.take_changes(), task.store.take_changes()):
        yield key, value, _NO_HEADERS, timestamp_ms
