"""The load: topics of one run, frames put there beforehand or at a rate, and an independent look at the result."""

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.job import CHANGELOG, CHILDREN, OUT, PARTITIONS, RAW, REGISTRY, Frames
from schemas.kafka import KafkaSettings
from schemas.topics import Topic
from tricast.kafka import topics

QUIET_S = 30.0
"""Reading gives up when nothing came for so long."""
DELETE_TIMEOUT_S = 30.0


def create_topics(bootstrap: str, prefix: str, registry: Mapping[str, Topic] = REGISTRY) -> None:
    """Create the topics of one run."""
    asyncio.run(topics.create(registry.values(), prefix, KafkaSettings(bootstrap_servers=bootstrap)))


def delete_topics(bootstrap: str, prefix: str, registry: Mapping[str, Topic] = REGISTRY) -> None:
    """Delete them: a benchmark of many runs should not need a large disk."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for deletion in admin.delete_topics([prefix + name for name in registry]).values():
        deletion.result(DELETE_TIMEOUT_S)


def preload(bootstrap: str, prefix: str, frames: int) -> None:
    """Write ``frames`` frames as fast as Kafka takes them."""
    producer = _producer(bootstrap, linger_ms=20)
    made = Frames()
    for number in range(frames):
        _send(producer, prefix, made, number)
        if number % 500 == 0:
            producer.poll(0)
    _flush(producer)


def feed(bootstrap: str, prefix: str, rate: int, seconds: float) -> int:
    """Write frames at ``rate`` a second for ``seconds``; return how many."""
    producer = _producer(bootstrap, linger_ms=0)
    made, number, began = Frames(), 0, time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds:
        if number < elapsed * rate:
            _send(producer, prefix, made, number)
            number += 1
            producer.poll(0)
        else:
            producer.poll((number + 1) / rate - elapsed)
    _flush(producer)
    return number


def start_feeder(bootstrap: str, prefix: str, rate: int, seconds: float, core: int | None) -> "subprocess.Popen[str]":
    """Feed from a process of its own, so that it does not wait for a reader's interpreter; it prints the count."""
    argument = json.dumps([bootstrap, prefix, rate, seconds, core])
    return subprocess.Popen([sys.executable, "-m", "benchmarks.load", argument], stdout=subprocess.PIPE, text=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a reader that shares nothing with the peers found in the topics of one run."""

    outputs: int
    distinct: int
    changelog_records: int

    def is_complete(self, frames: int) -> bool:
        """Every child of every frame is there, once."""
        return self.outputs == self.distinct == frames * CHILDREN


def look(bootstrap: str, prefix: str) -> Found:
    """Read all outputs (``read_committed``), telling them apart by the source position in their ``ce_id``."""
    identities = [
        header for _, headers in _records(bootstrap, prefix + OUT) for name, header in headers if name == "ce_id"
    ]
    changelog_records = sum(1 for _ in _records(bootstrap, prefix + CHANGELOG))
    return Found(outputs=len(identities), distinct=len(set(identities)), changelog_records=changelog_records)


def reader(bootstrap: str, **options: str | int | bool) -> Consumer:
    """Return a ``read_committed`` reader that belongs to no group of ours."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": uuid.uuid4().hex,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            **options,
        }
    )


def _records(bootstrap: str, topic: str) -> Iterator[tuple[bytes | None, list[tuple[str, bytes]]]]:
    consumer = reader(bootstrap, **{"enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    unfinished, deadline = PARTITIONS, time.monotonic() + QUIET_S
    while unfinished and time.monotonic() < deadline:
        for message in consumer.consume(5_000, 0.2):
            deadline = time.monotonic() + QUIET_S
            if message.error():
                unfinished -= 1
            else:
                yield message.key(), message.headers() or []
    consumer.close()


def _producer(bootstrap: str, *, linger_ms: int) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": linger_ms,
            "queue.buffering.max.messages": 1_000_000,
        }
    )


def _send(producer: Producer, prefix: str, frames: Frames, number: int) -> None:
    partition, value, headers = frames.frame(number, time.time_ns())
    producer.produce(prefix + RAW, value, b"%d" % partition, partition, headers=headers)


def _flush(producer: Producer) -> None:
    if left := producer.flush(60):
        raise SystemExit(f"{left} frames could not be written")


def main() -> None:
    """Feed at a rate, as told by the one argument."""
    bootstrap, prefix, rate, seconds, core = json.loads(sys.argv[1])
    if core is not None:
        os.sched_setaffinity(0, {core})
    print(feed(bootstrap, prefix, rate, seconds))


if __name__ == "__main__":
    main()
