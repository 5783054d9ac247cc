"""Records of every topic as our code writes them: golden frames and short stories through processors and encoders."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from processors.core.fastpath.latest import FastpathState
from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.latest.processor import KambiState
from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor
from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.engine.task import Batch, Partition, StreamTask
from schemas.raw import Header, RawHeaders
from schemas.replay import Position, ReplayRequest
from schemas.topics import TOPICS
from simulators.bets.slips import answered, key, placed
from simulators.bets.verdict import Found
from tests.core.driver import Driver, Record
from tests.core.fastpath import raw as fastpath
from tests.core.kambi.raw_lines import EVENT_LINE, GENERAL_KEYS, GENERAL_LINE, Lines, event_keys
from tests.core.rms.approvals import raw as rms
from tests.core.rms.join import tasks as join

GOLDEN = Path(__file__).parents[1] / "golden"
PREFIX = "tricast."
RECEIVED_NS = 1_790_000_100_123_456_789


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record as it goes to Kafka; ``topic`` without prefix; ``name`` says what wrote it."""

    name: str
    topic: str
    key: bytes | None
    headers: tuple[Header, ...]
    value: bytes | None

    @property
    def stamps(self) -> dict[str, str]:
        return {name: text.decode() for name, text in self.headers}

    @property
    def kind(self) -> str:
        """Its CloudEvents type; of what has none, what it is."""
        if "tc-code" in self.stamps:
            return "dead-letter"
        return self.stamps.get("ce_type") or self.stamps.get("tc-kind") or json.loads(self.value or b"{}")["type"]


@cache
def written() -> tuple[Written, ...]:
    """Return all of them, in an order that does not change."""
    facts = (*_kambi(), *_fastpath())
    return (*facts, *_states(facts), *_rms(), *_join(), *_bets(), *_requests())


def _through(name: str, processor: Processor, records: Sequence[Record]) -> Iterator[Written]:
    """Yield source records and what the engine's stream task makes of them."""
    source = records[0].topic.removeprefix(PREFIX)
    outputs = (*processor.outputs, f"{processor.feed}.dead-letters")
    task = StreamTask(
        Partition(records[0].topic, 0),
        processor,
        topics={topic: TOPICS[topic] for topic in outputs},
        version="0.1.0",
        stop_ratio=1.0,
        window=1000,
    )
    for record in records:
        yield Written(name=name, topic=source, key=record.key, headers=tuple(record.headers), value=record.value)
        task.process(Batch(0, task.position, record.offset + 1, [record]))
        for topic, of, value, headers, _ in task.take_outputs():
            yield Written(name=name, topic=topic, key=of, headers=tuple(headers), value=value)


def _told(name: str, drivers: Iterable[Driver]) -> Iterator[Written]:
    for driver in drivers:
        for output in driver.outputs:
            yield Written(name=name, topic=output.topic, key=output.key, headers=output.headers, value=output.value)


def _kambi() -> Iterator[Written]:
    for path in sorted(GOLDEN.glob("*.json")):
        case = json.loads(path.read_text())
        stamps = RawHeaders(
            feed="kambi",
            line=GENERAL_LINE,
            connection="6b1f6d0e-5a8f-4a59-9f0b-0c5f3f2f6c11",
            frame=1,
            received_ns=RECEIVED_NS,
            kind="frame",
        )
        at_ms = RECEIVED_NS // 1_000_000
        record = Record(offset=0, value=case["frame"].encode(), headers=stamps.to_kafka(), timestamp=at_ms)
        yield from _through(path.stem, KambiProcessor(), [record])
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(EVENT_LINE, event_keys(1))
    lines.offers([1])
    lines.tick(2, GENERAL_LINE, EVENT_LINE)
    lines.overflow(EVENT_LINE)
    lines.offers([1], odds=1600)
    lines.close(EVENT_LINE)
    yield from _told("health", [lines.driver])


