"""What ends a line's good name, and what restores it."""

import json
from collections.abc import Callable

import pytest

from processors.core.kambi.alarms import (
    COPIES,
    COPIES_WINDOW_S,
    DELIVERY_S,
    LOST_S,
    SIDE_MESSAGES,
    SIDE_WINDOW_S,
    SILENT_S,
)
from processors.core.kambi.channels import Holding, read_keys
from processors.core.kambi.dedupe import WINDOW_S
from processors.core.kambi.watch import LINE_KEPT_S
from schemas.kambi.codes import Code, Count
from tests.core.kambi.frames import odds
from tests.core.kambi.raw_lines import EVENT_LINE, GENERAL_KEYS, GENERAL_LINE, START_NS, Lines, event_keys

BOTH = (GENERAL_LINE, EVENT_LINE)
STANDBY = f"{EVENT_LINE}.b"


def two_lines() -> Lines:
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(EVENT_LINE, event_keys(1))
    lines.told()
    return lines


KEYS = {
    "general pair": (GENERAL_KEYS, Holding(keys=2, general=True, events=())),
    "extended pair": (("v2018.ub.sv_SE.ext.ev.json", "v2018.ub.ext.ev.json"), Holding(keys=2, general=True, events=())),
    "event pairs": (event_keys(12, 3), Holding(keys=4, general=False, events=(3, 12))),
    "half pairs": (("v2018.ub.en.ev.json", "v2018.ub.ev.7.json"), Holding(keys=2, general=False, events=())),
    "settled": (("v2018.ub.bh.json",), Holding(keys=1, general=False, events=())),
    "twice": (GENERAL_KEYS[:1] * 2, Holding(keys=1, general=False, events=())),
    "nonsense": (("", "v2018.u.ext.ev.7.json", "v2018.u.en.ext.ev.7.json"), Holding(keys=3, general=False, events=())),
    "no id of ours": (event_keys(2**63), Holding(keys=2, general=False, events=())),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "holding"), KEYS.values(), ids=KEYS.keys())
def test_keys_amount_to_channels(keys: tuple[str, ...], holding: Holding):
    assert read_keys(keys) == holding


def test_line_that_stops_ticking_is_silent_then_down_then_back():
    lines = two_lines()
    lines.tick(SILENT_S, GENERAL_LINE)
    assert lines.told_of(EVENT_LINE) == []
    lines.tick(2, GENERAL_LINE)
    assert lines.told_of(EVENT_LINE) == [("suspect", "silent")]
    lines.tick(1, *BOTH)
    assert lines.told_of(EVENT_LINE) == [("live", "resumed")]
    lines.tick(LOST_S + 2, GENERAL_LINE)
    assert lines.told_of(EVENT_LINE) == [("suspect", "silent"), ("down", "silent")]
    lines.tick(1, *BOTH)
    assert lines.told_of(EVENT_LINE) == [("live", "resumed")]
    lines.tick(SILENT_S + 2, GENERAL_LINE)
    assert lines.told_of(EVENT_LINE) == [("suspect", "silent")]


def test_a_message_ends_silence_too():
    lines = two_lines()
    lines.tick(SILENT_S + 2, GENERAL_LINE)
    lines.odds(EVENT_LINE)
    assert lines.told_of(EVENT_LINE) == [("suspect", "silent"), ("live", "resumed")]


def test_a_jump_of_time_is_no_silence():
    """Our process stood still for ten minutes: the line that ticks first afterwards says nothing about the others."""
    lines = two_lines()
    lines.tick(3, *BOTH)
    lines.now_ns += 600_000_000_000
    lines.tick(3, *BOTH)
    assert lines.told_of(*BOTH) == []


def test_nothing_from_the_vendor_for_90_s_is_no_alarm_while_lines_tick():
    lines = two_lines()
    lines.odds(GENERAL_LINE)
    lines.odds(EVENT_LINE)
    lines.told()
    lines.tick(90, *BOTH)
    assert lines.told() == []


def test_lines_that_all_have_nothing_to_say_from_the_start_are_no_alarm():
    lines = two_lines()
    lines.tick(2 * DELIVERY_S, *BOTH)
    assert lines.told() == []


def test_server_that_acknowledges_and_never_delivers():
    lines = two_lines()
    for _ in range(DELIVERY_S):
        lines.tick(1, *BOTH)
        lines.odds(GENERAL_LINE)
        lines.raw_message(EVENT_LINE, b'40{"sid":"x"}')
    assert lines.told_of(EVENT_LINE) == []
    lines.tick(1, *BOTH)
    assert lines.told_of(EVENT_LINE) == [("suspect", "never-delivered")]
    lines.status(EVENT_LINE)
    assert lines.told_of(EVENT_LINE) == [("live", "resumed")]


def test_server_of_which_only_snapshots_show_that_it_never_delivers():
    lines = two_lines()
    lines.offers([1])
    lines.tick(DELIVERY_S, *BOTH)
    lines.offers([1], odds=1600)
    lines.tick(1, *BOTH)
    told = lines.told_of(*BOTH)
    assert told == [(EVENT_LINE, "suspect", "never-delivered"), (GENERAL_LINE, "suspect", "never-delivered")]


