"""Numbers per fixture and per connection, several connections, restarts (R2, R4, R7)."""

import pytest

from tests.core.fastpath.account.lines import GOLF, TENNIS, Task
from tests.core.fastpath.account.test_order import kinds, opened


def scope(task):
    return next(iter(task.accounts._accounts.values())).state.scope


def test_numbers_that_go_on_are_the_fixtures():
    task = opened()
    task.say_all("a1", 1, 2, 3)
    task.open("a2", 1)
    assert task.say_all("a2", 2, 3, 4) == ["copy", "copy", (4, "4", "in_order")]
    assert scope(task) == "fixture"


def test_crossing_alone_is_no_gap():
    task = opened()
    task.say_all("a1", 1, 2)
    task.open("a2", 2)
    assert task.say("a2", 3) == [(3, "3", "in_order")]


def test_jump_over_a_reconnect_is_a_gap():
    task = opened()
    task.say_all("a1", 1, 2)
    task.open("a2", 3)
    assert task.say("a2", 5) == []
    assert task.pass_time(2_000)[0]["missing"] == ((3, 4),)


def test_first_number_alone_says_nothing_about_the_scope():
    task = Task()
    task.open("a1", 5)
    task.say_all("a1", 1, 2, 3)
    task.open("a2", 3)
    assert task.say("a2", 1) == ["copy"]
    assert scope(task) == "unknown"


def test_full_replay_says_nothing_about_the_scope():
    task = opened()
    task.say_all("a1", 1, 2)
    task.open("a2", 0)
    assert task.say_all("a2", 1, 2, 3) == ["copy", "copy", (3, "3", "in_order")]
    assert scope(task) == "unknown"


def test_first_packet_of_a_reconnect_may_fill_a_gap():
    task = opened()
    task.say_all("a1", 1, 3)
    task.open("a2", 1)
    assert kinds(task.say("a2", 2)) == ["gap_closed", (2, "2", "in_order"), (3, "3", "filled")]


def test_numbers_of_a_connection_are_aligned_by_content():
    task = opened()
    task.say_all("a1", 1, 2, 3, 4)
    task.open("a2", 2)
    told = task.say("a2", 1, 3)
    assert (told[0]["kind"], told[0]["aligned"], told[0]["first"], told[0]["scope"]) == (
        "restarted",
        True,
        3,
        "connection",
    )
    assert told[1:] == ["copy"]
    assert task.say("a2", 2, 4) == ["copy"]
    assert task.say("a2", 3, 5) == [(5, "5", "in_order")]
    assert task.say("a2", 5, 7) == []  # 6 is missing: a gap counts in account numbers
    assert kinds(task.say("a2", 4, 6)) == ["reordered", (6, "6", "in_order"), (7, "7", "filled")]


def test_equal_key_with_another_body_is_not_where_the_packet_stands():
    task = opened()
    task.say("a1", 1, "deleted", body=1)
    task.say("a1", 2, "deleted", body=2)
    task.say("a1", 3)
    task.open("a2", 1)
    told = task.say("a2", 1, "deleted", body=2)
    assert (told[0]["aligned"], told[0]["first"], told[1]) == (True, 2, "copy")
    assert task.say("a2", 2, 3) == ["copy"]


def test_equal_key_with_a_body_nobody_knows_is_the_same_place():
    task = opened()
    task.say_all("a1", 1, 2, 3)
    task.open("a2", 1)
    assert kinds(task.say("a2", 2, body="changed")) == ["conflict"]
    assert task.say_all("a2", 3, 4) == ["copy", (4, "4", "in_order")]


def test_of_equal_contents_the_one_near_the_position_is_taken():
    task = opened()
    for number, what in enumerate(["x", "y", "x", "z", "x", "w"], 1):
        task.say("a1", number, what)
    task.open("a2", 4)
    assert task.say("a2", 2, "x")[0]["first"] == 5
    task.open("a3", 1)
    assert task.say("a3", 2, "x")[0]["first"] == 3  # of two as near, the later


