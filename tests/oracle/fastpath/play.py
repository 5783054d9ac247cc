"""Feed the core as the engine does, and compare what it wrote with the oracle's account."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from processors.core.fastpath.processor import FastpathProcessor
from processors.engine.task import Batch, Partition, StreamTask
from schemas.topics import TOPICS
from tests.oracle.fastpath.account import Rules
from tests.oracle.fastpath.delivery import History, Raw
from tests.oracle.fastpath.said import Command, Finding, Out, Said, Upstream
from tests.oracle.fastpath.truth import lies

FACTS: dict[str, tuple[str, ...]] = {
    "baseline": ("asked", "first"),
    "gap_suspected": ("first", "last", "missing", "ours"),
    "gap_closed": ("by", "first", "last"),
    "gap_repaired": ("by", "first", "last"),
    "not_repairable": ("missing", "reason"),
    "reordered": ("first", "last"),
    "duplicate": ("first",),
    "conflict": ("first", "reason"),
    "restarted": ("aligned", "first", "old_last", "vendor_first"),
}
"""What of a finding is compared."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What is said by one and not by the other, by topic; ``lies`` is what the second judge found in the core."""

    missing: tuple[Any, ...]
    unexpected: tuple[Any, ...]
    disordered: tuple[str, ...]
    lies: tuple[str, ...]


def new_task(rules: Rules) -> StreamTask:
    """Return a task over partition 0."""
    processor = FastpathProcessor(
        hold_ms=rules.hold_ms,
        hold_count=rules.hold_count,
        repairs_per_fixture=rules.repairs,
        repair_window_s=rules.window_s,
        repair_timeout_s=rules.timeout_s,
    )
    return StreamTask(
        Partition("tricast.fastpath.raw", 0),
        processor,
        topics={name: TOPICS[name] for name in (*processor.outputs, "fastpath.dead-letters")},
        version="test",
        stop_ratio=1.0,
        window=1000,
    )


def play(records: Sequence[Raw], rules: Rules, restarts: Collection[int] = ()) -> Said:
    """Run the core over one partition; a restart is another task with the same store."""
    said = Said()
    task = new_task(rules)
    ids: set[str] = set()
    for number, record in enumerate(records):
        if number in restarts:
            said.copies += task.counts.passed_over["fastpath.copy"]
            task = _restarted(task, rules)
        # A connector stamps both times with one; the histories leap by hours.
        stamped = replace(record, timestamp=int(record.stamp("tc-received-ns")) // 1_000_000)
        task.process(Batch(0, task.position, record.offset + 1, [stamped]))
        for topic, _, value, headers, _ in task.take_outputs():
            stamps = {name: text.decode() for name, text in headers}
            if topic == "fastpath.dead-letters":
                said.dead_letters.append(f"{record.offset} {stamps['tc-code']}")
                continue
            if value is None:
                continue  # a health key that is removed
            assert stamps["ce_id"] not in ids, f"two records are {stamps['ce_id']}"
            ids.add(stamps["ce_id"])
            _take(said, topic, json.loads(value), stamps["ce_id"], record.offset)
    said.copies += task.counts.passed_over["fastpath.copy"]
    return said


def _restarted(task: StreamTask, rules: Rules) -> StreamTask:
    """Return a task restored from what a changelog would hold of ``task``."""
    after = new_task(rules)
    for key, value in task.store.items():
        after.store.put(key, value)
    after.store.keep()
    after.repeats = task.repeats
    after.position, after.stream_time_ns = task.position, task.stream_time_ns
    return after


def _take(said: Said, topic: str, told: dict[str, Any], ce_id: str, at: int) -> None:
    match topic:
        case "fastpath.actions":
            said.actions.append(_out(told, ce_id, at))
        case "fastpath.statistics":
            said.statistics.append(_out(told, ce_id, at))
        case "fastpath.sequence":
            said.findings.append(_finding(told, at))
        case "fastpath.connections":
            names = ("feed", "state", "previous", "line", "connection", "implied")
            defaults = {"previous": "unknown", "implied": False}
            said.upstream.append(Upstream(at, *((defaults | told)[name] for name in names)))
        case "fastpath.commands":
            names = ("feed", "fixture_id", "line", "first", "last", "position", "attempt")
            said.commands.append(Command(at, *(told[name] for name in names)))


def _out(told: dict[str, Any], ce_id: str, at: int) -> Out:
    *_, offset, index = ce_id.split("/")
    assert index == "0", f"a packet's record is number {index}"
    if "action_id" in told:
        what: tuple[str | None, ...] = (told["action_id"], told["send_type"])
    elif "element_type" in told:
        what = (told["element_type"], told.get("vendor_time"))
    else:
        what = (told.get("vendor_time"),)
    return Out(
        at, int(offset), told["feed"], told["fixture_id"], told.get("sequence"), told.get("vendor_sequence"), what,
        told["line"], told["connection"], told["released"]["why"], told["released"]["after_ms"],
        frozenset(mark for mark in ("late", "repaired", "conflict") if told.get(mark)), told["delivery"],
        told["connection_state"]["state"],
    )  # fmt: skip


def _finding(told: dict[str, Any], at: int) -> Finding:
    kind = told["finding"]
    facts = {name: told.get(name) for name in FACTS[kind]}
    if facts.get("missing") is not None:
        facts["missing"] = tuple((first, last) for first, last in told["missing"])
    if "ours" in facts:
        facts["ours"] = bool(facts["ours"])
    return Finding(at, told["feed"], told["fixture_id"], kind, tuple(sorted(_told(facts).items())))


def _told(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def differences(expected: Said, written: Said, found: Sequence[str] = ()) -> Difference | None:
    """Return what the two do not agree on; ``found`` is what the second judge has against ``written``."""
    if expected == written and not found:
        return None
    missing: list[Any] = []
    unexpected: list[Any] = []
    disordered: list[str] = []
    for topic in fields(Said):
        right, wrong = getattr(expected, topic.name), getattr(written, topic.name)
        if right == wrong:
            continue
        if not isinstance(right, list):
            missing.append(f"{topic.name}: {right}")
            unexpected.append(f"{topic.name}: {wrong}")
            continue
        less, more = _without(right, wrong), _without(wrong, right)
        missing += less
        unexpected += more
        if not less and not more:
            disordered.append(topic.name)
    return Difference(tuple(missing), tuple(unexpected), tuple(disordered), tuple(found))


def _without(some: list[Any], others: list[Any]) -> list[Any]:
    left = list(others)
    found = []
    for one in some:
        if one in left:
            left.remove(one)
        else:
            found.append(one)
    return found


def compare(history: History) -> tuple[Difference | None, Counter[str]]:
    """Return where the core differs from the oracle and from the truth, and what the history held."""
    written = play(history.records, history.rules, history.restarts)
    contents = Counter(history.contents)
    for finding in history.said.findings:
        contents[f"findings: {finding.kind}"] += 1
    for out in (*history.said.actions, *history.said.statistics):
        contents[f"released: {out.why}"] += 1
    contents["commands"] += len(history.said.commands)
    contents["connection states"] += len(history.said.upstream)
    contents["copies"] += history.said.copies
    return differences(history.said, written, lies(history, written)), contents
