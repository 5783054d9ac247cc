"""A consumer of the normalized topics as another team would write it: no code of the processors, no raw topics.

It applies records in order per key, passes over what is marked late, and notes two kinds of wrong on the way: an old
price that comes as current, and a record that is there twice.
"""

import json
import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

TOPICS = ("kambi.events", "kambi.offers", "kambi.scores")
KEPT_EXAMPLES = 20
_OWN = ("occurrence_id", "ticker_id", "visualization_id", "occurrence_type_id")
QUIET = {"log_level": 2, "log.connection.close": False}


@dataclass
class Event:
    """What a consumer knows of one event."""

    state: str | None = None
    clock: dict[str, Any] | None = None
    score: dict[str, Any] | None = None
    statistics: dict[str, Any] | None = None
    description: str | None = None
    offers: dict[int, dict[str, Any]] = field(default_factory=dict)


class Offering(dict[int, Event]):
    """Events by id, as the records say."""

    def apply(self, kind: str, value: dict[str, Any]) -> None:
        """Apply one current record; ``kind`` is the type without prefix and version."""
        event_id = value["event_id"]
        if kind == "event.removed":
            self.pop(event_id, None)
            return
        event = self.setdefault(event_id, Event())
        match kind:
            case "event.added" | "event.opened" | "event.state-changed":
                event.state = value.get("state", event.state)
            case "event.description-changed":
                event.description = value.get("description")
            case "clock.changed":
                event.clock = value
            case "clock.removed":
                event.clock = None
            case "score.changed":
                event.score = value
            case "statistics.changed":
                event.statistics = value
            case "offers.suspended":
                for offer in event.offers.values():
                    offer["suspended"] = True
            case _ if "offer_id" in value:
                self._offer(event, kind, value)

    def _offer(self, event: Event, kind: str, value: dict[str, Any]) -> None:
        if kind == "offer.removed":
            event.offers.pop(value["offer_id"], None)
            return
        offer = event.offers.setdefault(value["offer_id"], {"suspended": None, "visible": True, "outcomes": {}})
        outcomes = offer["outcomes"]
        current = [outcome for outcome in value.get("outcomes", ()) if not outcome.get("late")]
        match kind:
            case "offer.added":
                offer.update(suspended=value["suspended"], visible=True, outcomes={})
                for outcome in current:
                    offer["outcomes"][outcome["id"]] = _outcome(outcome)
            case "offer.status-changed":
                offer.update(suspended=value["suspended"], visible=value["visible"])
            case "outcomes.added":
                outcomes.update({outcome["id"]: _outcome(outcome) for outcome in current})
            case "outcomes.removed":
                for outcome in current:
                    outcomes.pop(outcome["id"], None)
            case "odds.changed":
                for outcome in current:
                    outcomes.setdefault(outcome["id"], {"status": None})["odds"] = _odds(outcome)
            case "outcomes.status-changed":
                for outcome in current:
                    outcomes.setdefault(outcome["id"], {"odds": None})["status"] = outcome.get("status")


def _outcome(outcome: dict[str, Any]) -> dict[str, Any]:
    return {"odds": _odds(outcome), "status": outcome.get("status")}


def _odds(outcome: dict[str, Any]) -> int | None:
    return -1 if outcome.get("starting_price") else outcome.get("odds_thousandths")


