"""Reads a raw topic back with another client than the connector's."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.topics import TOPICS


@dataclass(frozen=True)
class Raw:
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    headers: dict[str, str]

    @property
    def kind(self) -> str:
        return self.headers["tc-kind"]

    @property
    def line(self) -> str:
        return self.headers["tc-line"]

    @property
    def connection(self) -> str:
        return self.headers["tc-connection"]

    @property
    def frame(self) -> int:
        return int(self.headers["tc-frame"])

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.value)


def create(
    bootstrap: str,
    prefix: str,
    *,
    name: str = "kambi.raw",
    partitions: int | None = None,
    config: dict[str, str] | None = None,
    replication: int = 1,
) -> str:
    topic = TOPICS[name]
    new = NewTopic(
        prefix + topic.name,
        partitions or topic.partitions,
        config=topic.config() | (config or {}),
        replication_factor=replication,
    )
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for future in admin.create_topics([new]).values():
        future.result(timeout=20)
    return prefix + topic.name


def read(
    bootstrap: str,
    topic: str,
    until: Callable[[list[Raw]], bool] | None = None,
    *,
    partition: int = 0,
    timeout_s: float = 20,
) -> list[Raw]:
    """Return ``partition`` from its beginning to its end, or until ``until`` holds."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "unused",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 9_000_000,
        }
    )
    records: list[Raw] = []
    deadline = time.monotonic() + timeout_s
    try:
        tp = TopicPartition(topic, partition, 0)
        consumer.assign([tp])
        end = _end(consumer, tp, deadline)
        while (not until(records)) if until else (not records or records[-1].offset + 1 < end) if end else False:
            if time.monotonic() > deadline:
                raise AssertionError(f"not seen in time: {[(r.line, r.kind, r.frame, r.value[:80]) for r in records]}")
            message = consumer.poll(0.2)
            if message is None:
                continue
            assert message.error() is None, message.error()
            records.append(_raw(message))
    finally:
        consumer.close()
    return records


def end(bootstrap_servers: str, topic: str) -> int:
    """Return the end offset of partition 0."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "end", "log_level": 2})
    try:
        return _end(consumer, TopicPartition(topic, 0), time.monotonic() + 30)
    finally:
        consumer.close()


def _end(consumer: Consumer, tp: TopicPartition, deadline: float) -> int:
    while True:
        try:
            # A topic just made, or a broker just back, has no leader for a moment. librdkafka keeps that answer and
            # says "unknown partition" from then on without asking again, unless it is told to.
            consumer.list_topics(tp.topic, timeout=10)
            return consumer.get_watermark_offsets(tp, timeout=10)[1]
        except KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _raw(message: Message) -> Raw:
    partition, offset, key, value = message.partition(), message.offset(), message.key(), message.value()
    assert partition is not None
    assert offset is not None
    assert isinstance(key, bytes)
    assert isinstance(value, bytes)
    headers = {}
    for name, text in message.headers() or ():
        assert isinstance(text, bytes)
        assert name not in headers, "a header is there once"
        headers[name] = text.decode()
    return Raw(
        partition=partition,
        offset=offset,
        timestamp_ms=message.timestamp()[1],
        key=key,
        value=value,
        headers=headers,
    )
