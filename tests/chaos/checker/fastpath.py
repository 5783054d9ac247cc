"""FastPath: every number that the vendor published is out exactly once, in order unless marked, or named as lost; and
every frame is a record, a copy of one, or explained (docs/fastpath.md, vendor's sheet §2, §6, §7, §12)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.checker.ledgers import packet_of
from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Kind, Verdict

Json = dict[str, Any]
TOPICS = frozenset({"fastpath.actions", "fastpath.statistics"})
MARKS = ("late", "repaired", "conflict")
_WITHOUT = frozenset({"delayed"})
"""Faults of the simulator that leave a packet as it was published."""

BACK_NS = 90_000_000_000
"""A feed that was away is back by then: the connector waits for 30 s at most between two tries."""


# What was published, and what came out.


@dataclass(slots=True)
class Published:
    """The list of one feed: number to what names its packet, ``None`` where no frame showed it as it is; and when."""

    numbers: dict[int, tuple[Any, Any] | None] = field(default_factory=dict)
    at_ns: dict[int, int] = field(default_factory=dict)


def published(lines: Iterable[Mapping[str, Any]]) -> dict[str, Published]:
    """Return by feed what the ledger says was published."""
    feeds: dict[str, Published] = {}
    place: dict[tuple[str, int], int] = {}
    for line in lines:
        index, number = line.get("index"), line.get("number")
        if index is None or number is None:
            continue
        feed = feeds.setdefault(line["feed"], Published())
        if line["kind"] == "published":
            feed.numbers.setdefault(number, None)
            feed.at_ns.setdefault(number, line["at_ns"])
            place[line["feed"], index] = number
        elif line["kind"] == "frame" and line.get("sort") == "event" and not line.get("fault"):
            listed = place.get((line["feed"], index))
            if listed is not None and feed.numbers[listed] is None:
                feed.numbers[listed] = _identity(json.loads(packet_of(line)))
    return feeds


def _identity(packet: Json) -> tuple[Any, Any]:
    action = packet.get("fixtureAction") or {}
    return action.get("actionId"), action.get("sendType")


@dataclass(slots=True)
class Feed:
    """What consumers got of one feed, in the order of the topic."""

    got: dict[int, tuple[tuple[Any, Any], str]] = field(default_factory=dict)
    last: int = -1
    lost: set[int] = field(default_factory=set)
    suspected: set[int] = field(default_factory=set)


def take_record(feed: Feed, name: str, record: Record, value: Json, verdict: Verdict) -> None:
    """Take a record of an action or of statistics."""
    if "sequence" not in value:
        verdict.count("fastpath: records without number")
        return
    number = value["sequence"]
    if value.get("conflict"):
        verdict.count("fastpath: records marked conflict")
        return
    if number in feed.got:
        verdict.find("duplicated", f"{record.place}: number {number} of {name} is {feed.got[number][1]}, too")
    feed.got[number] = (value.get("action_id"), value.get("send_type")), record.place
    if any(value.get(mark) for mark in MARKS) or "ce_replayed" in record.headers:
        verdict.count("fastpath: records marked late or repaired")
    elif number <= feed.last:
        verdict.find("reordered", f"{record.place}: number {number} of {name} comes after {feed.last}, unmarked")
    else:
        feed.last = number


def take_finding(feed: Feed, value: Json, verdict: Verdict) -> None:
    """Take a record of ``fastpath.sequence``."""
    verdict.count(f"fastpath: findings {value['finding']}")
    numbers = {n for first, last in value.get("missing") or () for n in range(first, last + 1)}
    match value["finding"]:
        case "not_repairable":
            feed.lost |= numbers
        case "gap_suspected":
            feed.suspected |= numbers
        case "gap_closed" | "gap_repaired":
            feed.lost -= numbers
        case _:
            pass


def judge_numbers(
    truth: Mapping[str, Published], feeds: Mapping[str, Feed], verdict: Verdict, *, healed_ns: int
) -> None:
    """Compare what came out with what was published.

    Args:
        truth: By the ledger.
        feeds: By the topics.
        verdict: Where findings go.
        healed_ns: When the last fault was over. That a number is missing shows with the next that comes; behind the
            last that came nothing is named, and a feed that had time enough to come back should have had more.
    """
    for name, listed in truth.items():
        feed = feeds.get(name, Feed())
        first = min(feed.got, default=None)
        is_actions = name.rpartition("/")[2].startswith("action")
        # A statistics feed holds nothing back and has nothing repaired: there a suspicion names what is missing.
        named = feed.lost if is_actions else feed.lost | feed.suspected
        verdict.count("fastpath: numbers published", len(listed.numbers))
        verdict.count("fastpath: numbers named as lost", len(feed.lost))
        last = max(feed.got, default=-1)
        tail = [number for number in listed.numbers if number > last and number not in named]
        verdict.count("fastpath: numbers behind the last that came", len(tail))
        if tail and min(listed.at_ns.get(number, 0) for number in tail) > healed_ns + BACK_NS:
            verdict.find("lost", f"{name} did not come back: {len(tail)} numbers from {min(tail)} on are nowhere")
        for number, identity in listed.numbers.items():
            got = feed.got.get(number)
            if number > last:
                continue
            if got is None and number not in named and (is_actions or number > (first or 0)):
                verdict.find("lost", f"number {number} of {name} is nowhere, and not named")
            elif got is not None and is_actions and identity not in {None, got[0]}:
                verdict.find("final-state", f"{got[1]}: number {number} of {name} is {got[0]}, sent was {identity}")
        for number in sorted(feed.got.keys() - listed.numbers.keys()):
            place = feed.got[number][1]
            verdict.find("duplicated", f"{place}: number {number} of {name} was never published")
        for number in sorted(feed.lost & feed.got.keys()):
            verdict.find("not-normalized", f"number {number} of {name} is named as lost, and is {feed.got[number][1]}")
        if is_actions and first is not None:
            holes = {n for n in range(first, last + 1) if n not in feed.got}
            for number in sorted(holes - feed.lost - listed.numbers.keys()):
                verdict.find("lost", f"number {number} of {name} is in no packet, and not named as missing")
            for number in sorted(feed.lost - holes - feed.got.keys()):
                verdict.find("not-normalized", f"number {number} of {name} is named as lost, and never was one")


# Raw against what was made of it.


class Accounts:
    """Of one raw partition; fed in order with each raw record and what says that it comes from it."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._out: set[tuple[str, str, int | None, Any, Any]] = set()
        self._copies: list[tuple[tuple[str, str, int | None, Any, Any], str]] = []
        self._last: dict[str, int] = {}
        self._states: dict[str, str] = {}

    def take(self, raw: Record, made: Iterable[Record]) -> None:
        """Account for one raw record."""
        records = [one for one in made if one.topic in TOPICS]
        dead = [one for one in made if one.topic == "fastpath.dead-letters"]
        connections = [one for one in made if one.topic == "fastpath.connections"]
        for one in dead:
            self._verdict.count(f"fastpath: dead letters {one.header('tc-code')}")
        if raw.header("tc-kind") != "frame":
            for one in records:
                self._find("not-normalized", raw, f"is no frame, and made {one.place}")
            return
        if raw.number <= self._last.get(raw.header("tc-connection"), 0):
            for one in records:
                self._find("duplicated", raw, f"is a repeat in raw, and made {one.place}")
            return
        self._last[raw.header("tc-connection")] = raw.number
        if len(records) > 1:
            self._find("duplicated", raw, f"made {', '.join(one.place for one in records)}")
        if dead:
            if records and all("ce_replayed" not in one.headers for one in records):
                self._find("duplicated", raw, f"is a dead letter, and made {records[0].place}")
            return
        packet = _packet(raw.value or b"")
        if packet is None:
            self._find("not-normalized", raw, "cannot be read, and is no dead letter")
            return
        kind = classify(packet)
        self._verdict.count(f"fastpath: frames {kind}")
        if kind in {"heartbeat", "message", "status"}:
            for one in records:
                self._find("not-normalized", raw, f"is a {kind}, and made {one.place}")
            if kind == "status":
                self._status(raw, packet, connections)
            return
        identity = self._identity(raw, packet)
        if records:
            self._verdict.count("fastpath: records of frames")
            self._check(raw, packet, records[0])
            self._out.add(identity)
        elif identity not in self._out:
            # Held back behind a gap it may have been overtaken by a copy, so this is decided in the end.
            self._copies.append((identity, raw.place))
        else:
            self._verdict.count("fastpath: copies of records")

    def finish(self) -> None:
        """Decide what could not be decided on the way."""
        for identity, place in self._copies:
            if identity in self._out:
                self._verdict.count("fastpath: copies of records")
            else:
                self._verdict.find("not-normalized", f"{place} ({identity[0]}): number {identity[2]} is in no record")

    def _status(self, raw: Record, packet: Json, made: list[Record]) -> None:
        self._verdict.count("fastpath: states told", len(made))

    def _identity(self, raw: Record, packet: Json) -> tuple[str, str, int | None, Any, Any]:
        feed = (raw.key or b"").decode()
        action = packet.get("fixtureAction")
        if action is not None:
            return feed, "action", _number(action.get("fixtureSeqNum")), action.get("actionId"), action.get("sendType")
        return feed, "other", _number(_any(packet, "seqNum")), _any(packet, "eventElementType"), packet.get("timestamp")

    def _check(self, raw: Record, packet: Json, record: Record) -> None:
        value = json.loads(record.value or b"{}")
        number = self._identity(raw, packet)[2]
        if value.get("vendor_sequence") != number:
            self._find("not-normalized", raw, f"has number {number}, {record.place} {value.get('vendor_sequence')}")
        action = packet.get("fixtureAction")
        if action is not None and (value.get("action_id"), value.get("send_type")) != _identity(packet):
            self._find("not-normalized", raw, f"is {_identity(packet)}, {record.place} another action")

    def _find(self, kind: Kind, raw: Record, text: str) -> None:
        self._verdict.find(kind, f"{raw.place} ({raw.header('tc-line')}) {text}")


def classify(packet: Json) -> str:
    """Return what a packet is, by shape (vendor's sheet §12)."""
    data_type = str(packet.get("dataType", "")).casefold()
    if data_type in {"heartbeat", "heartbeats"}:
        return "heartbeat"
    if data_type == "connectionstate":
        return "status"
    if "fixtureAction" in packet:
        return "action"
    element = str(_any(packet, "eventElementType") or "").casefold()
    if element == "heartbeat":
        return "heartbeat"
    if element == "connectionstatechanged":
        return "status"
    if element:
        return "element"
    message = packet.get("message")
    if isinstance(message, str) and _any(packet, "seqNum") is None:
        return "heartbeat" if message.casefold().startswith("heartbeat") else "message"
    if "error" in packet or "errorMessage" in packet:
        return "message"
    return "statistics"


def _packet(value: bytes) -> Json | None:
    try:
        packet = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return packet if isinstance(packet, dict) else None


def _any(packet: Json, name: str) -> Any:
    return next((value for key, value in packet.items() if key.casefold() == name.casefold()), None)


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
