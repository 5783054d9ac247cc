"""Gaps of the socket, look-ups, and what they come to."""

from typing import Any

import pytest

from processors.core.rms.join.processor import RmsJoin
from tests.core.driver import Driver
from tests.core.rms.join.tasks import (
    CUSTOMER,
    PARTITIONS,
    Tasks,
    answered,
    approval,
    bet,
    looked_up,
    ns,
    partition_of,
    placed,
    time,
)

EXPIRED = ("decision", "expired", "deadline")
LOOKED = ("decision", "expired", "looked_up")


def unverified(why: str) -> tuple[str, ...]:
    return ("decision", "expired_unverified", "deadline", why)


@pytest.fixture
def tasks() -> Tasks:
    tasks = Tasks()
    tasks.send(time(1))
    return tasks


def gap(tasks: Tasks, first: float, last: float) -> None:
    """Let the socket be away, and say so as the router does."""
    tasks.send(time(first), time(first + 0.1, None), time(last, last))


def asked(tasks: Tasks) -> list[tuple[str, str]]:
    return [(value["bet_slip_id"], value["why"]) for value in tasks.lookups()]


def test_a_gap_is_asked_about_when_it_ends(tasks: Tasks):
    tasks.send(*bet("s1", 10, code="k1"), *bet("s2", 10, "accepted", "k2"), *bet("s3", 10, code=None))
    tasks.send(*bet("s4", 10, "unknown", "k4"), placed("s5", 10), *bet("s6", 20, code="k6"))
    tasks.send(approval("accept", 20, slip="s6"))
    gap(tasks, 30, 40)
    tasks.send(*bet("s7", 40.5, code="k7"))
    assert sorted(asked(tasks)) == [("s1", "gap"), ("s4", "gap")]
    value = tasks.lookups()[0]
    assert (value["asked_ns"], value["until_ns"]) in ((ns(40), ns(130) + 900 * 10**9), (ns(40), ns(610) + 900 * 10**9))
    tasks.send(time(41, 40))
    assert len(asked(tasks)) == 2


def test_oldest_windows_are_asked_about_first():
    tasks = Tasks()
    slips = [f"s{number}" for number in range(40)]
    tasks.send(time(1))
    for number, slip in enumerate(slips):
        tasks.send(*bet(slip, 30 - number / 2, code=f"k-{slip}"))
    gap(tasks, 40, 41)
    for task in tasks.tasks:
        ends = [
            int(output.value.split(b'until_ns":')[1][:19]) for output in task.outputs if output.topic == "rms.lookups"
        ]
        assert ends == sorted(ends)
        assert len(ends) > 3


def test_no_more_is_asked_at_the_end_of_a_gap_than_there_are_look_ups():
    tasks = Tasks(tasks=[Driver(RmsJoin(look_ups=2)) for _ in range(PARTITIONS)])
    tasks.send(time(1))
    one_task = [slip for slip in map(str, range(40)) if partition_of(f"{CUSTOMER}/{slip}".encode()) == 0][:4]
    for number, slip in enumerate(one_task):
        tasks.send(*bet(slip, 30 - number, code=f"k-{slip}"))
    gap(tasks, 40, 41)
    last, first = one_task[:2], one_task[:1:-1]
    assert asked(tasks) == [(slip, "gap") for slip in first]
    tasks.send(time(160, 41))
    assert asked(tasks)[2:] == [(slip, "deadline") for slip in (*first, *reversed(last))]


def test_a_short_break_that_another_socket_covered_is_no_gap(tasks: Tasks):
    tasks.send(*bet(), time(30), time(31, None), time(32, 0), time(131, 0))
    assert (asked(tasks), tasks.short()) == ([], [EXPIRED])


def test_an_interruption_without_a_word_between(tasks: Tasks):
    tasks.send(*bet(), time(30), time(40, since=35))
    assert asked(tasks) == [("s1", "gap")]


def test_a_gap_before_the_bet_is_none_of_its_business(tasks: Tasks):
    gap(tasks, 2, 9)
    tasks.send(*bet(), time(131, 9))
    assert (asked(tasks), tasks.short()) == ([], [EXPIRED])