def test_numbers_not_in_the_vendors_list_are_stepped_over():
    task = opened()
    task.say_all("a1", 1, 2, 3, 4, 6)
    task.pass_time(2_000)
    task.open("a2", 2)
    task.say("a2", 1, 3)
    assert task.say("a2", 2, 4) == ["copy"]
    assert task.say("a2", 3, 6)[0] == "copy"  # in its list nothing is between 4 and 6
    assert task.say("a2", 4, 7) == [(7, "7", "in_order")]


def test_skipping_counter_is_followed_back_on_a_second_line():
    task = Task(GOLF)
    task.open("a1", None)
    task.open("b1", None)
    task.say_all("a1", 1, 2, 3, 4)
    task.say_all("b1", 1, 2)
    assert task.say("b1", 5, 3) == ["copy"]
    assert task.say("b1", 6, 4) == ["copy"]
    assert task.say("b1", 7, 5) == [(5, "5", "in_order")]


def test_equal_contents_on_one_connection_are_no_reason_to_move():
    task = Task(GOLF)
    task.open("a1", None)
    task.say("a1", 1)
    task.say("a1", 3, "mode")
    assert kinds(task.say("a1", 2, "mode")) == ["reordered", (2, "mode", "in_order"), (3, "mode", "filled")]


def test_packet_that_names_nothing_is_taken_by_its_number():
    task = Task(GOLF)
    task.open("a1", None)
    task.say_all("a1", 1, 2)
    task.say("a1", 4, "mode", is_named=False)
    task.open("b1", None)
    task.say_all("b1", 1, 2)
    assert kinds(task.say("b1", 3, "mode", is_named=False))[1:] == [(3, "mode", "in_order"), (4, "mode", "filled")]
    assert task.say("b1", 5, "mode", is_named=False) == [(5, "mode", "in_order")]


def test_corrupt_number_moves_no_connection():
    task = Task(GOLF)
    task.open("a1", None)
    task.open("b1", None)
    task.say_all("a1", 1, 2, 3, 4, 5)
    task.say_all("b1", 1, 2, 3)
    assert kinds(task.say("b1", 1_000_004, 4)) == ["conflict", (1_000_004, "4", "conflict")]
    assert task.say_all("b1", 4, 5) == ["copy", "copy"]


def test_place_below_the_baseline_is_looked_for_by_content():
    task = opened()
    task.say_all("a1", 1, 2, 3)
    task.open("b1", 0)
    assert kinds(task.say("b1", 3, 2)) == ["restarted", "copy"]
    assert task.say("b1", 1) == ["copy"]


def test_place_below_nought_is_looked_for_by_content():
    task = opened()
    task.say_all("a1", 1, 2, 3, 4)
    task.open("b1", 0)
    task.say("b1", 4, 2)
    assert task.say("b1", 1) == ["copy"]


def test_number_one_again_is_a_restart():
    task = opened()
    task.say_all("a1", 1, 2, 3)
    told = task.say("a1", 1, "new")
    assert told[0] == {
        "kind": "restarted",
        "line": "a",
        "first": 4,
        "last": 4,
        "scope": "unknown",
        "vendor_sequence": 1,
        "position": 0,
        "aligned": False,
        "old_last": 3,
    }
    assert told[1:] == [(4, "new", "in_order")]
    assert task.say("a1", 2, "newer") == [(5, "newer", "in_order")]
    assert kinds(task.say("a1", 2, "newer")) == ["duplicate"]


def test_three_conflicts_in_a_row_are_a_restart():
    task = opened()
    task.say_all("a1", 1, 2, 3, 4, 5)
    assert kinds(task.say("a1", 2, "p")) == ["conflict", (2, "p", "conflict")]
    assert kinds(task.say("a1", 3, "q")) == ["conflict", (3, "q", "conflict")]
    assert kinds(task.say("a1", 4, "r")) == ["restarted", (6, "r", "in_order")]
    assert task.say("a1", 5, "s") == [(7, "s", "in_order")]


