"""The same afternoon through a real Kafka and real workers, all of them killed on the way: the same outcomes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Producer

from schemas.kafka import KafkaSettings
from schemas.raw import Header
from schemas.topics import TOPICS
from tests.committed import committed
from tests.core.driver import Record
from tests.integration.rms.hops import PREFIX
from tests.integration.rms.story import Afternoon, Plan, S, spend, told_by
from tests.integration.workers import Worker
from tricast.kafka import topics

HOPS = ("rms.approvals", "rms.bets", "rms.join")
PATIENCE_S = 90.0

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(4 * PATIENCE_S)]  # it is patient three times

UNANSWERED_S = 20_000
"""Longer than the afternoon: rms.raw and rms.bets are read at their own speed, and then time alone says nothing."""
QUIET_S, END_S = 2_400, 4_800
SOURCES = ("rms.raw", "rms.bets")


class Deployment:
    """One deployment under its own prefix."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self._bootstrap, self._prefix, self._folder = bootstrap, prefix, folder
        self._workers: dict[str, Worker] = {}
        self._seen: dict[str, list[Record]] = {}
        self._next: dict[str, dict[int, int]] = {}
        self._producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
        wanted = [topic for topic in TOPICS.values() if "rms" in topic.name]
        asyncio.run(topics.create(wanted, prefix, KafkaSettings(bootstrap_servers=bootstrap)))

    def write(self, records: Sequence[Record]) -> None:
        for record in records:
            self._producer.produce(
                self._prefix + record.topic.removeprefix(PREFIX),
                record.value,
                key=record.key,
                headers=[*record.headers],
                partition=record.partition,
                timestamp=record.timestamp,
            )
        assert self._producer.flush(30) == 0

    def start(self, name: str) -> None:
        self._workers[name] = Worker(
            name,
            bootstrap=self._bootstrap,
            prefix=self._prefix,
            folder=self._folder,
            TRICAST_RMS__UNANSWERED_S=str(UNANSWERED_S),
        )

    def kill(self, name: str) -> None:
        self._workers[name].kill()

    def close(self) -> None:
        for name in self._workers:
            self.kill(name)

    def check(self) -> None:
        for worker in self._workers.values():
            worker.check()

    def read(self, name: str) -> list[Record]:
        """Return what a reader of committed records sees of a topic; it goes on where it was."""
        records = self._seen.setdefault(name, [])
        following = self._next.setdefault(name, dict.fromkeys(range(TOPICS[name].partitions), 0))
        for message in committed(self._bootstrap, self._prefix + name, following, patience_s=PATIENCE_S):
            headers: list[Header] = [
                (key, content if isinstance(content, bytes) else b"") for key, content in message.headers() or []
            ]
            value, offset = message.value(), message.offset() or 0
            assert isinstance(value, bytes)
            records.append(Record(offset=offset, value=value, headers=headers))
            following[message.partition() or 0] = offset + 1
        return records

    def until(self, name: str, holds: Callable[[list[Record]], bool]) -> list[Record]:
        """Wait until what is there is as it should be."""
        deadline = time.monotonic() + PATIENCE_S
        while not holds(found := self.read(name)):
            self.check()
            assert time.monotonic() < deadline, f"{len(found)} in {name}"
            time.sleep(0.5)
        return found


def test_the_same_outcomes_over_kills_of_every_worker(kafka: str, topic_prefix: str, tmp_path: Path):
    # It ended a minute ago: Kafka deletes what is older than a topic's retention, and takes nothing of the future.
    start_ns = (int(time.time()) - END_S - 60) * S
    expected = spend(Plan(look_ups="unheard", unanswered_s=UNANSWERED_S, start_ns=start_ns, end_s=END_S))
    assert len(expected.told.decisions) > 150
    answers = sum(b'"answered"' in (record.value or b"") for record in expected.logs.all_of("rms.bets"))
    through = sum(map(is_passed, expected.logs.all_of("rms.pending")))
    first, second, last = parts(expected, start_ns)
    deployment = Deployment(kafka, topic_prefix, tmp_path)
    try:
        for name in HOPS:
            deployment.start(name)
        deployment.write(first)
        deployment.until("rms.decisions", lambda found: len(found) > 20)
        for name in HOPS:
            deployment.kill(name)
        deployment.write(second)
        for name in HOPS:
            deployment.start(name)
        # And what the join tells itself: a bet that has its order only behind the afternoon's end would wait for more.
        deployment.until(
            "rms.pending",
            lambda found: sum(map(is_answer, found)) == answers and sum(map(is_passed, found)) == through,
        )
        deployment.write(last)
        places = expected.told.decisions.keys()
        told = told_by(deployment.until("rms.decisions", lambda found: told_by(found).decisions.keys() >= places))
    finally:
        deployment.close()
    assert told.again == []
    assert {place: _outcome(value) for place, value in told.decisions.items()} == {
        place: _outcome(value) for place, value in expected.told.decisions.items()
    }
    assert [record.value for record in deployment.read("rms.dead-letters")] == []


def parts(afternoon: Afternoon, start_ns: int) -> tuple[list[Record], list[Record], list[Record]]:
    """Return its sources in three parts; in the last nothing happens but time.

    Topics are read each at its own speed. Where bets come late by more than their windows the join waits for what may
    still be under way, in their customer's time: that has to go on.
    """
    first: list[Record] = []
    second: list[Record] = []
    last: list[Record] = []
    for name in SOURCES:
        for record in afternoon.logs.all_of(name):
            at_s = record.timestamp / 1_000 - start_ns / S
            (first if at_s < 800 else second if at_s < QUIET_S else last).append(record)
    return first, second, last


def is_answer(record: Record) -> bool:
    return b'"type":"answered"' in (record.value or b"")


def is_passed(record: Record) -> bool:
    return b'"type":"passed"' in (record.value or b"")


def _outcome(decision: dict[str, object]) -> tuple[object, ...]:
    return decision["outcome"], decision["evidence"], decision.get("why")
