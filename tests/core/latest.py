"""A stream task that folds facts, what a compacted topic keeps of what it writes, and a reader who starts late."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from processors.core.processor import Processor
from processors.engine.task import Batch, Partition, StreamTask
from schemas.codec import MODELS, schema_uri
from schemas.conformance import faults
from schemas.raw import Header
from schemas.topics import TOPICS
from tests.core.driver import Record

START_NS = 1_790_000_000_000_000_000
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """A record of a state topic, where it stands in its partition."""

    offset: int
    key: str
    value: Json | None
    headers: dict[str, str]

    @property
    def fact(self) -> tuple[str, int]:
        """Topic and offset of the fact that it was changed by."""
        topic, _, offset, _ = self.headers["ce_id"].split("/")
        return topic, int(offset)


@dataclass
class States:
    """One partition: a task for each topic of facts, and the log that they write to."""

    processor: Processor
    feed: str = "kambi"
    log: list[Written] = field(default_factory=list)
    letters: list[tuple[str, bytes]] = field(default_factory=list)
    tasks: dict[str, StreamTask] = field(default_factory=dict)
    facts: dict[str, list[Record]] = field(default_factory=dict)

    def say(self, ce_type: str, **value: Any) -> list[Written]:
        """Have the next fact be written and folded; return what came of it."""
        return self.fold(self.fact(ce_type, value))

    def fact(self, ce_type: str, value: Any, *marks: Header, at_ns: int | None = None) -> Record:
        """Write the next fact of its topic."""
        topic = MODELS[ce_type].topic if ce_type in MODELS else self.processor.sources[0]
        written = self.facts.setdefault(topic, [])
        offset = len(written) * 2  # transaction markers stand between
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", f"tricast.{self.feed}.raw/0/{offset}/0".encode()),
            ("ce_type", ce_type.encode()),
            ("ce_time", b"2026-09-21T14:13:20.001Z"),
            ("ce_tcreceived", b"%d" % (START_NS + offset if at_ns is None else at_ns)),
            *marks,
        ]
        payload = value if isinstance(value, bytes) else json.dumps(value).encode()
        written.append(Record(offset=offset, value=payload, headers=headers, topic=f"tricast.{topic}", key=b"7"))
        return written[-1]

    def fold(self, record: Record) -> list[Written]:
        """Fold a fact that stands in its topic; every record that comes of it must keep its contract."""
        task = self._task(record.topic)
        task.process(Batch(0, task.position, record.offset + 1, [record]))
        before = len(self.log)
        for topic, key, payload, headers, _ in task.take_outputs():
            if topic.endswith("dead-letters"):
                self.letters.append((dict(headers)["tc-code"].decode(), payload or b""))
                continue
            assert faults(TOPICS[topic], headers, payload) == []
            said = {name: text.decode() for name, text in headers}
            assert said["ce_dataschema"] == schema_uri(said["ce_type"])
            value = None if payload is None else json.loads(payload)
            if value is not None:
                fact = f"tricast.{record.topic.removeprefix('tricast.')}/0/{record.offset}"
                assert value["fact"] == fact == said["ce_id"].rpartition("/")[0]
                assert value["fact_id"] == dict(record.headers)["ce_id"].decode()
            self.log.append(Written(len(self.log), (key or b"").decode(), value, said))
        return self.log[before:]

    def restart(self) -> None:
        """Have all tasks begin anew with what their changelogs have."""
        old, self.tasks = self.tasks, {}
        for topic, task in old.items():
            after = self._task(topic)
            for key, value in task.store.items():
                after.store.restore(key, value)
            after.position = task.position

    @property
    def now(self) -> dict[str, Json]:
        """What the state topic adds up to."""
        return newest(self.log)

    def _task(self, topic: str) -> StreamTask:
        if topic not in self.tasks:
            outputs = (*self.processor.outputs, f"{self.processor.feed}.dead-letters")
            self.tasks[topic] = StreamTask(
                Partition(topic, 0),
                self.processor,
                topics={name: TOPICS[name] for name in outputs},
                version="0",
                stop_ratio=1.0,
                window=1000,
            )
        return self.tasks[topic]


def newest(log: Iterable[Written]) -> dict[str, Json]:
    """Return the newest value of each key that is not gone."""
    found: dict[str, Json] = {}
    for record in log:
        if record.value is None:
            found.pop(record.key, None)
        else:
            found[record.key] = record.value
    return found


def compacted(log: Sequence[Written], upto: int, *, tombstones: bool) -> list[Written]:
    """Return ``log`` as a cleaner may leave it: only the last of each key below ``upto``, and maybe no tombstone."""
    last = {record.key: record.offset for record in log[:upto]}
    return [
        record
        for record in log
        if record.offset >= upto or (last[record.key] == record.offset and (tombstones or record.value is not None))
    ]


def said(states: dict[str, Json]) -> dict[str, Json]:
    """Return states without where they stand."""
    return {
        key: {name: value for name, value in state.items() if name not in {"fact", "fact_id"}}
        for key, state in states.items()
    }
