"""A consumer of ``rms.decisions``, ``rms.health`` and ``rms.bets`` as another team would write it."""

import json
import threading
import uuid
from collections import Counter, defaultdict
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from tests.endurance.fastpath.reader import QUIET

Place = tuple[str, str]
"""Customer and slip id."""


class Reader(threading.Thread):
    """Reads committed records from their beginning until told to quit.

    Attributes:
        decisions: All final outcomes by customer and slip: one each, if all is well.
        gaps: Intervals that a line says it was away, UTC ns, by line.
        written: Disposition of the answer of each bet in ``rms.bets``; empty while there is none.
        kinds: How many records of each kind came.
    """

    def __init__(self, bootstrap: str, prefix: str, partitions: int) -> None:
        super().__init__(daemon=True, name="reader")
        self._servers, self._prefix, self._partitions = bootstrap, prefix, partitions
        self.decisions: dict[Place, list[dict[str, Any]]] = defaultdict(list)
        self.gaps: dict[str, dict[bytes, tuple[int, int]]] = defaultdict(dict)
        self.written: dict[Place, str] = {}
        self.kinds: Counter[str] = Counter()
        self.quit = threading.Event()
        self.lock = threading.Lock()

    def run(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": f"reader-{uuid.uuid4()}",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                **QUIET,
            }
        )
        topics = [self._prefix + topic for topic in ("rms.decisions", "rms.health", "rms.dead-letters", "rms.bets")]
        consumer.assign([TopicPartition(topic, part, 0) for topic in topics for part in range(self._partitions)])
        while not self.quit.is_set():
            message = consumer.poll(0.2)
            if message is None or message.error() or message.value() is None:
                continue
            headers = {name: content for name, content in message.headers() or () if isinstance(content, bytes)}
            with self.lock:
                if message.topic() == topics[2]:
                    self.kinds[f"dead letter {headers['tc-code'].decode()}"] += 1
                elif message.topic() == topics[3]:
                    self._written(json.loads(message.value() or b""))
                else:
                    self._take(headers["ce_type"].decode(), message.key() or b"", json.loads(message.value() or b""))
        consumer.close()

    def _written(self, value: dict[str, Any]) -> None:
        place = (str(value["customer"]), str(value["bet_slip_id"]))
        self.written[place] = value.get("disposition") or self.written.get(place, "")

    def _take(self, kind: str, key: str | bytes, value: dict[str, Any]) -> None:
        self.kinds[kind.removeprefix("tricast.rms.")] += 1
        if kind == "tricast.rms.decision.v1":
            self.decisions[value["customer"], value["bet_slip_id"]].append(value)
        elif kind == "tricast.rms.line.health.v1" and value["state"] == "gapped":
            self.gaps[value["line"]][key if isinstance(key, bytes) else key.encode()] = (
                value["since_ns"],
                value["until_ns"],
            )