@pytest.mark.parametrize("numbers", [(2, 4, 5), (2, 2, 3), (4, 3, 2)])
def test_conflicts_that_do_not_rise_by_one_are_none(numbers):
    task = opened()
    task.say_all("a1", 1, 2, 3, 4, 5)
    for count, number in enumerate(numbers):
        assert kinds(task.say("a1", number, f"x{count}"))[0] == "conflict"


def test_a_packet_that_fits_ends_the_run():
    task = opened()
    task.say_all("a1", 1, 2, 3, 4, 5)
    task.say("a1", 2, "p")
    task.say("a1", 3, "q")
    task.say("a1", 6)
    assert kinds(task.say("a1", 4, "r"))[0] == "conflict"


def test_bodies_that_differ_are_no_restart():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2, 3, 4, 5)
    for number in (1, 2, 3, 4, 5):
        assert kinds(task.say("b1", number, body="other trace")) == ["conflict"]


def test_three_implausible_jumps_are_a_restart():
    task = opened()
    task.say_all("a1", 1)
    task.say_all("a1", 50_000, 50_001)
    assert kinds(task.say("a1", 50_002)) == ["restarted", (2, "50002", "in_order")]
    assert task.say("a1", 50_003) == [(3, "50003", "in_order")]


def test_unknown_content_on_a_new_connection_is_a_restart_and_asks_for_all():
    task = opened()
    task.say_all("a1", 1, 2, 3)
    task.open("a2", 1)
    assert kinds(task.say("a2", 1, "new")) == ["restarted", (4, "new", "in_order"), ("ask", "a", (4, 4), 0, 1)]


def test_replay_after_a_restart_finds_what_is_known():
    task = opened()
    task.say_all("a1", 1, 2, 3)
    task.open("a2", 1)
    task.say("a2", 1, 5)  # 4 is lost, and nobody can know
    task.open("a3", 0)
    assert kinds(task.say_all("a3", 1, 2, 3)) == ["restarted", "copy", "copy", "copy"]  # aligned by content
    assert kinds(task.say("a3", 4)) == ["conflict", (4, "4", "conflict")]
    assert task.say("a3", 5) == ["copy"]


@pytest.mark.parametrize("ahead", [1, 3], ids=["in step", "a ahead"])
def test_both_lines_see_one_restart(ahead):
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2, 3, 4)
    task.say_all("b1", 1, 2, 3, 4)
    for number in range(1, ahead + 1):
        task.say("a1", number, f"new{number}")
    for number in range(1, ahead + 1):
        assert task.say("b1", number, f"new{number}") == ["copy"]
    assert task.say("b1", ahead + 1, "next") == [(4 + ahead + 1, "next", "in_order")]
    assert task.say("a1", ahead + 1, "next") == ["copy"]


def test_second_line_that_lost_the_restart_finds_it():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2, 3, 4)
    task.say_all("b1", 1, 2, 3, 4)
    task.say("a1", 1, "new1")
    task.say("a1", 2, "new2")
    assert task.say("b1", 2, "new2") == ["copy"]


def test_first_line_lost_the_restarts_first():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2, 3, 4)
    task.say_all("b1", 1, 2, 3, 4)
    told = [out for number in (2, 3, 4) for out in task.say("a1", number, f"new{number}")]
    assert kinds(told)[-2:] == ["restarted", (5, "new4", "in_order")]
    assert kinds(task.say("b1", 1, "new1")) == ["restarted", (6, "new1", "in_order")]
    task.say_all("b1")
    assert task.say("b1", 4, "new4")[-1] == "copy"


