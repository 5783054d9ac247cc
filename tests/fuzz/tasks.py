"""Whole processors, each in a real stream task: raw records in, and everything that comes out is looked at."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random
from typing import Any, Final

from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Context, Hole, Processor, SourceRecord
from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.engine.task import Batch, Output, Partition, StreamTask
from schemas.codec import MODELS, decode
from schemas.raw import Kind, RawHeaders
from schemas.rms import pending
from schemas.rms.fields import PENDING
from schemas.topics import TOPICS
from tests.core.fastpath.recorded_run import recorded_run as fastpath_run
from tests.core.rms.approvals.recorded_run import recorded_run as approvals_run
from tests.core.rms.bet_records import ANSWERED, LOGGED_MS, PLACED
from tests.core.rms.join.recorded_run import Run, join
from tests.fuzz import golden
from tests.fuzz.mutate import mutated_header
from tests.fuzz.target import Input, Take, Target
from tests.oracle.delivery import random_history as kambi_history
from tests.oracle.fastpath.delivery import random_history as fastpath_history
from tricast.dlq.letters import read_letter
from tricast.dlq.requests import request_of

_REPLAYED: Final = 0.2
"""Share of dead letters that are replayed."""
_START_MS: Final = 1_790_000_000_000


class _Told:
    """A processor whose exceptions are kept: a stream task makes dead letters of them."""

    def __init__(self, processor: Processor) -> None:
        self.name, self.feed, self.sources, self.outputs = (
            processor.name, processor.feed, processor.sources, processor.outputs,
        )  # fmt: skip
        self._processor = processor
        self.error: Exception | None = None

    def process(self, record: SourceRecord, context: Context) -> None:
        try:
            self._processor.process(record, context)
        except Exception as error:
            self.error = error
            raise

    def on_hole(self, hole: Hole, context: Context) -> None:
        try:
            self._processor.on_hole(hole, context)
        except Exception as error:
            self.error = error
            raise


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    value: bytes | None
    headers: Any  # Kafka allows null headers, which the protocol of records does not say
    key: bytes | None
    timestamp: int
    topic: str
    partition: int = 0


class _Fed:
    """One stream task over a session."""

    def __init__(self, processor: Processor) -> None:
        self._processor = _Told(processor)
        self._topic = f"tricast.{processor.sources[0]}"
        self._task = self._new()
        self._letters = f"{processor.feed}.dead-letters"

    def take(self, given: Input) -> None:
        if given.restart:
            self._restart()
        for topic, key, value, headers, timestamp in self._process(given):
            random = Random(self._task.position)
            if topic == self._letters and random.random() < _REPLAYED:
                self._replay(_Record(1, value, _changed(headers, random), key, timestamp, f"tricast.{topic}"), random)

    def _replay(self, record: "_Record", random: Random) -> None:
        """Ask for what became a dead letter again, as `tricast dlq` does; or as something like it does."""
        letter = read_letter(record)  # type: ignore[arg-type]
        if letter is None:
            return
        row = request_of(letter)
        self._process(Input(row.value, _changed(row.headers, random), row.key, letter.timestamp_ms))

    def _process(self, given: Input) -> list[Output]:
        task = self._task
        record = _Record(task.position, given.value, given.headers, given.key, given.timestamp_ms, self._topic)
        task.process(Batch(0, task.position, task.position + 1, [record]))
        if self._processor.error is not None:
            raise self._processor.error
        outputs = task.take_outputs()
        for output in outputs:
            _check(output)
        dict(task.store.take_changes())  # as a cycle does
        return outputs

    def _new(self) -> StreamTask:
        names = (*self._processor.outputs, f"{self._processor.feed}.dead-letters")
        topics = {name: TOPICS[name] for name in names}
        partition = Partition(self._topic, 0)
        return StreamTask(partition, self._processor, topics=topics, version="fuzz", stop_ratio=1.0, window=10**9)

    def _restart(self) -> None:
        """Go on as a task that was restored from its changelog."""
        before, after = self._task, self._new()
        for key, value in before.store.items():
            after.store.put(key, value)
        after.store.keep()
        after.repeats = before.repeats
        after.position, after.stream_time_ns = before.position, before.stream_time_ns
        self._task = after


def _changed(headers: Sequence[tuple[str, bytes | None]], random: Random) -> tuple[tuple[str, bytes | None], ...]:
    if random.random() < 0.5:
        return tuple(headers)
    at = random.randrange(len(headers))
    name, content = headers[at]
    return (*headers[:at], (name, mutated_header(content, random)), *headers[at + 1 :])


def _check(output: Output) -> None:
    """Whatever came in: what goes out satisfies its own schema, and a Kafka client can write it."""
    topic, _, value, headers, timestamp = output
    assert -1 <= timestamp < 2**63
    stamps = dict(headers)
    assert all(isinstance(content, bytes) for content in stamps.values())
    if value is not None and topic == PENDING:
        pending.decode(value)
    if value is None or "ce_type" not in stamps:
        return
    ce_type = stamps["ce_type"].decode()
    if ce_type in MODELS:
        decode(ce_type, value)
    json.loads(value, parse_constant=_no_json)


def _no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


# -- samples -----------------------------------------------------------------------------------------------------------

_HISTORIES: Final = 40


@cache
def _kambi() -> Sequence[Sequence[Input]]:
    played = (kambi_history(seed).partitions.values() for seed in range(_HISTORIES))
    runs = [
        [Input(raw.value, tuple(raw.headers), raw.key, raw.timestamp) for raw in records]
        for partitions in played
        for records in partitions
    ]
    return [run for run in runs if run] + [_framed("kambi", "kambi-0-general", golden.kambi_frames())]


@cache
def _fastpath() -> Sequence[Sequence[Input]]:
    runs = [
        [
            Input(raw.value, tuple(raw.headers), raw.key, _stamp_ms(raw.headers))
            for raw in fastpath_history(seed).records
        ]
        for seed in range(_HISTORIES)
    ]
    recorded = [Input(r.value or b"", tuple(r.headers), r.key, r.timestamp) for r in fastpath_run().records]
    feed = "soccer/fixtures/11111111-2222-4333-8444-555555555555/actions"
    return [*(run for run in runs if run), recorded, recorded, _framed("fastpath", feed, golden.fastpath_frames())]


@cache
def _approvals() -> Sequence[Sequence[Input]]:
    recorded = [Input(r.value or b"", tuple(r.headers), r.key, r.timestamp) for r in approvals_run().records]
    return [recorded, recorded, recorded, _framed("rms", "rms-90210", golden.rms_frames())]


@cache
def _bets() -> Sequence[Sequence[Input]]:
    bodies = [json.dumps(body).encode() for body in (PLACED, ANSWERED)]
    return [[Input(body, (), key, LOGGED_MS) for body in bodies for key in (None, b"90210:s-1")] * 4]


@cache
def _pending() -> Sequence[Sequence[Input]]:
    records = Run(20261121).play().tasks.records
    partitions = sorted({record.partition for record in records})
    runs = ([r for r in records if r.partition == partition] for partition in partitions)
    return [[Input(r.value or b"", (), r.key, r.timestamp) for r in run] for run in runs]


def _framed(feed: str, line: str, frames: Sequence[bytes]) -> list[Input]:
    """Return ``frames`` as one connection's, with an ``opened`` before them and ticks between."""
    inputs = []
    opened = json.dumps(
        {"customer": "90210", "feed": line, "url": "", "shard": 0, "shards": 1, "keys": [], "events": 0}
    )
    numbered: list[tuple[Kind, bytes]] = [("opened", opened.encode())]
    for number, value in enumerate(frames):
        numbered.append(("frame", value))
        if number % 7 == 0:
            numbered.append(("tick", b'{"open":true,"shards":1}'))
    frame = 0
    for at, (kind, value) in enumerate(numbered):
        frame += kind == "frame"
        ms = _START_MS + at * 200
        stamps = RawHeaders(
            feed=feed,
            line=line,
            connection="c-1",
            frame=frame,
            received_ns=ms * 1_000_000,
            kind=kind,
        )
        inputs.append(Input(value, tuple(stamps.to_kafka()), b"0", ms))
    return inputs


def _stamp_ms(headers: Sequence[tuple[str, bytes]]) -> int:
    return int(dict(headers).get("tc-received-ns", b"0")) // 1_000_000


def _begin(make: Callable[[], Processor]) -> Take:
    return _Fed(make()).take


TASKS: Final = (
    Target(name="kambi", samples=_kambi, begin=partial(_begin, KambiProcessor), share=6, session=60, changed=0.5),
    Target(
        name="fastpath.audit",
        samples=_fastpath,
        begin=partial(_begin, FastpathProcessor),
        share=6,
        session=60,
        changed=0.5,
    ),
    Target(
        name="rms.approvals", samples=_approvals, begin=partial(_begin, RmsApprovals), share=4, session=60, changed=0.5
    ),
    Target(name="rms.bets", samples=_bets, begin=partial(_begin, RmsBets), share=3),
    Target(name="rms.join", samples=_pending, begin=partial(_begin, join), share=3, session=60, changed=0.5),
)
