"""What is asked for again, by whom, how often, and what is said when it does not come (R9)."""

from tests.core.fastpath.account.lines import TENNIS
from tests.core.fastpath.account.test_order import kinds, opened


def asks(told):
    return [one for one in told if isinstance(one, tuple) and one[0] == "ask"]


def gapped(path=None, position: int | None = 0, first=1, **settings):
    task = opened(path, **settings)
    task.open("a1", position)
    task.say_all("a1", *range(first, first + 10), first + 12)
    return task, task.pass_time(2_000)


def test_position_counts_events_before_the_gap_and_overlaps():
    assert asks(gapped()[1]) == [("ask", "a", (11, 12), 8, 1)]
    assert asks(gapped(position=40, first=41)[1]) == [("ask", "a", (51, 52), 48, 1)]
    assert asks(gapped(position=None, first=41)[1]) == [("ask", "a", (51, 52), 8, 1)]


def test_duplicates_are_no_events():
    task = opened()
    task.say_all("a1", 1, 2, 2, 2, 3, 4, 6)
    assert asks(task.pass_time(2_000)) == [("ask", "a", (5, 5), 2, 1)]


def test_events_are_counted_over_restarts():
    task = opened()
    task.open("a1", 3)
    task.say_all("a1", 1, 2, 3, 4, 5)
    for number in range(1, 7):
        task.say("a1", number, f"new{number}")
    task.say("a1", 8, "new8")
    assert asks(task.pass_time(2_000)) == [("ask", "a", (12, 12), 12, 1)]


def test_number_used_twice_for_others_is_one_event():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 2, 3, 4)
    task.say_all("b1", 1, 2)
    task.say("b1", 3, body="other")
    task.say("b1", 3, body="other")
    task.say("b1", 6)
    assert asks(task.pass_time(2_000)) == [("ask", "b", (5, 5), 1, 1)]


def test_position_by_number():
    task = opened(TENNIS)
    task.say_all("a1", *range(10), 12)
    assert asks(task.pass_time(2_000)) == [("ask", "a", (10, 11), 9, 1)]
    assert asks(task.pass_time(30_000)) == [("ask", "a", (10, 11), 0, 2)]


def test_repair_brings_it():
    task, _ = gapped()
    task.close("a1")
    task.open("a2", 8)
    assert task.say_all("a2", 9, 10) == ["copy", "copy"]
    assert task.say("a2", 11) == [(11, "11", "repaired")]
    told = task.say("a2", 12, ms=10)
    assert (told[0]["kind"], told[0]["missing"], told[0]["by"], told[0]["after_ms"]) == (
        "gap_repaired",
        ((11, 12),),
        "a",
        2_010,
    )
    assert told[1:] == [(12, "12", "repaired"), ("standing", 0)]
    assert task.say("a2", 13) == ["copy"]
    assert task.pass_time(100_000) == []


def test_replay_without_it_ends_the_attempt():
    task, _ = gapped()
    task.open("a2", 8)
    task.say_all("a2", 9, 10)
    assert asks(task.say("a2", 13)) == [("ask", "a", (11, 12), 0, 2)]
    task.open("a3", 0)
    task.say_all("a3", *range(1, 11), 12)
    told = task.say("a3", 13)
    assert (told[1]["kind"], told[1]["reason"], told[1]["missing"], told[1]["attempts"]) == (
        "not_repairable",
        "not-in-replay",
        ((11, 11),),
        2,
    )
    assert told[2:] == [("standing", 0)]


def test_connection_that_was_there_before_ends_no_attempt():
    task, _ = gapped()
    assert task.say("a1", 14) == [(14, "14", "in_order")]
    task.open("b1", 20)  # asked for less than the repair does
    assert task.say_all("b1", 13, 14) == ["copy", "copy"]


