"""A deployment in memory: topics as lists, hops that consume when they run, state that outlives a stop.

Hops run the engine's own stream tasks; what is left out is Kafka. Time is in the records, so a run is repeatable to
the byte.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.partitioner import murmur2

from processors.core.processor import Processor
from processors.engine.counts import Counts
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Header
from schemas.topics import TOPICS
from tests.core.driver import Record

PREFIX = "tricast."


def partition_of(topic: str, key: bytes) -> int:
    """Return where Java's default partitioner puts ``key``."""
    return int(murmur2(key) & 0x7FFFFFFF) % TOPICS[topic].partitions


class Logs:
    """Every topic's partitions, by registry name."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, int], list[Record]] = defaultdict(list)

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header], timestamp: int
    ) -> None:
        """Write one record where its key belongs; ``timestamp`` in ms."""
        partition = partition_of(topic, key or b"")
        records = self._records[topic, partition]
        records.append(
            Record(
                offset=len(records),
                value=value,
                headers=tuple(headers),
                topic=PREFIX + topic,
                partition=partition,
                timestamp=timestamp,
                key=key,
            )
        )

    def read(self, topic: str, partition: int, start: int = 0) -> Sequence[Record]:
        """Return the records of one partition from an offset on."""
        return self._records[topic, partition][start:]

    def all_of(self, topic: str) -> list[Record]:
        """Return the records of all partitions, one partition after the other."""
        return [record for number in range(TOPICS[topic].partitions) for record in self.read(topic, number)]


@dataclass
class _Changelog:
    """What of a task outlives its process."""

    state: dict[bytes, bytes]
    repeats: dict[bytes, bytes]
    position: int = 0
    stream_time_ns: int = 0


class Hop:
    """One processor, all its tasks in one process, that can be stopped and started.

    Args:
        processor: The pure core.
        logs: What it reads and writes.
    """

    def __init__(self, processor: Processor, logs: Logs) -> None:
        self.processor = processor
        self._logs = logs
        self._outputs = {name: TOPICS[name] for name in (*processor.outputs, f"{processor.feed}.dead-letters")}
        self._changelogs = {
            (topic, number): _Changelog({}, {})
            for topic in processor.sources
            for number in range(TOPICS[topic].partitions)
        }
        self._tasks: dict[tuple[str, int], StreamTask] = {}
        self.counts: list[Counts] = []
        self.start()

    @property
    def runs(self) -> bool:
        return bool(self._tasks)

    def start(self) -> None:
        """Open every task from what its changelog has."""
        for place in self._changelogs:
            self._open(place)

    def stop(self) -> None:
        """Lose everything but the changelogs."""
        self._tasks.clear()

    def work(self) -> int:
        """Consume what waits, one batch a partition, and commit; return how many records those were."""
        done = 0
        for place, task in self._tasks.items():
            waiting = self._logs.read(*place, task.position)
            if waiting:
                end = waiting[-1].offset + 1
                done += task.process(Batch(0, task.position, end, waiting))
                self._commit(task, self._changelogs[place])
        return done

    def _open(self, place: tuple[str, int]) -> None:
        topic, number = place
        task = self._tasks[place] = StreamTask(
            Partition(PREFIX + topic, number),
            self.processor,
            topics=dict(self._outputs),
            version="test",
            stop_ratio=0.01,
            window=1_000,
        )
        self.counts.append(task.counts)
        kept = self._changelogs[place]
        for key, value in kept.state.items():
            task.store.restore(key, value)
        for line, numbers in kept.repeats.items():
            task.repeats.restore(line, numbers)
        task.position, task.stream_time_ns = kept.position, kept.stream_time_ns

    def _commit(self, task: StreamTask, kept: _Changelog) -> None:
        for key, value in task.store.take_changes().items():
            if value is None:
                kept.state.pop(key, None)
            else:
                kept.state[key] = value
        kept.repeats.update(task.repeats.take_changes())
        kept.position, kept.stream_time_ns = task.position, task.stream_time_ns
        for topic, key, value, headers, timestamp in task.take_outputs():
            self._logs.append(topic, key, value, headers, timestamp)


def work_all(hops: Mapping[str, Hop]) -> None:
    """Let every hop that runs consume until nothing waits for any."""
    while sum(hop.work() for hop in hops.values()):
        pass
