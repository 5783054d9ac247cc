"""What corrupt records cost the processors themselves: real stream tasks in this process, without Kafka, CPU time.

Coarser roads hide small differences behind everything else that a machine does; this one shows them. Other work makes
CPU time longer, too (caches, a core's clock), never shorter: of each stretch of records the least of all rounds counts.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from benchmarks.road import Way
from benchmarks.road_frames import Frame
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Header
from schemas.topics import TOPICS
from tricast.processors import PROCESSORS
from tricast.settings import Settings

_CYCLE = 200
"""Records between two takings of what was written, and of a stretch."""


@dataclass(frozen=True, slots=True)
class _Record:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


@dataclass(slots=True)
class Runs:
    """CPU seconds of the same records, round by round and stretch by stretch."""

    records: int
    rounds: list[list[float]] = field(default_factory=list)

    @property
    def least_us(self) -> float:
        """Microseconds per record: of each stretch the least."""
        return sum(map(min, zip(*self.rounds, strict=True))) / self.records * 1e6

    @property
    def median_us(self) -> float:
        """Microseconds per record: the median of whole rounds."""
        return statistics.median(map(sum, self.rounds)) / self.records * 1e6


@dataclass(frozen=True, slots=True)
class CoreCost:
    """Both kinds of rounds of one processor, and how many dead letters a corrupt one made."""

    name: str
    clean: Runs
    corrupt: Runs
    dead_letters: int

    @property
    def more(self) -> float:
        """Share of processor time that comes on top, of the least."""
        return self.corrupt.least_us / self.clean.least_us - 1

    @property
    def more_of_medians(self) -> float:
        """Share of processor time that comes on top, of medians."""
        return self.corrupt.median_us / self.clean.median_us - 1


def measure(way: Way, spoil: Callable[[Iterable[Frame]], Iterable[Frame]], *, rounds: int, count: int) -> CoreCost:
    """Play the same records in turn, as they are and with some of them spoiled; who is first changes by round."""
    frames = list(way.frames(count))
    corrupted = list(spoil(frames))
    clean, corrupt = Runs(len(frames)), Runs(len(corrupted))
    dead = 0
    for number in range(rounds):
        if number % 2 == 0:
            clean.rounds.append(_played(way, frames)[0])
        took, dead = _played(way, corrupted)
        corrupt.rounds.append(took)
        if number % 2 == 1:
            clean.rounds.append(_played(way, frames)[0])
    return CoreCost(way.name, clean, corrupt, dead)


def _played(way: Way, frames: list[Frame]) -> tuple[list[float], int]:
    processor = PROCESSORS[way.processor](Settings())
    names = (*processor.outputs, f"{processor.feed}.dead-letters")
    topics = {name: TOPICS[name] for name in names}
    source = f"tricast.{way.source}"
    tasks: dict[int, StreamTask] = {}
    batches: list[tuple[StreamTask, Batch]] = []
    ends: dict[int, int] = {}
    now_ms = time.time_ns() // 1_000_000
    for partition, key, value, headers in frames:
        task = tasks.setdefault(
            partition,
            StreamTask(Partition(source, partition), processor, topics=topics, version="b", stop_ratio=1, window=1000),
        )
        offset = ends.get(partition, 0)
        ends[partition] = offset + 1
        received = dict(headers).get("tc-received-ns")
        at_ms = now_ms if received is None else int(received) // 1_000_000
        record = _Record(source, partition, offset, at_ms, key, value, headers)
        batches.append((task, Batch(0, offset, offset + 1, [record])))
    gc.collect()
    took: list[float] = []
    for first in range(0, len(batches), _CYCLE):
        began = time.thread_time()
        for task, batch in batches[first : first + _CYCLE]:
            task.process(batch)
        for each in tasks.values():
            each.take_outputs()
            each.store.take_changes()
        took.append(time.thread_time() - began)
    return took, sum(task.counts.dead_letters for task in tasks.values())
