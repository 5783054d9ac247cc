"""Evidence without bet, bets told twice, and how long all of it is remembered."""

import pytest
from msgspec.structs import replace

from processors.core.rms.join.evidence import MAX_ITEMS
from schemas.rms import pending
from tests.core.rms.join.tasks import CUSTOMER, Tasks, alias, answered, approval, bet, ns, partition_of, placed, time

ACCEPTED = ("decision", "accepted", "approval")
REMEMBERED = 21_600


@pytest.fixture
def tasks() -> Tasks:
    tasks = Tasks()
    tasks.send(time(1))
    return tasks


def test_an_orphan_and_its_late_bet(tasks: Tasks):
    tasks.send(approval("accept", 20), time(620))
    assert tasks.short() == []
    tasks.send(time(621), time(622))
    assert tasks.short() == [("orphan", "accept")]
    assert tasks.told()[0]["bet_slip_id"] == "s1"
    tasks.send(placed(), answered())
    assert tasks.short()[1:] == [ACCEPTED]
    assert tasks.told()[1]["after_orphan"] is True


def test_an_orphan_by_code(tasks: Tasks):
    tasks.send(approval("accept", 20, slip=None, code="k1"), time(621, by_code=1))
    assert tasks.short() == [("orphan", "accept")]
    assert (tasks.told()[0]["bet_code"], "bet_slip_id" in tasks.told()[0]) == ("k1", False)
    tasks.send(*bet())
    assert sorted(tasks.short()) == [ACCEPTED, ("orphan", "accept")]
    assert [value.get("after_orphan") for value in tasks.told() if value["type"] == "decision"] == [True]


def test_an_orphan_by_code_is_told_once(tasks: Tasks):
    """Its code becomes known before its bet does: the slip's task tells it no more."""
    tasks.send(approval("accept", 20, slip=None, code="k1"), time(621, by_code=1), alias(), time(700, by_code=1))
    assert tasks.short() == [("orphan", "accept")]


def test_a_bet_that_comes_late_is_judged_at_once(tasks: Tasks):
    """The bets router stood still: the approval waited, and so did nothing else."""
    tasks.send(approval("accept", 20), time(500), *bet("s2", 10, code="k2"), placed(), answered())
    assert tasks.short()[-1:] == [ACCEPTED] or tasks.short()[:1] == [ACCEPTED]
    assert sorted(tasks.short())[1] == ("decision", "expired", "deadline")


def test_an_answer_that_comes_moments_after_a_late_bet_is_waited_for(tasks: Tasks):
    """By the bet's own times its window is long over; but what names its code may be on its way."""
    tasks.send(approval("reject", 20, 100, slip=None, code="k1"), approval("accept", 21, 101, before=1))
    tasks.send(time(5_000, by_code=1), placed(), time(5_001, by_code=1))
    assert sorted(tasks.short()) == [("orphan", "accept"), ("orphan", "reject")]
    tasks.send(answered(), alias())
    assert sorted(tasks.short())[:2] == [("conflict", "opposite"), ("decision", "rejected", "approval")]


def test_repeats_are_counted(tasks: Tasks):
    tasks.send(*bet(), *bet(), answered(code=None))
    assert tasks.count("rms.repeat") == 4
    assert tasks.short() == []


def test_placed_again_with_other_content(tasks: Tasks):
    tasks.send(*bet(), placed(content="c2", stake="99", position="tricast.rms.bets/0/9"), approval("accept"))
    assert tasks.short() == [("conflict", "placed-differs"), ACCEPTED]
    conflict, decision = tasks.told()
    assert (conflict["raw"], conflict["earlier_raw"]) == ("tricast.rms.bets/0/9", "tricast.rms.bets/0/1")
    assert (conflict["stands"], decision["stake"]) == ("", "10.00")


@pytest.mark.parametrize(
    ("first", "second", "differs", "stands"),
    [
        (("unknown", "k1"), ("accepted", "k1"), False, ("accepted", "k1")),
        (("unknown", None), ("referred", "k1"), False, ("referred", "k1")),
        (("referred", None), ("referred", "k1"), False, ("referred", "k1")),
        (("referred", "k1"), ("accepted", "k1"), True, ("referred", "k1")),
        (("referred", "k1"), ("unknown", "k1"), True, ("referred", "k1")),
        (("referred", "k1"), ("referred", "k2"), True, ("referred", "k1")),
        (("unknown", "k1"), ("referred", "k2"), True, ("referred", "k1")),
        (("accepted", None), ("rejected", "k2"), True, ("accepted", "k2")),
    ],
    ids=str,
)
def test_answered_again(
    tasks: Tasks,
    first: tuple[str, str | None],
    second: tuple[str, str | None],
    differs: bool,
    stands: tuple[str, str | None],
):
    tasks.send(placed(), answered(disposition=first[0], code=first[1]))
    tasks.send(answered(disposition=second[0], code=second[1], position="tricast.rms.bets/0/9"))
    assert tasks.short() == [("conflict", "answer-differs")] * differs
    assert tasks.count("rms.repeat") == 0
    tasks.send(approval("accept"))
    decision = tasks.told()[differs]
    assert (decision["disposition"], decision.get("bet_code")) == stands


