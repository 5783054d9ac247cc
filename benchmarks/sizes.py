"""``python -m benchmarks.sizes``: bytes of records, and memory of state, for docs/sizing.md. Needs no Kafka.

Simulated records of each road go through the cores as stream tasks run them, in cycles as a worker under some load has
them; each topic's records are put into record batches as they would stand on a broker's disk.
"""

import argparse
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from benchmarks import fastpath_frames, rms_messages, road_frames
from benchmarks.road_frames import Frame
from processors.core.fastpath.latest import FastpathState
from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.latest.processor import KambiState
from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor
from processors.core.rms.join.processor import RmsJoin
from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint, state_records
from processors.engine.cycle import Partitioner
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Header
from schemas.topics import TOPICS

CYCLE: Final = 50
"""Source records of a task in one transaction: what changes twice in it goes to the changelog once."""
BATCH_BYTES: Final = 64 * 1024
NOW_MS: Final = 1_790_000_000_000
_CODECS: Final = (DefaultRecordBatch.CODEC_LZ4, DefaultRecordBatch.CODEC_ZSTD)

Entry = tuple[bytes | None, bytes | None, list[Header]]


class Record(NamedTuple):
    """One source record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[Header]


class Road:
    """A processor over all partitions of its sources, and what it wrote.

    Args:
        processor: The pure core.
    """

    def __init__(self, processor: Processor) -> None:
        self.processor = processor
        self.tasks: dict[Partition, StreamTask] = {}
        self.written: dict[str, list[Entry]] = defaultdict(list)
        self._names = (*processor.outputs, f"{processor.feed}.dead-letters")

    def play(self, records: Iterable[Record]) -> None:
        """Process ``records``, each partition's in order."""
        by_task: dict[Partition, list[Record]] = defaultdict(list)
        for record in records:
            by_task[Partition(record.topic, record.partition)].append(record)
        for partition, own in by_task.items():
            task = self.tasks[partition] = self._task(partition)
            for begin in range(0, len(own), CYCLE):
                part = own[begin : begin + CYCLE]
                task.process(Batch(0, task.position, part[-1].offset + 1, part))
                for topic, key, value, headers, _ in task.take_outputs():
                    self.written[topic].append((key, value, headers))
                changes = state_records(task.repeats.take_changes(), task.store.take_changes())
                self.written["changelog"] += [self._checkpoint(partition, task.position)]
                self.written["changelog"] += [(key, value, []) for key, value in changes]

    def state(self) -> tuple[int, int]:
        """Return entries of all tasks' states, and the memory that they take, bytes."""
        entries = memory = 0
        for task in self.tasks.values():
            items = list(task.store.items())
            tracemalloc.start()
            copied = {bytes(bytearray(key)): bytes(bytearray(value)) for key, value in items}
            memory += tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
            entries += len(copied)
        return entries, memory

    def _task(self, partition: Partition) -> StreamTask:
        topics = {name: TOPICS[name] for name in self._names}
        return StreamTask(partition, self.processor, topics=topics, version="0", stop_ratio=2.0, window=1)

    def _checkpoint(self, partition: Partition, offset: int) -> Entry:
        checkpoint = Checkpoint(
            group=f"tricast.{self.processor.name}",
            source=f"tricast.{partition.topic}",
            partition=partition.partition,
            offset=offset,
            stream_time_ns=NOW_MS * 1_000_000,
            owner=f"tricast.{self.processor.name}-worker-0",
            member="tricast-0123456789abcdef0123456789abcdef",
            generation=7,
        )
        return CHECKPOINT_KEY, encode_checkpoint(checkpoint), []


def on_disk(records: Iterable[Entry], compression: int = 0) -> int:
    """Return the bytes of record batches that hold ``records``."""
    size, waiting = 0, iter(records)
    entry = next(waiting, None)
    while entry is not None:
        builder, count = _batch(compression), 0
        while entry is not None:
            key, value, headers = entry
            if builder.append(count, NOW_MS, key, value, headers) is None:
                break
            entry, count = next(waiting, None), count + 1
        size += len(builder.build())
    return size


def _batch(compression: int) -> Any:
    return DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=1,
        producer_id=1,
        producer_epoch=1,
        base_sequence=0,
        batch_size=BATCH_BYTES,
    )


def sourced(topic: str, frames: Iterable[tuple[int, bytes | None, bytes | None, list[Header]]]) -> list[Record]:
    """Return frames as records of ``topic``."""
    ends: dict[int, int] = defaultdict(int)
    records = []
    for partition, key, value, headers in frames:
        received_ns = int(dict(headers).get("tc-received-ns", NOW_MS * 1_000_000))
        records.append(Record(topic, partition, ends[partition], received_ns // 1_000_000, key, value, list(headers)))
        ends[partition] += 1
    return records


def facts(road: Road, topics: Iterable[str]) -> list[Record]:
    """Return what a road wrote as the source of the next one."""
    partitioner, records = Partitioner(), []
    for topic in topics:
        partitioner.set_count(topic, TOPICS[topic].partitions)
        frames = (
            (partitioner.partition(topic, key), key, value, headers) for key, value, headers in road.written[topic]
        )
        records += sourced(topic, frames)
    return records


def _row(name: str, records: list[Entry], frames: int) -> str:
    plain, count = on_disk(records), len(records)
    packed = " | ".join(f"{on_disk(records, codec) / count:,.0f}" for codec in _CODECS)
    return f"| `{name}` | {count / frames:.2f} | {plain / count:,.0f} | {packed} | {plain / frames:,.0f} |"


def _report(source: str, records: list[Record], road: Road, frames: int) -> Iterator[str]:
    if source.endswith(".raw"):
        yield _row(source, [(record.key, record.value, record.headers) for record in records], frames)
    for topic, written in sorted(road.written.items()):
        yield _row(f"changelog of {road.processor.name}" if topic == "changelog" else topic, written, frames)


def main(count: int) -> None:
    """Print two tables: records by topic, and states."""
    ways: list[tuple[str, Callable[[int], Iterable[Frame]], Processor, Processor | None]] = [
        ("kambi.raw", road_frames.frames, KambiProcessor(), KambiState()),
        ("fastpath.raw", fastpath_frames.frames, FastpathProcessor(), FastpathState()),
        ("rms.pending", rms_messages.frames, RmsJoin(), None),
    ]
    print("| topic | records a source record | bytes a record | with lz4 | with zstd | bytes a source record |")
    print("|---|---:|---:|---:|---:|---:|")
    states = []
    for source, frames, processor, folds in ways:
        records = sourced(source, frames(count))
        road = Road(processor)
        road.play(records)
        print(*_report(source, records, road, len(records)), sep="\n")
        states.append((processor.name, *road.state()))
        if folds is not None:
            second = Road(folds)
            second.play(facts(road, folds.sources))
            print(*_report("facts", [], second, len(records)), sep="\n")
            states.append((folds.name, *second.state()))
    print("\n| state of | entries | bytes of memory an entry |\n|---|---:|---:|")
    for name, entries, memory in states:
        print(f"| `{name}` | {entries:,} | {memory / max(1, entries):,.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=20_000, help="frames or messages of each road")
    main(parser.parse_args().frames)
