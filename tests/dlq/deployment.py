"""Kambi's topics in a real Kafka, a worker that has a bug for a while, and a reader of what is committed."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from confluent_kafka import Message, Producer

from schemas.kafka import KafkaSettings
from schemas.raw import Kind, RawHeaders
from schemas.topics import TOPICS
from tests.committed import committed
from tests.core.kambi.frames import frame
from tests.core.kambi.tasks import OFFER, ONE, START_MS, added, odds
from tricast.kafka import topics

RAW, OFFERS, DEAD = "kambi.raw", "kambi.offers", "kambi.dead-letters"


class Deployment:
    """One deployment under its own prefix; everything goes through partition 0."""

    def __init__(self, bootstrap: str, prefix: str, directory: Path, *, patience_s: float = 60.0) -> None:
        self._patience_s = patience_s
        self.prefix, self.directory = prefix, directory
        self._bootstrap = bootstrap
        wanted = [topic for topic in TOPICS.values() if "kambi" in topic.name]
        asyncio.run(topics.create(wanted, prefix, KafkaSettings(bootstrap_servers=bootstrap)))
        self.environment = {
            "TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "TRICAST_TOPIC_PREFIX": prefix,
            "TRICAST_ENGINE__SESSION_TIMEOUT_S": "6",
            "TRICAST_ENGINE__HEARTBEAT_INTERVAL_S": "0.5",
            "TRICAST_ENGINE__TRANSACTION_TIMEOUT_S": "8",
            "TRICAST_ENGINE__DEAD_LETTER_STOP_RATIO": "1",
            "TRICAST_ENGINE__WORKER_NAME": "w0",
        }
        self.bug = directory / "bug"
        self.bug.touch()
        self._log = (directory / "worker.log").open("wb")
        self._process: subprocess.Popen[bytes] | None = None
        self._frames = 0

    def start(self) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.dlq.worker", str(self.bug)],
            env=inherited | self.environment,
            stdout=self._log,
            stderr=self._log,
        )

    def kill(self) -> None:
        """End the worker with SIGKILL, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def write(self, *frames: bytes, kind: Kind = "frame") -> None:
        """Write raw records of one line."""
        producer = Producer({"bootstrap.servers": self._bootstrap, "enable.idempotence": True})
        for value in frames:
            self._frames += 1
            stamps = RawHeaders(
                feed="kambi",
                line="kambi-0-events-0",
                connection="c-1",
                frame=self._frames,
                received_ns=(START_MS + 1000) * 1_000_000,
                kind=kind,
            )
            producer.produce(self.prefix + RAW, value, key=b"0", partition=0, headers=[*stamps.to_kafka()])
        assert producer.flush(30) == 0

    def prices(self, number: int) -> None:
        """Write offers, and a change of the odds of each, which the bug cannot process."""
        self.write(frame(*(added(START_MS, (ONE + one, 1500), offer=OFFER + one) for one in range(number))))
        changes = (odds(START_MS + 10, (ONE + one, 1600), offer=OFFER + one) for one in range(number))
        self.write(*map(frame, changes))

    def read(self, name: str) -> list[Message]:
        """Return what a reader of committed records sees of a topic, in order by partition."""
        since = dict.fromkeys(range(TOPICS[name].partitions), 0)
        return committed(self._bootstrap, self.prefix + name, since, patience_s=self._patience_s)

    def until(self, name: str, wanted: Callable[[list[Message]], bool]) -> list[Message]:
        """Wait until what is in a topic is what is ``wanted``; return it."""
        deadline = time.monotonic() + self._patience_s
        while not wanted(found := self.read(name)):
            log = (self.directory / "worker.log").read_text(errors="replace")[-4000:]
            assert self._process is None or self._process.poll() is None, f"it ended: {log}"
            assert time.monotonic() < deadline, f"{len(found)} in {name}: {log}"
            time.sleep(0.1)
        return found


def header(message: Message, name: str) -> str:
    headers = dict(message.headers() or [])
    value = headers.get(name, b"")
    return value.decode() if isinstance(value, bytes) else ""