def test_line_without_keys_owes_nothing():
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(EVENT_LINE, [])
    lines.odds(GENERAL_LINE)
    lines.tick(2 * DELIVERY_S, *BOTH)
    lines.told()
    lines.hold(EVENT_LINE, event_keys(1))
    lines.tick(1, *BOTH)
    lines.odds(GENERAL_LINE)
    lines.tick(DELIVERY_S - 1, *BOTH)
    assert lines.told_of(EVENT_LINE) == []
    lines.tick(1, *BOTH)
    assert lines.told_of(EVENT_LINE) == [("suspect", "never-delivered")]


@pytest.mark.parametrize(("line", "keys"), [(GENERAL_LINE, GENERAL_KEYS), (EVENT_LINE, event_keys(1))])
@pytest.mark.parametrize("silent", ["language", "neutral"])
def test_one_side_of_a_pair_that_never_delivers(line: str, keys: tuple[str, ...], silent: str):
    """An unknown language is accepted in silence (fact sheet §4)."""
    lines = Lines()
    lines.open(line, keys)
    talk, other = (lines.odds, lines.status) if silent == "language" else (lines.status, lines.odds)
    lines.told()
    for _ in range(SIDE_MESSAGES):
        talk(line)
    lines.tick(SIDE_WINDOW_S - 1, line)
    assert lines.told_of(line) == []
    lines.tick(1, line)
    assert lines.told_of(line) == [("suspect", f"{silent}-silent")]
    talk(line)
    assert lines.told_of(line) == []
    other(line)
    assert lines.told_of(line) == [("live", "resumed")]


def test_one_key_of_one_event_that_never_delivers_beside_others_that_do():
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(EVENT_LINE, event_keys(1, 2))
    for _ in range(SIDE_MESSAGES):
        lines.odds(EVENT_LINE, 1)
        lines.odds(EVENT_LINE, 2)
        lines.status(EVENT_LINE, 2)
    lines.offers([1, 2], requested_ns=lines.now_ns + 1)
    lines.told()
    lines.tick(SIDE_WINDOW_S, *BOTH)
    assert lines.told() == [
        (EVENT_LINE, "suspect", "language-silent"),
        ("event/1", "suspect", "language-silent", "full"),
    ]


def test_little_talk_on_one_side_decides_nothing():
    lines = two_lines()
    for _ in range(SIDE_MESSAGES - 1):
        lines.odds(EVENT_LINE)
    lines.tick(2 * SIDE_WINDOW_S, *BOTH)
    assert lines.told_of(EVENT_LINE) == []


def test_a_side_that_falls_silent_later():
    lines = two_lines()
    lines.status(EVENT_LINE)
    lines.odds(EVENT_LINE)
    lines.tick(SIDE_WINDOW_S - 50, *BOTH)
    lines.odds(EVENT_LINE)
    lines.tick(50, *BOTH)
    for _ in range(SIDE_MESSAGES):
        lines.odds(EVENT_LINE)
    lines.tick(SIDE_WINDOW_S, *BOTH)
    assert lines.told_of(EVENT_LINE) == [("suspect", "language-silent")]


@pytest.mark.parametrize("talk", [Lines.odds, Lines.status])
@pytest.mark.parametrize("answered", [False, True])
def test_counting_costs_a_bounded_number_of_writes(talk: Callable[[Lines, str], None], answered: bool):
    lines = two_lines()
    writes = 0
    if answered:
        lines.odds(EVENT_LINE)
        lines.status(EVENT_LINE)
    counts = b"hs" + EVENT_LINE.encode()
    before = lines.driver.store.get(counts)
    for _ in range(10 * SIDE_MESSAGES):
        talk(lines, EVENT_LINE)
        after = lines.driver.store.get(counts)
        writes += after != before
        before = after
    assert writes == (0 if answered else SIDE_MESSAGES)


