"""What corrupt records cost the processors themselves: real stream tasks in this process, without Kafka, CPU time.

Coarser roads hide small differences behind everything else that a machine does; this one shows them.
"""

import gc
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchmarks.road import Way
from benchmarks.road_frames import Frame
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Header
from schemas.topics import TOPICS
from tricast.processors import PROCESSORS
from tricast.settings import Settings

_CYCLE = 200
"""Records between two takings of what was written."""


@dataclass(frozen=True, slots=True)
class _Record:
    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


@dataclass(frozen=True, slots=True)
class CoreCost:
    """CPU microseconds per record of one processor, round by round, and the dead letters of the last."""

    name: str
    clean_us: list[float]
    corrupt_us: list[float]
    dead_letters: int

    @property
    def more(self) -> float:
        """Share of processor time that comes on top, of medians."""
        return statistics.median(self.corrupt_us) / statistics.median(self.clean_us) - 1


def measure(way: Way, spoiled: Callable[[int], Iterable[Frame]], *, rounds: int, count: int) -> CoreCost:
    """Play both roads in turn."""
    clean, corrupt = list(way.frames(count)), list(spoiled(count))
    cost = CoreCost(way.name, [], [], 0)
    dead = 0
    for _ in range(rounds):
        cost.clean_us.append(_played(way, clean)[0])
        corrupt_us, dead = _played(way, corrupt)
        cost.corrupt_us.append(corrupt_us)
    return CoreCost(way.name, cost.clean_us, cost.corrupt_us, dead)


def _played(way: Way, frames: list[Frame]) -> tuple[float, int]:
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
    dead = 0
    began = time.process_time()
    for number, (task, batch) in enumerate(batches):
        task.process(batch)
        if number % _CYCLE == 0:
            for each in tasks.values():
                dead += sum(output[0].endswith(".dead-letters") for output in each.take_outputs())
                each.store.take_changes()
    took_s = time.process_time() - began
    return took_s / len(frames) * 1e6, dead
