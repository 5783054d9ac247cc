"""The core as a task of the oracle's histories, fed as the engine feeds it; what it writes, in the oracle's words."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from processors.core.rms.join.processor import RmsJoin
from processors.engine.task import Batch, Output, Partition, StreamTask
from schemas.topics import TOPICS
from tests.oracle.rms.course import Request, Step
from tests.oracle.rms.keys import partition_of
from tests.oracle.rms.said import Rules, Told, told

_TOPIC = "tricast.rms.pending"
_AT_MS = 1_790_000_000_000
_RAW = "tricast.rms.raw"


@dataclass(frozen=True, slots=True)
class _Record:
    """A record of ``rms.pending``; without headers, as all of them are."""

    offset: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    topic: str = _TOPIC
    partition: int = 0
    timestamp: int = _AT_MS


class CoreTask:
    """One task of the join as it is shipped."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._task = self._new()
        self.written: list[Output] = []
        """What the last record made it write, to the byte."""
        self._ids: set[str] = set()
        self._counts: Counter[str] = Counter()

    def restart(self) -> None:
        """Make another task of what a changelog would hold of this one."""
        before, self._task = self._task, self._new()
        for key, value in before.store.items():
            self._task.store.put(key, value)
        self._task.store.keep()
        self._task.position, self._task.stream_time_ns = before.position, before.stream_time_ns
        self._counts = Counter()

    def process(self, offset: int, key: str, value: bytes) -> Step:
        """Take one record."""
        self._task.process(Batch(0, self._task.position, offset + 1, [_Record(offset, key.encode(), value)]))
        step = Step([], [], [])
        self.written = self._task.take_outputs()
        for topic, at_key, written, headers, _ in self.written:
            assert at_key is not None
            assert written is not None
            self._take(step, topic, at_key.decode(), written, {name: text.decode() for name, text in headers}, offset)
        counted = self._task.counts.passed_over - self._counts
        self._counts = Counter(self._task.counts.passed_over)
        step.told.extend(told("count", "", what=str(what)) for what, number in counted.items() for _ in range(number))
        return step

    def _new(self) -> StreamTask:
        rules = self._rules
        processor = RmsJoin(
            window_prematch_s=rules.prematch_s,
            window_live_s=rules.live_s,
            orphan_s=rules.orphan_s,
            verify_s=rules.verify_s,
            unanswered_s=rules.unanswered_s,
            remember_s=rules.remember_s,
            look_ups=rules.look_ups,
        )
        return StreamTask(
            Partition(_TOPIC, 0),
            processor,
            topics={name: TOPICS[name] for name in (*processor.outputs, "rms.dead-letters")},
            version="test",
            stop_ratio=1.0,
            window=1000,
        )

    def _take(self, step: Step, topic: str, key: str, written: bytes, stamps: dict[str, str], offset: int) -> None:
        if topic == "rms.dead-letters":
            step.told.append(told("dead", "", code=stamps["tc-code"]))
            return
        if topic == "rms.pending":
            assert not stamps, "messages of rms.pending carry no headers"
            step.messages.append((key, written))
            name = "all" if key.startswith("all/") else key
            step.told.append(told("pending", f"{name} {partition_of(key)}", value=written))
            return
        identity = stamps["ce_id"]
        assert identity.startswith(f"{_TOPIC}/0/{offset}/"), identity
        assert identity not in self._ids, f"two records are {identity}"
        self._ids.add(identity)
        assert stamps["ce_source"] == "tricast/rms/join"
        record = json.loads(written, parse_float=Decimal)
        if topic == "rms.lookups":
            self._look_up(step, key, record)
        else:
            step.told.append(_decision_record(key, record, stamps["ce_type"].split(".")[2]))

    @staticmethod
    def _look_up(step: Step, key: str, record: dict[str, Any]) -> None:
        customer, slip, code = record["customer"], record["bet_slip_id"], record["bet_code"]
        assert key == customer
        why, asked_ns, until_ns = record["why"], record["asked_ns"], record["until_ns"]
        step.requests.append(Request(customer, slip, code, why, asked_ns, until_ns))
        facts = {"code": code, "why": why, "asked_ns": asked_ns, "until_ns": until_ns}
        step.told.append(told("lookup", f"{customer}/{slip}", **facts))


def _decision_record(key: str, record: dict[str, Any], kind: str) -> Told:
    if kind == "decision":
        return _decision(key, record)
    names = {
        "late": ("said", "evidence", "earlier", "received_ns", "after_deadline_ms"),
        "conflict": ("why", "stands", "said"),
        "orphan": ("said", "received_ns"),
    }[kind]
    facts = {name: record.get(name) for name in names}
    if kind == "late":
        facts["code"] = record.get("bet_code")
    if kind == "orphan":
        facts |= {"code": record.get("bet_code"), "slip": record.get("bet_slip_id")}
    facts["raw"] = _raw(record["raw"])
    if kind == "conflict":
        facts["earlier_raw"] = _raw(record.get("earlier_raw"))
    return told(kind, key, **facts)


def _decision(key: str, record: dict[str, Any]) -> Told:
    names = ("outcome", "evidence", "why", "context", "disposition", "placed_ns", "answered_ns", "decided_ns")
    facts = {name: record.get(name) for name in (*names, "received_ns", "deadline_ns", "after_orphan", "platform_id")}
    facts["code"] = record.get("bet_code")
    facts["stake"] = None if "stake" not in record else Decimal(record["stake"])
    if "amended" in record:
        amounts = [record["amended"].get(name) for name in ("stake", "odds")]
        facts["amended"] = tuple(None if amount is None else Decimal(amount) for amount in amounts)
    positions = record["positions"]
    facts["raw"] = _raw(positions.get("decided"))
    facts |= {"placed_at": positions.get("placed"), "answered_at": positions.get("answered")}
    facts["latency"] = tuple(sorted(record["latency"].items()))
    return told("decision", key, **facts)


def _raw(position: str | None) -> int | str | None:
    """Return the offset of a position in rms.raw, any other as it is."""
    if position is None or not position.startswith(_RAW):
        return position
    return int(position.rpartition("/")[2])
