"""Events through cover, gaps, snapshots and removal."""

import json

import pytest

from processors.core.kambi import event_health
from processors.core.kambi.alarms import DELIVERY_S, LOST_S, SILENT_S
from processors.core.kambi.event_health import EVENT_KEPT_S, REMOVED_KEPT_S
from processors.core.processor import Hole
from schemas.kambi.codes import Count
from tests.core.kambi.raw_lines import EVENT_LINE, GENERAL_KEYS, GENERAL_LINE, SECOND_NS, Lines, event_keys

BOTH = (GENERAL_LINE, EVENT_LINE)
OTHER_LINE = "kambi-0-events-1"
STANDBY = (f"{GENERAL_LINE}.b", f"{EVENT_LINE}.b")
REMOVED = '{"t":"%d","mt":18,"er":{"eventId":%d}}'


def covered(*events: int, line: str = EVENT_LINE, shards: int = 1) -> Lines:
    lines = Lines(shards=shards)
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(line, event_keys(*events))
    return lines


def live(*events: int) -> Lines:
    lines = covered(*events)
    lines.tick(1, *BOTH)
    for line in BOTH:
        lines.odds(line)
    lines.offers(events)
    lines.told()
    return lines


def removal(event: int, at_ns: int) -> str:
    return REMOVED % (at_ns // 1_000_000, event)


# Cover.


def test_event_is_stale_until_a_snapshot_that_was_asked_for_after_its_keys():
    lines = covered(1)
    opened_ns = lines.now_ns
    assert lines.told_of("event/1") == [("stale", "covered", "full")]
    lines.tick(1, *BOTH)
    lines.offers([1], requested_ns=opened_ns)
    assert lines.told_of("event/1") == []
    lines.offers([1], requested_ns=opened_ns + 1)
    assert lines.told_of("event/1") == [("live", "baseline", "full")]


def test_event_of_the_general_keys_alone_is_covered_in_the_main():
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.odds(GENERAL_LINE, 7)
    assert lines.told_of("event/7") == [("stale", "covered", "main")]
    lines.live_open([7])
    assert lines.told_of("event/7") == [("live", "baseline", "main")]


def test_event_known_by_a_snapshot():
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.tick(1, GENERAL_LINE)
    lines.live_open([7])
    assert lines.told_of("event/7") == [("stale", "covered", "main"), ("live", "baseline", "main")]


def test_own_keys_without_the_general_ones_are_a_gap():
    lines = Lines()
    lines.open(EVENT_LINE, event_keys(1))
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    assert lines.told_of("event/1") == [("gapped", "covered", "none"), ("stale", "covered", "full")]


def test_events_of_other_shards_are_nobodys_here():
    lines = covered(4, 5, shards=4)
    lines.odds(GENERAL_LINE, 6)
    lines.odds(GENERAL_LINE, 8)
    assert [told[0] for told in lines.told() if told[0].startswith("event/")] == ["event/4", "event/8"]


def test_keys_that_are_subscribed_later_cover_more():
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.odds(GENERAL_LINE, 1)
    lines.open(EVENT_LINE, [])
    lines.live_open([1])
    lines.told()
    lines.tick(1, *BOTH)
    lines.hold(EVENT_LINE, event_keys(1))
    assert lines.told_of("event/1") == [("stale", "covered", "full")]
    lines.offers([1])
    assert lines.told_of("event/1") == [("live", "baseline", "full")]


def test_half_a_pair_covers_nothing():
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(EVENT_LINE, event_keys(1)[:1])
    lines.odds(GENERAL_LINE, 1)
    assert lines.told_of("event/1") == [("stale", "covered", "main")]


def test_keys_given_up_leave_the_main_offers():
    lines = live(1)
    lines.hold(EVENT_LINE, [])
    assert lines.told_of("event/1") == []
    lines.tick(2, *BOTH)
    assert lines.told_of("event/1") == [("stale", "uncovered", "main")]
    lines.live_open([1])
    assert lines.told_of("event/1") == [("live", "repaired", "main")]


@pytest.mark.parametrize("new_place_first", [True, False])
def test_a_move_is_nothing_to_tell_whichever_line_says_so_first(new_place_first: bool):
    lines = live(1)
    lines.open(OTHER_LINE, [])
    lines.tick(2, *BOTH, OTHER_LINE)
    for line in (OTHER_LINE, EVENT_LINE) if new_place_first else (EVENT_LINE, OTHER_LINE):
        lines.hold(line, event_keys(1) if line == OTHER_LINE else [])
    lines.tick(5, *BOTH, OTHER_LINE)
    assert lines.told_of("event/1") == []


def test_a_move_with_a_hole_in_between_is_told():
    lines = live(1)
    lines.hold(EVENT_LINE, [])
    lines.tick(3, *BOTH)
    lines.open(OTHER_LINE, event_keys(1))
    assert lines.told_of("event/1") == [("stale", "uncovered", "main"), ("stale", "moved", "full")]


# Loss.


def test_closing_the_event_line_is_a_gap_until_it_is_back_and_a_snapshot_repaired_it():
    lines = live(1)
    lines.close(EVENT_LINE)
    assert lines.told_of("event/1") == [("gapped", "closed", "main")]
    lines.tick(4, GENERAL_LINE)
    lines.offers([1], odds=1600)
    assert lines.told_of("event/1") == []
    lines.tick(1, GENERAL_LINE)
    lines.open(EVENT_LINE, event_keys(1))
    assert lines.told_of("event/1") == [("stale", "reconnected", "full")]
    lines.offers([1], odds=1700)
    assert lines.told_of("event/1") == [("live", "repaired", "full")]
    assert lines.driver.counts[Count.SNAPSHOT_REPAIRED] == 2
    assert lines.driver.counts[Count.SNAPSHOT_PUSH_MISSED] == 0


def test_no_open_line_is_down():
    lines = live(1)
    lines.close(GENERAL_LINE)
    lines.close(EVENT_LINE)
    assert lines.told_of("event/1") == [("gapped", "closed", "none"), ("down", "closed", "none")]
    lines.open(EVENT_LINE, event_keys(1))
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    assert lines.told_of("event/1") == [("gapped", "reconnected", "none"), ("stale", "reconnected", "full")]


def test_connection_that_ended_unsaid_makes_events_stale():
    """kill -9: no ``closed``, and the next thing is ``opened``."""
    lines = live(1)
    lines.tick(3, *BOTH)
    lines.open(EVENT_LINE, event_keys(1))
    assert lines.told_of("event/1") == [("stale", "reconnected", "full")]


@pytest.mark.parametrize("line", BOTH)
def test_overflow_and_holes_make_events_stale(line: str):
    lines = live(1)
    lines.overflow(line)
    assert lines.told_of("event/1") == [("stale", "overflow", "full")]
    lines.offers([1])
    assert lines.told_of("event/1") == [("live", "repaired", "full")]
    hole = Hole(line=line, connection=lines.connections[line], first=1, last=2, received_ns=lines.now_ns)
    lines.driver.hole(hole)
    assert lines.told_of("event/1") == [("stale", "hole", "full")]


@pytest.mark.parametrize("line", BOTH)
def test_a_gap_of_one_line_beside_a_standby_makes_no_event_stale(line: str):
    lines = live(1)
    for standby, keys in zip(STANDBY, (GENERAL_KEYS, event_keys(1)), strict=True):
        lines.open(standby, keys)
    lines.tick(2, *BOTH, *STANDBY)
    lines.overflow(line)
    lines.close(line)
    lines.tick(2, *STANDBY)
    lines.open(line, GENERAL_KEYS if line == GENERAL_LINE else event_keys(1))
    lines.tick(2, *BOTH, *STANDBY)
    lines.open(line, GENERAL_KEYS if line == GENERAL_LINE else event_keys(1))  # kill -9
    assert lines.told_of("event/1") == []
    lines.overflow(line)
    lines.close(STANDBY[BOTH.index(line)])
    assert lines.told_of("event/1") == []


def test_a_suspect_standby_covers_nothing():
    lines = live(1)
    lines.open(STANDBY[1], event_keys(1))
    lines.tick(SILENT_S + 2, *BOTH)
    lines.overflow(EVENT_LINE)
    assert lines.told_of("event/1") == [("stale", "overflow", "full")]


def test_a_standby_that_came_after_the_loss_hides_nothing():
    lines = live(1)
    lines.tick(3, GENERAL_LINE)
    lines.open(STANDBY[1], event_keys(1))
    lines.tick(1, GENERAL_LINE, STANDBY[1])
    lines.open(EVENT_LINE, event_keys(1))
    assert lines.told_of("event/1") == [("stale", "reconnected", "full")]


def test_a_dead_connector_takes_its_cover_away():
    lines = live(1)
    lines.tick(LOST_S + 2, GENERAL_LINE)
    assert lines.told_of("event/1") == [("suspect", "silent", "full"), ("gapped", "silent", "main")]
    lines.tick(1, *BOTH)
    assert lines.told_of("event/1") == [("stale", "resumed", "full")]


def test_another_plan_after_a_restart():
    """The events come back on other lines: nothing of it is a first snapshot again."""
    lines = live(1, 2)
    for line in BOTH:
        lines.close(line)
    lines.told()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.open(EVENT_LINE, event_keys(2))
    lines.open(OTHER_LINE, event_keys(1))
    assert lines.told_of("event/1") == [
        ("gapped", "reconnected", "main"),
        ("stale", "uncovered", "main"),
        ("stale", "moved", "full"),
    ]
    lines.tick(1, *BOTH, OTHER_LINE)
    lines.offers([1], odds=1700)
    assert lines.told_of("event/1") == [("live", "repaired", "full")]


# Doubt.


def test_events_of_a_suspect_line_are_suspect_unless_a_sound_one_holds_them_too():
    lines = live(1, 2)
    lines.open(STANDBY[1], event_keys(2))
    lines.tick(SILENT_S + 2, GENERAL_LINE, STANDBY[1])
    assert lines.told_of("event/1", "event/2") == [("event/1", "suspect", "silent", "full")]
    lines.tick(1, *BOTH, STANDBY[1])
    assert lines.told_of("event/1", "event/2") == [("event/1", "live", "resumed", "full")]


def test_events_of_a_line_that_never_delivered():
    lines = covered(1)
    lines.tick(1, *BOTH)
    lines.odds(GENERAL_LINE, 1)
    lines.offers([1])
    lines.told()
    lines.tick(DELIVERY_S, *BOTH)
    assert lines.told_of("event/1") == [("suspect", "never-delivered", "full")]


def test_two_lines_that_hold_the_same_and_lose_in_turns_lose():
    """Each would have covered the other's loss, had it not lost something itself meanwhile."""
    lines = live(1)
    lines.open(STANDBY[1], event_keys(1))
    lines.tick(3, *BOTH, STANDBY[1])
    lines.tick(2, GENERAL_LINE, STANDBY[1])
    lines.overflow(STANDBY[1])
    lines.tick(2, GENERAL_LINE, STANDBY[1])
    lines.open(EVENT_LINE, event_keys(1))
    assert lines.told_of("event/1") == [("stale", "reconnected", "full")]


def test_what_push_lost_silently():
    lines = live(1)
    lines.tick(30, *BOTH)
    lines.offers([1], odds=1600)
    assert lines.told_of("event/1") == [("suspect", "push-missed", "full")]
    assert lines.driver.counts[Count.SNAPSHOT_PUSH_MISSED] == 1
    lines.tick(30, *BOTH)
    lines.offers([1], odds=1600)
    assert lines.told_of("event/1") == [("live", "repaired", "full")]


def test_offers_that_the_general_keys_never_carry_are_nothing_that_push_lost():
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    lines.tick(1, GENERAL_LINE)
    lines.live_open([7])
    lines.offers([7])
    lines.tick(30, GENERAL_LINE)
    lines.told()
    lines.offers([7], odds=1600)
    assert lines.told_of("event/7") == []
    lines.tick(30, GENERAL_LINE)
    lines.live_open([7], odds=1700)
    assert lines.told_of("event/7") == [("suspect", "push-missed", "main")]


# The end.


def test_removed_event_has_a_last_record_and_late_messages_do_not_bring_it_back():
    lines = live(1)
    lines.message(GENERAL_LINE, removal(1, lines.now_ns))
    assert lines.told_of("event/1") == [("down", "removed", "none")]
    lines.odds(EVENT_LINE, 1)
    lines.offers([1], requested_ns=lines.now_ns - SECOND_NS)
    lines.close(EVENT_LINE)
    lines.open(EVENT_LINE, event_keys(1))
    lines.hold(EVENT_LINE, [])
    lines.tick(3, *BOTH)
    assert lines.told_of("event/1") == []


def test_removed_event_is_forgotten():
    lines = live(1)
    lines.message(GENERAL_LINE, removal(1, lines.now_ns))
    lines.hold(EVENT_LINE, [])
    for _ in range(2):
        lines.now_ns += (REMOVED_KEPT_S + 60) * SECOND_NS
        lines.tick(3, *BOTH)
    assert not [key for key in lines.driver.store.entries if key.startswith(b"he")]


@pytest.mark.parametrize("again", ["keys", "snapshot"])
def test_removed_event_that_is_offered_again(again: str):
    lines = live(1)
    lines.message(GENERAL_LINE, removal(1, lines.now_ns))
    lines.hold(EVENT_LINE, [])
    lines.tick(5, *BOTH)
    lines.told()
    if again == "keys":
        lines.hold(EVENT_LINE, event_keys(1))
        assert lines.told_of("event/1") == [("stale", "covered", "full")]
    else:
        lines.live_open([1])
        assert lines.told_of("event/1") == [("stale", "covered", "main"), ("live", "baseline", "main")]


def test_event_that_a_snapshot_removes():
    lines = live(1)
    lines.tick(30, *BOTH)
    lines.snapshot("betoffer/event/1.json?lang=en_GB", {"error": {"status": 404, "message": "gone"}}, status=404)
    assert lines.told_of("event/1") == [("down", "removed", "none")]


def test_event_that_nothing_speaks_of_any_more():
    lines = live(1)
    lines.hold(EVENT_LINE, [])
    lines.tick(3, *BOTH)
    lines.told()
    lines.now_ns += (EVENT_KEPT_S + 600) * SECOND_NS
    lines.tick(1, *BOTH)
    assert lines.told_of("event/1") == [("down", "uncovered", "none")]


@pytest.mark.parametrize("kept_by", ["keys", "messages"])
def test_event_of_which_there_is_a_sign_is_not_forgotten(kept_by: str):
    lines = live(1)
    if kept_by == "messages":
        lines.hold(EVENT_LINE, [])
        lines.tick(3, *BOTH)
        lines.told()
    for _ in range(4):
        lines.now_ns += EVENT_KEPT_S // 2 * SECOND_NS
        lines.odds(GENERAL_LINE, 1 if kept_by == "messages" else 2)
        lines.tick(1, *BOTH)
    assert lines.told_of("event/1") == []


def test_number_of_events_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_health, "MAX_EVENTS", 3)
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    for event in range(1, 6):
        lines.odds(GENERAL_LINE, event)
    assert lines.told_of("event/1", "event/2") == [
        ("event/1", "stale", "covered", "main"),
        ("event/2", "stale", "covered", "main"),
        ("event/1", "down", "uncovered", "none"),
        ("event/2", "down", "uncovered", "none"),
    ]
    assert len([key for key in lines.driver.store.entries if key.startswith(b"he")]) == 3


