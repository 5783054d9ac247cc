"""Baseline, order, hold-back and what becomes of gaps (R1, R3 to R6, R8)."""

import pytest

from processors.core.fastpath.account.arrival import AccountSettings
from processors.core.fastpath.account.holding import LARGEST
from tests.core.fastpath.account.lines import GOLF, STATISTICS, TENNIS, Task


def kinds(told):
    return [one["kind"] if isinstance(one, dict) else one for one in told]


def opened(path=None, **settings):
    task = Task(settings=AccountSettings(**settings)) if path is None else Task(path, AccountSettings(**settings))
    task.open("a1")
    return task


def test_first_packet_is_the_baseline():
    assert opened().say("a1", 1) == [
        {
            "kind": "baseline",
            "line": "a",
            "first": 1,
            "last": 1,
            "scope": "unknown",
            "vendor_sequence": 1,
            "position": 0,
        },
        (1, "1", "in_order"),
    ]


def test_numbers_before_the_first_are_missing_when_all_was_asked_for():
    task = opened()
    assert kinds(task.say("a1", 3)) == ["baseline"]
    assert kinds(task.say_all("a1", 1, 2)) == [
        (1, "1", "in_order"),
        "reordered",
        (2, "2", "in_order"),
        (3, "3", "filled"),
    ]


def test_tennis_begins_with_its_placeholder():
    task = opened(TENNIS)
    assert kinds(task.say("a1", 1)) == ["baseline"]
    assert kinds(task.say("a1", 0)) == ["reordered", (0, "0", "in_order"), (1, "1", "filled")]


@pytest.mark.parametrize("position", [None, 5])
def test_nothing_is_said_of_numbers_before_the_first_otherwise(position):
    task = Task()
    task.open("a1", position)
    assert kinds(task.say("a1", 6)) == ["baseline", (6, "6", "in_order")]
    assert task.pass_time(5_000) == []


def test_baseline_far_from_the_first_number_has_no_gap():
    task = opened()
    assert kinds(task.say("a1", 10_001)) == ["baseline"]
    task = opened()
    assert kinds(task.say("a1", 10_002)) == ["baseline", (10_002, "10002", "in_order")]


def test_numbers_below_the_baseline_go_out_as_repaired():
    task = Task()
    task.open("a1", 5)
    task.say("a1", 6)
    assert task.say("a1", 2) == [(2, "2", "repaired")]
    assert task.say_all("a1", 4, 3, 5) == [(4, "4", "repaired"), (3, "3", "repaired"), (5, "5", "repaired")]
    assert task.say("a1", 7) == [(7, "7", "in_order")]
    assert not list(task.store.items(b"ag"))


def test_reconnect_with_overlap_below_the_baseline_is_no_restart():
    task = Task()
    task.open("a1", 5)
    task.say("a1", 6)
    task.open("a2", 4)
    assert task.say_all("a2", 5, 6, 7) == [(5, "5", "repaired"), "copy", (7, "7", "in_order")]


def test_gap_holds_back_what_is_behind_it():
    task = opened()
    task.say("a1", 1)
    assert task.say_all("a1", 3, 4) == []
    assert task.say("a1", 2, ms=150) == [
        {
            "kind": "reordered",
            "line": "a",
            "first": 2,
            "last": 2,
            "scope": "unknown",
            "missing": ((2, 2),),
            "after_ms": 150,
        },
        (2, "2", "in_order"),
        (3, "3", "filled", 150),
        (4, "4", "filled", 150),
    ]


def test_filler_with_nothing_missing_below_goes_out_at_once():
    task = opened()
    task.say_all("a1", 1, 5)
    assert task.say("a1", 2) == [(2, "2", "in_order")]
    assert task.say("a1", 4) == []
    assert kinds(task.say("a1", 3)) == ["reordered", (3, "3", "in_order"), (4, "4", "filled"), (5, "5", "filled")]


def test_second_gap_holds_back_its_own():
    task = opened()
    task.say_all("a1", 1, 3, 5, 6)
    assert kinds(task.say("a1", 2)) == ["reordered", (2, "2", "in_order"), (3, "3", "filled")]
    assert kinds(task.say("a1", 4)) == ["reordered", (4, "4", "in_order"), (5, "5", "filled"), (6, "6", "filled")]


def test_upper_gap_is_complete_before_the_lower():
    task = opened()
    task.say_all("a1", 1, 3, 5)
    assert kinds(task.say("a1", 4)) == ["reordered"]
    assert kinds(task.say("a1", 2))[1:] == [
        (n, str(n), why) for n, why in [(2, "in_order"), (3, "filled"), (4, "filled"), (5, "filled")]
    ]


def test_other_line_closes_a_gap():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 3)
    assert task.say("b1", 1) == ["copy"]
    told = task.say("b1", 2)
    assert (told[0]["kind"], told[0]["by"], told[0]["line"]) == ("gap_closed", "b", "a")
    assert told[1:] == [(2, "2", "in_order"), (3, "3", "filled")]


