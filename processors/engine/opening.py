"""Opening stream tasks: restore the state, end a dead owner's transaction, and agree on the position.

Runs beside the fetch, never inside the assignment callback: aiokafka heartbeats again only after the callback, and
a long restore there would cost the membership it is for.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from processors.engine.changelog import (
    CHECKPOINT_KEY,
    FORMAT,
    REPEATS_PREFIX,
    STATE_PREFIX,
    Checkpoint,
    decode_checkpoint,
)
from processors.engine.config import EngineSettings
from processors.engine.task import Partition, StreamTask
from processors.engine.transactions import fence
from schemas.errors import EngineError, PositionError
from schemas.kafka import KafkaSettings

log = logging.getLogger(__name__)

POLL_MS = 200
POLL_RECORDS = 5_000
HIDDEN_AFTER_POLLS = 2
"""Polls without progress below the high watermark after which an open transaction must be hiding the rest."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """Where a source partition begins and ends and what the group committed (``None``: nothing yet)."""

    first: int
    end: int
    committed: int | None


class TaskOpener:
    """Restores tasks from their changelogs.

    Args:
        kafka: How to reach Kafka.
        settings: Time-outs.
        group: Consumer group id.
        transactional_id: Ours; a checkpoint of ours needs no fencing.
        changelogs: Physical source topic to physical changelog topic.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: EngineSettings,
        *,
        group: str,
        transactional_id: str,
        changelogs: dict[str, str],
    ) -> None:
        self._kafka = kafka
        self._settings = settings
        self._group = group
        self._own_id = transactional_id
        self._changelogs = changelogs

    async def open(self, tasks: list[StreamTask], is_current: Callable[[], bool]) -> None:
        """Bring ``tasks`` to their committed state and position.

        Args:
            tasks: Tasks to open; what they hold is read on from ``changelog_end``.
            is_current: False as soon as our group generation has moved on; then nobody is fenced any more.

        Raises:
            PositionError: Checkpoint, committed offset and source do not agree; a person must decide.
            EngineError: The changelog stayed hidden by an open transaction beyond every time-out.
        """
        async with self.consumer("read_uncommitted") as tail, self.consumer("read_committed") as committed:
            offsets = await self.offsets(tail, [task.partition for task in tasks])
            await self._restore(tasks, committed, tail, is_current)
        for task in tasks:
            task.position = agreed_position(task.partition, self._group, task.checkpoint, offsets[task.partition])

    # Reading the changelog.

    async def _restore(
        self,
        tasks: list[StreamTask],
        committed: AIOKafkaConsumer,
        tail: AIOKafkaConsumer,
        is_current: Callable[[], bool],
    ) -> None:
        by_changelog = {
            TopicPartition(self._changelogs[task.partition.topic], task.partition.partition): task for task in tasks
        }
        ends: dict[TopicPartition, int] = await tail.end_offsets(list(by_changelog))
        committed.assign(list(by_changelog))
        await committed.seek_to_beginning(*by_changelog)
        for changelog, task in by_changelog.items():
            task.memory.clear()
            if task.changelog_end > ends[changelog]:
                task.clear()
            if task.changelog_end:
                committed.seek(changelog, task.changelog_end)
        fenced: set[str] = set()
        idle, deadline = 0, asyncio.get_running_loop().time() + self._patience_s
        while True:
            todo = [changelog for changelog in by_changelog if await committed.position(changelog) < ends[changelog]]
            if not todo:
                break
            fetched = await committed.getmany(*todo, timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            for changelog, records in fetched.items():
                _apply(by_changelog[changelog], records)
            idle = 0 if fetched else idle + 1
            if idle >= HIDDEN_AFTER_POLLS:
                if asyncio.get_running_loop().time() > deadline:
                    raise EngineError(f"changelog still hidden by an open transaction: {todo}")
                hidden = await self._hidden_checkpoints(committed, tail, todo, ends)
                await self._fence_dead_owners(hidden, fenced, is_current)
        # Also where nothing hid our state: the last owner may have left a transaction open on the outputs alone.
        last = [task.checkpoint for task in tasks if task.checkpoint is not None]
        await self._fence_dead_owners(last, fenced, is_current)

    async def _hidden_checkpoints(
        self,
        committed: AIOKafkaConsumer,
        tail: AIOKafkaConsumer,
        changelogs: list[TopicPartition],
        ends: dict[TopicPartition, int],
    ) -> list[Checkpoint]:
        tail.assign(changelogs)
        for changelog in changelogs:
            tail.seek(changelog, await committed.position(changelog))
        found = []
        for _ in range(1 + sum(ends.values()) // POLL_RECORDS):
            fetched = await tail.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            if not fetched:
                break
            for records in fetched.values():
                found += [decode_checkpoint(record.value) for record in records if record.key == CHECKPOINT_KEY]
        return found

    # Fencing.

    async def _fence_dead_owners(
        self, checkpoints: Iterable[Checkpoint], fenced: set[str], is_current: Callable[[], bool]
    ) -> None:
        suspects = {
            (checkpoint.owner, checkpoint.member)
            for checkpoint in checkpoints
            if checkpoint.owner != self._own_id and checkpoint.owner not in fenced
        }
        if not suspects:
            return
        members = await self.members()
        alive = {client for _, client in members}
        for owner, member in sorted(suspects):
            # A living member closed its tasks before the group gave them to us; one that was restarted under the same
            # name has ended its own torn transaction already.
            if (member, owner) in members or owner in alive or not is_current():
                continue
            log.warning("fencing.dead_owner owner=%s member=%s", owner, member)
            await fence(self._kafka, owner, self._settings.transaction_timeout_s)
            fenced.add(owner)

    async def members(self) -> set[tuple[str, str]]:
        """Return the group's members as (member id, client id)."""
        async with self._admin() as admin:
            (response,) = await admin.describe_consumer_groups([self._group])
        (group,) = response.to_object()["groups"]
        return {(member["member_id"], member["client_id"]) for member in group["members"]}

    # Offsets.

    async def offsets(self, consumer: AIOKafkaConsumer, partitions: list[Partition]) -> dict[Partition, Offsets]:
        """Return what the sources hold and what the group committed.

        Raises:
            PositionError: A topic is missing, or source and changelog differ in their partition counts.
        """
        sources = [TopicPartition(*partition) for partition in partitions]
        for topic in {source.topic for source in sources}:
            await self._same_partition_counts(consumer, topic)
        async with self._admin() as admin:
            stored = await admin.list_consumer_group_offsets(self._group, partitions=sources)
        first = await consumer.beginning_offsets(sources)
        end = await consumer.end_offsets(sources)
        offsets = {}
        for source in sources:
            offset = stored[source].offset if source in stored else -1
            offsets[Partition(*source)] = Offsets(first[source], end[source], offset if offset >= 0 else None)
        return offsets

    async def _same_partition_counts(self, consumer: AIOKafkaConsumer, source: str) -> None:
        changelog = self._changelogs[source]
        known = await consumer.topics()
        for topic in (source, changelog):
            if topic not in known:
                raise PositionError(
                    f"topic {topic} does not exist",
                    action=f"create it with `tricast topics create`; if it was deleted, `tricast reset` {self._group}",
                )
        counts = {topic: len(consumer.partitions_for_topic(topic) or ()) for topic in (source, changelog)}
        if counts[source] != counts[changelog]:
            raise PositionError(
                f"{source} has {counts[source]} partitions, its changelog {changelog} has {counts[changelog]}",
                action="give the source its registered partition count back, or drain and `tricast reset`",
            )

    # Clients.

    @property
    def _patience_s(self) -> float:
        return 3 * self._settings.transaction_timeout_s + 10

    @contextlib.asynccontextmanager
    async def consumer(self, isolation_level: str) -> AsyncIterator[AIOKafkaConsumer]:
        """Yield a started consumer outside any group."""
        consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            client_id=f"{self._own_id}.restore",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=isolation_level,
            max_partition_fetch_bytes=self._settings.max_partition_fetch_bytes,
            request_timeout_ms=self._kafka.request_timeout_ms,
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            await consumer.stop()

    @contextlib.asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self._kafka.client(), request_timeout_ms=self._kafka.request_timeout_ms)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


def _apply(task: StreamTask, records: list[Any]) -> None:
    for record in records:
        key: bytes = record.key
        if key == CHECKPOINT_KEY:
            try:
                checkpoint = decode_checkpoint(record.value)
            except msgspec.MsgspecError as error:
                raise PositionError(
                    f"{record.topic}/{record.partition}/{record.offset} is no checkpoint of tricast: {error}",
                    action="this changelog is foreign; find out who writes to it, then `tricast reset`",
                ) from error
            task.checkpoint = checkpoint
            task.stream_time_ns = checkpoint.stream_time_ns
        elif key.startswith(STATE_PREFIX):
            task.store.restore(key[len(STATE_PREFIX) :], record.value)
        elif key.startswith(REPEATS_PREFIX):
            task.repeats.restore(key[len(REPEATS_PREFIX) :], record.value)
        else:
            raise PositionError(
                f"{record.topic}/{record.partition}/{record.offset} has the key {key!r}, which tricast never writes",
                action="this changelog is foreign; find out who writes to it, then `tricast reset`",
            )
        task.changelog_end = record.offset + 1


def agreed_position(partition: Partition, group: str, checkpoint: Checkpoint | None, offsets: Offsets) -> int:
    """Return where the task goes on, or refuse: never a silent earliest.

    The checkpoint rules, because it was committed with the state. It must be ours, not behind what the group
    committed, and inside the source's range.

    Raises:
        PositionError: They disagree; the text says how and what to do.
    """
    where = f"{partition.topic}/{partition.partition}"
    reset = "if the loss is understood, `tricast reset` sets a new position and says what it costs"
    if checkpoint is None:
        if offsets.committed is not None:
            raise PositionError(
                f"{where}: group {group} committed offset {offsets.committed}, but its changelog has no checkpoint:"
                " it was deleted or emptied",
                action=reset,
            )
        return offsets.first
    if (checkpoint.format, checkpoint.group, checkpoint.source, checkpoint.partition) != (FORMAT, group, *partition):
        raise PositionError(
            f"{where}: the changelog belongs to group {checkpoint.group}, {checkpoint.source}/{checkpoint.partition},"
            f" format {checkpoint.format}",
            action="two deployments share a topic prefix, or the version is older than the state; separate them",
        )
    if offsets.committed is not None and checkpoint.offset < offsets.committed:
        raise PositionError(
            f"{where}: checkpoint {checkpoint.offset} is behind the group's committed offset {offsets.committed}:"
            " the changelog lost records",
            action=reset,
        )
    if not offsets.first <= checkpoint.offset <= offsets.end:
        raise PositionError(
            f"{where}: checkpoint {checkpoint.offset} is outside what the source holds"
            f" ({offsets.first} to {offsets.end}): it was down longer than the retention, or the topic is a new one",
            action=reset,
        )
    return checkpoint.offset
