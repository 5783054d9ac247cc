"""The way out of a connector: sinks of raw partitions, each with what an earlier process left, open and closed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
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

log = logging.getLogger(__name__)

_KAFKA_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Sinks by partition, and where the lines stood.

    Attributes:
        sinks: One a partition.
        stood: Where each known line stood; filled by :meth:`recall`.
        recalling: What still learns that of some partitions.
    """

    kafka: KafkaSettings
    topic: str
    clock: Clock
    sinks: dict[int, FrameSink]
    writers: dict[int, RawWriter]
    stood: dict[str, LastFrame] = field(default_factory=dict)
    recalling: list[asyncio.Task[None]] = field(default_factory=list)

    async def recall(self, *, patience_s: float = _KAFKA_PATIENCE_S) -> Tails:
        """Learn where the lines stood; return what the tail of Kafka tells, nothing while it is away.

        To be awaited before any socket: what a line's gap begins with has to be known when its `opened` is written.
        With something on disk Kafka was away when the last process ended, and may still be. Then it is waited for
        ``patience_s`` only, and after that by the lines of those partitions alone of which nothing is on disk.

        Raises:
            SpoolLocked: Another process uses a spool.
        """
        spooled = {number: await sink.open() for number, sink in self.sinks.items()}
        tails: Tails = {}
        try:
            async with asyncio.timeout(patience_s if any(spooled.values()) else None):
                tails = await self._tails(tuple(self.sinks))
        except TimeoutError:
            rest = tuple(number for number, lines in spooled.items() if not lines)
            if rest:
                self._recall_later(rest)
        for number, lines in spooled.items():
            if lines or number in tails:
                self._remember(number, {**_last(tails, number), **lines})
        return tails

    def _recall_later(self, rest: Sequence[int]) -> None:
        async def recall() -> None:
            tails = await self._tails(rest)
            for number in rest:
                self._remember(number, _last(tails, number))

        recalling = asyncio.create_task(recall(), name="recall")
        self.recalling.append(recalling)
        for number in rest:
            self.sinks[number].recall(recalling)
        log.warning("output.recalls_later topic=%s partitions=%s", self.topic, ",".join(map(str, rest)))

    async def _tails(self, partitions: Sequence[int]) -> Tails:
        await asyncio.gather(*(self.writers[number].open() for number in partitions))
        return await read_tails(self.kafka, topic=self.topic, partitions=partitions, clock=self.clock)

    def _remember(self, number: int, lines: dict[str, LastFrame]) -> None:
        self.sinks[number].remember(lines)
        self.stood.update(lines)


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
            number: FrameSink(writer, max_bytes=max_bytes, backlog=backlog(number), now_ns=clock.now_ns)
            for number, writer in writers.items()
        }
        for sink in sinks.values():
            leaving.push_async_callback(sink.release)
        output = Output(kafka=kafka, topic=topic, clock=clock, sinks=sinks, writers=writers)

        async def recall_no_more() -> None:
            for recalling in output.recalling:
                recalling.cancel()
            await asyncio.gather(*output.recalling, return_exceptions=True)

        leaving.push_async_callback(recall_no_more)
        yield output


def _last(tails: Tails, number: int) -> dict[str, LastFrame]:
    return {line: tail.last for line, tail in tails.get(number, {}).items()}
