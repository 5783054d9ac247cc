"""Changing the shard count: the old shards end, are processed to their ends, and only then the new ones begin.

With another count an event has another partition. Were both written at once, or the new one processed before the old
one is done with, changes of one event would be judged by two tasks that know nothing of each other.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.clock import Clock
from connectors.groupless import METADATA_S, stop
from connectors.kafka_retry import until_kafka_answers
from connectors.tail import LineTail, Tails, read_tails
from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings

log = logging.getLogger(__name__)

ALIVE_S: Final = 10.0
"""A line with a record younger than this may go on: ten ticks at their usual interval."""
_LOOK_S: Final = 3.0

_NS = 1_000_000_000


@dataclass(slots=True)
class Watch:
    """Which lines of another shard count are alive, look after look. Pure.

    Args:
        shards: Our shard count.
    """

    shards: int
    _before: dict[str, int] = field(default_factory=dict)

    def is_switch(self, tails: Tails) -> bool:
        """Return whether the last connector that wrote had another shard count, or one that has is alive."""
        lines = [tail for _, tail in _lines(tails) if tail.shards is not None and not tail.left]
        newest = max(lines, key=lambda tail: tail.received_ns, default=None)
        return newest is not None and newest.shards != self.shards

    def alive(self, tails: Tails, *, now_ns: int) -> tuple[str, ...]:
        """Return the lines of another shard count that are still recorded.

        A record younger than ``ALIVE_S`` says so; so does one that was not there at the last look, because the clock
        of the machine that stamps them may be off.
        """
        alive = []
        for name, tail in _lines(tails):
            if tail.shards in {None, self.shards} or tail.closed:
                continue
            moved = self._before.get(name, tail.received_ns) != tail.received_ns
            if moved or abs(now_ns - tail.received_ns) < ALIVE_S * _NS:
                alive.append(name)
        self._before = {name: tail.received_ns for name, tail in _lines(tails)}
        return tuple(alive)


def _lines(tails: Tails) -> Iterator[tuple[str, LineTail]]:
    for lines in tails.values():
        yield from lines.items()


async def await_switch(
    kafka: KafkaSettings,
    *,
    topic: str,
    partitions: Sequence[int],
    group: str,
    shards: int,
    timeout_s: float,
    clock: Clock,
) -> Tails:
    """Return when lines may be opened with ``shards`` shards: at once unless another count was in force.

    Args:
        kafka: How to reach Kafka.
        topic: Physical name of the raw topic.
        partitions: Those of it that shards have, whatever their count.
        group: Consumer group of the processor that has to be done with what is there.
        shards: Our shard count.
        timeout_s: How long the group may take.
        clock: What waits and tells the age of records.

    Returns:
        Where the lines of all shards stand now: reading that takes seconds in which nothing is recorded, so nobody
        should have to do it again.

    Raises:
        EnvironmentFault: The group did not get to the end in time.
    """
    watch = Watch(shards)

    async def look() -> tuple[Tails, tuple[str, ...]]:
        tails = await read_tails(kafka, topic=topic, partitions=partitions, clock=clock)
        return tails, watch.alive(tails, now_ns=clock.now_ns())

    tails, alive = await look()
    if not watch.is_switch(tails) and not alive:
        return tails
    while True:
        if alive:
            log.warning("kambi.switch_waits shards=%d lines_of_another_count=%s", shards, ",".join(alive))
        await clock.sleep(_LOOK_S)
        tails, alive = await look()
        if not alive:
            break
    await _await_group(kafka, topic=topic, group=group, partitions=partitions, timeout_s=timeout_s, clock=clock)
    log.info("kambi.switched shards=%d", shards)
    return tails


async def _await_group(
    kafka: KafkaSettings, *, topic: str, group: str, partitions: Iterable[int], timeout_s: float, clock: Clock
) -> None:
    asked = _Asked(kafka, group, tuple(TopicPartition(topic, number) for number in partitions))
    deadline_s = clock.monotonic_s() + timeout_s
    ends = await until_kafka_answers(asked.ends, kafka=kafka, topic=topic, clock=clock)
    while behind := await until_kafka_answers(lambda: asked.behind(ends), kafka=kafka, topic=topic, clock=clock):
        text = ", ".join(f"{records} records of partition {tp.partition}" for tp, records in behind.items())
        if clock.monotonic_s() >= deadline_s:
            raise EnvironmentFault(
                f"the shard count changes, and consumer group {group} has not processed what the old shards left "
                f"within {timeout_s:g} s: {text}",
                action="start its workers (`tricast work kambi`) and this connector again, give it more time "
                "(TRICAST_KAMBI__SWITCH_TIMEOUT_S), or keep the old shard count (TRICAST_KAMBI__SHARDS)",
            )
        log.warning("kambi.switch_waits group=%s behind=%s", group, text)
        await clock.sleep(_LOOK_S)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What Kafka is asked about ``group`` and ``partitions``."""

    kafka: KafkaSettings
    group: str
    partitions: tuple[TopicPartition, ...]

    async def ends(self) -> dict[TopicPartition, int]:
        async with self._consumer() as consumer:
            async with asyncio.timeout(METADATA_S):
                ends: dict[TopicPartition, int] = await consumer.end_offsets(self.partitions)
        return ends

    async def behind(self, ends: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Return how many records before ``ends`` the group has not committed, where there are any."""
        async with self._consumer() as consumer:
            async with asyncio.timeout(METADATA_S):
                begins = await consumer.beginning_offsets(self.partitions)
            committed = {tp: await consumer.committed(tp) for tp in self.partitions}
        if all(offset is None for offset in committed.values()):
            return {}  # there is no such group, or it never began: nobody will process what the old shards left
        missing = {tp: ends[tp] - max(offset or 0, begins[tp]) for tp, offset in committed.items()}
        return {tp: records for tp, records in missing.items() if records > 0}

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        # With a group but no subscription it reads what the group committed, and is no member of it.
        consumer = AIOKafkaConsumer(
            **self.kafka.client(),
            group_id=self.group,
            request_timeout_ms=self.kafka.request_timeout_ms,
            enable_auto_commit=False,
        )
        try:
            await consumer.start()
            consumer.assign(self.partitions)
            yield consumer
        finally:
            await stop(consumer)
