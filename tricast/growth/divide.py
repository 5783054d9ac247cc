"""Divide the state of a processor over more partitions: each entry goes where the facts of its key go from now on.

One transaction for all of it, with the offsets that unmark the group: after a kill there is none of it, or all.
"""

from collections.abc import Mapping, Sequence

from aiokafka.partitioner import murmur2

from processors.core.latest import fact_key
from processors.engine.changelog import CHECKPOINT_KEY, STATE_PREFIX, Checkpoint, encode_checkpoint
from processors.engine.reset import NOBODY
from processors.engine.task import Partition
from processors.engine.transactions import Row, TransactionalProducer
from schemas.kafka import KafkaSettings
from tricast.audit.spans import Kafka
from tricast.progress import Progress

TRANSACTION_S = 900
"""Longest that Kafka allows by default (``transaction.max.timeout.ms``): all state is written in one."""


class Division:
    """One, of one processor.

    Args:
        kafka: How to reach Kafka.
        spans: Reads it.
        group: Of the processor.
        progress: Told how far it is.
    """

    def __init__(self, kafka: KafkaSettings, spans: Kafka, group: str, progress: Progress) -> None:
        self._spans, self._group, self._progress = spans, group, progress
        self._id = f"{group}-grow"
        self._producer = TransactionalProducer(kafka, self._id, TRANSACTION_S)
        self.moved = 0

    async def do(self, sources: Mapping[str, str], offsets: Mapping[Partition, int]) -> int:
        """Move what has another place now, and return how many entries that were.

        Args:
            sources: Physical source topic to physical changelog topic; partition counts are equal.
            offsets: Where each task goes on.
        """
        await self._producer.start()
        try:
            await self._producer.begin()
            for source, changelog in sources.items():
                await self._divide(source, changelog, offsets)
            await self._producer.send_offsets(offsets, self._group, NOBODY)
            await self._producer.commit()
        except BaseException:
            await self._producer.abort(TRANSACTION_S)
            raise
        finally:
            await self._producer.stop()
        return self.moved

    async def _divide(self, source: str, changelog: str, offsets: Mapping[Partition, int]) -> None:
        spans = await self._spans.readable(await self._spans.partitions(changelog))
        begun: set[int] = set()
        leaving: dict[int, set[bytes]] = {tp.partition: set() for tp in spans}
        total, done = sum(end - begin for begin, end in spans.values()), 0
        async for batch in self._spans.read(spans, "read_committed"):
            here, arriving = batch[0].partition, dict[int, list[Row]]()
            for record in batch:
                key = record.key or b""
                if key == CHECKPOINT_KEY:
                    begun.add(here)
                home = _home(key, len(spans), here)
                if home != here:
                    arriving.setdefault(home, []).append((key, record.value, [], 0))
                    (leaving[here].discard if record.value is None else leaving[here].add)(key)
            for partition, rows in arriving.items():
                await self._write(changelog, partition, rows)
            done += len(batch)
            self._progress(f"dividing {changelog}", done, total)
        for partition, keys in leaving.items():
            await self._write(changelog, partition, [(key, None, [], 0) for key in sorted(keys)])
            self.moved += len(keys)
        for tp in spans:
            if tp.partition not in begun:
                task = Partition(source, tp.partition)
                await self._write(changelog, tp.partition, [self._checkpoint(task, offsets[task])])

    async def _write(self, changelog: str, partition: int, rows: Sequence[Row]) -> None:
        for future in await self._producer.write(changelog, partition, rows):
            await future

    def _checkpoint(self, task: Partition, offset: int) -> Row:
        checkpoint = Checkpoint(
            group=self._group,
            source=task.topic,
            partition=task.partition,
            offset=offset,
            stream_time_ns=0,
            owner=self._id,
            member="",
            generation=-1,
        )
        return CHECKPOINT_KEY, encode_checkpoint(checkpoint), [], 0


def _home(key: bytes, partitions: int, here: int) -> int:
    """Return the partition that a changelog record belongs to: that of the facts it is made of."""
    if not key.startswith(STATE_PREFIX):
        return here
    of = fact_key(key[len(STATE_PREFIX) :])
    return here if of is None else int((murmur2(of) & 0x7FFFFFFF) % partitions)