def test_gap_is_given_up_after_its_time():
    task = opened()
    task.say_all("a1", 1, 3)
    task.say("a1", 6, ms=500)
    assert task.pass_time(1_499) == []
    told = task.pass_time(1)
    assert told[0] == {
        "kind": "gap_suspected",
        "line": "a",
        "first": 2,
        "last": 2,
        "scope": "unknown",
        "missing": ((2, 2),),
        "ours": False,
        "repair": "asked",
        "after_ms": 2_000,
    }
    assert told[1:] == [("ask", "a", (2, 2), 0, 1), (3, "3", "timeout", 2_000), ("standing", 1)]
    assert kinds(task.pass_time(500))[2:] == [(6, "6", "timeout", 2_000), ("standing", 2)]


def test_deadline_comes_before_the_packet_of_the_same_record():
    task = opened()
    task.say_all("a1", 1, 3)
    told = task.say("a1", 2, ms=2_000)
    assert kinds(told)[0] == "gap_suspected"
    assert told[-2] == (2, "2", "late")


def test_gap_names_what_is_missing_of_it():
    task = opened()
    task.say_all("a1", 1, 9, 3, 6, 7)
    assert task.pass_time(2_000)[0]["missing"] == ((2, 2), (4, 5), (8, 8))


def test_too_many_held_give_up_the_lowest_gap():
    task = opened(hold_count=3)
    assert kinds(task.say_all("a1", 1, 3, 5, 6)) == ["baseline", (1, "1", "in_order")]
    told = kinds(task.say("a1", 7))
    assert told[0] == "gap_suspected"
    assert told[2:] == [(3, "3", "overfull"), ("standing", 1)]
    assert [one.last for one in task.found("gap_suspected")] == [2]  # the upper gap still waits
    assert kinds(task.say("a1", 4)) == ["reordered", (4, "4", "in_order")] + [(n, str(n), "filled") for n in (5, 6, 7)]


def test_too_many_bytes_held_give_up_the_gap():
    task = opened(held_bytes=1_000)
    task.say_all("a1", 1)
    assert task.say("a1", 3, size=900) == []
    assert (4, "4", "overfull") in kinds(task.say("a1", 4, size=900))


def test_packet_too_large_to_be_held_keeps_its_place():
    task = opened()
    task.say_all("a1", 1, 3, 5)
    told = task.say("a1", 4, size=LARGEST)
    assert [one for one in kinds(told) if one not in ("reordered", "gap_suspected")] == [
        ("ask", "a", (2, 2), 0, 1),
        (3, "3", "overfull"),
        (4, "4", "overfull"),
        (5, "5", "overfull"),
        ("standing", 1),
    ]


@pytest.mark.parametrize("held", [1, 2_000], ids=["waiting", "given-up"])
def test_huge_hole_is_two_numbers(held):
    task = opened()
    task.say_all("a1", 1, 10_001)
    told = task.pass_time(held)
    assert [one["missing"] for one in told if isinstance(one, dict)] == ([((2, 10_000),)] if held > 1 else [])
    assert len(task.store.entries) < 10


def test_late_by_the_connection_that_skipped_it():
    task = opened()
    task.say_all("a1", 1, 4)
    task.pass_time(2_000)
    assert task.say("a1", 2) == [(2, "2", "late")]
    told = task.say("a1", 3)
    assert (told[0]["kind"], told[0]["by"], told[0]["missing"]) == ("gap_closed", "a", ((2, 3),))
    assert told[1:] == [(3, "3", "late"), ("standing", 0)]


def test_repaired_by_a_live_line():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 3)
    task.say("b1", 1)
    task.pass_time(2_000)
    told = task.say("b1", 2)
    assert (told[0]["kind"], told[0]["by"]) == ("gap_closed", "b")
    assert told[1:] == [(2, "2", "repaired"), ("standing", 0)]


def test_repeat_on_one_connection_is_a_duplicate():
    task = opened()
    task.say_all("a1", 1, 2)
    assert task.say("a1", 2) == [
        {"kind": "duplicate", "line": "a", "first": 2, "last": 2, "scope": "unknown", "vendor_sequence": 2}
    ]


def test_repeat_of_what_is_held_is_a_duplicate():
    task = opened()
    task.say_all("a1", 1, 3)
    assert kinds(task.say("a1", 3)) == ["duplicate"]


def test_repeat_of_a_filler_is_a_duplicate():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 4, 2, 3)
    assert kinds(task.say_all("a1", 2, 3)) == ["duplicate", "duplicate"]
    assert task.say_all("b1", 1, 2, 3) == ["copy", "copy", "copy"]


def test_copy_on_another_line_is_counted():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2)
    assert task.say_all("b1", 1, 2) == ["copy", "copy"]
    assert kinds(task.say("b1", 2)) == ["duplicate"]


