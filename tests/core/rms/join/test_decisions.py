"""One bet, one trader, one socket: what comes of it."""

from typing import Any

import pytest
from msgspec.structs import replace

from schemas.rms.fields import DECISIONS
from schemas.rms.pending import Passed, code_key, slip_key
from tests.core.rms.join.tasks import T0, S, Tasks, alias, answered, approval, bet, ns, partition_of, placed, time


@pytest.fixture
def tasks() -> Tasks:
    tasks = Tasks()
    tasks.send(time(1))
    return tasks


@pytest.mark.parametrize(("said", "outcome"), [("accept", "accepted"), ("reject", "rejected")])
def test_an_approval_decides_at_once(tasks: Tasks, said: str, outcome: str):
    tasks.send(*bet(), approval(said, 20, code="k1", decided_ns=ns(19.5), reason="why not"))
    (value,) = tasks.told()
    assert value == {
        "type": "decision",
        "customer": "7",
        "bet_slip_id": "s1",
        "bet_code": "k1",
        "platform_id": "4021",
        "outcome": outcome,
        "evidence": "approval",
        "reason": "why not",
        "context": "live",
        "disposition": "referred",
        "stake": "10.00",
        "placed_ns": T0 + 10 * S,
        "answered_ns": T0 + 11 * S,
        "decided_ns": T0 + 19_500_000_000,
        "received_ns": T0 + 20 * S,
        "deadline_ns": T0 + 130 * S,
        "latency": {
            "placed_to_answered_ms": 1000,
            "answered_to_decided_ms": 8500,
            "decided_to_received_ms": 500,
            "placed_to_received_ms": 10_000,
        },
        "positions": {
            "placed": "tricast.rms.bets/0/1",
            "answered": "tricast.rms.bets/0/2",
            "decided": "tricast.rms.raw/2/100",
        },
    }
    output = next(output for task in tasks.tasks for output in task.outputs if output.topic == DECISIONS)
    position = next(record for record in tasks.records if b'"approval"' in (record.value or b""))
    assert output.header("ce_id") == f"tricast.rms.pending/{position.partition}/{position.offset}/0"
    assert output.header("ce_tcreceived") == str(ns(20))
    tasks.send(time(131), time(10_000))
    assert len(tasks.told()) == 1


def test_nobody_decides(tasks: Tasks):
    tasks.send(*bet(), time(130))
    assert tasks.short() == []
    tasks.send(time(131, proven=130))
    assert tasks.short() == []  # nothing is proven yet of what came after
    tasks.send(time(132, proven=131))
    assert tasks.short() == [("decision", "expired", "deadline")]
    assert "decided" not in tasks.told()[0]["positions"]
    assert tasks.lookups() == []


@pytest.mark.parametrize(
    ("context", "window"), [("prematch", 600), ("live", 120), ("inplay", 120), ("Prematch?", 120)], ids=str
)
def test_the_context_says_how_long(tasks: Tasks, context: str, window: int):
    tasks.send(placed(context=context), answered(), alias(), time(10 + window))
    assert tasks.short() == []
    tasks.send(time(10 + window + 1))
    assert tasks.short() == [("decision", "expired", "deadline")]
    assert tasks.told()[0]["deadline_ns"] == ns(10 + window)


def test_the_first_record_fixes_the_window(tasks: Tasks):
    tasks.send(answered(at=11), alias(), placed(at=10), time(131))
    assert tasks.short() == []
    tasks.send(time(612))
    assert tasks.short() == [("decision", "expired", "deadline")]


def test_a_code_alone_goes_the_longer_way(tasks: Tasks):
    tasks.send(*bet(), approval("reject", slip=None, code="k1"))
    assert tasks.short() == [("decision", "rejected", "approval")]
    assert tasks.told()[0]["bet_code"] == "k1"


def test_a_code_may_come_before_its_bet(tasks: Tasks):
    tasks.send(approval("accept", slip=None, code="k1"), time(30, by_code=1))
    assert tasks.short() == []
    tasks.send(placed(), answered())
    assert tasks.short() == []
    tasks.send(alias())
    assert tasks.short() == [("decision", "accepted", "approval")]


@pytest.mark.parametrize("at", [130, 130.000000001])
def test_the_last_moment_counts(tasks: Tasks, at: float):
    tasks.send(*bet(), approval("accept", received := at))
    if received <= 130:
        assert tasks.short() == [("decision", "accepted", "approval")]
        return
    assert tasks.short() == []
    tasks.send(time(131))
    assert tasks.short() == [("decision", "expired", "deadline"), ("late", "accept")]


@pytest.mark.parametrize("disposition", ["accepted", "rejected"])
def test_what_place_bet_settled_is_not_told(tasks: Tasks, disposition: str):
    tasks.send(*bet(disposition=disposition), time(131), time(730))
    assert tasks.short() == []
    assert len(tasks.entries()) == 2
    tasks.send(time(731))
    assert len(tasks.entries()) == 1  # the code; it is remembered for longer


