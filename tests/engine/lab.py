"""A toy deployment on a real Kafka: write source records, start workers, read what a ``read_committed`` reader sees.

Clients are librdkafka's, so nothing of the engine judges itself.
"""

import json
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Self

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from processors.engine.config import EngineSettings
from schemas.kafka import KafkaSettings
from schemas.topics import RAW_MESSAGE_BYTES
from tests.faults.harness import PARTITIONS, Workers, create_topics

FAST = {"session_timeout_s": 6.0, "heartbeat_interval_s": 0.5, "transaction_timeout_s": 8.0}
PATIENCE_S = 120.0
RAW, OUT, DEAD, CHANGELOG = "toy.raw", "toy.out", "toy.dead-letters", "changelog.toy.toy.raw"
Kids = Iterable[tuple[str, str]]


class Lab:
    """Everything of one test stands under its own prefix, so tests share a broker without meeting."""

    def __init__(self, bootstrap: str, prefix: str, log_dir: Path) -> None:
        self.bootstrap, self.prefix, self.log_dir = bootstrap, prefix, log_dir
        self.group = prefix + "toy"
        self.kafka = KafkaSettings(bootstrap_servers=bootstrap)
        self.settings = EngineSettings.model_validate({"worker_name": "w0", **FAST})
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        # Idempotent, or librdkafka sends what a young topic refuses again after what came later.
        self.producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "linger.ms": 1,
                "message.max.bytes": 9_000_000,
            }
        )
        self._fleets: list[Workers] = []
        create_topics(bootstrap, prefix, replication=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for fleet in self._fleets:
            fleet.close()

    # Topics.

    def delete(self, *names: str) -> None:
        for future in self.admin.delete_topics([self.prefix + name for name in names]).values():
            future.result()
        wanted = {self.prefix + name for name in names}
        self._until(lambda: not wanted & self.admin.list_topics(timeout=10).topics.keys(), "topics are gone")

    def create(self, name: str, partitions: int = PARTITIONS, **config: str) -> None:
        # Without retention by time, as in create_topics.
        new = NewTopic(self.prefix + name, partitions, 1, config={"retention.ms": "-1"} | config)
        for future in self.admin.create_topics([new]).values():
            future.result()

    def recreate(self, name: str, partitions: int = PARTITIONS, **config: str) -> None:
        self.delete(name)
        self.create(name, partitions, **config)

    def allow_large(self) -> None:
        for name in (RAW, OUT, DEAD):
            self.recreate(name, PARTITIONS, **{"max.message.bytes": str(RAW_MESSAGE_BYTES)})

    # Source records.

    def write(
        self,
        value: bytes,
        *,
        partition: int = 0,
        headers: list[tuple[str, bytes]] | None = None,
        topic: str = RAW,
        key: bytes | None = None,
    ) -> None:
        self.producer.produce(self.prefix + topic, value, key=key, partition=partition, headers=[*(headers or ())])
        self.producer.poll(0)

    def flush(self) -> None:
        assert self.producer.flush(30) == 0

    def feed(self, ids: Iterable[int], kids: Kids = (("a", "x"), ("b", "y"))) -> None:
        """Write one frame per id, to partition ``id % PARTITIONS``, and wait until the broker has them."""
        for number in ids:
            self.write(frame(number, kids), partition=number % PARTITIONS)
        self.flush()

    # Workers.

    def workers(self, count: int = 1, **engine: Any) -> Workers:
        log_dir = self.log_dir / f"fleet{len(self._fleets)}"
        log_dir.mkdir()
        fleet = Workers(self.bootstrap, self.prefix, count, log_dir, **{**FAST, **engine})
        self._fleets.append(fleet)
        return fleet

    def run_to_exit(self, **engine: Any) -> tuple[int, str]:
        """Start a worker that cannot go on; return its exit code and log."""
        fleet = self.workers(**engine)
        return exit_code(fleet), fleet.logs()

    def work_off(self, expected: int, **engine: Any) -> list[dict[str, Any]]:
        """Run one worker until ``expected`` outputs are visible, end it by SIGTERM, return the outputs."""
        fleet = self.workers(**engine)
        outputs = self.outputs(expected)
        assert stop(fleet) == 0, fleet.logs()
        return outputs

    # What a reader sees.

    def read(self, name: str, *, isolation: str = "read_committed") -> list[Message]:
        """Return all records of a topic below its end as of now."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": uuid.uuid4().hex,
                "isolation.level": isolation,
                "enable.partition.eof": True,
                "enable.auto.commit": False,
                "fetch.message.max.bytes": 16_000_000,
                "fetch.wait.max.ms": 10,  # how long the broker sits on "nothing more", which is the answer wanted here
            }
        )
        partitions = self.admin.list_topics(self.prefix + name, timeout=10).topics[self.prefix + name].partitions
        consumer.assign([TopicPartition(self.prefix + name, number, 0) for number in partitions])
        records, open_partitions, deadline = [], set(partitions), time.monotonic() + 30
        while open_partitions and time.monotonic() < deadline:
            for message in consumer.consume(1000, 0.02):
                error = message.error()
                if error is None:
                    records.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    open_partitions.discard(message.partition())
        consumer.close()
        return sorted(records, key=lambda message: (message.partition(), message.offset()))

    def outputs(self, expected: int) -> list[dict[str, Any]]:
        """Wait until the outputs number ``expected`` or more; return them in order by partition."""
        return [json.loads(record.value() or b"") for record in self.wait_for(OUT, expected)]

    def wait_for(self, name: str, expected: int) -> list[Message]:
        found: list[Message] = []

        def enough() -> bool:
            processes = [process for fleet in self._fleets for process in fleet.processes]
            running = not processes or any(process and process.poll() is None for process in processes)
            found[:] = self.read(name)
            assert running or len(found) >= expected, (
                f"{len(found)} of {expected}, no worker runs\n{self.logs()[-6000:]}"
            )
            return len(found) >= expected

        self._until(enough, f"{expected} records in {name}", lambda: f"{len(found)} there\n{self.logs()}")
        return found

    def committed(self) -> dict[int, int]:
        # Not by librdkafka's admin client: it crashes the process when a coordinator that moved answers.
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.group})
        wanted = [TopicPartition(self.prefix + RAW, part) for part in range(PARTITIONS)]
        asked: list[TopicPartition] = []

        def answered() -> bool:
            try:
                asked[:] = consumer.committed(wanted, 30)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.NOT_COORDINATOR:  # a broker that begins moves it once more
                    raise
            return bool(asked)

        try:
            self._until(answered, f"a coordinator of {self.group}")
            return {found.partition: found.offset for found in asked if found.offset >= 0}
        finally:
            consumer.close()

    def members(self) -> list[str]:
        (future,) = self.admin.describe_consumer_groups([self.group]).values()
        return sorted(member.client_id for member in future.result().members)

    def wait_for_members(self, count: int) -> None:
        self.committed()  # has a coordinator found first: asked at one that moves, the admin client waits a minute
        self._until(lambda: len(self.members()) == count, f"{count} members", lambda: f"{self.members()} {self.logs()}")

    def logs(self) -> str:
        return "\n".join(fleet.logs() for fleet in self._fleets)

    def _until(self, true: Callable[[], bool], what: str, state: Callable[[], str] = str) -> None:
        until(true, what, state)


def until(true: Callable[[], bool], what: str, state: Callable[[], str] = str, seconds: float = PATIENCE_S) -> None:
    """Poll ``true``; fail saying ``what`` was awaited and the ``state`` instead."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}: {state()[-6000:]}"
        time.sleep(0.1)


def frame(number: int, kids: Kids) -> bytes:
    return json.dumps({"id": number, "kids": [list(kid) for kid in kids]}).encode()


def stamps(
    frame_number: int, *, kind: str = "frame", connection: str = "c1", line: str = "l1"
) -> list[tuple[str, bytes]]:
    """Return the raw headers of a stamped record."""
    return [
        ("tc-feed", b"toy"),
        ("tc-line", line.encode()),
        ("tc-connection", connection.encode()),
        ("tc-frame", b"%d" % frame_number),
        ("tc-received-ns", b"%d" % (1_000_000 + frame_number)),
        ("tc-kind", kind.encode()),
    ]


def exit_code(fleet: Workers, slot: int = 0, seconds: float = PATIENCE_S) -> int:
    process = fleet.processes[slot]
    assert process is not None
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise AssertionError(f"worker {slot} still runs after {seconds} s:\n{fleet.logs()[-6000:]}") from None


def stop(fleet: Workers, slot: int = 0) -> int:
    """End a worker by SIGTERM for good; return its exit code."""
    process = fleet.processes[slot]
    assert process is not None
    process.terminate()
    return exit_code(fleet, slot, 40)


def expect_clean(outputs: list[dict[str, Any]], ids: Iterable[int], kids: int) -> None:
    """Check exactly once: every (id, index) once, in order, and ``nth`` counts without a hole in every task."""
    seen = Counter((output["id"], output["index"]) for output in outputs)
    assert seen == Counter((number, index) for number in ids for index in range(kids))
    in_order: dict[tuple[int, str], list[tuple[int, int]]] = {}
    nth: dict[tuple[int, str], list[int]] = {}
    for output in outputs:
        place = (output["partition"], output["key"])
        in_order.setdefault(place, []).append((output["id"], output["index"]))
        nth.setdefault(place, []).append(output["nth"])
    for place, identities in in_order.items():
        assert identities == sorted(identities), place
        assert nth[place] == list(range(len(identities))), place
