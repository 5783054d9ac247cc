"""Control records, holes, determinism."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Hole, Processor
from schemas.codec import validate
from schemas.kambi.codes import Code
from schemas.topics import TOPICS
from tests.core.driver import Driver, Record
from tests.core.kambi.frames import frame, odds, status

AT_NS = 1_790_000_100_123_456_789
LINE = "kambi-0-events-3"


def health(driver: Driver) -> list[dict[str, object]]:
    for output in driver.outputs:
        assert output.topic == "kambi.health"
        gapped = json.loads(output.value)["state"] == "gapped"
        assert (output.key == LINE.encode()) is not gapped, "compaction must not replace a gap"
        assert output.key.startswith(LINE.encode())
        assert output.header("ce_subject") == LINE
        validate(output.header("ce_type"), output.value)
    return [json.loads(output.value) for output in driver.outputs]


def control(kind: str, value: bytes) -> Driver:
    driver = Driver(KambiProcessor())
    driver.feed(value, kind=kind, line=LINE, connection="c-2", at_ns=AT_NS)  # type: ignore[arg-type]  # parametrized
    return driver


RESUMED = {"line": LINE, "state": "live", "reason": "resumed", "since_ns": AT_NS, "connection": "c-2"}
CONTROLS = {
    "first connect": (
        "opened",
        {"shard": 0, "shards": 1, "url": "ws://127.0.0.1", "keys": [], "previous_connection": None},
        [{"line": LINE, "state": "live", "reason": "opened", "since_ns": AT_NS, "connection": "c-2"}],
    ),
    "connect after another": (
        "opened",
        {"previous_connection": "c-1", "previous_frame": 17},
        [
            {
                "line": LINE,
                "state": "gapped",
                "reason": "reconnected",
                "since_ns": AT_NS,
                "connection": "c-2",
                "ours": False,
                "previous_connection": "c-1",
                "previous_frame": 17,
            },
            RESUMED,
        ],
    ),
    "closed": (
        "closed",
        {"code": 1006, "reason": "ping timeout", "frames": 3},
        [
            {
                "line": LINE,
                "state": "down",
                "reason": "closed",
                "since_ns": AT_NS,
                "connection": "c-2",
                "close_code": 1006,
                "close_reason": "ping timeout",
            }
        ],
    ),
    "overflow": (
        "overflow",
        {"lost": 5, "first_frame": 8, "last_frame": 12},
        [
            {
                "line": LINE,
                "state": "gapped",
                "reason": "overflow",
                "since_ns": AT_NS,
                "connection": "c-2",
                "ours": True,
                "first_frame": 8,
                "last_frame": 12,
                "lost_frames": 5,
            },
            RESUMED,
        ],
    ),
    "tick": ("tick", {}, []),
}


@pytest.mark.parametrize(("kind", "value", "expected"), CONTROLS.values(), ids=CONTROLS.keys())
def test_control_record_says_the_health_of_its_line(kind: str, value: object, expected: list[dict[str, object]]):
    driver = control(kind, json.dumps(value).encode())
    assert health(driver) == expected
    assert driver.dead_letters == []


@pytest.mark.parametrize("value", [b"", b"[]", b"{", b'{"previous_connection":7}', b'{"lost":"many"}', b"\xff"])
def test_unreadable_control_record_is_a_dead_letter(value: bytes):
    driver = control("overflow" if b"lost" in value else "opened", value)
    assert [(dead.value, dead.code) for dead in driver.dead_letters] == [(value, Code.BAD_CONTROL)]


def test_unknown_kind_and_foreign_records_are_dead_letters():
    driver = control("newsletter", b"{}")
    driver.feed_record(Record(offset=1, value=b"x", headers=[]))
    driver.feed_record(Record(offset=2, value=None, headers=[("tc-kind", b"frame"), ("tc-line", b"\xff")]))
    assert [dead.code for dead in driver.dead_letters] == [Code.UNKNOWN_KIND, Code.BAD_HEADERS, Code.BAD_HEADERS]


def test_hole_is_our_loss():
    driver = Driver(KambiProcessor())
    driver.hole(Hole(line=LINE, connection="c-2", first=4, last=6, received_ns=AT_NS))
    assert health(driver) == [
        {
            "line": LINE,
            "state": "gapped",
            "reason": "hole",
            "since_ns": AT_NS,
            "connection": "c-2",
            "ours": True,
            "first_frame": 4,
            "last_frame": 6,
            "lost_frames": 3,
        },
        RESUMED,
    ]
    assert [output.header("ce_id") for output in driver.outputs] == [f"{LINE}/c-2/4-6/0", f"{LINE}/c-2/4-6/1"]


def test_declares_topics_of_the_registry():
    processor: Processor = KambiProcessor()
    assert {*processor.sources, *processor.outputs, f"{processor.feed}.dead-letters"} <= TOPICS.keys()


def digest_of_a_run() -> str:
    driver = Driver(KambiProcessor())
    for number in range(300):
        line = f"kambi-0-events-{number % 3}"
        child = odds(f'{{"id":{number % 7},"betOfferId":{number % 5},"odds":1500}}', t=number // 4)
        driver.feed(frame(child, status(number % 11), "junk"), line=line, at_ns=AT_NS + number * 10_000_000_000)
        driver.feed(b"{}", kind="tick", line=line)
    everything = repr((driver.outputs, driver.dead_letters, list(driver.store.entries.items())))
    return hashlib.sha256(everything.encode()).hexdigest()


def test_same_records_give_the_same_bytes_in_any_process():
    command = [sys.executable, "-c", f"import {__name__} as t; print(t.digest_of_a_run())"]
    digests = {
        subprocess.run(
            command,
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert digests == {digest_of_a_run()}
