"""Give a processor a new position: its state is forgotten and its group's offsets move, in one transaction.

This is the only way past a :class:`~schemas.errors.PositionError`, because only a person can say whether records may
be skipped or written a second time. What it costs is computed before anything is changed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError

from processors.core.processor import Processor
from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, decode_checkpoint, encode_checkpoint
from processors.engine.config import EngineSettings
from processors.engine.opening import UNSEEN, Offsets, TaskOpener
from processors.engine.task import Partition
from processors.engine.topology import Topology
from processors.engine.transactions import Membership, Row, TransactionalProducer, partition_counts
from schemas.errors import ContractError, PositionError
from schemas.kafka import KafkaSettings
from schemas.topics import Topic
from schemas.unreached import unreached

Target = Literal["earliest", "committed", "latest"]
OFFSETS_POLL_S = 0.05
NOBODY = Membership(-1, "")
"""Offsets of no member; the broker takes them even while others are members, so a reset asks for members itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionPlan:
    """What a reset means for one source partition.

    Attributes:
        partition: Source partition.
        offsets: What the source holds and what the group committed.
        position: Where the task will go on.
        forgotten: State and frame-number entries that are deleted.
    """

    partition: Partition
    offsets: Offsets
    position: int
    forgotten: int

    @property
    def again(self) -> int:
        """Source records whose outputs are written a second time."""
        return max(0, (self.offsets.committed or 0) - self.position) if self.offsets.committed is not None else 0

    @property
    def skipped(self) -> int:
        """Source records that are never processed."""
        start = self.offsets.committed if self.offsets.committed is not None else self.offsets.first
        return max(0, self.position - start)