@pytest.mark.parametrize("at", [20, 200])
@pytest.mark.parametrize(
    ("disposition", "said", "outcome"), [("accepted", "reject", "rejected"), ("rejected", "accept", "accepted")]
)
def test_an_approval_proves_referral_and_contradicts(tasks: Tasks, disposition: str, said: str, outcome: str, at: int):
    tasks.send(*bet(disposition=disposition), approval(said, at))
    assert tasks.short() == [("decision", outcome, "approval"), ("conflict", "answer-contradicts")]
    assert tasks.told()[1]["earlier_raw"] == "tricast.rms.bets/0/2"
    assert tasks.told()[1]["stands"] == outcome


def test_an_answer_that_contradicts_may_come_last(tasks: Tasks):
    tasks.send(placed(), approval("reject"), answered(disposition="accepted"))
    assert tasks.short() == [("decision", "rejected", "approval"), ("conflict", "answer-contradicts")]
    tasks.send(answered(disposition="accepted"))
    assert len(tasks.short()) == 2


def test_no_answer(tasks: Tasks):
    tasks.send(placed(), time(131), time(3610))
    assert tasks.short() == []
    tasks.send(time(3611))
    assert tasks.short() == [("decision", "expired_unverified", "deadline", "unanswered")]


def test_an_approval_without_answer(tasks: Tasks):
    tasks.send(placed(), approval("accept"))
    assert tasks.short() == [("decision", "accepted", "approval")]
    assert "disposition" not in tasks.told()[0]


def test_late_and_its_repeats(tasks: Tasks):
    tasks.send(*bet(), time(131))
    tasks.send(approval("accept", 140, 100), approval("accept", 141, 101), approval("reject", 142, 102))
    assert tasks.short() == [("decision", "expired", "deadline"), ("late", "accept"), ("conflict", "opposite")]
    late, conflict = tasks.told()[1:]
    assert (late["earlier"], late["after_deadline_ms"], late["raw"]) == ("expired", 10_000, "tricast.rms.raw/2/100")
    assert (conflict["stands"], conflict["earlier_raw"], conflict["raw"]) == (
        "expired",
        "tricast.rms.raw/2/100",
        "tricast.rms.raw/2/102",
    )
    assert tasks.count("rms.duplicate") == 1


def test_accept_and_reject(tasks: Tasks):
    tasks.send(*bet(), approval("accept", raw=100), approval("reject", raw=101), approval("accept", raw=102))
    assert tasks.short() == [("decision", "accepted", "approval"), ("conflict", "opposite")]
    assert tasks.count("rms.duplicate") == 1
    tasks.send(approval("reject", raw=101))  # a reset repeats it
    assert len(tasks.short()) == 2
    assert tasks.count("rms.repeat") == 1


def test_the_first_in_raw_wins_whatever_came_first(tasks: Tasks):
    tasks.send(approval("reject", raw=101), approval("accept", raw=100))
    assert tasks.short() == []
    tasks.send(*bet())
    assert tasks.short() == [("decision", "accepted", "approval"), ("conflict", "opposite")]


def test_the_first_in_raw_is_not_overtaken_by_the_shorter_way():
    """The reject by code alone is first in raw, the accept by slip arrives first."""
    tasks, home = Tasks(at_once=False), partition_of(slip_key("7", "s1"))
    far = next(code for code in ("a", "b", "c", "d", "e") if partition_of(code_key("7", code)) != home)
    reject, accept = approval("reject", slip=None, code=far), approval("accept", raw=101, before=1)
    tasks.send(time(1), *bet(code=far), reject, accept, time(125, by_code=1))
    while tasks.step(home):
        pass
    assert tasks.short() == []
    tasks.drain()
    assert tasks.short() == [("decision", "rejected", "approval"), ("conflict", "opposite")]


def test_time_does_not_overtake_an_approval_by_code():
    tasks = Tasks(at_once=False)
    tasks.send(time(1), *bet())
    tasks.drain()
    tasks.send(time(131, by_code=1), time(140, by_code=1))
    tasks.drain()
    assert tasks.short() == []
    tasks.send(approval("accept", 129, slip=None, code="k1"))
    tasks.drain()
    assert tasks.short() == [("decision", "accepted", "approval")]


def test_approvals_by_other_codes_do_not_hold_an_end_up_for_ever(tasks: Tasks):
    tasks.send(*bet(), time(129))
    for number in range(5):
        tasks.send(approval(at=129, raw=200 + number, slip=None, code=f"other-{number}", before=number))
    tasks.send(time(131, by_code=5))
    assert tasks.short() == [("decision", "expired", "deadline")]


def test_order_that_never_comes_is_doubt_not_expiry(tasks: Tasks):
    tasks.send(*bet(), time(131, by_code=1), time(130 + 10_800, by_code=1))
    assert (tasks.short(), tasks.lookups()) == ([], [])
    tasks.send(time(131 + 10_800, by_code=1))
    assert [asked["why"] for asked in tasks.lookups()] == ["deadline"]
    tasks.send(time(132 + 10_800 + 900, by_code=1))
    assert tasks.short() == [("decision", "expired_unverified", "deadline", "unordered")]


