"""The load: topics of one run, frames put there beforehand or at a rate, and an independent look at the result."""

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping

from confluent_kafka import Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from benchmarks.frames import REGISTRY, Frames
from benchmarks.job import CHILDREN, RAW
from schemas.kafka import KafkaSettings
from schemas.topics import Topic
from tricast.kafka import topics

QUIET_S = 30.0
"""Reading gives up when nothing came for so long."""
DELETE_TIMEOUT_S = 30.0
PRELOAD_FROM_NS, PRELOAD_EVERY_NS = 1_700_000_000_000_000_000, 100_000


def create_topics(bootstrap: str, prefix: str, registry: Mapping[str, Topic] = REGISTRY) -> None:
    """Create the topics of one run."""
    asyncio.run(topics.create(registry.values(), prefix, KafkaSettings(bootstrap_servers=bootstrap)))


def delete_topics(bootstrap: str, prefix: str, registry: Mapping[str, Topic] = REGISTRY) -> None:
    """Delete them: a benchmark of many runs should not need a large disk."""
    _delete(bootstrap, [prefix + name for name in registry])


def delete_topics_of(bootstrap: str, prefix: str) -> None:
    """Delete all topics of one run, those of a peer's own making too."""
    _delete(bootstrap, topics_of(bootstrap, prefix))


def topics_of(bootstrap: str, prefix: str) -> list[str]:
    """Return the topics that have the prefix of one run in their name: some peers put a word before it."""
    return [name for name in AdminClient({"bootstrap.servers": bootstrap}).list_topics().topics if prefix in name]


def _delete(bootstrap: str, names: list[str]) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for deletion in admin.delete_topics(names).values():
        deletion.result(DELETE_TIMEOUT_S)


def preloaded_ns(number: int) -> int:
    """Return the time of receipt that preloaded frame ``number`` carries: the same in every run."""
    return PRELOAD_FROM_NS + number * PRELOAD_EVERY_NS


def preload(bootstrap: str, prefix: str, frames: int, children: int = CHILDREN) -> None:
    """Write ``frames`` frames as fast as Kafka takes them."""
    producer = _producer(bootstrap, linger_ms=20)
    made = Frames(children)
    for number in range(frames):
        _send(producer, prefix, made, number, preloaded_ns(number))
        if number % 500 == 0:
            producer.poll(0)
    _flush(producer)


def feed(bootstrap: str, prefix: str, rate: int, seconds: float) -> int:
    """Write frames at ``rate`` a second for ``seconds``; return how many.

    A frame's time of receipt is when it is due, so that a feeder which comes late hides nothing.
    """
    # One request on its way, as the connectors have for each partition: what waits becomes one batch.
    producer = _producer(bootstrap, linger_ms=0, **{"max.in.flight.requests.per.connection": 1})
    made, frames = Frames(), int(rate * seconds)
    began_ns = time.time_ns()
    for number in range(frames):
        due_ns = began_ns + number * 1_000_000_000 // rate
        if (early_ns := due_ns - time.time_ns()) > 0:
            # Not in poll: it rounds to milliseconds, and below one of them it would use up a core that others need.
            time.sleep(early_ns / 1e9)
        _send(producer, prefix, made, number, due_ns)
        producer.poll(0)
    _flush(producer)
    return frames


def start_feeder(bootstrap: str, prefix: str, rate: int, seconds: float, core: int | None) -> "subprocess.Popen[str]":
    """Feed from a process of its own, so that it does not wait for a reader's interpreter; it prints the count."""
    argument = json.dumps([bootstrap, prefix, rate, seconds, core])
    return subprocess.Popen([sys.executable, "-m", "benchmarks.load", argument], stdout=subprocess.PIPE, text=True)


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


def messages(bootstrap: str, topic: str, partitions: int) -> Iterator[Message]:
    """Yield what is in ``topic`` up to its end, each partition's records in order."""
    consumer = reader(bootstrap, **{"enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    unfinished, deadline = partitions, time.monotonic() + QUIET_S
    while unfinished and time.monotonic() < deadline:
        for message in consumer.consume(5_000, 0.2):
            deadline = time.monotonic() + QUIET_S
            if message.error():
                unfinished -= 1
            else:
                yield message
    consumer.close()


def _producer(bootstrap: str, *, linger_ms: int, **options: int) -> Producer:
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": linger_ms,
            "queue.buffering.max.messages": 1_000_000,
            **options,
        }
    )


def _send(producer: Producer, prefix: str, frames: Frames, number: int, received_ns: int) -> None:
    partition, value, headers = frames.frame(number, received_ns)
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
