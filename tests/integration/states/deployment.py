"""Topics of facts in a real Kafka, a real worker that folds them, and what stands in the topics."""

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from confluent_kafka import Message, Producer

from schemas.codec import MODELS
from schemas.kafka import KafkaSettings
from schemas.topics import Partitions, Topic, registry
from tests.committed import committed
from tests.integration.workers import Worker
from tricast.kafka import topics

START_NS = 1_790_000_000_000_000_000
PATIENCE_S = 60.0
Json = dict[str, Any]


class Deployment:
    """One deployment of a feed under its own prefix.

    Attributes:
        partitions: What its topics have grown to; a worker is told.
    """

    def __init__(self, feed: str, bootstrap: str, prefix: str, directory: Path) -> None:
        self.bootstrap, self.prefix, self._directory = bootstrap, prefix, directory
        self.processor, self.partitions = f"{feed}.state", Partitions()
        asyncio.run(topics.create(self.topics.values(), prefix, KafkaSettings(bootstrap_servers=bootstrap)))
        self._count = 0

    @property
    def topics(self) -> dict[str, Topic]:
        """Those of the feed, by name."""
        feed = self.processor.partition(".")[0]
        every = registry(self.partitions)
        return {name: topic for name, topic in every.items() if name.startswith((f"{feed}.", f"changelog.{feed}"))}

    def write(self, facts: Iterable[tuple[str, Json, str]]) -> None:
        """Write facts, type and value and key of each, as a processor does."""
        # A new one: it has to know how many partitions there are now.
        producer = Producer(
            {"bootstrap.servers": self.bootstrap, "enable.idempotence": True, "partitioner": "murmur2_random"}
        )
        for ce_type, value, key in facts:
            self._count += 1
            headers: list[tuple[str, str | bytes | None]] = [
                ("ce_specversion", "1.0"),
                ("ce_id", f"{self.prefix}raw/0/{self._count}/0"),
                ("ce_type", ce_type),
                ("ce_time", "2026-09-21T14:13:20.001Z"),
                ("ce_tcreceived", str(START_NS + self._count)),
            ]
            topic = self.prefix + MODELS[ce_type].topic
            producer.produce(topic, json.dumps(value), key=key, headers=headers)
            producer.poll(0)
        assert producer.flush(30) == 0

    def worker(self) -> Worker:
        """Start its worker, who takes few records at a time."""
        return Worker(
            self.processor,
            bootstrap=self.bootstrap,
            prefix=self.prefix,
            folder=self._directory,
            TRICAST_PARTITIONS=self.partitions.model_dump_json(),
            TRICAST_ENGINE__MAX_CYCLE_RECORDS="200",
        )

    def read(self, name: str) -> list[Message]:
        """Return what a reader of committed records sees of a topic, in order by partition."""
        since = dict.fromkeys(range(self.topics[name].partitions), 0)
        return committed(self.bootstrap, self.prefix + name, since, patience_s=PATIENCE_S)

    def until(self, wanted: Callable[[list[Message]], bool], worker: Worker) -> list[Message]:
        """Wait until the topic of states is what is ``wanted``; return it."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted(found := self.read(self.processor)):
            worker.check()
            assert time.monotonic() < deadline, f"{len(found)} states"
            time.sleep(0.05)
        return found


def header(message: Message, name: str) -> str:
    content = dict(message.headers() or []).get(name)
    assert isinstance(content, bytes)
    return content.decode()


def place_of(message: Message) -> tuple[str, int, int]:
    """Return topic, partition and offset of a record."""
    return message.topic() or "", message.partition() or 0, message.offset() or 0


def fact_of(state: Message) -> tuple[str, int, int]:
    """Return topic, partition and offset of the fact that a state was changed by."""
    topic, partition, offset, _ = header(state, "ce_id").rsplit("/", 3)
    return topic, int(partition), int(offset)


def newest(states: Iterable[Message]) -> dict[str, Json]:
    """Return the newest value of each key that is not gone."""
    found: dict[str, Json] = {}
    for message in states:
        key, value = message.key(), message.value()
        assert isinstance(key, bytes)
        if value is None:
            found.pop(key.decode(), None)
        else:
            found[key.decode()] = json.loads(value)
    return found
