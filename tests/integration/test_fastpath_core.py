"""The FastPath audit as a user runs it: raw records in a real Kafka, a real worker, a reader of what is committed.

The pure core in memory says what must come out, byte for byte; the worker is killed on the way.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import Message, Producer

from processors.core.fastpath.processor import FastpathProcessor
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tests.committed import committed
from tests.core.driver import Record
from tests.core.fastpath.raw import Task
from tests.core.fastpath.recorded_run import recorded_run
from tests.integration.workers import Worker
from tricast.kafka import topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

RAW = "fastpath.raw"
DEAD = "fastpath.dead-letters"
PATIENCE_S = 60.0
Told = tuple[int, bytes, bytes, tuple[tuple[str, bytes], ...]]
"""Partition, key, value and headers of a record."""


def partition_of(key: bytes, partitions: int) -> int:
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


class Deployment:
    """One deployment under its own prefix."""

    def __init__(self, bootstrap: str, prefix: str, directory: Path) -> None:
        self.bootstrap, self.prefix, self._directory = bootstrap, prefix, directory
        wanted = [topic for topic in TOPICS.values() if "fastpath" in topic.name]
        asyncio.run(topics.create(wanted, prefix, KafkaSettings(bootstrap_servers=bootstrap)))
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})

    def write(self, records: list[Record]) -> None:
        for record in records:
            self._producer.produce(
                self.prefix + RAW,
                record.value,
                key=record.key,
                headers=[*record.headers],
                partition=record.partition,
            )  # stamped now: the broker deletes what is older than the topic's retention
        assert self._producer.flush(30) == 0

    def worker(self) -> Worker:
        return Worker("fastpath.audit", bootstrap=self.bootstrap, prefix=self.prefix, folder=self._directory)

    def read(self, name: str) -> list[Message]:
        """Return what a reader of committed records sees of a topic, in order by partition."""
        since = dict.fromkeys(range(TOPICS[name].partitions), 0)
        return committed(self.bootstrap, self.prefix + name, since, patience_s=PATIENCE_S)

    def until(self, name: str, wanted: Callable[[list[Told]], bool], worker: Worker) -> list[Told]:
        """Wait until what is in a topic is what is ``wanted``."""
        deadline = time.monotonic() + PATIENCE_S
        while not wanted(found := [told(message) for message in self.read(name)]):
            worker.check()
            assert time.monotonic() < deadline, f"{len(found)} in {name}"
            time.sleep(0.1)
        return found


def told(message: Message) -> Told:
    key, value, headers = message.key(), message.value(), message.headers()
    assert isinstance(key, bytes)
    assert isinstance(value, bytes)
    kept = tuple((name, content if isinstance(content, bytes) else b"") for name, content in headers or [])
    return (message.partition() or 0, key, value, kept)


@pytest.fixture
def deployment(kafka: str, topic_prefix: str, tmp_path: Path) -> Deployment:
    return Deployment(kafka, topic_prefix, tmp_path)


def sources(prefix: str) -> dict[int, list[Record]]:
    """Return the recorded run as it stands in the partitions of the raw topic."""
    partitions = TOPICS[RAW].partitions
    placed: dict[int, list[Record]] = {}
    for record in recorded_run().records:
        partition = partition_of(record.key or b"", partitions)
        rows = placed.setdefault(partition, [])
        rows.append(replace(record, topic=prefix + RAW, partition=partition, offset=len(rows)))
    return placed


def test_raw_in_topics_out_over_a_kill(deployment: Deployment):
    placed = sources(deployment.prefix)
    assert len(placed) >= 2
    expected: dict[str, list[list[Told]]] = {name: [] for name in FastpathProcessor.outputs}
    dead = 0
    for rows in placed.values():
        task = Task()
        task.play(rows)
        dead += len(task.dead_letters)
        for name, tasks in expected.items():
            partitions = TOPICS[name].partitions
            tasks.append(
                [
                    (partition_of(output.key, partitions), output.key, output.value, output.headers)
                    for output in task.outputs
                    if output.topic == name
                ]
            )

    for rows in placed.values():
        deployment.write(rows[: len(rows) // 2])
    with deployment.worker() as worker:
        deployment.until("fastpath.actions", lambda found: len(found) > 40, worker)
        for rows in placed.values():
            deployment.write(rows[len(rows) // 2 : -10])
        worker.kill()  # in the middle of whatever it does
    with deployment.worker() as worker:
        for rows in placed.values():
            deployment.write(rows[-10:])
        deployment.until(DEAD, lambda found: len(found) == dead, worker)
        for name, tasks in expected.items():
            newest = {(part, key, value) for of_task in tasks for part, key, value in newest_of(of_task)}
            seen = deployment.until(name, lambda found: newest <= {one[:3] for one in found}, worker)  # noqa: B023
            everything = [one for of_task in tasks for one in of_task]
            if TOPICS[name].cleanup == "compact":  # whatever Kafka left of it
                assert set(seen) <= set(everything)
            else:
                assert sorted(seen) == sorted(everything), name
            for of_task in tasks:  # in order per key, as far as one task wrote it
                for key in {one[1] for one in of_task}:
                    left = [one for one in of_task if one[1] == key and one in set(seen)]
                    assert [one for one in seen if one in set(left)] == left


def newest_of(records: list[Told]) -> list[tuple[int, bytes, bytes]]:
    return list({record[1]: record[:3] for record in records}.values())
