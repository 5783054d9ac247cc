"""Feed the core as the engine does, and compare what it wrote with the oracle's account."""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor
from processors.engine.task import Batch, Partition, StreamTask
from schemas.topics import TOPICS
from tests.oracle.delivery import Delivered, Raw
from tests.oracle.oracle import Oracle, Written, expected

COUNTED = (
    "kambi.duplicate",
    "kambi.partial-duplicate",
    "kambi.copy",
    "kambi.late",
    "kambi.foreign-event",
    "kambi.no-vendor-time",
    "kambi.vendor-time-ahead",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What core and oracle do not agree on."""

    partition: int
    missing: list[Written]
    unexpected: list[Written]
    counts: dict[str, tuple[int, int]]
    disordered: bool


def new_task(partition: int, processor: Processor | None = None) -> StreamTask:
    processor = processor or KambiProcessor()
    return StreamTask(
        Partition("tricast.kambi.raw", partition),
        processor,
        topics={name: TOPICS[name] for name in (*processor.outputs, "kambi.dead-letters")},
        version="test",
        stop_ratio=1.0,
        window=1000,
    )


def play(
    records: Sequence[Raw], restarts: Collection[int] = (), processor: Processor | None = None
) -> tuple[list[Written], Counter[str]]:
    """Run the core over one partition; a restart is another task with the same store."""
    if not records:
        return [], Counter()
    task = new_task(records[0].partition, processor)
    counts: Counter[str] = Counter()
    written: list[Written] = []
    for number, record in enumerate(records):
        if number in restarts:
            counts += _counts(task)
            task = _restarted(task, processor)
        task.process(Batch(0, task.position, record.offset + 1, [record]))
        written += [_written(*output[:4]) for output in task.take_outputs() if output[0] != "kambi.health"]
    return written, counts + _counts(task)


def compare(delivered: Delivered, processor: Processor | None = None) -> tuple[list[Difference], Counter[str]]:
    """Return where the core differs from the oracle, and what the history had in it."""
    processor = processor or KambiProcessor(copy_skew_ms=delivered.copy_skew_ms)
    found = []
    contents = Counter(delivered.contents)
    for partition, records in delivered.partitions.items():
        oracle = expected(records, delivered.copy_skew_ms)
        written, counts = play(records, delivered.restarts[partition], processor)
        difference = differences(partition, oracle, written, counts)
        if difference is not None:
            found.append(difference)
        for said in oracle.written:
            contents[f"records of {said.topic}"] += 1
            contents["records from snapshots"] += isinstance(said.value, dict) and "source" in said.value
        for name, number in oracle.counts.items():
            contents[name] += number
    return found, contents


def differences(partition: int, oracle: Oracle, written: list[Written], counts: Counter[str]) -> Difference | None:
    counted = {name: (oracle.counts[name], counts[name]) for name in COUNTED if oracle.counts[name] != counts[name]}
    if written == oracle.written and not counted:
        return None
    missing = [said for said in oracle.written if said not in written]
    unexpected = [said for said in written if said not in oracle.written]
    return Difference(partition, missing, unexpected, counted, not missing and not unexpected and not counted)


def _counts(task: StreamTask) -> Counter[str]:
    return Counter({str(name): number for name, number in task.counts.passed_over.items()})


def _restarted(task: StreamTask, processor: Processor | None) -> StreamTask:
    """Return a task restored from what a changelog would hold of ``task``."""
    after = new_task(task.partition.partition, processor)
    for key, value in task.store.items():
        after.store.put(key, value)
    after.store.keep()
    after.repeats = task.repeats
    after.position, after.stream_time_ns = task.position, task.stream_time_ns
    return after


def _written(topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]) -> Written:
    assert value is not None, "tombstones are of kambi.health alone, which is left out"
    stamps = {name: text.decode() for name, text in headers}
    short = topic.removeprefix("kambi.")
    if short == "dead-letters":
        _, partition, offset, *index = stamps["tc-source"].split("/")
        position = (int(partition), int(offset), int(index[0]) if index else None)
        failed: Any = json.loads(value) if index else value
        return Written(position, short, stamps["tc-code"], None, failed)
    partition, offset, *numbers = map(int, stamps["ce_id"].split("/")[1:])
    kind = stamps["ce_type"].removeprefix("tricast.kambi.").removesuffix(".v1")
    assert key is not None
    said = json.loads(value)
    if kind == "outcomes.removed" and said.get("source") == "snapshot":
        said["outcomes"].sort(key=lambda outcome: outcome["id"])  # found in no order that anybody states
    return Written((partition, offset, *numbers), short, kind, int(key), said)  # type: ignore[arg-type]  # 3 or 4
