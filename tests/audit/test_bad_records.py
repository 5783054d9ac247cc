"""Raw records that no connector writes: each is accounted for by its dead letter, and the audit lives on."""

import json
from typing import Any

import pytest

from processors.core.kambi.processor import KambiProcessor
from processors.engine.task import Batch, Partition, StreamTask
from schemas.topics import TOPICS
from tests.core.driver import Record
from tricast.audit.judge import Judge
from tricast.audit.records import to_output, to_raw
from tricast.audit.report import Report

TOPIC = "tricast.kambi.raw"
START_NS = 1_790_000_000 * 10**9
FRAME: dict[str, bytes | None] = {
    "tc-feed": b"kambi",
    "tc-line": b"line",
    "tc-connection": b"c",
    "tc-received-ns": b"%d" % START_NS,
    "tc-kind": b"frame",
}
DEEP = b"[" * 100_000
BAD: dict[str, tuple[dict[str, bytes | None], bytes | None]] = {
    "no headers": (dict.fromkeys([*FRAME, "tc-frame"], None), b"x"),
    "null kind": ({"tc-kind": None}, b"x"),
    "null line": ({"tc-line": None}, b"x"),
    "number that is none": ({"tc-frame": b"x"}, b"x"),
    "number below nothing": ({"tc-frame": b"-1"}, b"x"),
    "time that is none": ({"tc-received-ns": b"1_0"}, b"x"),
    "time an hour and more after the record's": ({"tc-received-ns": b"%d" % (START_NS + 3601 * 10**9)}, b"x"),
    "time at the end of all time": ({"tc-received-ns": b"9" * 19, "tc-kind": b"tick"}, b"{}"),
    "line of a megabyte": ({"tc-line": b"l" * 2**20}, b"x"),
    "line that is no text": ({"tc-line": b"\xff"}, b"x"),
    "frame without value": ({}, None),
    "unknown kind": ({"tc-kind": b"x"}, b"x"),
    "deep frame": ({}, DEEP),
    "deep message": ({}, b'2["message",%b' % DEEP),
    "deep control record": ({"tc-kind": b"opened"}, DEEP),
    "deep overflow": ({"tc-kind": b"overflow"}, DEEP),
    "overflow of no number": ({"tc-kind": b"overflow", "tc-frame": b"9"}, b'{"lost":"x"}'),
    "endless shards": ({"tc-kind": b"opened"}, b'{"shard":0,"shards":1e999}'),
    "more shards than there are": ({"tc-kind": b"opened"}, b'{"shard":0,"shards":5}'),
    "shard past the last": ({"tc-kind": b"opened"}, b'{"shard":2,"shards":2}'),
    "keys that are none": ({"tc-kind": b"opened"}, b'{"shard":1,"shards":2,"keys":7}'),
    "opened without a word": ({"tc-kind": b"opened"}, b"{}"),
    "deep snapshot": ({"tc-kind": b"snapshot", "tc-position": b"x", "tc-status": b"200"}, DEEP),
    "snapshot without position": ({"tc-kind": b"snapshot"}, b'{"betOffers":[{"id":{},"eventId":[]}]}'),
}


def message(number: int) -> bytes:
    children = [{"t": "1790000000001", "mt": 18, "er": {"eventId": event}} for event in (number, number + 1)]
    return f'2["message",{json.dumps(json.dumps(children))}]'.encode()


@pytest.mark.parametrize(("stamps", "value"), BAD.values(), ids=BAD.keys())
def test_bad_record_is_accounted_for_and_changes_nothing_for_those_after_it(
    stamps: dict[str, bytes | None], value: bytes | None
):
    processor, report = KambiProcessor(), Report()
    topics = {name: TOPICS[name] for name in (*processor.outputs, "kambi.dead-letters")}
    task = StreamTask(Partition(TOPIC, 0), processor, topics=topics, version="1", stop_ratio=1.0, window=9)
    judge = Judge(TOPIC, 0, report, from_start=True, ledger=None)
    headers: Any = [
        FRAME | {"tc-kind": b"opened", "tc-frame": b"0"},
        FRAME | {"tc-frame": b"1"},
        FRAME | {"tc-frame": b"2"} | stamps,
        FRAME | {"tc-frame": b"3"},
    ]
    values = [b'{"shard":0,"shards":2,"keys":[]}', message(2), value, message(4)]
    for offset, (stamped, content) in enumerate(zip(headers, values, strict=True)):
        record = Record(offset=offset, value=content, headers=list(stamped.items()))
        task.process(Batch(0, offset, offset + 1, [record]))
        written = [
            to_output(
                Record(offset=number, value=body, headers=more, topic=topic, key=key),
                TOPIC,
                dead=topic == "kambi.dead-letters",
            )
            for number, (topic, key, body, more, _) in enumerate(task.take_outputs())
            if topic != "kambi.health"
        ]
        judge.judge(to_raw(record), written)
    assert not task.counts.failures
    assert {kind: number for kind, number in report.findings.items() if kind != "hole"} == {}, report.examples


@pytest.mark.parametrize(
    "stamps",
    [{}, FRAME | {"tc-frame": b"0", "tc-kind": b"tick", "tc-received-ns": b"%d" % (START_NS + 3601 * 10**9)}],
    ids=["no headers", "a tick of the future"],
)
def test_bad_record_without_a_dead_letter_is_lost(stamps: dict[str, bytes]):
    report = Report()
    judge = Judge(TOPIC, 0, report, from_start=True, ledger=None)
    judge.judge(to_raw(Record(offset=0, value=b"{}", headers=list(stamps.items()))), [])
    assert dict(report.findings) == {"lost": 1}
