"""Do the newest records of topics keep their contract: a bounded look at what is there now."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from schemas.conformance import faults
from schemas.record import KafkaRecord
from schemas.topics import Topic
from tricast.audit.spans import Kafka


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRecord:
    """A record that is not what its topic promises, and how many others of that topic are broken likewise."""

    kind: ClassVar[str] = "broken-record"
    topic: str
    partition: int
    offset: int
    fault: str
    others: int = 0

    def __str__(self) -> str:
        others = f" ({self.others} more like it)" if self.others else ""
        return f"{self.topic}/{self.partition}/{self.offset}: {self.fault}{others}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was looked at, and what is wrong with it."""

    records: int
    broken: tuple[BrokenRecord, ...]


async def look(topics: Iterable[Topic], prefix: str, kafka: Kafka, newest: int) -> Looked:
    """Return what is wrong with the newest records; topics that do not exist have none.

    Args:
        topics: Of the registry.
        prefix: Of topic names.
        kafka: Where they are.
        newest: How many offsets of each partition are looked at, transaction markers included.

    Raises:
        EnvironmentFault: Kafka cannot be reached, or does not let us read.
    """
    wanted = {prefix + topic.name: topic for topic in topics}
    found: dict[tuple[str, str], BrokenRecord] = {}
    records = 0
    async for record in _newest(wanted, kafka, newest):
        records += 1
        for fault in faults(wanted[record.topic], record.headers, record.value):
            first = found.get((record.topic, fault))
            if first is None:
                found[record.topic, fault] = BrokenRecord(
                    topic=record.topic, partition=record.partition, offset=record.offset, fault=fault
                )
            else:
                found[record.topic, fault] = replace(first, others=first.others + 1)
    return Looked(records=records, broken=tuple(found.values()))


async def _newest(topics: Mapping[str, Topic], kafka: Kafka, newest: int) -> AsyncIterator[KafkaRecord]:
    # What is in a changelog is bytes to all but its processor.
    partitions = await kafka.partitions(*(name for name, topic in topics.items() if topic.content != "state"))
    spans = {tp: (max(begin, end - newest), end) for tp, (begin, end) in (await kafka.readable(partitions)).items()}
    async for batch in kafka.read(spans, "read_committed"):
        for record in batch:
            yield record