def test_attempts_time_out():
    task, _ = gapped()
    assert task.pass_time(29_999) == []
    assert task.pass_time(1) == [("ask", "a", (11, 12), 0, 2)]
    told = task.pass_time(30_000)
    assert (told[0]["kind"], told[0]["reason"], told[0]["missing"]) == ("not_repairable", "timeout", ((11, 12),))
    assert told[1:] == [("standing", 0)]


def test_second_attempt_goes_to_the_other_line():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 3)
    task.say("b1", 1)
    assert asks(task.pass_time(2_000)) == [("ask", "a", (2, 2), 0, 1)]
    assert asks(task.pass_time(30_000)) == [("ask", "b", (2, 2), 0, 2)]


def test_second_attempt_stays_where_the_other_line_is_closed():
    task = opened()
    task.open("b1")
    task.say_all("a1", 1, 3)
    task.close("b-refused", line="b")
    task.pass_time(2_000)
    assert asks(task.pass_time(30_000)) == [("ask", "a", (2, 2), 0, 2)]


def test_connection_that_never_closed_ends_with_the_next_of_its_line():
    task = opened()
    task.open("b1")
    task.open("b2")
    task.close("b2")
    task.say_all("a1", 1, 3)
    task.pass_time(2_000)
    assert asks(task.pass_time(30_000)) == [("ask", "a", (2, 2), 0, 2)]


def test_budget_is_per_account_and_time():
    task = opened(repairs_per_fixture=2, repair_window_s=600)
    task.say_all("a1", 1, 3)
    task.pass_time(2_000)
    task.pass_time(30_000)
    task.say("a1", 5)
    told = task.pass_time(2_000)
    assert (told[0]["repair"], told[1]["kind"], told[1]["reason"]) == ("none", "not_repairable", "budget")
    assert told[1]["missing"] == ((4, 4),)
    task.pass_time(600_000)
    task.say("a1", 7)
    assert asks(task.pass_time(2_000)) == [("ask", "a", (6, 6), 1, 1)]


def test_budget_ends_between_attempts():
    task = opened(repairs_per_fixture=1)
    task.say_all("a1", 1, 3)
    task.pass_time(2_000)
    told = task.pass_time(30_000)
    assert (told[0]["kind"], told[0]["reason"], told[0]["attempts"]) == ("not_repairable", "budget", 1)


def test_number_that_comes_after_all_is_named():
    task, _ = gapped()
    task.pass_time(30_000)
    task.pass_time(30_000)
    told = task.say("a1", 11)
    assert (told[0]["kind"], told[0]["first"], told[0]["last"], told[0]["missing"]) == (
        "gap_closed",
        11,
        11,
        ((11, 11),),
    )
    assert told[1:] == [(11, "11", "late")]
    task.open("b1")
    task.say("b1", 1)
    told = task.say("b1", 12)
    assert (told[0]["kind"], told[0]["by"], told[0]["missing"]) == ("gap_repaired", "b", ((12, 12),))
    assert told[1:] == [(12, "12", "repaired")]


def test_standing_adds_up_all_fixtures_of_a_feed():
    task = opened()
    task.say_all("a1", 1, 3)
    task.say("a1", 1, fixture="other")
    task.say("a1", 3, fixture="other")
    assert [one for one in kinds(task.pass_time(2_000)) if one[0] == "standing"] == [
        ("standing", 1),
        ("standing", 2),
    ]
    assert task.say("a1", 2)[-1] == ("standing", 1)
    assert task.accounts.repairing(task.path) == 1


def test_deadlines_are_met_in_order_of_their_gaps():
    task = opened()
    task.say("a1", 1, fixture="z")
    task.say("a1", 1, fixture="b")
    task.say("a1", 3, fixture="z")
    task.say("a1", 3, fixture="b")
    task.say("a1", 5, fixture="z")
    task.pass_time(60_000)
    assert [(one.fixture_id, one.first) for one in task.found("gap_suspected")] == [("b", 2), ("z", 2), ("z", 4)]