def test_a_gap_after_the_window_is_none_of_its_business(tasks: Tasks):
    tasks.send(*bet(), time(130.5, proven=130.5), time(130.6, None), time(140, 140))
    assert (asked(tasks), tasks.short()) == ([], [EXPIRED])


@pytest.mark.parametrize("proven", [129, 130])
def test_down_when_the_window_ends(tasks: Tasks, proven: float):
    """Nothing shows what came after the last message; a message of the same moment is not shown either."""
    tasks.send(*bet(), time(130, proven=proven), time(130.2, None))
    assert (asked(tasks), tasks.short()) == ([("s1", "deadline")], [])
    tasks.send(time(1030, None), time(1030.2, None))
    assert tasks.short() == []
    tasks.send(time(1030.3, None))
    assert tasks.short() == [unverified("feed-down")]


def test_never_covered():
    tasks = Tasks()
    tasks.send(*bet(), time(20, None), time(131, None))
    assert (asked(tasks), tasks.short()) == ([("s1", "deadline")], [])


def test_doubt_at_the_end_is_asked_about_once(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(*(time(at, 40) for at in (131, 132, 133)))
    assert asked(tasks) == [("s1", "gap"), ("s1", "deadline")]
    gap(tasks, 140, 150)  # outside of its window
    assert len(asked(tasks)) == 2


def test_the_feed_comes_back_after_the_window(tasks: Tasks):
    tasks.send(*bet(), time(100), time(101, None), time(131, None), time(200, 199))
    assert asked(tasks) == [("s1", "deadline"), ("s1", "gap")]


def test_the_feed_comes_back_as_the_window_ends(tasks: Tasks):
    tasks.send(*bet(), time(100), time(101, None), time(131, 130.5))
    assert asked(tasks) == [("s1", "deadline")]


def test_the_windows_end_waits_for_proof_and_the_socket_goes(tasks: Tasks):
    tasks.send(*bet(), time(129), time(131, proven=129), time(132, proven=129))
    assert (asked(tasks), tasks.short()) == ([], [])
    tasks.send(time(133, None))
    assert asked(tasks) == [("s1", "deadline")]


@pytest.mark.parametrize(("said", "outcome"), [("accept", "accepted"), ("reject", "rejected")])
@pytest.mark.parametrize("at", [50, 500])
def test_a_look_up_decides_whenever_it_comes(tasks: Tasks, said: str, outcome: str, at: float):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(time(at, 40), looked_up(said, at))
    assert tasks.short() == [("decision", outcome, "looked_up")]
    assert tasks.told()[0]["positions"]["decided"] == "tricast.rms.raw/2/100"


def test_nobody_had_decided_when_the_window_ended(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(time(131, 40), looked_up(None, 132))
    assert tasks.short() == [LOOKED]
    assert tasks.told()[0]["positions"]["decided"] == "tricast.rms.raw/2/100"


def test_a_look_up_clears_what_was_before_it(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(looked_up(None, 45), time(131, 40))
    assert tasks.short() == [EXPIRED]
    assert asked(tasks) == [("s1", "gap")]


def test_a_look_up_clears_nothing_after_it(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(looked_up(None, 45))
    gap(tasks, 50, 60)
    assert asked(tasks) == [("s1", "gap"), ("s1", "gap")]
    tasks.send(time(131, 60))
    assert (tasks.short(), asked(tasks)[2:]) == ([], [("s1", "deadline")])


def test_a_look_up_waits_for_approvals_by_code_before_it(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(time(131, 40), looked_up(None, 132, 101, by_code_before=1))
    assert tasks.short() == []
    tasks.send(approval("reject", 129, 100, slip=None, code="k1"))
    assert tasks.short() == [("decision", "rejected", "approval")]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"status": 404}, "not-found"),
        ({"status": 404, "requested_ns": None}, "not-found"),
        ({"status": 404, "requested_ns": ns(129)}, "no-answer"),
        ({"status": 500}, "no-answer"),
        ({"status": 429}, "no-answer"),
        ({"requested_ns": None}, "feed-down"),
        (None, "feed-down"),
    ],
    ids=str,
)
def test_what_cannot_be_verified(tasks: Tasks, answer: dict[str, Any] | None, why: str):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(time(131, 40))
    if answer is not None:
        tasks.send(looked_up(None, 132, **answer))
    if why != "not-found":
        tasks.send(time(131 + 900, 40))
        assert tasks.short() == []
        tasks.send(time(131 + 901, 40))
    assert tasks.short() == [unverified(why)]


def test_no_code_to_ask_for(tasks: Tasks):
    tasks.send(*bet(code=None))
    gap(tasks, 30, 40)
    tasks.send(time(130, 40))
    assert tasks.short() == []
    tasks.send(time(131, 40))
    assert (asked(tasks), tasks.short()) == ([], [unverified("no-code")])


def test_place_bet_did_not_say(tasks: Tasks):
    tasks.send(*bet(disposition="unknown"), time(131))
    assert (asked(tasks), tasks.short()) == ([("s1", "deadline")], [])
    tasks.send(time(131 + 901))
    assert tasks.short() == [unverified("unknown-disposition")]


def test_place_bet_did_not_say_and_a_look_up_shows_that_it_waits(tasks: Tasks):
    tasks.send(*bet(disposition="unknown"), looked_up(None, 50), time(131))
    assert tasks.short() == [EXPIRED]


def test_a_late_approval_decides_what_is_in_doubt(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(time(131, 40), approval("reject", 140))
    assert tasks.short() == [("decision", "rejected", "approval")]
    assert tasks.told()[0]["received_ns"] > tasks.told()[0]["deadline_ns"]


def test_a_late_decision_after_unverified(tasks: Tasks):
    tasks.send(*bet(code=None))
    gap(tasks, 30, 40)
    tasks.send(time(131, 40), approval("accept", 140))
    assert tasks.short() == [unverified("no-code"), ("late", "accept")]


def test_a_late_look_up(tasks: Tasks):
    tasks.send(*bet(), time(131), looked_up("accept", 140))
    assert tasks.short() == [EXPIRED, ("late", "accept")]


def test_a_look_up_for_nobody(tasks: Tasks):
    tasks.send(looked_up(None, 50))
    assert tasks.count("rms.no-bet") == 1
    assert not tasks.entries()


def test_without_time_nothing_ends(tasks: Tasks):
    """The connector is dead: its time stands still, whatever the bets' own times are."""
    tasks.send(*bet("s1", 10), *bet("s2", 9_000, code="k2"), placed("s3", 20_000))
    assert (asked(tasks), tasks.short()) == ([], [])


def test_more_gaps_than_are_kept(tasks: Tasks):
    tasks.send(placed("s1", 10.5, context="prematch"), answered("s1", 11, code=None))
    for number in range(300):
        gap(tasks, 20 + number, 20.5 + number)
    tasks.send(time(611, 319.5))
    assert tasks.short() == [unverified("no-code")]  # merged gaps are gaps still
    tasks.send(placed("s2", 320, context="prematch"), answered("s2", 321, code=None), time(921, 319.5))
    assert tasks.short()[1:] == [EXPIRED] or tasks.short()[:1] == [EXPIRED]


def test_what_was_with_a_trader_before_its_record_came(tasks: Tasks):
    """The platform's producer kept the answer back: the gap lies before Kafka's time of it."""
    tasks.send(time(100))
    gap(tasks, 168, 294)
    tasks.send(time(1463, 294), answered(answered_ns=ns(87), logged_ns=ns(1463)), time(2100, 294))
    assert (asked(tasks), tasks.short()) == ([("s1", "deadline")], [])


def test_a_late_approval_ends_nothing_while_order_is_not_known(tasks: Tasks):
    """The answer, and with it what came by its code, may be behind: late evidence by slip says nothing then."""
    tasks.send(approval("accept", 100, 50, slip=None, code="k1"), placed(), time(140, by_code=1))
    tasks.send(approval("reject", 141, 100, before=1), time(142, by_code=1))
    assert tasks.short() == []
    tasks.send(*bet()[1:])
    assert tasks.short() == [("decision", "accepted", "approval"), ("conflict", "opposite")]


def test_a_late_approval_and_no_answer(tasks: Tasks):
    tasks.send(approval("accept", 100, 50, slip=None, code="k9"), placed(), time(140, by_code=1))
    tasks.send(approval("reject", 141, 100, before=1), time(3_610, by_code=1))
    assert [kind for kind in tasks.short() if kind[0] != "orphan"] == []
    tasks.send(time(3_611, by_code=1))
    assert [kind for kind in tasks.short() if kind[0] != "orphan"] == [unverified("unanswered"), ("late", "reject")]


def test_an_approval_in_time_and_no_answer(tasks: Tasks):
    """Until the window's end an approval by a code may be the bet's; then it is not waited for."""
    tasks.send(approval("accept", 15, 50, slip=None, code="k9"), placed(), approval("reject", 20, before=1))
    tasks.send(time(130, by_code=1))
    assert tasks.short() == []
    tasks.send(time(131, by_code=1))
    assert tasks.short() == [("decision", "rejected", "approval")]


def test_a_late_approval_does_not_end_what_lost_its_order(tasks: Tasks):
    tasks.send(*bet(), time(131, by_code=1), approval("accept", 140, before=1), time(131 + 10_800, by_code=1))
    assert (tasks.short(), asked(tasks)) == ([], [("s1", "deadline")])
    tasks.send(time(132 + 10_800 + 900, by_code=1))
    assert tasks.short() == [unverified("unordered"), ("late", "accept")]


def test_time_never_falls_back(tasks: Tasks):
    tasks.send(time(131), time(20), placed(), answered())
    assert tasks.short() == [("decision", "expired", "deadline")]


def test_of_two_look_ups_the_later_holds(tasks: Tasks):
    """Answers may overtake each other on their way."""
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(looked_up(None, 45, 100), looked_up(None, 29, 101), time(131, 40))
    assert tasks.short() == [EXPIRED]


def test_doubt_and_unknown_order_together_let_nothing_late_decide(tasks: Tasks):
    tasks.send(approval("accept", 100, 50, slip=None, code="k1"), placed())
    gap(tasks, 105, 110)
    tasks.send(time(140, 110, by_code=1), approval("reject", 141, 100, before=1), time(142, 110, by_code=1))
    assert tasks.short() == []
    tasks.send(*bet()[1:])
    assert tasks.short() == [("decision", "accepted", "approval"), ("conflict", "opposite")]


def test_what_is_cleared_is_not_asked_about_again(tasks: Tasks):
    """The look-up waits for an approval by code before it; meanwhile another gap ends."""
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(time(125, 40), looked_up(None, 132, 101, by_code_before=1), time(126, None), time(140, 139, by_code=1))
    assert (asked(tasks), tasks.short()) == ([("s1", "gap")], [])


def test_a_look_up_decides_after_the_window_where_an_approval_would_be_late(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(looked_up(None, 45), looked_up("accept", 131, 101))
    assert tasks.short() == [("decision", "accepted", "looked_up")]


def test_a_look_up_waits_for_approvals_of_others_too(tasks: Tasks):
    tasks.send(*bet())
    gap(tasks, 30, 40)
    tasks.send(time(131, 40), looked_up(None, 132, 101, by_code_before=1))
    assert tasks.short() == []
    tasks.send(approval("reject", 129, 100, slip=None, code="k9"))
    assert tasks.short() == [LOOKED]


def test_a_bet_that_comes_late_has_its_window_to_be_answered(tasks: Tasks):
    tasks.send(time(60), placed(), approval("accept", 20, before=1), time(180, by_code=1))
    assert tasks.short() == []
    tasks.send(time(181, by_code=1))
    assert tasks.short() == [("decision", "accepted", "approval")]