def fixture_scoped():
    """Two lines whose numbers are known to be the fixture's: content is no longer looked for elsewhere."""
    task = opened()
    task.say_all("a1", 1, 2, 3, 4)
    for connection in ("a2", "b1"):
        task.open(connection, 2)
        task.say_all(connection, 3, 4)
    assert scope(task) == "fixture"
    return task


def test_both_lines_see_one_restart_of_a_fixtures_numbers():
    task = fixture_scoped()
    assert kinds(task.say("a2", 1, "new1")) == ["restarted", (5, "new1", "in_order")]
    assert scope(task) == "unknown"
    assert task.say("a2", 2, "new2") == [(6, "new2", "in_order")]
    assert task.say("b1", 1, "new1") == ["copy"]
    assert task.say("b1", 2, "new2") == ["copy"]
    assert task.say("b1", 3, "new3") == [(7, "new3", "in_order")]


def test_line_whose_offset_is_old_finds_its_place_by_the_other():
    task = fixture_scoped()
    task.say("a2", 1, "new1")
    task.say("a2", 2, "new2")
    task.open("a3", 1)
    assert task.say("a3", 2, "new2") == ["copy"]  # numbers are the fixture's again
    assert scope(task) == "fixture"
    assert task.say("b1", 2, "new2") == ["copy"]


def test_line_that_restarts_ahead_of_the_others_follows_their_offset():
    task = fixture_scoped()
    task.say("a2", 1, "new1")
    assert kinds(task.say("b1", 3, "new3")) == ["conflict", (3, "new3", "conflict")]
    assert kinds(task.say("b1", 4, "new4")) == ["conflict", (4, "new4", "conflict")]
    assert kinds(task.say("b1", 5, "new5")) == []  # no second restart: 2 to 4 are missing, a2 brings them
    assert task.say("a2", 2, "new2") == [(6, "new2", "in_order")]


def test_swapped_first_number_is_no_restart():
    task = opened()
    task.say("a1", 2)
    assert kinds(task.say("a1", 1)) == ["reordered", (1, "1", "in_order"), (2, "2", "filled")]


def test_tennis_restart_begins_with_nought():
    task = opened(TENNIS)
    task.say_all("a1", 0, 1, 2)
    assert kinds(task.say("a1", 0, "other"))[0] == "restarted"


def test_restart_behind_a_waiting_gap_is_held_back():
    task = opened()
    task.say_all("a1", 1, 2, 4)
    assert kinds(task.say("a1", 1, "new")) == ["restarted"]
    assert kinds(task.pass_time(2_000))[2:4] == [(4, "4", "timeout", 2_000), (5, "new", "timeout", 2_000)]


def test_number_below_nought_is_a_conflict():
    task = Task()
    task.open("a1", None)
    for number in (50_000, 50_001):
        task.say("a1", number)
    for number in (7, 8, 9):
        task.say("a1", number, f"low{number}")
    task.open("a2", None)
    task.say("a2", 100, "50001")
    task.say("a2", 101, "50002x")
    account = next(iter(task.accounts._accounts.values()))
    for link in account.links.values():
        link.offset = -200
    assert kinds(task.say("a2", 5, "x")) == ["conflict", (-195, "x", "conflict")]


def replayed(task, connection, numbers, *, own, **said):
    return [told for n in numbers for told in task.say(connection, n - own, n, **said)]


def test_a_replay_with_bodies_rendered_anew_is_aligned_by_names():
    task = opened()
    task.say_all("a1", *range(1, 21))
    task.open("a2", 18)
    restarted, conflict = task.say("a2", 1, 19, body="renamed")
    assert (restarted["kind"], restarted["aligned"], restarted["first"]) == ("restarted", True, 19)
    assert (conflict["kind"], conflict["reason"], conflict["first"]) == ("conflict", "body-differs", 19)
    assert kinds(replayed(task, "a2", [20], own=18, body="renamed")) == ["conflict"]
    assert task.say("a2", 3, 21, body="renamed") == [(21, "21", "in_order")]
    assert scope(task) == "connection"