class Reset:
    """Plans and does a reset of one processor.

    Args:
        processor: Whose state is forgotten.
        prefix: Topic prefix setting.
        registry: Topic registry.
        kafka: How to reach Kafka.
        settings: Engine settings of the processor.
    """

    def __init__(
        self,
        processor: Processor,
        *,
        prefix: str,
        registry: Mapping[str, Topic],
        kafka: KafkaSettings,
        settings: EngineSettings,
    ) -> None:
        self._topology = Topology.of(processor, prefix, registry)
        self._changelogs = self._topology.changelogs(processor)
        self._kafka = kafka
        self._settings = settings
        self._id = f"{self._topology.group}-reset"
        self._opener = TaskOpener(
            kafka, settings, group=self._topology.group, transactional_id=self._id, changelogs=self._changelogs
        )
        self._keys: dict[Partition, set[bytes]] = {}

    async def plan(self, target: Target, *, force: bool = False) -> list[PartitionPlan]:
        """Return what a reset to ``target`` would do; changes nothing.

        Args:
            target: ``earliest`` what the source still holds, ``latest`` its end, or ``committed`` (the group's own
                offset, moved into what the source holds).
            force: Also forget a changelog that belongs to another group.

        Raises:
            ContractError: The group has living members; stop the workers first.
            PositionError: A changelog belongs to another group.
        """
        try:
            return await self._plan(target, force=force)
        except KafkaConnectionError as error:
            raise await unreached(self._kafka.client(), error) from error

    async def _plan(self, target: Target, *, force: bool) -> list[PartitionPlan]:
        await self._refuse_members()
        async with self._opener.consumer("read_committed") as consumer:
            counts = await partition_counts(consumer._client, [*self._changelogs, *self._changelogs.values()])
            missing = sorted({*self._changelogs, *self._changelogs.values()} - counts.keys())
            if missing:
                raise PositionError(f"no topic {missing[0]}, or not for this user to see", action=UNSEEN)
            partitions = [
                Partition(topic, part) for topic in sorted(self._changelogs) for part in range(counts.get(topic, 0))
            ]
            offsets = await self._opener.offsets(consumer, partitions)
            plans = []
            for partition in partitions:
                keys = await self._read_keys(consumer, partition, force=force)
                self._keys[partition] = keys
                plans.append(
                    PartitionPlan(
                        partition=partition,
                        offsets=offsets[partition],
                        position=position_for(target, offsets[partition]),
                        forgotten=len(keys - {CHECKPOINT_KEY}),
                    )
                )
        return plans

    async def do(self, plans: list[PartitionPlan]) -> None:
        """Carry out what ``plan`` returned, in one transaction.

        Raises:
            ContractError: A worker has joined since; nothing was changed.
        """
        producer = TransactionalProducer(self._kafka, self._id, self._settings.transaction_timeout_s)
        await producer.start()
        try:
            await producer.begin()
            futures = []
            for plan in plans:
                changelog = self._changelogs[plan.partition.topic]
                futures += await producer.write(changelog, plan.partition.partition, self._rows(plan))
            for future in futures:
                await future
            await self._refuse_members()
            await producer.send_offsets({p.partition: p.position for p in plans}, self._topology.group, NOBODY)
            await producer.commit()
            await self._await_offsets(plans)
        except BaseException:
            await producer.abort(self._settings.transaction_timeout_s)
            raise
        finally:
            await producer.stop()

    async def _await_offsets(self, plans: list[PartitionPlan]) -> None:
        """Wait until the group shows the new offsets; a commit returns a moment before its markers are written."""
        async with (
            asyncio.timeout(self._settings.transaction_timeout_s),
            self._opener.consumer("read_committed") as asked,
        ):
            for plan in plans:
                while await asked.committed(TopicPartition(*plan.partition)) != plan.position:  # noqa: ASYNC110
                    await asyncio.sleep(OFFSETS_POLL_S)

    async def _refuse_members(self) -> None:
        members = await self._opener.members()
        if members:
            names = ", ".join(sorted(client for _, client in members))
            raise ContractError(
                f"group {self._topology.group} has living members: {names}",
                action="stop these workers first; one that was killed is forgotten after the session time-out",
            )

    def _rows(self, plan: PartitionPlan) -> list[Row]:
        checkpoint = Checkpoint(
            group=self._topology.group,
            source=plan.partition.topic,
            partition=plan.partition.partition,
            offset=plan.position,
            stream_time_ns=0,
            owner=self._id,
            member="",
            generation=-1,
        )
        forgotten: list[Row] = [(key, None, [], 0) for key in sorted(self._keys[plan.partition] - {CHECKPOINT_KEY})]
        return [(CHECKPOINT_KEY, encode_checkpoint(checkpoint), [], 0), *forgotten]

    async def _read_keys(self, consumer: AIOKafkaConsumer, partition: Partition, *, force: bool) -> set[bytes]:
        changelog = TopicPartition(self._changelogs[partition.topic], partition.partition)
        consumer.assign([changelog])
        await consumer.seek_to_beginning(changelog)
        (end,) = (await consumer.end_offsets([changelog])).values()
        keys: set[bytes] = set()
        while await consumer.position(changelog) < end:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=5000)).values():
                for record in records:
                    if record.key == CHECKPOINT_KEY and record.value is not None:
                        self._refuse_foreign(record.value, changelog, force=force)
                    if record.value is None:
                        keys.discard(record.key or b"")
                    else:
                        keys.add(record.key or b"")
        return keys

    def _refuse_foreign(self, value: bytes, changelog: TopicPartition, *, force: bool) -> None:
        try:
            owner = decode_checkpoint(value).group
        except msgspec.MsgspecError:
            owner = "something that is not tricast"
        if owner != self._topology.group and not force:
            raise PositionError(
                f"{changelog.topic}/{changelog.partition} belongs to {owner}, not to {self._topology.group}",
                action="separate the deployments by topic_prefix; --force forgets that state, too",
            )


def position_for(target: Target, offsets: Offsets) -> int:
    """Return the new position for ``target`` within what the source holds."""
    match target:
        case "earliest":
            return offsets.first
        case "latest":
            return offsets.end
        case "committed":
            wanted = offsets.committed if offsets.committed is not None else offsets.first
            return min(max(wanted, offsets.first), offsets.end)