class Reader(threading.Thread):
    """Reads ``read_committed`` while the faults happen.

    Attributes:
        offering: What the current records add up to.
        pushed: What came out by push, late or not: (type, event, offer, outcome, vendor time, odds or flag).
        records: Count by type and source.
        wrong: What must not be, by kind; ``examples`` has some of each.
    """

    def __init__(self, bootstrap: str, prefix: str, partitions: int, log: Path):
        super().__init__(daemon=True)
        self.offering = Offering()
        self.pushed: set[tuple[Any, ...]] = set()
        self.records: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.examples: list[str] = []
        self.lock = threading.Lock()
        self.quit = threading.Event()
        self._ids: set[str] = set()
        self._newest: dict[tuple[Any, ...], tuple[int, str]] = {}
        self._ended: dict[int, tuple[int, ...]] = {}
        self._log = log.open("w")  # closed when the thread ends
        self._consumer = Consumer(
            QUIET
            | {
                "bootstrap.servers": bootstrap,
                "group.id": f"endurance-{uuid.uuid4().hex}",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self._consumer.assign(
            [TopicPartition(prefix + topic, part, 0) for topic in TOPICS for part in range(partitions)]
        )

    def run(self) -> None:
        while not self.quit.is_set():
            for message in self._consumer.consume(2000, 0.2):
                if message.error() is None:
                    headers = {name: text.decode() for name, text in message.headers() or () if isinstance(text, bytes)}
                    with self.lock:
                        self.take(headers, json.loads(message.value() or b"{}"))
        self._consumer.close()
        self._log.close()

    def take(self, headers: dict[str, str], value: dict[str, Any]) -> None:
        """Check and apply one record."""
        kind = headers["ce_type"].removeprefix("tricast.kambi.").removesuffix(".v1")
        if headers["ce_id"] in self._ids:
            self._note("twice", headers["ce_id"])
        self._ids.add(headers["ce_id"])
        self._log.write(json.dumps([headers["ce_id"], headers["ce_tcreceived"], kind, value]) + "\n")
        source = value.get("source", "push")
        self.records[f"{kind} by {source}{' late' if value.get('late') else ''}"] += 1
        for entity, late, said in _statements(kind, value):
            if source == "push":
                self.pushed.add((kind, *entity, value.get("vendor_time_ms"), said))
            if late or "vendor_time_ms" not in value:
                continue
            newest = self._newest.get((*entity, _aspect(kind)), (0, ""))
            if value["vendor_time_ms"] < newest[0]:
                self._note("old as current", f"{headers['ce_id']} {kind} {entity} {value['vendor_time_ms']} < {newest}")
            self._newest[(*entity, _aspect(kind))] = max(newest, (value["vendor_time_ms"], headers["ce_id"]))
        if not value.get("late") and self._still_counts(headers["ce_id"], kind, value):
            self.offering.apply(kind, value)

    def _still_counts(self, ce_id: str, kind: str, value: dict[str, Any]) -> bool:
        """Return whether a current record is not one from before its event ended.

        Topics are read side by side, so the end of an event may be read before its last odds: the source positions say
        what came first. What really follows the end would bring the event back, and is noted.
        """
        if kind in ("offers.removed", "scores.removed"):
            return False  # for who reads one topic alone; here event.removed says it
        event_id = value["event_id"]
        position = tuple(map(int, ce_id.split("/")[1:]))
        end = self._ended.get(event_id)
        if kind == "event.removed":
            self._ended[event_id] = position
        elif end is not None and position < end:
            return False
        elif end is not None:
            if kind in ("event.added", "event.opened"):
                del self._ended[event_id]
            else:
                self._note("after its event", f"{ce_id} {kind} by {value.get('source', 'push')}")
        return True

    def _note(self, what: str, example: str) -> None:
        self.wrong[what] += 1
        if len(self.examples) < KEPT_EXAMPLES:
            self.examples.append(f"{what}: {example}")


def _statements(kind: str, value: dict[str, Any]) -> list[tuple[tuple[Any, ...], bool, Any]]:
    """Return (entity, late, what is said) of everything one record states."""
    late = bool(value.get("late"))
    event, offer = value["event_id"], value.get("offer_id")
    if kind in ("odds.changed", "outcomes.added", "outcomes.removed", "outcomes.status-changed", "offer.added"):
        stated = [
            ((event, offer, outcome["id"]), late or bool(outcome.get("late")), _odds(outcome))
            for outcome in value.get("outcomes", ())
        ]
        return stated if kind != "offer.added" else [((event, offer, None), late, value["suspended"]), *stated]
    said = value.get("suspended", value.get("state"))
    own = next((value[name] for name in _OWN if name in value), None)
    return [((event, offer, own), late, said)]


def _aspect(kind: str) -> str:
    """Return which value of an entity a type is about: only within one of these is there an older and a newer."""
    if kind.startswith(("odds.", "outcomes.", "offer.", "offers.")):
        return "offer"
    return "description" if kind == "event.description-changed" else kind.partition(".")[0]