def test_an_equal_name_far_from_where_the_replay_begins_says_nothing():
    task = opened()
    task.say_all("a1", *range(1, 101))
    task.open("a2", 98)
    assert kinds(task.say("a2", 1, 20, body="renamed"))[0] == "restarted"
    assert not task.found("restarted")[0].aligned


def test_names_say_nothing_once_numbers_are_known_to_be_the_fixtures():
    task = opened()
    task.say_all("a1", *range(1, 21))
    task.open("a2", 18)
    task.say_all("a2", 19, 20)
    task.open("a3", 18)
    task.say("a3", 1, 19, body="updated again, by numbers that restarted")
    assert not task.found("restarted")[0].aligned


def test_what_was_counted_too_far_on_is_found_before():
    """The connection's first packets were lost by us, so its numbers stood too low for what followed."""
    task = opened()
    task.say_all("a1", *range(1, 11))
    task.open("a2", None)
    task.say("a2", 4, 12)  # 9, 10 and 11 are lost, and no position tells: it stands at 11
    replayed(task, "a2", range(13, 16), own=8)
    task.open("a3", 0)
    task.say_all("a3", *range(1, 11))
    assert kinds(task.say("a3", 11, 11)) == ["conflict", (11, "11", "conflict")]
    assert task.say_all("a3", 12, 13, 14, 15) == ["copy"] * 4
    assert task.say("a3", 16, 16) == [(15, "16", "in_order")]
    assert not task.found("gap_suspected")


@pytest.mark.parametrize("reading", [0, -1])
def test_a_replay_that_begins_with_a_lost_packet_is_aligned_by_its_position(reading):
    """``reading``: the vendor begins with the event after the position, or with the one at it (sheet §8)."""
    task = opened()
    task.say_all("a1", *range(1, 21))
    task.open("a2", 18)
    replayed(task, "a2", range(19 + reading, 26), own=18 + reading)
    replayed(task, "a2", [27, 28], own=18 + reading)  # 26 is lost
    task.pass_time(2_000)
    task.open("a3", 25 - reading)
    assert kinds(task.say("a3", 1, 26))[:2] == ["restarted", "gap_repaired"]
    assert replayed(task, "a3", [27, 28], own=25) == ["copy", "copy"]
    assert task.say("a3", 4, 29) == [(29, "29", "in_order")]
    assert [one.aligned for one in task.found("restarted")] == [True, True]


def test_the_first_frames_of_a_reconnect_that_we_lost_are_named():
    task = opened()
    task.say_all("a1", *range(1, 21))
    task.open("a2", 18)
    assert kinds(task.say("a2", 4, 22)) == ["restarted"]
    assert task.pass_time(2_000)[0]["missing"] == ((21, 21),)


def test_numbers_that_restart_with_a_reconnect_go_on_behind_the_last():
    task = opened()
    task.say_all("a1", *range(1, 21))
    task.open("a2", 18)
    task.say("a2", 1, "new")
    assert [(one.aligned, one.first) for one in task.found("restarted")] == [(False, 21)]


def test_a_first_number_that_was_none_does_not_blind_the_account():
    task = opened()
    task.say("a1", 999_999_999)
    assert kinds(task.say("a1", 1)) == ["restarted", (1_000_000_000, "1", "in_order")]
    task.say_all("a1", 2, 3, 5)
    assert task.pass_time(2_000)[0]["missing"] == ((1_000_000_003, 1_000_000_003),)
    assert set(task.say_all("b1", 1, 2, 3)) == {"copy"}
    assert kinds(task.say("b1", 4))[0] == "gap_repaired"


def test_another_connection_may_begin_far_below_the_first():
    task = Task()
    task.open("a1", 12_000)
    task.say("a1", 12_001)
    task.open("b1", 0)
    assert task.say_all("b1", 1, 2) == [(1, "1", "repaired"), (2, "2", "repaired")]