@pytest.mark.parametrize("copied", [0.4, 0.6])
@pytest.mark.parametrize("standby", [False, True])
def test_copies_that_do_not_meet_any_more(copied: float, standby: bool):
    """The vendor stamps each key by itself, say: then every change goes out twice, and somebody must hear of it."""
    lines = two_lines()
    own = [*BOTH, f"{GENERAL_LINE}.b"] if standby else [*BOTH]
    for line in own[2:]:
        lines.open(line, GENERAL_KEYS)
    for number in range(COPIES):
        child = odds('{"id":1,"betOfferId":1,"odds":1500}', t=START_NS // 1_000_000 + number, event=1)
        other = odds('{"id":1,"betOfferId":1,"odds":1500}', t=START_NS // 1_000_000 + 500 + number, event=1)
        for line in own:
            lines.message(line, other if line == EVENT_LINE and number >= copied * COPIES else child)
    lines.message(GENERAL_LINE, odds('{"id":2,"betOfferId":2,"odds":1500}', event=2))  # no copies of this one
    lines.told()
    lines.tick(WINDOW_S + COPIES_WINDOW_S + 5, *own)
    suspect = [(line, "suspect", "copies-unmatched") for line in own if line != EVENT_LINE]
    assert lines.told_of(*own) == (suspect if copied < 0.5 else [])
    assert lines.driver.counts[Count.COPY_UNMATCHED] == round((1 - copied) * COPIES) * (len(own) - 1)


def test_a_new_connection_begins_without_doubts():
    lines = two_lines()
    lines.tick(SILENT_S + 2, GENERAL_LINE)
    lines.open(EVENT_LINE, event_keys(1))
    lines.tick(SILENT_S, *BOTH)
    assert lines.told_of(EVENT_LINE) == [("suspect", "silent"), ("gapped", "reconnected"), ("live", "resumed")]


def test_what_the_connector_does_not_know_before_it_is_a_gap_all_the_same():
    """Its raw topic keeps seven days, or the line was silent for longer than it looks back."""
    lines = two_lines()
    lines.close(EVENT_LINE)
    before = lines.connections[EVENT_LINE]
    lines.told()
    lines.open(EVENT_LINE, event_keys(1), previous_connection=None, previous_frame=None)
    assert lines.told_of(EVENT_LINE) == [("gapped", "reconnected"), ("live", "resumed")]
    told = [json.loads(output.value) for output in lines.driver.outputs if b"previous_connection" in output.value]
    assert [(one["line"], one["previous_connection"], one.get("previous_frame")) for one in told] == [
        (EVENT_LINE, before, None)
    ]


def test_a_new_connection_is_not_judged_by_what_the_old_one_brought():
    lines = two_lines()
    for _ in range(SIDE_MESSAGES):
        lines.odds(EVENT_LINE)
    lines.tick(SIDE_WINDOW_S - 1, *BOTH)
    lines.open(EVENT_LINE, event_keys(1))
    lines.tick(1, *BOTH)
    assert lines.told_of(EVENT_LINE)[-1] == ("live", "resumed")


def test_a_doubt_is_told_again_after_a_gap_that_ended():
    lines = two_lines()
    lines.tick(1, *BOTH)
    lines.odds(GENERAL_LINE)
    lines.tick(DELIVERY_S, *BOTH)
    lines.told()
    lines.overflow(EVENT_LINE)
    assert lines.told_of(EVENT_LINE) == [
        ("gapped", "overflow"),
        ("live", "resumed"),
        ("suspect", "never-delivered"),
    ]


def test_end_of_an_older_connection_is_told_and_the_newer_one_stands():
    lines = two_lines()
    lines.driver.feed(b'{"code":1006}', kind="closed", line=EVENT_LINE, connection="older", at_ns=lines.now_ns)
    assert lines.told_of(EVENT_LINE) == [("down", "closed"), ("live", "resumed")]


def test_closed_line_is_not_silent_and_is_forgotten_in_time():
    lines = two_lines()
    lines.close(EVENT_LINE)
    lines.tick(LOST_S + SILENT_S, GENERAL_LINE)
    assert lines.told_of(EVENT_LINE) == [("down", "closed")]
    lines.now_ns += LINE_KEPT_S * 1_000_000_000
    lines.tick(1, GENERAL_LINE)
    assert not [key for key in lines.driver.store.entries if key.endswith(EVENT_LINE.encode()) and key[:1] == b"h"]


def test_lines_that_were_never_opened_are_left_alone():
    lines = Lines()
    lines.odds(EVENT_LINE)
    lines.tick(2 * LOST_S, GENERAL_LINE)
    lines.close(EVENT_LINE)
    assert lines.told() == [(EVENT_LINE, "down", "closed")]


BAD_CONTROLS = {
    "shards of none": ("opened", {"shards": 0}),
    "more shards than there can be": ("opened", {"shards": 1025}),
    "shard past the last": ("opened", {"shard": 2, "shards": 2}),
    "keys that are none": ("opened", {"keys": "v2018.ub.ev.json"}),
    "too many keys": ("opened", {"keys": [""] * 10_001}),
    "tick with a key that is none": ("tick", {"keys": [7]}),
    "tick that is no object": ("tick", []),
}


@pytest.mark.parametrize(("kind", "value"), BAD_CONTROLS.values(), ids=BAD_CONTROLS.keys())
def test_bad_control_record_is_a_dead_letter_and_changes_nothing(kind: str, value: object):
    lines = two_lines()
    before = dict(lines.driver.store.entries)
    lines.record(kind, EVENT_LINE, value)  # type: ignore[arg-type]  # parametrized
    assert [dead.code for dead in lines.driver.dead_letters] == [Code.BAD_CONTROL]
    assert lines.driver.store.entries == before
    assert lines.told() == []


def test_number_of_lines_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """What the forgotten line held is given up, and it may come back as a new one."""
    monkeypatch.setattr("processors.core.kambi.lines.MAX_LINES", 2)
    lines = two_lines()
    lines.close(EVENT_LINE)
    lines.open("kambi-0-events-1", event_keys(2))
    assert [key for key in lines.driver.store.entries if key[:2] == b"hl"] == [
        b"hl" + line.encode() for line in (GENERAL_LINE, "kambi-0-events-1")
    ]
    assert ("event/1", "stale", "uncovered", "main") in lines.told()