def _fastpath() -> Iterator[Written]:
    for path in sorted(GOLDEN.glob("fastpath/*.json")):
        case = json.loads(path.read_text())
        partition = fastpath.Partition()
        line = partition.line(case["feed"])
        line.open()
        line.say(case["frame"].encode())
        partition.at(10)
        line.tick()
        yield from _through(path.stem, FastpathProcessor(), partition.records)
    partition = fastpath.Partition()
    line = partition.line()
    line.open()
    line.say(
        fastpath.status("Connected"), fastpath.action(1), fastpath.action(4, 1), fastpath.status("Disconnected", 2)
    )
    for second in range(1, 200):  # the hold-back ends, repairs are asked for and come to nothing
        partition.at(second)
        line.tick()
    line.overflow(3)
    line.close()
    yield from _through("gap", FastpathProcessor(), partition.records)


def _states(facts: Sequence[Written]) -> Iterator[Written]:
    """What is made of those records, one topic after the other."""
    for processor in (KambiState(), FastpathState()):
        for source in processor.sources:
            records = [
                Record(offset=n, value=fact.value, headers=fact.headers, topic=PREFIX + source, key=fact.key)
                for n, fact in enumerate(fact for fact in facts if fact.topic == source)
            ]
            yield from (one for one in _through("latest", processor, records) if one.topic in processor.outputs)


def _rms() -> Iterator[Written]:
    for path in sorted(GOLDEN.glob("rms/*.json")):
        raw = json.loads(path.read_text())["raw"]
        partition = rms.Partition()
        line = partition.line().open()
        partition.at(100.25)
        if "frame" in raw:
            line.say(raw["frame"].encode())
        else:
            asked = {name: raw["look_up"][name] for name in ("status", "code", "slip")}
            partition.line(suffix="-lookups").look_up(raw["look_up"]["body"].encode(), **asked)
        line.tick()
        line.close()
        yield from _through(path.stem, RmsApprovals(), partition.records)


def _join() -> Iterator[Written]:
    def story(name: str, *messages: object) -> Iterator[Written]:
        tasks = join.Tasks()
        tasks.send(join.time(1), *messages)  # type: ignore[arg-type]  # made by the helpers of those tests
        return _told(name, tasks.tasks)

    accept, reject = join.approval("accept", 140, 100), join.approval("reject", 142, 102)
    yield from story("accepted", *join.bet(), join.approval("accept", 20))
    yield from story("late", *join.bet(), join.time(131), accept, reject)
    yield from story("orphan", join.approval("accept", 20), join.time(622))
    yield from story("looked up", *join.bet(), join.time(131, by_code=1), join.time(131 + 10_800, by_code=1))


SLIP = {
    "betSlipId": "7d5f3c1a-0b2e-4c6d-9a8f-1f2e3d4c5b6a",
    "betSlipContext": "prematch",
    "betType": "single",
    "stake": {"totalAmount": 250.0},
    "selections": [
        {
            "eventId": "5120033471",
            "market": {"id": "1900455120", "line": "1.5"},
            "bet": {"id": "6017722934", "odds": 1.95},
        }
    ],
    "userInfo": {"id": "88017"},
}


def _bets() -> Iterator[Written]:
    found = Found(disposition="referred", code="k3v9q7a1z-m4n8p2x6c0", short_code="7306", result=True)
    values = (placed("90210", 4021, SLIP, RECEIVED_NS), answered("90210", SLIP, found, RECEIVED_NS + 10**9), b"{}")
    at_ms = RECEIVED_NS // 1_000_000
    records = [
        Record(offset=n, value=value, headers=(), topic="tricast.rms.bets", timestamp=at_ms, key=key("90210", SLIP))
        for n, value in enumerate(values)
    ]
    yield from (one for one in _through("bet platform", RmsBets(), records) if one.value != b"{}" or one.headers)


def _requests() -> Iterator[Written]:
    """What ``tricast dlq replay`` writes: one request in each topic that takes them."""
    for topic in ("kambi.raw", "fastpath.raw", "rms.raw", "rms.bets"):
        letters = topic.partition(".")[0] + ".dead-letters"
        request = ReplayRequest(
            of=Position(f"{PREFIX}{topic}", 0, 17),
            letter=Position(f"{PREFIX}{letters}", 0, 3),
            attempt=1,
            code="processor-error",
            timestamp_ms=RECEIVED_NS // 1_000_000,
            stamps=(("tc-line", GENERAL_LINE.encode()),),
        )
        yield Written(name="replay", topic=topic, key=b"0", headers=tuple(request.to_kafka()), value=b"{}")
