"""Topics in memory, seen at some moment, for audits: what ``tricast.audit.spans.Kafka`` is to a real cluster."""

from collections import defaultdict
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition

from processors.core.processor import Processor
from processors.engine.cycle import Partitioner
from processors.engine.task import Partition
from processors.engine.topology import Topology
from schemas.topics import TOPICS
from tests.replay.frames import Row
from tricast.audit.spans import Kafka
from tricast.replay.play import Player

UNKNOWN_TOPIC = 3


@dataclass
class Written:
    """A row and after which step it was there."""

    row: Row
    step: int


@dataclass
class World:
    """One raw partition, and what a processor made of it, step by step: a step is a raw record."""

    prefix: str
    processor: Processor
    raw: list[Row]
    log: dict[tuple[str, int], list[Written]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self):
        topology = Topology.of(self.processor, self.prefix, TOPICS)
        partitioner = Partitioner()
        self.outputs = [name for name in topology.outputs if not name.endswith("health")]
        for name, topic in topology.outputs.items():
            partitioner.set_count(name, topic.partitions)
        player = Player(
            self.processor,
            Partition(self.raw[0].topic, 0),
            begin=0,
            outputs=topology.outputs,
            version="1",
            partitioner=partitioner,
        )
        for step, record in enumerate(self.raw):
            for out in player.play([record], record.offset + 1):
                if out.topic in self.outputs:
                    self.write(out.topic, out.partition, out.key, out.value, out.headers, record.timestamp, step)

    def write(self, topic, partition, key, value, headers, timestamp, step):
        row = Row(self.prefix + topic, partition, 0, timestamp, key, value, tuple(headers))
        self.log[topic, partition].append(Written(row, step))

    @property
    def places(self):
        """Every output there is, in no order that means anything."""
        return [(place, at) for place, log in sorted(self.log.items()) for at in range(len(log))]

    def drop(self, place, at):
        del self.log[place][at]

    def again(self, place, at, step):
        """Write an output a second time, later."""
        log = self.log[place]
        later = next((n for n, written in enumerate(log) if written.step > max(step, log[at].step)), len(log))
        log.insert(later, Written(log[at].row, max(step, log[at].step)))

    def swap(self, place, at):
        """Write two neighbours in the other order, the later one too early: what is written late counts as lost."""
        log = self.log[place]
        if at + 1 < len(log):
            log[at].row, log[at + 1].row = log[at + 1].row, log[at].row
            log[at + 1].step = log[at].step

    def seen(self, step, ahead=0):
        """Return Kafka when so many records were processed and committed; outputs of ``ahead`` more are there."""
        written = min(len(self.raw), step + ahead)
        topics = {TopicPartition(self.raw[0].topic, 0): self.raw[:written]}
        for name in self.outputs:
            for partition in range(TOPICS[name].partitions):
                rows = [each.row for each in self.log[name, partition] if each.step < written]
                topics[TopicPartition(self.prefix + name, partition)] = rows
        return MemoryKafka(topics, step)


class MemoryKafka(Kafka):
    """Partitions with their records; every group has committed so many of each."""

    def __init__(self, topics, committed=2**63):
        super().__init__({}, 0)
        self._rows, self._committed, self._firsts = topics, committed, {}

    def without(self, **firsts):
        """Return the same after retention took what is before an offset, by the last word of the topic's name."""
        self._firsts = firsts
        return self

    async def described(self, topics):
        return [self._described(topic) for topic in topics]

    def _described(self, topic):
        partitions = [{"partition": tp.partition} for tp in self._rows if tp.topic == topic]
        return {"topic": topic, "error_code": 0 if partitions else UNKNOWN_TOPIC, "partitions": partitions}

    async def spans(self, partitions):
        return {tp: (self._first(tp), len(self._rows[tp])) for tp in partitions}

    def _first(self, tp):
        return min(self._firsts.get(tp.topic.rpartition(".")[2], 0), len(self._rows[tp]))

    async def firsts(self, partitions, since_ms):
        return {
            tp: next((n for n, row in enumerate(self._rows[tp]) if row.timestamp >= since_ms), None)
            for tp in partitions
        }

    async def wait_committed(self, group, ends):
        return {tp: min(end, self._committed) for tp, end in ends.items()}

    async def read(self, spans, isolation) -> AsyncGenerator[list[Any]]:
        for tp, (begin, end) in spans.items():
            rows = [
                Row(row.topic, row.partition, offset, row.timestamp, row.key, row.value, row.headers)
                for offset, row in enumerate(self._rows[tp][begin:end], begin)
            ]
            if rows:
                yield rows
