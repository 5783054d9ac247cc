"""Headers and control records that no connector writes: a dead letter each, and nothing of them in state or outputs."""

import json
from typing import Any

import pytest

from processors.core.kambi.processor import KambiProcessor
from schemas.kambi.codes import Code
from tests.core.driver import Driver, Record
from tests.core.kambi.frames import frame, odds
from tests.core.kambi.raw_lines import EVENT_LINE, GENERAL_KEYS, GENERAL_LINE, START_NS, Lines, event_keys

EVENT = 1020000001
RECEIVED = b"%d" % START_NS
FRAME = {
    "tc-kind": b"frame",
    "tc-line": GENERAL_LINE.encode(),
    "tc-connection": b"c-1",
    "tc-frame": b"1",
    "tc-received-ns": RECEIVED,
}
SNAPSHOT = FRAME | {
    "tc-kind": b"snapshot",
    "tc-position": b"betoffer/event/%d.json" % EVENT,
    "tc-requested-ns": RECEIVED,
    "tc-status": b"200",
}
OFFERS = json.dumps(
    {"betOffers": [{"id": 1, "eventId": EVENT, "outcomes": [{"id": 2, "odds": 1500}]}], "events": [{"id": EVENT}]}
).encode()
BAD_FRAMES: dict[str, dict[str, bytes | None]] = {
    "no number of the frame": {"tc-frame": None},
    "a number that is none": {"tc-frame": b"x"},
    "a number below nothing": {"tc-frame": b"-1"},
    "a number of too many digits": {"tc-frame": b"9" * 20},
    "a time with a mark in it": {"tc-received-ns": b"1_790_000_000_000_000_000"},
    "a time below nothing": {"tc-received-ns": b"-1"},
    "a time of too many digits": {"tc-received-ns": b"9" * 25},
    "a line as long as a bulk": {"tc-line": b"kambi" * 1_000_000},
    "a connection as long as a bulk": {"tc-connection": b"c" * 5_000_000},
}
BAD_SNAPSHOTS: dict[str, dict[str, bytes | None]] = {
    "asked for after the answer": {"tc-requested-ns": b"%d" % (START_NS + 10 * 365 * 86_400 * 10**9)},
    "asked for before all time": {"tc-requested-ns": b"-5"},
    "asked for at no 64-bit time": {"tc-requested-ns": b"9" * 30},
    "a status that is none": {"tc-status": b"x"},
    "a position that is no text": {"tc-position": b"\xff"},
}


def feed(stamps: dict[str, bytes | None], value: bytes) -> Driver:
    driver = Driver(KambiProcessor())
    headers: Any = list(stamps.items())
    driver.feed_record(Record(offset=0, value=value, headers=headers))
    return driver


@pytest.mark.parametrize("stamps", BAD_FRAMES.values(), ids=BAD_FRAMES.keys())
def test_frame_with_a_stamp_that_is_none_is_a_dead_letter(stamps: dict[str, bytes | None]):
    driver = feed(FRAME | stamps, frame(odds('{"id":1,"betOfferId":1,"odds":1500}', t=1_790_000_000_000)))
    assert [dead.code for dead in driver.dead_letters] == [Code.BAD_HEADERS]
    assert not driver.outputs
    assert not driver.store.entries


@pytest.mark.parametrize("stamps", BAD_SNAPSHOTS.values(), ids=BAD_SNAPSHOTS.keys())
def test_snapshot_with_a_stamp_that_is_none_is_a_dead_letter(stamps: dict[str, bytes | None]):
    driver = feed(SNAPSHOT | stamps, OFFERS)
    assert [dead.code for dead in driver.dead_letters] == [Code.BAD_HEADERS]
    assert not driver.outputs
    assert not driver.store.entries


def test_what_is_asked_for_is_an_id_or_no_request_of_ours():
    """Else the event's health would name an event that no consumer's long holds."""
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    told = len(lines.driver.outputs)
    lines.snapshot(f"betoffer/event/{2**63}.json", {"betOffers": [], "events": []})
    assert [dead.code for dead in lines.driver.dead_letters] == [Code.BAD_SNAPSHOT]
    assert len(lines.driver.outputs) == told


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("overflow", {"lost": -1}),
        ("overflow", {"lost": 2**63}),
        ("overflow", {"lost": 1, "first_frame": -1}),
        ("overflow", {"lost": 1, "first_frame": 1, "last_frame": -1}),
        ("opened", {"keys": [], "previous_connection": "c", "previous_frame": -1}),
    ],
)
def test_control_record_with_a_number_that_counts_no_frames_is_a_dead_letter(kind: Any, value: object):
    lines = Lines()
    lines.open(EVENT_LINE, event_keys(EVENT))
    told, before = len(lines.driver.outputs), dict(lines.driver.store.entries)
    lines.record(kind, EVENT_LINE, value)
    assert [dead.code for dead in lines.driver.dead_letters] == [Code.BAD_CONTROL]
    assert len(lines.driver.outputs) == told
    assert lines.driver.store.entries == before
