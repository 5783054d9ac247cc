"""Follow what reaches readers: line states, event names, odds changes, and when the first record came."""

import asyncio
import json
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.kafka import KafkaSettings

KEPT_CHANGES = 12
"""Odds changes kept for the live view."""
KEPT_NAMES = 5_000
"""Event names, and odds of outcomes, kept; the oldest go first."""
_POLL_MS = 200
_ODDS_CHANGED = "tricast.kambi.odds.changed.v1"
_NAMING = ("tricast.kambi.event.added.v1", "tricast.kambi.event.opened.v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OddsChange:
    """New odds of one outcome.

    Attributes:
        time_ms: Vendor time, UTC; that of the record when the vendor gave none.
        event: Name when known, else id.
        before_thousandths: Odds before, when they were seen.
        odds_thousandths: Odds now; ``None`` when the vendor took the price away.
    """

    time_ms: int
    event: str
    offer_id: int
    outcome_id: int
    before_thousandths: int | None
    odds_thousandths: int | None


class Follower:
    """A read_committed reader of normalized topics and health; run it as a task.

    It begins where events and line states begin, so that names and states are known, and counts what is newer than it.

    Attributes:
        lines: Newest health value of each connector line.
        events: Newest health value of each event in the offering.
        changes: Last odds changes, newest first.
        first_s: Monotonic time at which the first normalized record arrived; ``None`` before.
        records: Normalized records that arrived, of frames received since it began.
    """

    def __init__(self, kafka: KafkaSettings, prefix: str) -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._began_ms = time.time_ns() // 1_000_000
        self.lines: dict[str, dict[str, Any]] = {}
        self.events: dict[int, dict[str, Any]] = {}
        self.changes: deque[OddsChange] = deque(maxlen=KEPT_CHANGES)
        self.first_s: float | None = None
        self.records = 0
        self.arrived = asyncio.Event()
        self._names: OrderedDict[int, str] = OrderedDict()
        self._odds: OrderedDict[int, int] = OrderedDict()

    def know(self, names: Mapping[int, str]) -> None:
        """Learn names of events."""
        for event, name in names.items():
            _keep(self._names, event, name)

    async def run(self) -> None:
        """Follow until cancelled."""
        topics = [self._prefix + name for name in ("kambi.events", "kambi.offers", "kambi.health")]
        consumer = AIOKafkaConsumer(
            *topics,
            **self._kafka.client(),
            enable_auto_commit=False,
            auto_offset_reset="latest",
            isolation_level="read_committed",
        )
        await consumer.start()
        try:
            await consumer.seek_to_beginning(*(tp for tp in consumer.assignment() if tp.topic != topics[1]))
            while True:
                for partition, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                    for record in records:
                        self._observe(partition, record)
        finally:
            await consumer.stop()

    def _observe(self, partition: TopicPartition, record: Any) -> None:
        value = json.loads(record.value or b"{}")
        if partition.topic == f"{self._prefix}kambi.health":
            note_health(record.key or b"", value, self.lines, self.events)
            return
        if record.timestamp >= self._began_ms:
            self.records += 1
            if self.first_s is None:
                self.first_s = time.monotonic()
                self.arrived.set()
        kind = dict(record.headers).get("ce_type", b"").decode(errors="replace")
        if kind in _NAMING and value.get("name"):
            _keep(self._names, value["event_id"], value["name"])
        elif kind == _ODDS_CHANGED:
            self._odds_changed(record.timestamp, value)

    def _odds_changed(self, timestamp_ms: int, value: Mapping[str, Any]) -> None:
        event = value["event_id"]
        for outcome in value["outcomes"]:
            odds = outcome.get("odds_thousandths")
            change = OddsChange(
                time_ms=value.get("vendor_time_ms", timestamp_ms),
                event=self._names.get(event, str(event)),
                offer_id=value["offer_id"],
                outcome_id=outcome["id"],
                before_thousandths=self._odds.get(outcome["id"]),
                odds_thousandths=odds,
            )
            self.changes.appendleft(change)
            if odds is not None:
                _keep(self._odds, outcome["id"], odds)


def note_health(
    key: bytes, value: dict[str, Any], lines: dict[str, dict[str, Any]], events: dict[int, dict[str, Any]]
) -> None:
    """Keep a health record where it belongs: the newest of a line or of an event; gaps are history."""
    if is_line_state(key, value):
        lines[value["line"]] = value
    elif "event_id" in value:
        if value.get("reason") == "removed":
            events.pop(value["event_id"], None)
        else:
            events[value["event_id"]] = value


def is_to_come(value: Mapping[str, Any]) -> bool:
    """Return whether an event's health says that it is known but not followed yet: nobody asks for snapshots of it."""
    return value.get("state") == "stale" and value.get("coverage") == "main"


def is_line_state(key: bytes, value: Mapping[str, Any]) -> bool:
    """Return whether a health record is a line's state: its key is the line; each recorded gap has a key of its own."""
    return key == str(value.get("line")).encode()


def _keep(kept: "OrderedDict[int, Any]", key: int, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT_NAMES:
        kept.popitem(last=False)