def test_event_that_was_forgotten_is_known_again_by_the_next_message(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_health, "MAX_EVENTS", 1)
    lines = Lines()
    lines.open(GENERAL_LINE, GENERAL_KEYS)
    for event in (1, 2, 1):
        lines.odds(GENERAL_LINE, event)
    assert lines.told_of("event/1")[-1] == ("stale", "covered", "main")


def test_event_record_says_where_it_comes_from():
    lines = covered(1)
    output = lines.driver.outputs[-1]
    assert output.key == b"event/1"
    assert output.header("ce_type") == "tricast.kambi.event.health.v1"
    assert output.header("ce_subject") == "1"
    assert output.header("ce_source") == f"tricast/kambi/{EVENT_LINE}/health"
    assert output.header("ce_id") == "tricast.kambi.raw/0/1/1"
    assert json.loads(output.value) == {
        "event_id": 1,
        "state": "stale",
        "reason": "covered",
        "since_ns": lines.now_ns,
        "coverage": "full",
    }


def test_records_of_a_snapshot_say_why_they_had_to_come():
    lines = live(1)
    lines.tick(30, *BOTH)
    lines.offers([1], odds=1600)
    lines.close(EVENT_LINE)
    lines.tick(2, GENERAL_LINE)
    lines.open(EVENT_LINE, event_keys(1))
    lines.tick(2, *BOTH)
    lines.offers([1], odds=1700)
    shown = [output for output in lines.driver.outputs if b'"source":"snapshot"' in output.value]
    causes = [output.header("ce_tccause") for output in shown]
    assert causes[-2:] == ["push-missed", "repaired"]
    assert set(causes[:-2]) == {"baseline"}


def live_data(lines: Lines, version: int) -> None:
    score = {"home": str(version), "away": "0", "who": "HOME", "version": version}
    lines.snapshot("event/livedata/1.json?lang=en_GB", [{"eventId": 1, "score": score}])


def test_each_kind_of_answer_has_its_own_baseline_and_its_own_repair():
    """Live data is asked for beside the offers: what its first answer shows, or the first after a gap, is no miss."""
    lines = live(1)
    lines.tick(1, *BOTH)
    live_data(lines, 1)
    assert lines.told_of("event/1") == []
    lines.close(EVENT_LINE)
    lines.tick(1, GENERAL_LINE)
    lines.open(EVENT_LINE, event_keys(1))
    lines.tick(1, *BOTH)
    lines.offers([1])
    lines.told()
    live_data(lines, 2)
    assert lines.told_of("event/1") == []
    lines.tick(30, *BOTH)
    live_data(lines, 3)
    assert lines.told_of("event/1") == [("suspect", "push-missed", "full")]