def test_other_action_under_a_known_number_goes_out_as_conflict():
    task = opened()
    task.say_all("a1", 1, 2)
    told = task.say("a1", 2, "other")
    assert (told[0]["kind"], told[0]["reason"], told[0]["first"]) == ("conflict", "other-action", 2)
    assert told[1:] == [(2, "other", "conflict")]
    assert task.say("a1", 3) == [(3, "3", "in_order")]


def test_other_body_by_the_same_connection_goes_out():
    task = opened()
    task.say_all("a1", 1, 2)
    told = task.say("a1", 2, body="changed")
    assert (told[0]["kind"], told[0]["reason"]) == ("conflict", "body-differs")
    assert told[1:] == [(2, "2", "conflict")]


def test_other_body_by_another_connection_is_only_on_record():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2)
    for number in (1, 2):
        (told,) = task.say("b1", number, body="changed")
        assert (told["kind"], told["reason"]) == ("conflict", "body-differs")


def test_other_body_by_another_connection_stays_silent():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2)
    task.say("b1", 1)
    for _ in range(2):
        assert kinds(task.say("b1", 2, body="changed")) == ["conflict"]
    assert task.say("b1", 2) == ["copy"]


def test_implausible_jump_leaves_the_account_as_it_is():
    task = opened()
    task.say_all("a1", 1)
    told = task.say("a1", 10_002)
    assert (told[0]["kind"], told[0]["reason"]) == ("conflict", "implausible-jump")
    assert told[1:] == [(10_002, "10002", "conflict")]
    assert task.say("a1", 2) == [(2, "2", "in_order")]


def test_largest_number():
    task = Task()
    task.open("a1", None)
    most = 2**63 - 1
    assert task.say("a1", most)[1:] == [(most, str(most), "in_order")]
    assert kinds(task.say("a1", 0)) == [(0, "0", "repaired")]
    assert kinds(task.say_all("a1", 5, most - 1)) == [(5, "5", "repaired"), (most - 1, str(most - 1), "repaired")]


def test_our_own_loss_is_told_from_the_vendors():
    task = opened()
    task.say("a1", 1)
    task.lose("a1")
    task.say("a1", 3)
    task.say("a1", 5)
    assert [(one["first"], one["ours"]) for one in task.pass_time(2_000) if isinstance(one, dict)] == [
        (2, True),
        (4, False),
    ]


def test_loss_told_after_the_gap_still_counts():
    task = opened()
    task.say("a1", 1)
    task.frames["a", "a1"] += 1
    task.say("a1", 3)
    task.frames["a", "a1"] = 1
    task.lose("a1")
    assert task.pass_time(2_000)[0]["ours"] is True


def test_loss_on_another_connection_is_not_this_gaps():
    task = opened()
    task.open("b1")
    task.say("a1", 1)
    task.lose("b1", frames=5)
    task.say("a1", 3)
    assert task.pass_time(2_000)[0]["ours"] is False


def test_statistics_hold_nothing_back():
    task = opened(STATISTICS)
    task.say("a1", 1)
    assert task.say_all("a1", 3, 4) == [(3, "3", "unordered"), (4, "4", "unordered")]
    assert kinds(task.say("a1", 2)) == ["reordered", (2, "2", "unordered", "late")]
    task.say("a1", 6)
    (told,) = task.pass_time(2_000)
    assert (told["kind"], told["repair"]) == ("gap_suspected", "none")
    assert task.say("a1", 7) == [(7, "7", "in_order")]
    assert kinds(task.say("a1", 5)) == ["gap_closed", (5, "5", "late")]


def test_statistics_on_an_actions_feed_have_their_own_numbers():
    task = opened()
    task.say_all("a1", 1, 2)
    assert kinds(task.say("a1", 2, "totals", kind="statistics")) == ["baseline", (2, "totals", "unordered")]
    assert task.say("a1", 3) == [(3, "3", "in_order")]


def test_two_fixtures_in_one_feed_have_their_own_numbers():
    task = opened()
    task.say_all("a1", 1, 2)
    assert kinds(task.say("a1", 1, fixture="other")) == ["baseline", (1, "1", "in_order")]
    assert task.say("a1", 3) == [(3, "3", "in_order")]


def test_feed_without_positions_says_at_once_what_is_lost():
    task = Task(GOLF)
    task.open("a1", None)
    task.say_all("a1", 1, 3)
    told = task.pass_time(2_000)
    assert (told[0]["kind"], told[0]["repair"]) == ("gap_suspected", "none")
    assert (told[1]["kind"], told[1]["reason"], told[1]["missing"]) == ("not_repairable", "no-replay", ((2, 2),))
    assert told[2:] == [(3, "3", "timeout", 2_000)]
    assert kinds(task.say("a1", 2)) == ["gap_closed", (2, "2", "late")]
