"""Workers under fault, a feeder, and a judge that shares no code with the engine.

The judge reads the outputs with librdkafka, ``read_committed``, while the faults happen. Everything it needs is inside
the payloads (``tests/engine/toy.py``): the id of the source record, the index, and the running number per key.
"""

import collections
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from tricast.stack import tether

KIDS = 4
KEYS = 40
QUIET = {"log_level": 2, "log.connection.close": False}
"""Brokers are killed on purpose; librdkafka need not say so each time."""
TOPICS = {
    # name: (partitions, config); the literal twin of tests/engine/toy.py's registry
    "toy.raw": (4, {"cleanup.policy": "delete"}),
    "toy.out": (4, {"cleanup.policy": "delete"}),
    "toy.dead-letters": (4, {"cleanup.policy": "delete"}),
    "changelog.toy.toy.raw": (4, {"cleanup.policy": "compact", "segment.ms": "600000"}),
}
PARTITIONS = 4


def create_topics(bootstrap: str, prefix: str, *, replication: int, changelog_config: dict[str, str] | None = None):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    wanted = []
    for name, (partitions, config) in TOPICS.items():
        extra = (changelog_config or {}) if name.startswith("changelog") else {}
        insync = {"min.insync.replicas": "2"} if replication > 1 else {}
        # The toy's records may be of 1970: where retention is by time, the broker takes them whenever it looks.
        kept = {"retention.ms": "-1"}
        wanted.append(NewTopic(prefix + name, partitions, replication, config=kept | config | extra | insync))
    for future in admin.create_topics(wanted).values():
        future.result()


class Workers:
    """Worker processes by slot; a slot's name is stable, so a restart is a restart of the same worker."""

    def __init__(self, bootstrap: str, prefix: str, count: int, log_dir: Path, *, module="tests.engine.toy", **engine):
        self.bootstrap, self.prefix, self.engine, self.module = bootstrap, prefix, engine, module
        self.log_dir = log_dir
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self.trees: dict[int, Path] = {}
        """Root of another checkout whose code a slot runs."""
        self.stopped: set[int] = set()
        self.exits: list[tuple[int, int]] = []
        for slot in range(count):
            self.start(slot)

    def start(self, slot: int, name: str | None = None) -> subprocess.Popen:
        arguments = {
            "prefix": self.prefix,
            "bootstrap": self.bootstrap,
            "engine": {"worker_name": name or f"w{slot}", **self.engine},
        }
        with (self.log_dir / f"worker-{slot}.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                    *(sys.executable, "-m", self.module, json.dumps(arguments)),
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, **getattr(self, "environment", {})},
                cwd=self.trees.get(slot),
            )
        self.processes[slot] = process
        return process

    def signal(self, slot: int, number: int) -> None:
        process = self.processes[slot]
        if process is not None and process.poll() is None:
            process.send_signal(number)

    def end(self, slot: int) -> None:
        """SIGKILL, and wait until it is gone; ``tend`` does not bring it back."""
        process = self.processes[slot]
        assert process is not None
        process.kill()
        process.wait()
        self.processes[slot] = None

    def kill(self, slot: int) -> None:
        self.end(slot)
        self.start(slot)

    def term(self, slot: int) -> int:
        process = self.processes[slot]
        assert process is not None
        process.send_signal(signal.SIGTERM)
        code = process.wait(40)
        self.start(slot)
        return code

    def pause(self, slot: int, seconds: float) -> None:
        self.signal(slot, signal.SIGSTOP)
        time.sleep(seconds)
        self.signal(slot, signal.SIGCONT)

    def tend(self) -> None:
        """Restart what ended by itself, as the supervisor does."""
        for slot, process in enumerate(self.processes):
            if process is not None and process.poll() is not None:
                self.exits.append((slot, process.returncode))
                self.start(slot)

    def close(self) -> None:
        for process in self.processes:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.log_dir.glob("worker-*.log")))


