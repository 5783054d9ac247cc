"""Real records for readers: what processors make of raw ones, written to a real Kafka as the engine writes them."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from confluent_kafka import IsolationLevel, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from confluent_kafka.cimpl import NewTopic

from schemas.topics import TOPICS
from tests.contracts.written import Written
from tests.core.driver import Output
from tests.core.kambi.raw_lines import EVENT_LINE, GENERAL_KEYS, GENERAL_LINE, Lines, event_keys
from tricast.consumer import Event


def kambi_story(changes: int = 20, *, events: Sequence[int] = (1,), leave: bool = False) -> list[Output]:
    """Return what the Kambi processor makes of two lines: events are covered, asked for, and their odds change.

    Args:
        changes: How often odds of each change.
        events: Their ids.
        leave: Both lines end after that.
    """
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(EVENT_LINE, event_keys(*events))
    lines.offers(events)
    lines.tick(3, GENERAL_LINE, EVENT_LINE)
    for _ in range(changes):
        for event in events:
            lines.odds(EVENT_LINE, event)
        lines.tick(1, GENERAL_LINE, EVENT_LINE)
    if leave:
        lines.close(EVENT_LINE)
        lines.close(GENERAL_LINE)
    return lines.driver.outputs


def tombstone(topic: str, key: str) -> Written:
    return Written(name="", topic=topic, key=key.encode(), headers=(), value=None)


def ids(records: Iterable[Event | Output]) -> list[str]:
    return sorted(record.id if isinstance(record, Event) else record.header("ce_id") for record in records)


def create(bootstrap: str, prefix: str, *names: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    new = [NewTopic(prefix + name, TOPICS[name].partitions, 1, config=TOPICS[name].config()) for name in names]
    for future in admin.create_topics(new).values():
        future.result(timeout=20)
    deadline = time.monotonic() + 20
    while not {prefix + name for name in names} <= admin.list_topics(timeout=20).topics.keys():
        assert time.monotonic() < deadline, "made, and never told of"  # the broker that made it hears of it later


def write(bootstrap: str, prefix: str, records: Sequence[Output | Written], *, abort: bool = False) -> None:
    """Write ``records`` in one transaction, until readers see it; ``abort``: which is taken back."""
    with transaction(bootstrap, prefix, records) as producer:
        if abort:
            producer.abort_transaction(30)
        else:
            producer.commit_transaction(30)
    _wait_for_readers(bootstrap, {prefix + record.topic for record in records})


def _wait_for_readers(bootstrap: str, topics: Collection[str]) -> None:
    """Kafka writes the markers of a transaction after it has said that it is through."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    found = admin.list_topics(timeout=20).topics
    ends: dict[TopicPartition, Any] = {
        TopicPartition(topic, part): OffsetSpec.latest() for topic in topics for part in found[topic].partitions
    }

    def ask(isolation: IsolationLevel) -> list[int]:
        return [future.result().offset for future in admin.list_offsets(ends, isolation_level=isolation).values()]

    deadline = time.monotonic() + 20
    while ask(IsolationLevel.READ_COMMITTED) != ask(IsolationLevel.READ_UNCOMMITTED):
        assert time.monotonic() < deadline, "the markers of a transaction do not come"


@contextmanager
def transaction(bootstrap: str, prefix: str, records: Iterable[Output | Written]) -> Iterator[Producer]:
    """Yield a producer that has written ``records`` in a transaction, which is open."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "transactional.id": f"{prefix}writer", "partitioner": "murmur2"}
    )
    producer.init_transactions(30)
    producer.begin_transaction()
    for record in records:
        producer.produce(prefix + record.topic, key=record.key, value=record.value, headers=list(record.headers))
    producer.flush(30)
    yield producer
