"""The way out of a connector: sinks of raw partitions, each with what an earlier process left, open and closed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from connectors.backlog import Backlog
from connectors.clock import Clock
from connectors.producer import RawWriter
from connectors.record import LastFrame
from connectors.sink import FrameSink
from connectors.tail import Tails, read_tails
from schemas.kafka import KafkaSettings
from schemas.raw import RawHeaders

_KAFKA_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Sinks by partition, and where the lines stood.

    Attributes:
        sinks: One a partition.
        stood: Where each known line stood; filled by :meth:`recall`.
    """

    kafka: KafkaSettings
    topic: str
    clock: Clock
    sinks: dict[int, FrameSink]
    writers: dict[int, RawWriter]
    stood: dict[str, LastFrame] = field(default_factory=dict)

    async def recall(self) -> Tails:
        """Learn where the lines stood; return what the tail of Kafka tells, nothing while it is away.

        To be awaited before any socket: what a line's gap begins with has to be known when its `opened` is written.

        Raises:
            SpoolLocked: Another process uses a spool.
        """
        spooled = {number: await sink.open() for number, sink in self.sinks.items()}
        # With something on disk Kafka was away when the last process ended, and may still be: what it would tell is
        # not worth recording nothing meanwhile.
        patience_s = _KAFKA_PATIENCE_S if any(spooled.values()) else None
        try:
            async with asyncio.timeout(patience_s):
                await asyncio.gather(*(writer.open() for writer in self.writers.values()))
                tails: Tails = await read_tails(
                    self.kafka, topic=self.topic, partitions=tuple(self.sinks), clock=self.clock
                )
        except TimeoutError:
            tails = {}
        for number, sink in self.sinks.items():
            last = {line: tail.last for line, tail in tails.get(number, {}).items()} | spooled[number]
            sink.remember(last)
            self.stood.update(last)
        return tails


@asynccontextmanager
async def raw_output(
    kafka: KafkaSettings,
    *,
    topic: str,
    partitions: Iterable[int],
    key: Callable[[RawHeaders], bytes],
    max_bytes: int,
    backlog: Callable[[int], Backlog | None],
    clock: Clock,
) -> AsyncIterator[Output]:
    """Open the way to ``partitions`` of ``topic``; on leaving Kafka's connections and the spools are let go.

    Args:
        kafka: How to reach Kafka.
        topic: Raw topic, with its prefix.
        partitions: Numbers of those this process writes.
        key: Returns the key of a record.
        max_bytes: Bound of what waits in memory for each.
        backlog: Returns where the records of a partition wait while Kafka is away; ``None``: nowhere.
        clock: Waits between attempts.
    """
    async with AsyncExitStack() as leaving:
        writers = {
            number: RawWriter(kafka, topic=topic, partition=number, key=key, clock=clock) for number in partitions
        }

        async def leave_kafka() -> None:
            # At once: with Kafka away each takes its time, and the grace period is one for all.
            await asyncio.gather(*(writer.close() for writer in writers.values()))

        leaving.push_async_callback(leave_kafka)
        sinks = {
            number: FrameSink(writer, max_bytes=max_bytes, backlog=backlog(number))
            for number, writer in writers.items()
        }
        for sink in sinks.values():
            leaving.push_async_callback(sink.release)
        yield Output(kafka=kafka, topic=topic, clock=clock, sinks=sinks, writers=writers)