class Feeder(threading.Thread):
    """Produces source records at a rate per partition; remembers what the brokers acknowledged, and when."""

    def __init__(self, bootstrap: str, prefix: str, rate_per_partition: float):
        super().__init__(daemon=True)
        self.topic, self.rate = prefix + "toy.raw", rate_per_partition * PARTITIONS
        self.acknowledged: dict[int, float] = {}
        self.failed: dict[int, str] = {}
        self.connection = uuid.uuid4().hex
        self.wanted = threading.Event()
        self.paused = False
        self.producer = Producer(
            QUIET
            | {
                "bootstrap.servers": bootstrap,
                "linger.ms": 1,
                "enable.idempotence": True,
                "message.timeout.ms": 120_000,
            }
        )

    def run(self) -> None:
        number, started = 0, time.monotonic()
        while not self.wanted.is_set():
            if self.paused:
                self.producer.poll(0.05)
                started = time.monotonic() - number / self.rate
                continue
            self.send(number)
            number += 1
            ahead = started + number / self.rate - time.monotonic()
            self.producer.poll(max(0.0, ahead) if ahead > 0.002 else 0)
            while (ahead := started + number / self.rate - time.monotonic()) > 0.002 and not self.wanted.is_set():
                self.producer.poll(min(ahead, 0.2))
        self.producer.flush(120)

    def send(self, number: int) -> None:
        kids = [[f"k{(number * 7 + index * 3) % KEYS}", "x" * 40] for index in range(KIDS)]

        def delivered(error, message, number=number):
            if error is None:
                self.acknowledged[number] = time.monotonic()
            else:
                self.failed[number] = str(error)

        self.producer.produce(
            self.topic,
            json.dumps({"id": number, "kids": kids}),
            partition=number % PARTITIONS,
            headers=self.stamps(number),
            on_delivery=delivered,
        )

    def stamps(self, number: int) -> dict[str, str | bytes | None]:
        """Number the record as a connector would: an idempotent librdkafka may send one twice when it starts a new
        epoch after a broker died, and the engine drops repeats by their number."""
        return {
            "tc-feed": "toy",
            "tc-line": f"line-{number % PARTITIONS}",
            "tc-connection": self.connection,
            "tc-frame": str(number // PARTITIONS + 1),
            "tc-received-ns": str(time.time_ns()),
            "tc-kind": "frame",
        }

    def finish(self) -> None:
        self.wanted.set()
        self.join(150)


@dataclass
class Verdict:
    """What the judge found; all numbers must be 0 but ``outputs``."""

    expected: int = 0
    outputs: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    state_broken: int = 0
    unexpected: int = 0
    longest_wait_s: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return self.outputs >= self.expected > 0 and not (
            self.lost + self.duplicated + self.out_of_order + self.state_broken + self.unexpected
        )

    def line(self) -> str:
        return (
            f"expected={self.expected} outputs={self.outputs} lost={self.lost} duplicated={self.duplicated}"
            f" out_of_order={self.out_of_order} state_broken={self.state_broken} unexpected={self.unexpected}"
            f" longest_wait_s={self.longest_wait_s:.1f}"
        )


class Judge(threading.Thread):
    """Reads every output as it becomes visible to a ``read_committed`` reader."""

    def __init__(self, bootstrap: str, prefix: str):
        super().__init__(daemon=True)
        self.seen: collections.Counter = collections.Counter()
        self.arrived: dict[int, float] = {}
        self.next_nth: dict[tuple[int, str], int] = collections.defaultdict(int)
        self.last_id: dict[tuple[int, str], tuple[int, int]] = {}
        self.verdict = Verdict()
        self.waits_from = 0.0
        """Monotonic time from which waiting counts: before it, workers were still starting."""
        self.quit = threading.Event()
        self.consumer = Consumer(
            QUIET
            | {
                "bootstrap.servers": bootstrap,
                "group.id": f"judge-{uuid.uuid4().hex}",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self.consumer.assign([TopicPartition(prefix + "toy.out", part, 0) for part in range(PARTITIONS)])

    def run(self) -> None:
        while not self.quit.is_set():
            for message in self.consumer.consume(2000, 0.2):
                error = message.error()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        self.verdict.examples.append(str(error))
                    continue
                self.take(json.loads(message.value() or b""), time.monotonic())
        self.consumer.close()

    def take(self, value: dict, now: float) -> None:
        identity = (value["id"], value["index"])
        self.seen[identity] += 1
        self.arrived.setdefault(value["id"], now)
        place = (value["partition"], value["key"])
        if self.seen[identity] > 1:
            self.note("duplicated", f"{identity} again")
            return
        if self.last_id.get(place, (-1, -1)) >= identity:
            self.note("out_of_order", f"{place}: {identity} after {self.last_id[place]}")
        self.last_id[place] = identity
        if value["nth"] != self.next_nth[place]:
            self.note("state_broken", f"{place}: nth {value['nth']}, expected {self.next_nth[place]} at {identity}")
        self.next_nth[place] = value["nth"] + 1

    def note(self, what: str, example: str) -> None:
        setattr(self.verdict, what, getattr(self.verdict, what) + 1)
        if len(self.verdict.examples) < 10:
            self.verdict.examples.append(f"{what}: {example}")

    def close(self, feeder: Feeder, *, patience_s: float, settle_s: float, tend=lambda: None) -> Verdict:
        """Wait for everything acknowledged, then ``settle_s`` longer for what must not come, and judge."""
        deadline = time.monotonic() + patience_s
        wanted = {(number, index) for number in feeder.acknowledged for index in range(KIDS)}
        while time.monotonic() < deadline and not wanted <= self.seen.keys():
            tend()
            self.quit.wait(0.2)
        settled = time.monotonic() + settle_s
        while time.monotonic() < settled:
            tend()
            self.quit.wait(0.2)
        self.quit.set()
        self.join(30)
        verdict = self.verdict
        verdict.expected, verdict.outputs = len(wanted), len(self.seen)
        missing = sorted(wanted - self.seen.keys())
        verdict.lost = len(missing)
        if missing:
            verdict.examples.append(f"lost: {missing[:5]} … {missing[-1]}")
        possible = feeder.acknowledged.keys() | feeder.failed.keys()
        verdict.unexpected = sum(1 for number, _ in self.seen if number not in possible)
        verdict.longest_wait_s = max(
            (
                self.arrived[number] - sent
                for number, sent in feeder.acknowledged.items()
                if number in self.arrived and sent >= self.waits_from
            ),
            default=0.0,
        )
        return verdict