def test_what_is_decided_is_remembered_and_then_forgotten(tasks: Tasks):
    tasks.send(*bet(), approval("accept", 20), time(20 + REMEMBERED), approval("reject", 21, 101))
    assert tasks.short() == [ACCEPTED, ("conflict", "opposite")]
    tasks.send(time(20 + 2 * REMEMBERED), time(20.5 + 2 * REMEMBERED))
    assert not tasks.entries()


def test_a_bet_is_never_opened_again(tasks: Tasks):
    tasks.send(*bet(), time(131), time(12 + REMEMBERED))
    assert tasks.short() == [("decision", "expired", "deadline")]
    assert not tasks.entries()
    resent = [replace(message, logged_ns=ns(12 + REMEMBERED)) for message in (placed(), answered())]
    tasks.send(*resent, placed("s2", 1), answered("s2", 1))
    assert tasks.dead() == ["rms.bet-too-old"] * 4
    assert not tasks.entries()
    tasks.send(time(60_000))
    assert len(tasks.short()) == 1


def test_an_old_bet_that_is_remembered_is_no_old_bet(tasks: Tasks):
    tasks.send(*bet(), approval("accept", 20), time(20_000), approval("accept", 20_000, 101), time(30_000))
    tasks.send(*bet()[:2], placed(content="c2"))
    assert (tasks.count("rms.repeat"), tasks.short(), tasks.dead()) == (
        2,
        [ACCEPTED, ("conflict", "placed-differs")],
        [],
    )


def test_parked_evidence_is_forgotten(tasks: Tasks):
    tasks.send(
        approval("accept", 20), approval("accept", 20, 101, slip=None, code="k2"), time(20 + REMEMBERED, by_code=1)
    )
    assert len(tasks.entries()) == 2
    tasks.send(time(21 + REMEMBERED, by_code=1))
    assert not tasks.entries()
    assert tasks.short() == [("orphan", "accept")] * 2


def test_an_alias_before_all_time_is_remembered_from_the_first_on():
    tasks = Tasks()
    tasks.send(alias(), time(1), time(1 + REMEMBERED))
    assert len(tasks.entries()) == 1
    tasks.send(time(2 + REMEMBERED))
    assert not tasks.entries()


def test_too_much_evidence(tasks: Tasks):
    for number in range(MAX_ITEMS + 2):
        tasks.send(
            approval("accept", 20, 100 + number),
            approval("accept", 20, 500 + number, slip=None, code="k2", before=number),
        )
    assert tasks.dead() == ["rms.too-much-evidence"] * 4
    tasks.send(placed("s3"), answered("s3", code="k3"), alias("s3", "k3"), time(131, by_code=MAX_ITEMS + 2))
    assert tasks.short() == [("decision", "expired", "deadline")]  # what was refused has passed all the same


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"type":"rubbish","customer":"7"}',
        b'{"type":"time","customer":"7"}',
        b'{"type":"time","customer":"7","now_ns":"late"}',
        b'{"type":"passed","customer":"7/8","ordinal":1}',
        b'{"type":"passed","customer":"","ordinal":1}',
        b'{"type":"passed","customer":"\xff","ordinal":1}',
        b'{"type":"evident","customer":"7","evidence":"approval","raw":[1,2,3],"received_ns":1}',
        b"[" * 100_000,
    ],
    ids=repr,
)
def test_what_is_no_message(tasks: Tasks, value: bytes):
    tasks.give(1, value)
    assert tasks.dead() == ["rms.bad-message"]
    tasks.send(*bet(), approval("accept"))
    assert tasks.short() == [ACCEPTED]


def test_messages_to_its_own_tasks(tasks: Tasks):
    """What is sent on comes before what says so, by the keys of slip and code."""
    tasks.at_once = False
    tasks.send(approval("reject", 20, slip=None, code="k1", reason="no", stake="5"), alias())
    tasks.drain()
    sent = [(output.key, pending.decode(output.value)) for task in tasks.tasks for output in task.outputs]
    assert [key for key, _ in sent][-2:] == [b"7/s1", b"7/s1"]
    kinds = [type(message).__name__ for _, message in sent]
    assert kinds == ["Passed"] * 4 + ["Evident", "Known"]
    assert {partition_of(key) for key, message in sent[:4]} == {0, 1, 2, 3}
    _, evident = sent[4]
    assert evident == replace(approval("reject", 20, slip=None, code="k1", reason="no", stake="5"), slip="s1")
    assert evident.customer == CUSTOMER
