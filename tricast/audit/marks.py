"""Whether topics are still those that were audited: the last record of each input, by its digest.

Offsets alone do not tell: a topic that was made anew, or that of another cluster, may have grown past them.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

from schemas.errors import ConfigurationError
from schemas.record import KafkaRecord
from tricast.audit.carried import Range, place_of
from tricast.audit.spans import Kafka, Span

INPUTS = ("kambi.raw", "fastpath.raw", "rms.raw", "rms.bets")
"""Neither compacted nor transactional: each offset that was audited has its record until retention takes it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The last record of a partition that was audited."""

    topic: str
    partition: int
    offset: int
    digest: bytes


async def check(kafka: Kafka, marks: Collection[Mark]) -> None:
    """Refuse topics that are not those in which the marks were found; what retention took cannot be told.

    Raises:
        ConfigurationError: A record is another one now, or its partition ends before it.
        EnvironmentFault: Kafka cannot be read.
    """
    places = {TopicPartition(mark.topic, mark.partition): mark for mark in marks}
    there = {tp for topic in {tp.topic for tp in places} for tp in await kafka.partitions(topic)}
    for tp, mark in places.items():
        if tp not in there:
            raise _made_anew(mark, "is not there")
    spans = await kafka.spans(places)
    for tp, mark in places.items():
        if spans[tp][1] <= mark.offset:
            raise _made_anew(mark, f"ends at {spans[tp][1]}")
    found = await _digests(kafka, {tp: mark.offset for tp, mark in places.items() if spans[tp][0] <= mark.offset})
    for tp, digest in found.items():
        if digest != places[tp].digest:
            raise _made_anew(places[tp], f"has another record at {places[tp].offset}")


async def take(kafka: Kafka, prefix: str, ranges: Iterable[Range], before: Iterable[Mark]) -> list[Mark]:
    """Return the marks of what was audited; where nothing of it is there (any more), those of ``before`` stay."""
    inputs = {prefix + name for name in INPUTS}
    kept = {TopicPartition(mark.topic, mark.partition): mark for mark in before}
    lasts: dict[TopicPartition, int] = {}
    for each in ranges:
        if each.topic in inputs and each.end > 0:
            tp = TopicPartition(each.topic, each.partition)
            lasts[tp] = max(lasts.get(tp, 0), each.end - 1)
    spans: Mapping[TopicPartition, Span] = await kafka.spans(lasts) if lasts else {}
    found = await _digests(kafka, {tp: last for tp, last in lasts.items() if spans[tp][0] <= last < spans[tp][1]})
    kept |= {tp: Mark(tp.topic, tp.partition, lasts[tp], digest) for tp, digest in found.items()}
    return [kept[tp] for tp in sorted(kept)]


async def _digests(kafka: Kafka, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, bytes]:
    found: dict[TopicPartition, bytes] = {}
    async for batch in kafka.read({tp: (offset, offset + 1) for tp, offset in offsets.items()}, "read_uncommitted"):
        for record in batch:
            found[TopicPartition(record.topic, record.partition)] = _digest(record)
    return found


def _digest(record: KafkaRecord) -> bytes:
    said = (record.timestamp, record.key, record.value, *record.headers)
    return hashlib.sha256(repr(said).encode()).digest()


def _made_anew(mark: Mark, what: str) -> ConfigurationError:
    place = place_of(TopicPartition(mark.topic, mark.partition))
    return ConfigurationError(
        f"{place} {what}, and was audited up to {mark.offset + 1} before: it is another topic now",
        action="begin a new certificate: give another file name, or move this one away",
    )
