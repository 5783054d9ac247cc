"""A poison record costs itself: whatever it is, its partition goes on, and what comes after it comes out the same."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Context, Hole, Processor, SourceRecord
from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.engine.task import Batch, Output, Partition, StreamTask
from schemas.topics import TOPICS
from tests.core.rms.join.recorded_run import join
from tests.fuzz.run import TARGETS
from tests.fuzz.target import Input

RECORDS = 120
MAKERS = {
    "kambi": KambiProcessor,
    "fastpath.audit": FastpathProcessor,
    "rms.approvals": RmsApprovals,
    "rms.bets": RmsBets,
    "rms.join": join,
}
POISON: dict[str, bytes | None] = {
    "nothing": None,
    "empty": b"",
    "not JSON": b"<html>502 Bad Gateway</html>",
    "no UTF-8": b'2["message","\xff\xfe\xed\xa0\x80"]',
    "cut short": b'2["message","[{\\"t\\":\\"17900',
    "of another feed": b'2["RESERVE_BET_ACCEPT",{"fixtureAction":{"fixtureSeqNum":1}}]',
    "deep": b'2["message",' + b"[" * 100_000,
    "deep and closed": b'{"error":' * 600 + b"1" + b"}" * 600,
    "numbers beyond all": b'{"type":"time","customer":"7","now_ns":1e400,"seqNum":' + b"9" * 5000 + b"}",
    "NaN": b'{"fixtureAction":{"fixtureSeqNum":NaN,"timelineSequence":Infinity}}',
    "a name twice": b'{"fixtureAction":{"fixtureSeqNum":1,"fixtureSeqNum":-1}}',
    "half a pair": b'2["message","[{\\"mt\\":20,\\"desc\\":{\\"eventId\\":1,\\"description\\":\\"\\\\ud800\\"}}]"]',
    "a megabyte": b'2["message","' + b"x" * 1_000_000 + b'"]',
}
STAMPS: dict[str, tuple[tuple[str, bytes | None], ...]] = {
    "sound stamps": (),
    "no number": (("tc-frame", b"one"),),
    "no time": (("tc-received-ns", None),),
    "unknown kind": (("tc-kind", b"poison"),),
    "stamps of 5,000 digits": (("tc-frame", b"9" * 5000), ("tc-received-ns", b"9" * 5000)),
}


@dataclass(frozen=True, slots=True)
class _Record:
    offset: int
    value: bytes | None
    headers: object
    key: bytes | None
    timestamp: int
    topic: str
    partition: int = 0


def played(processor: Processor, inputs: Sequence[Input], poison: Sequence[tuple[int, _Record]]) -> list[Output]:
    """Return what came of ``inputs`` beside dead letters, ``poison`` put in after the places it is for."""
    topic = f"tricast.{processor.sources[0]}"
    names = (*processor.outputs, f"{processor.feed}.dead-letters")
    topics = {name: TOPICS[name] for name in names}
    task = StreamTask(Partition(topic, 0), processor, topics=topics, version="v", stop_ratio=1.0, window=1000)
    bad = dict(poison)
    written: list[Output] = []
    for number, given in enumerate(inputs):
        offset = 2 * number  # between two records is room for a bad one, so that positions are the same without
        record = _Record(offset, given.value, given.headers, given.key, given.timestamp_ms, topic)
        records = [record, *([replace(bad[number], topic=topic)] if number in bad else [])]
        task.process(Batch(0, task.position, offset + 2, records))  # type: ignore[arg-type]
        written += task.take_outputs()
    return written


def without_poison(outputs: Sequence[Output], feed: str) -> list[Output]:
    return [output for output in outputs if output[0] != f"{feed}.dead-letters" and b"poison" not in (output[1] or b"")]


@pytest.mark.parametrize("name", MAKERS)
def test_what_comes_after_poison_comes_out_the_same(name: str):
    target = TARGETS[name]
    inputs = list(max(target.samples(), key=len)[:RECORDS])
    bad = list(_poison(inputs))
    places = range(3, len(inputs), max(1, len(inputs) // (len(bad) + 1)))
    put = [(place, replace(one, offset=2 * place + 1)) for place, one in zip(places, bad, strict=False)] or [
        (0, replace(bad[0], offset=1))
    ]
    clean = played(MAKERS[name](), inputs, [])
    poisoned = played(MAKERS[name](), inputs, put)
    feed = MAKERS[name]().feed
    assert clean, "the run says something"
    assert without_poison(poisoned, feed) == without_poison(clean, feed)
    codes = [dict(headers)["tc-code"] for topic, _, _, headers, _ in poisoned if topic == f"{feed}.dead-letters"]
    assert b"processor-error" not in codes, "each kind is expected, none is an exception"
    assert len(codes) > len([o for o in clean if o[0] == f"{feed}.dead-letters"]), "and told"


def _poison(inputs: Sequence[Input]):
    stamps = {
        "tc-feed": b"poison", "tc-line": b"poison", "tc-connection": b"poison", "tc-frame": b"1", "tc-kind": b"frame",
        "tc-received-ns": b"1",
    }  # fmt: skip
    bare = not inputs[0].headers
    for value in POISON.values():
        for changed in STAMPS.values() if value == b"" and not bare else ((),):
            headers = () if bare else tuple((stamps | dict(changed)).items())
            yield _Record(0, value, headers, b"poison", inputs[0].timestamp_ms, "")


class _Broken:
    """A core with a bug: one kind of record is too much for it."""

    name, feed, sources, outputs = "rms.bets", "rms", ("rms.bets",), ("rms.pending",)

    def process(self, record: SourceRecord, context: Context) -> None:
        context.store.put(b"last", record.value or b"")
        context.forward("rms.pending", b"k", record.value, [])
        if record.value == b"poison":
            raise RecursionError("a bug of ours")

    def on_hole(self, hole: Hole, context: Context) -> None:
        raise AssertionError("never told")


def test_a_bug_in_a_core_costs_its_record_alone():
    inputs = [Input(value) for value in (b"1", b"2", b"poison", b"3", b"4")]
    outputs = played(_Broken(), inputs, [])
    assert [value for topic, _, value, _, _ in outputs if topic == "rms.pending"] == [b"1", b"2", b"3", b"4"]
    assert [value for topic, _, value, _, _ in outputs if topic == "rms.dead-letters"] == [b"poison"]
