"""Opening stream tasks: restore the state, end a dead owner's transaction, and agree on the position.

Runs beside the fetch, never inside the assignment callback: aiokafka heartbeats again only after the callback, and
a long restore there would cost the membership it is for.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, for_code

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
from processors.engine.transactions import fence, partition_counts, patience_ms
from schemas.errors import EngineError, PositionError
from schemas.kafka import KafkaSettings
from schemas.stopping import stop_consumer

log = logging.getLogger(__name__)
T = TypeVar("T")

RETRY_S = 0.3
UNSEEN = "create it: `tricast topics create`; if it is there, let this user see it (docs/rights.md)"
"""Kafka leaves out of its list what a user may not see."""
POLL_MS = 200
POLL_RECORDS = 5_000


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
        away_s: How long no broker may be reached. One that dies takes connections with it, and the others answer; a
            person who waits wants to know at once.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        settings: EngineSettings,
        *,
        group: str,
        transactional_id: str,
        changelogs: dict[str, str],
        away_s: float = 0.0,
    ) -> None:
        self._kafka = kafka
        self._settings = settings
        self._request_timeout_ms = patience_ms(kafka, settings.transaction_timeout_s)
        self._group = group
        self._own_id = transactional_id
        self._changelogs = changelogs
        self._away_s = away_s
        self._read = 0

    async def open(self, tasks: list[StreamTask], is_current: Callable[[], bool]) -> int:
        """Bring ``tasks`` to their committed state and position; return how many changelog records that took.

        Args:
            tasks: Tasks to open; what they hold is read on from ``changelog_end``.
            is_current: False as soon as our group generation has moved on; then nobody is fenced any more.

        Raises:
            PositionError: Checkpoint, committed offset and source do not agree; a person must decide.
            EngineError: The changelog stayed hidden by an open transaction beyond every time-out.
        """
        # What was restored before a retry stays and is read on from.
        self._read = 0
        await self.patiently(lambda: self._open(tasks, is_current))
        return self._read

    async def _open(self, tasks: list[StreamTask], is_current: Callable[[], bool]) -> None:
        async with self.consumer("read_uncommitted") as tail, self.consumer("read_committed") as committed:
            offsets = await self.offsets(tail, [task.partition for task in tasks])
            await self._restore(tasks, committed, tail, is_current)
        for task in tasks:
            if task.foreign:
                raise PositionError(
                    f"the changelog {self._changelogs[task.partition.topic]}/{task.partition.partition} is foreign:"
                    f" {next(iter(task.foreign.values()))}",
                    action="find out who else writes to it, then `tricast reset PROCESSOR --to committed --force`",
                )
            task.position = agreed_position(task.partition, self._group, task.checkpoint, offsets[task.partition])
            if task.checkpoint is None and task.position > 0:
                # A first start, or nothing had ever come there; only a person knows whether these were to be processed.
                log.warning(
                    "task.begins_late source=%s/%d records before offset %d are gone, and were not processed",
                    *task.partition,
                    task.position,
                )

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
        now = asyncio.get_running_loop().time
        last_progress = now()
        positions: dict[TopicPartition, int] = {}
        while True:
            before, positions = (
                positions,
                {changelog: await committed.position(changelog) for changelog in by_changelog},
            )
            if positions != before:  # a stretch of aborted batches moves them without a record
                last_progress = now()
            todo = [changelog for changelog, position in positions.items() if position < ends[changelog]]
            if not todo:
                break
            fetched = await committed.getmany(*todo, timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            for changelog, records in fetched.items():
                _apply(by_changelog[changelog], records)
                self._read += len(records)
            if fetched:
                continue
            if now() - last_progress > self._patience_s:
                raise EngineError(f"nothing to read for {self._patience_s:.0f} s below the ends of {todo}")
            stable = {changelog: committed.last_stable_offset(changelog) for changelog in todo}
            hidden = [tp for tp, end in stable.items() if end is not None and 0 <= end <= positions[tp]]
            if hidden:
                owners = await self._hidden_checkpoints(tail, {changelog: positions[changelog] for changelog in hidden})
                await self._fence_dead_owners(owners, fenced, is_current)
        # Also where nothing hid our state: the last owner may have left a transaction open on the outputs alone.
        last = [task.checkpoint for task in tasks if task.checkpoint is not None]
        await self._fence_dead_owners(last, fenced, is_current)

    async def _hidden_checkpoints(
        self, tail: AIOKafkaConsumer, stable_ends: dict[TopicPartition, int]
    ) -> list[Checkpoint]:
        """Return the checkpoints behind the last stable offsets: those of open transactions."""
        ends = await tail.end_offsets(list(stable_ends))
        tail.assign(list(stable_ends))
        for changelog, position in stable_ends.items():
            tail.seek(changelog, position)
        found: list[Checkpoint] = []
        while [changelog for changelog in stable_ends if await tail.position(changelog) < ends[changelog]]:
            fetched = await tail.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            if not fetched:
                break
            for records in fetched.values():
                for record in records:
                    # What is no checkpoint of ours is refused once it is committed; here it names no owner to fence.
                    with contextlib.suppress(msgspec.MsgspecError):
                        if record.key == CHECKPOINT_KEY:
                            found.append(decode_checkpoint(record.value or b""))
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
        alive = {client for _, client in await self.members()}
        for owner, member in sorted(suspects):
            # A living member closed its tasks before the group gave them to us; one that was restarted under the same
            # name has ended its own torn transaction already.
            if owner in alive or not is_current():
                continue
            log.warning("fencing.dead_owner owner=%s member=%s", owner, member)
            await fence(self._kafka, owner, self._settings.transaction_timeout_s)
            fenced.add(owner)

    async def members(self) -> set[tuple[str, str]]:
        """Return the group's members as (member id, client id)."""
        return await self.patiently(self._members)

    async def _members(self) -> set[tuple[str, str]]:
        async with self._admin() as admin:
            (response,) = await admin.describe_consumer_groups([self._group])
        (group,) = response.to_object()["groups"]
        if group["error_code"]:
            raise for_code(group["error_code"])(self._group)
        return {(member["member_id"], member["client_id"]) for member in group["members"]}

    # Offsets.

    async def offsets(self, consumer: AIOKafkaConsumer, partitions: list[Partition]) -> dict[Partition, Offsets]:
        """Return what the sources hold and what the group committed.

        Raises:
            PositionError: A topic is missing, or source and changelog differ in their partition counts.
        """
        sources = [TopicPartition(*partition) for partition in partitions]
        topics = sorted({partition.topic for partition in partitions})
        wanted = [*topics, *(self._changelogs[topic] for topic in topics)]
        counts = await partition_counts(consumer._client, wanted)
        for topic in topics:
            self._same_partition_counts(counts, topic)
        first = await consumer.beginning_offsets(sources)
        end = await consumer.end_offsets(sources)
        return {
            Partition(*source): Offsets(first[source], end[source], await consumer.committed(source))
            for source in sources
        }

    def _same_partition_counts(self, counts: dict[str, int], source: str) -> None:
        changelog = self._changelogs[source]
        for topic in (source, changelog):
            if topic not in counts:
                raise PositionError(f"topic {topic} is not there, or not for this user to see", action=UNSEEN)
        if counts[source] != counts[changelog]:
            raise PositionError(
                f"{source} has {counts[source]} partitions, its changelog {changelog} has {counts[changelog]}",
                action="`tricast topics grow` ends what was begun; `tricast topics check` shows all differences",
            )

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do ``work``, again while a broker or coordinator is moving."""
        now = asyncio.get_running_loop().time
        began = now()
        while True:
            try:
                return await work()
            except KafkaError as error:
                patience_s = self._away_s if isinstance(error, KafkaConnectionError) else self._patience_s
                passes = error.retriable or isinstance(error, KafkaTimeoutError)
                if not passes or now() > began + patience_s:
                    raise
                log.warning("kafka.retry %r", error)
                await asyncio.sleep(RETRY_S)

    # Clients.

    @property
    def _patience_s(self) -> float:
        return 3 * self._settings.transaction_timeout_s + 10

    @contextlib.asynccontextmanager
    async def consumer(self, isolation_level: str) -> AsyncIterator[AIOKafkaConsumer]:
        """Yield a started consumer that does not join the group."""
        consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            client_id=f"{self._own_id}.restore",
            group_id=self._group,  # to ask for committed offsets; partitions are assigned by hand, nothing joins
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=isolation_level,
            max_partition_fetch_bytes=self._settings.max_partition_fetch_bytes,
            request_timeout_ms=self._request_timeout_ms,
        )
        try:
            await consumer.start()
            yield consumer
        finally:
            await stop_consumer(consumer)

    @contextlib.asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(**self._kafka.client(), request_timeout_ms=self._request_timeout_ms)
        try:
            await admin.start()
            yield admin
        finally:
            await admin.close()


def _apply(task: StreamTask, records: list[Any]) -> None:
    for record in records:
        key: bytes = record.key if record.key is not None else b""
        task.foreign.pop(key, None)
        if key == CHECKPOINT_KEY:
            _apply_checkpoint(task, record)
        elif key.startswith(STATE_PREFIX):
            task.store.restore(key[len(STATE_PREFIX) :], record.value)
        elif key.startswith(REPEATS_PREFIX) and record.value is not None:
            task.repeats.restore(key[len(REPEATS_PREFIX) :], record.value)
        elif key.startswith(REPEATS_PREFIX):
            task.repeats.forget(key[len(REPEATS_PREFIX) :])
        elif record.value is not None:
            task.foreign[key] = f"offset {record.offset} has the key {key!r}, which tricast never writes"
        task.changelog_end = record.offset + 1


def _apply_checkpoint(task: StreamTask, record: Any) -> None:
    try:
        task.checkpoint = decode_checkpoint(record.value or b"")
        task.stream_time_ns = task.checkpoint.stream_time_ns
    except msgspec.MsgspecError as error:
        task.foreign[CHECKPOINT_KEY] = f"offset {record.offset} is no checkpoint of tricast: {error}"


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
                " it was deleted or emptied, or its topic is growing",
                action=f"`tricast topics grow` ends a growth that was begun; else, {reset}",
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