def test_a_lost_passage_is_given_up(tasks: Tasks):
    """Number 1 went through no task; what came after it does not wait for ever, and is not called expired."""
    tasks.send(time(5, by_code=1), *bet("s9", code="k9"))
    tasks.send(approval(at=12, slip=None, code="k9", before=1), time(13, by_code=2))
    tasks.send(*bet("s2", at=10_000, code="k2"), time(10_001, by_code=2), time(10_200, by_code=2))
    assert tasks.short() == []
    tasks.send(time(10_820, by_code=2))
    assert tasks.short() == [("decision", "accepted", "approval")]
    assert [asked["bet_slip_id"] for asked in tasks.lookups()] == ["s2"]
    tasks.send(*bet("s3", at=10_900, code="k3"), time(11_100, by_code=2))
    assert tasks.short().count(("decision", "expired", "deadline")) == 1


def test_ids_that_disagree_the_slip_wins(tasks: Tasks):
    tasks.send(*bet(), approval("accept", code="other"))
    assert tasks.short() == [("decision", "accepted", "approval"), ("conflict", "ids-disagree")]
    assert tasks.told()[1]["bet_code"] == "k1"


def test_ids_that_disagree_are_told_when_the_answer_comes(tasks: Tasks):
    tasks.send(placed(), approval("accept", code="other"), answered())
    assert tasks.short() == [("decision", "accepted", "approval"), ("conflict", "ids-disagree")]


def test_a_code_of_two_bets(tasks: Tasks):
    tasks.send(*bet("s1"), *bet("s2"), alias("s2", position="tricast.rms.bets/3/9"), approval(slip=None, code="k1"))
    assert sorted(tasks.short()) == [("conflict", "code-of-two-bets"), ("decision", "accepted", "approval")]
    tasks.send(time(132, by_code=1))
    assert ("decision", "expired", "deadline") in tasks.short()  # it is known to the code's task, too


@pytest.mark.parametrize(
    ("changes", "amended"),
    [
        ({"stake": "10"}, None),
        ({"stake": "5"}, {"stake": "5"}),
        ({"odds": "1.950"}, None),
        ({"odds": "1.8", "stake": "5.5"}, {"odds": "1.8", "stake": "5.5"}),
        ({"odds": "nonsense", "stake": "NaN"}, None),
    ],
    ids=str,
)
def test_what_the_trader_amended(tasks: Tasks, changes: dict[str, Any], amended: dict[str, str] | None):
    tasks.send(*bet(), approval("accept", **changes))
    assert tasks.told()[0].get("amended") == amended


def test_odds_of_a_multiple_are_not_compared(tasks: Tasks):
    tasks.send(placed(odds=("1.5", "2")), answered(), alias(), approval("accept", odds="3"))
    assert "amended" not in tasks.told()[0]


def test_two_customers_with_the_same_slip_id(tasks: Tasks):
    tasks.send(*bet(), *(replace(message, customer="8") for message in bet()), approval("accept"))
    (value,) = tasks.told()
    assert value["customer"] == "7"


def test_a_busy_customer_does_not_hold_an_end_up(tasks: Tasks):
    """What came by code after the window's end need not pass first; there is always some of it."""
    tasks.send(*bet(), time(131, by_code=1), time(132, by_code=2))
    assert tasks.short() == []
    tasks.send(Passed(customer="7", ordinal=1))
    assert tasks.short() == [("decision", "expired", "deadline")]


def test_ids_that_disagree_are_told_once(tasks: Tasks):
    tasks.send(*bet(), approval("accept", code="other"), approval("accept", raw=101, code="third"))
    assert tasks.short() == [("decision", "accepted", "approval"), ("conflict", "ids-disagree")]


def test_what_is_settled_is_kept_while_something_for_it_may_be_on_its_way(tasks: Tasks):
    """The code's task lags: a contradiction by code alone still finds its bet."""
    tasks.send(*bet(disposition="accepted"), time(131, by_code=1), time(5_000, by_code=1))
    tasks.send(approval("reject", 20, slip=None, code="k1"))
    assert tasks.short() == [("decision", "rejected", "approval"), ("conflict", "answer-contradicts")]


def test_what_no_trader_decides_is_not_written_again_until_it_may_be_forgotten(tasks: Tasks):
    tasks.send(*bet(disposition="accepted"))
    written = tasks.entries()
    tasks.send(*(time(at, by_code=2) for at in (131, 140, 730)))
    assert tasks.entries() == written
    tasks.send(time(731, by_code=3), time(800, by_code=4))
    tasks.send(*(Passed(customer="7", ordinal=ordinal) for ordinal in (1, 2)))
    assert tasks.entries().keys() == written.keys()
    tasks.send(Passed(customer="7", ordinal=3))
    assert [key for key in tasks.entries() if key[:1] == b"s"] == []
