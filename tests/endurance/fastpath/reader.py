"""A consumer of ``fastpath.actions`` and ``fastpath.sequence`` as another team would write it."""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, TopicPartition

QUIET = {"log_level": 2, "log.connection.close": False}
KEPT_EXAMPLES = 20
_MARKS = ("late", "repaired", "conflict")


@dataclass
class Feed:
    """What consumers got of one feed.

    Attributes:
        got: Number to (action id, send type), each number once.
        last: Greatest number that came unmarked.
        lost: Numbers that a finding gave up for good and none took back.
        wrong: What must never happen, in words.
    """

    got: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    marked: int = 0
    last: int = -1
    lost: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    findings: dict[str, int] = field(default_factory=dict)

    def action(self, value: dict[str, Any]) -> None:
        number = value["sequence"]
        if value.get("conflict"):
            self.marked += 1
            return
        if number in self.got:
            self.wrong.append(f"number {number} twice")
        self.got[number] = (value.get("action_id"), value.get("send_type"))
        if any(value.get(mark) for mark in _MARKS):
            self.marked += 1
        elif number <= self.last:
            self.wrong.append(f"number {number} after {self.last}, unmarked")
        else:
            self.last = number

    def finding(self, value: dict[str, Any]) -> None:
        kind = value["finding"]
        self.findings[kind] = self.findings.get(kind, 0) + 1
        numbers = {n for first, last in value.get("missing") or () for n in range(first, last + 1)}
        if kind == "not_repairable":
            self.lost |= numbers
        elif kind in ("gap_closed", "gap_repaired"):
            self.lost -= numbers


class Reader(threading.Thread):
    """Reads committed records of both topics from their beginning until told to quit."""

    def __init__(self, bootstrap: str, prefix: str, partitions: int) -> None:
        super().__init__(daemon=True, name="reader")
        self._servers = bootstrap
        self._prefix = prefix
        self._partitions = partitions
        self.feeds: dict[str, Feed] = {}
        self.quit = threading.Event()
        self.lock = threading.Lock()
        self.records = 0
        self.newest_s = time.monotonic()

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
        topics = [self._prefix + topic for topic in ("fastpath.actions", "fastpath.sequence")]
        consumer.assign([TopicPartition(topic, part, 0) for topic in topics for part in range(self._partitions)])
        while not self.quit.is_set():
            message = consumer.poll(0.2)
            if message is None or message.error():
                continue
            value = json.loads(message.value() or b"{}")
            with self.lock:
                self.records += 1
                self.newest_s = time.monotonic()
                feed = self.feeds.setdefault(value["feed"], Feed())
                if message.topic() == topics[0]:
                    feed.action(value)
                else:
                    feed.finding(value)
        consumer.close()
