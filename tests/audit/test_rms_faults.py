"""The audit of RMS over a true story in which lies were planted; each must be named."""

import json
from copy import copy
from dataclasses import replace

import pytest

from tests.audit.rms_world import CUSTOMER, START_NS, S, World, findings
from tricast.audit.rms.facts import Truth


def story():
    """One bet of each kind; the socket is away from 700 to 760 s."""
    world = World()
    world.connect()
    world.tick(20)
    for slip in ("accepted", "rejected", "late", "short", "by-code", "doubted"):
        context = "live" if slip == "short" else "prematch"
        world.placed(slip, context=context, platform_id=7, selections=[{"event_id": 1, "odds": 1.5}])
        world.answered(slip)
    world.placed("settled")
    world.answered("settled", "accepted")
    world.placed("twice")
    world.placed("twice", stake="11")
    world.answered("twice", "rejected")
    world.write("rms.bets", b"x", b"no bet")
    world.tick(60)
    world.say("accept", "accepted", "code-accepted", acceptedAt="2026-09-21T14:14:19.123Z", reason="fine")
    world.say("accept", "accepted", "code-accepted")
    world.say("reject", "rejected", reason="no", approvedStake=2.50, odds="1.50")
    world.say("accept", "rejected")
    world.say("accept", code="code-by-code")
    world.say("reject", "nobody")
    world.event("accept", {"platform_id": 4})
    world.tick(650)
    world.say("accept", "late")
    world.tick(690)
    world.placed("gone")
    world.answered("gone")
    world.placed("looked")
    world.answered("looked")
    world.tick(700)
    world.close()
    world.tick(760)
    world.connect("c2", "c1")
    world.tick(780)
    world.looked_up("looked", word="rejected")
    world.looked_up("gone", status=503)
    world.tick(2700, step_s=10)
    world.placed("waits")
    world.answered("waits")
    world.tick(2710)
    return world


TRUE = story()


@pytest.fixture
def world():
    told = copy(TRUE)
    told.topics = {name: list(records) for name, records in TRUE.topics.items()}
    told.truths = []
    return told


def decision(world, slip):
    (record,) = [r for r in world.of("rms.decisions", bet_slip_id=slip) if "outcome" in json.loads(r.value)]
    return record


def told(world, word, **wanted):
    """Return the one record of rms.decisions of a type."""
    records = [
        r for r in world.of("rms.decisions", **wanted) if dict(r.headers)["ce_type"].decode().split(".")[2] == word
    ]
    return records[0]


def test_nothing_is_said_of_what_is_true(world):
    report = world.judged()
    assert dict(report.findings) == {}, report.examples
    assert report.bets == {
        "records": 24,
        "accepted": 2,
        "rejected": 2,
        "expired": 3,
        "expired_unverified": 1,
        "late": 1,
        "conflict": 2,
        "orphan": 1,
        "not referred": 2,
        "waiting": 1,
    }
    assert (report.candidates, report.duplicates) == (10, 1)
    assert set(report.dead_letters) == {"rms.no-id", "rms.not-json"}


# -- hops ------------------------------------------------------------------------------------------------------------


def drop_approval(world):
    world.drop(world.of("rms.approvals", bet_slip_id="rejected", said="reject")[0])


def double_approval(world):
    record = world.of("rms.approvals", bet_slip_id="late")[0]
    world.again(record, dict(record.headers)["ce_id"].decode()[:-1] + "7")


def same_identity(world):
    world.again(world.of("rms.approvals", bet_slip_id="late")[0])


def invent_approval(world):
    record = world.of("rms.approvals", bet_slip_id="late")[0]
    tick = next(r for r in world.of("rms.raw", open=True) if r.offset > 5)
    world.again(record, f"t.rms.raw/{tick.partition}/{tick.offset}/0")


def approval_of_nothing(world):
    record = world.of("rms.approvals", bet_slip_id="late")[0]
    world.again(record, f"t.rms.raw/{record.partition}/99999/0")


def turn_approval(world):
    world.change(world.of("rms.approvals", bet_slip_id="late")[0], said="reject")


def other_slip(world):
    world.change(world.of("rms.approvals", bet_slip_id="late")[0], bet_slip_id="other")


def other_time(world):
    record = world.of("rms.approvals", bet_slip_id="late")[0]
    world.change(record, received_ns=json.loads(record.value)["received_ns"] - 1)


def other_decided_time(world):
    world.change(world.of("rms.approvals", bet_slip_id="accepted")[0], decided_ns=START_NS + 1)


def other_reason(world):
    world.change(world.of("rms.approvals", bet_slip_id="accepted")[0], reason="not so fine")


def other_key(world):
    record = world.of("rms.approvals", bet_slip_id="late")[0]
    world.swap(record, replace(record, key=b"90210/other"))


def drop_letter(world):
    world.drop(letter(world, b"rms.no-id"))


def drop_bets_letter(world):
    world.drop(letter(world, b"rms.not-json"))


def letter(world, code):
    return next(r for r in world.topics["rms.dead-letters"] if dict(r.headers)["tc-code"] == code)


def letter_from_nowhere(world):
    record = letter(world, b"rms.not-json")
    headers = [("tc-source", b"t.rms.bets/0/99999"), ("tc-code", b"rms.not-json")]
    world.swap(record, record, replace(record, offset=record.offset + 50, headers=headers))


def letter_of_other_bytes(world):
    record = letter(world, b"rms.not-json")
    world.swap(record, replace(record, value=b"other bytes"))


def false_letter(world):
    record = world.of("rms.approvals", bet_slip_id="late")[0]
    source = json.loads(record.value)["raw"]
    world.drop(record)
    headers = [("tc-source", f"{source}/0".encode()), ("tc-code", b"rms.no-id")]
    world.topics["rms.dead-letters"].append(replace(letter(world, b"rms.no-id"), offset=99, headers=headers))
    for message in world.of("rms.pending", type="evident", slip="late"):
        world.drop(message)
    world.drop(told(world, "late"))


def false_bets_letter(world):
    bet = world.of("rms.bets", bet_slip_id="waits", type="placed")[0]
    source = f"{bet.topic}/{bet.partition}/{bet.offset}"
    headers = [("tc-source", source.encode()), ("tc-code", b"rms.bad-stake")]
    record = replace(letter(world, b"rms.no-id"), offset=99, headers=headers, value=bet.value)
    world.topics["rms.dead-letters"].append(record)
    world.drop(world.of("rms.pending", type="placed", slip="waits")[0])


def drop_evident(world):
    world.drop(world.of("rms.pending", type="evident", slip="late")[0])


def double_evident(world):
    world.again(world.of("rms.pending", type="evident", slip="late")[0])


def drop_placed(world):
    world.drop(world.of("rms.pending", type="placed", slip="waits")[0])


def double_answered(world):
    world.again(world.of("rms.pending", type="answered", slip="waits")[0])


def drop_alias(world):
    world.drop(world.of("rms.pending", type="alias", slip="waits")[0])


def other_alias(world):
    world.change(world.of("rms.pending", type="alias", slip="waits")[0], slip="late")


def lose_a_frame(world):
    raw = next(r for r in world.topics["rms.raw"] if b"ACCEPT" in (r.value or b"") and b'"late"' in r.value)
    world.drop(raw)


# -- outcomes --------------------------------------------------------------------------------------------------------


def second_decision(world):
    record = decision(world, "accepted")
    world.again(record, dict(record.headers)["ce_id"].decode()[:-1] + "5")


def decision_of_nobody(world):
    record = decision(world, "accepted")
    copy_ = world.again(record, dict(record.headers)["ce_id"].decode()[:-1] + "5")
    world.swap(copy_, replace(copy_, key=f"{CUSTOMER}/made-up".encode()))
    world.change(world.topics["rms.decisions"][-1], bet_slip_id="made-up")


def turn_decision(world):
    world.change(decision(world, "accepted"), outcome="rejected")


def accepted_by_nothing(world):
    raw = next(r for r in world.of("rms.raw", open=True))
    world.change(decision(world, "accepted"), positions__decided=f"t.rms.raw/{raw.partition}/{raw.offset}")


def accepted_without_position(world):
    world.change(decision(world, "accepted"), positions__decided=None)


def another_evidence(world):
    world.change(decision(world, "accepted"), evidence="looked_up")


def second_word_wins(world):
    (second,) = world.of("rms.approvals", bet_slip_id="rejected", said="accept")
    said = json.loads(second.value)
    world.change(
        decision(world, "rejected"),
        outcome="accepted",
        positions__decided=said["raw"],
        received_ns=said["received_ns"],
        reason=None,
        amended=None,
    )


def other_placed_position(world):
    bet = world.of("rms.bets", bet_slip_id="late", type="placed")[0]
    world.change(decision(world, "accepted"), positions__placed=f"{bet.topic}/{bet.partition}/{bet.offset}")


def other_answered_position(world):
    world.change(decision(world, "accepted"), positions__answered="t.rms.bets/0/99999")


def no_positions(world):
    world.change(decision(world, "short"), positions={})


def other_stake(world):
    world.change(decision(world, "accepted"), stake="1000")


def other_context(world):
    world.change(decision(world, "accepted"), context="live")


def other_disposition(world):
    world.change(decision(world, "accepted"), disposition="unknown")


def other_code(world):
    world.change(decision(world, "accepted"), bet_code="invented")


def other_deadline(world):
    record = decision(world, "short")
    world.change(record, deadline_ns=json.loads(record.value)["deadline_ns"] + S)


def other_received(world):
    record = decision(world, "accepted")
    world.change(record, received_ns=json.loads(record.value)["received_ns"] + 1)


def other_decision_key(world):
    record = decision(world, "accepted")
    world.swap(record, replace(record, key=b"90210/late"))


def nothing_amended(world):
    world.change(decision(world, "rejected"), amended=None)


def other_amended_stake(world):
    world.change(decision(world, "rejected"), amended__stake="25")


def odds_amended_too(world):
    world.change(decision(world, "rejected"), amended__odds="1.6")


def other_approved_stake(world):
    world.change(world.of("rms.approvals", bet_slip_id="rejected", said="reject")[0], stake="2.05")


def drop_expired(world):
    world.drop(decision(world, "short"))


def drop_accepted(world):
    world.drop(decision(world, "accepted"))


def drop_unverified(world):
    world.drop(decision(world, "gone"))


def drop_by_code(world):
    world.drop(decision(world, "by-code"))


def expired_in_a_gap(world):
    world.change(decision(world, "gone"), outcome="expired", evidence="deadline", why=None)


def expired_before_a_look_up(world):
    record = decision(world, "looked")
    world.change(record, outcome="expired", reason=None, received_ns=None, decided_ns=None)


def unverified_without_a_gap(world):
    world.change(decision(world, "short"), outcome="expired_unverified", why="feed-down")


def unverified_for_no_reason(world):
    world.change(decision(world, "gone"), why=None)


def never_looked_up(world):
    world.change(decision(world, "short"), outcome="expired_unverified", why="not-found")


def answered_after_all(world):
    world.change(decision(world, "short"), outcome="expired_unverified", why="unanswered")


def expired_although_decided(world):
    record = decision(world, "accepted")
    fields = {"outcome": "expired", "evidence": "deadline", "positions__decided": None, "received_ns": None}
    world.change(record, **fields)


def expired_although_never_referred(world):
    record = decision(world, "short")
    bet = next(r for r in world.of("rms.bets", bet_slip_id="short", type="answered"))
    world.change(bet, disposition="accepted")
    world.change(record, disposition="accepted")


def expired_before_its_time(world):
    record = decision(world, "short")
    twin = world.again(record, "t.rms.pending/0/1/9")
    bet = next(r for r in world.of("rms.bets", bet_slip_id="waits", type="placed"))
    answer = next(r for r in world.of("rms.bets", bet_slip_id="waits", type="answered"))
    placed_ns = json.loads(bet.value)["placed_at"] * 1_000_000
    world.swap(twin, replace(twin, key=f"{CUSTOMER}/waits".encode()))
    world.change(
        world.topics["rms.decisions"][-1],
        bet_slip_id="waits",
        bet_code="code-waits",
        context="prematch",
        stake="10",
        placed_ns=placed_ns,
        answered_ns=json.loads(answer.value)["answered_at"] * 1_000_000,
        deadline_ns=bet.timestamp * 1_000_000 + 600 * S,
        positions={
            "placed": f"{bet.topic}/{bet.partition}/{bet.offset}",
            "answered": f"{answer.topic}/{answer.partition}/{answer.offset}",
        },
    )


def no_decision_at_all(world):
    record = decision(world, "short")
    world.swap(record, replace(record, value=b"{}"))


# -- remarks ---------------------------------------------------------------------------------------------------------


def drop_late(world):
    world.drop(told(world, "late"))


def late_that_never_was(world):
    world.change(told(world, "late"), said="reject")


def late_for_another_outcome(world):
    world.change(told(world, "late"), earlier="expired_unverified")


def late_by_another_time(world):
    world.change(told(world, "late"), after_deadline_ms=1)


def drop_conflict(world):
    world.drop(told(world, "conflict", why="opposite"))


def drop_placed_differs(world):
    world.drop(told(world, "conflict", why="placed-differs"))


def conflict_of_nothing(world):
    world.change(told(world, "conflict", why="opposite"), raw="t.rms.raw/0/99999")


def conflict_of_harmony(world):
    world.change(told(world, "conflict", why="placed-differs"), why="answer-differs")


def drop_orphan(world):
    world.drop(told(world, "orphan"))


def orphan_of_nothing(world):
    world.change(told(world, "orphan"), said="accept")


def orphan_with_a_bet(world):
    record = told(world, "orphan")
    approval = world.of("rms.approvals", bet_slip_id="late")[0]
    said = json.loads(approval.value)
    twin = world.again(record, "t.rms.pending/0/1/8")
    world.swap(twin, replace(twin, key=approval.key))
    fields = {"bet_slip_id": "late", "said": "accept", "raw": said["raw"], "received_ns": said["received_ns"]}
    world.change(world.topics["rms.decisions"][-1], **fields)


# -- gaps ------------------------------------------------------------------------------------------------------------


def drop_gap(world):
    world.drop(world.of("rms.health", state="gapped")[0])


def gap_that_never_was(world):
    record = world.of("rms.health", state="gapped")[0]
    world.change(record, until_ns=START_NS + 40 * S, since_ns=START_NS + 30 * S)


def shorter_gap(world):
    record = world.of("rms.health", state="gapped")[0]
    world.change(record, since_ns=json.loads(record.value)["since_ns"] + 5 * S)


LIES = {
    drop_approval: {"lost"},
    double_approval: {"unexpected"},
    same_identity: {"duplicated"},
    invent_approval: {"unexpected"},
    approval_of_nothing: {"unexpected"},
    turn_approval: {"lost", "unexpected"},
    other_slip: {"lost", "unexpected"},
    other_time: {"false"},
    other_decided_time: {"false"},
    other_reason: {"false"},
    other_key: {"false"},
    drop_letter: {"lost"},
    drop_bets_letter: {"lost"},
    letter_from_nowhere: {"unexpected"},
    letter_of_other_bytes: {"false"},
    false_letter: {"false"},
    false_bets_letter: {"false"},
    drop_evident: {"lost"},
    double_evident: {"duplicated"},
    drop_placed: {"lost"},
    double_answered: {"duplicated"},
    drop_alias: {"lost"},
    other_alias: {"false"},
    lose_a_frame: {"hole"},
    second_decision: {"duplicated"},
    decision_of_nobody: {"unexpected"},
    turn_decision: {"false"},
    accepted_by_nothing: {"false"},
    accepted_without_position: {"false"},
    another_evidence: {"false"},
    second_word_wins: {"false"},
    other_placed_position: {"false"},
    other_answered_position: {"false"},
    no_positions: {"false"},
    other_stake: {"false"},
    other_context: {"false"},
    other_disposition: {"false"},
    other_code: {"false"},
    other_deadline: {"false"},
    other_received: {"false"},
    other_decision_key: {"false"},
    nothing_amended: {"false"},
    other_amended_stake: {"false"},
    odds_amended_too: {"false"},
    other_approved_stake: {"false"},
    drop_expired: {"undecided"},
    drop_accepted: {"undecided"},
    drop_unverified: {"undecided"},
    drop_by_code: {"undecided"},
    expired_in_a_gap: {"guessed"},
    expired_before_a_look_up: {"false"},
    unverified_without_a_gap: {"guessed"},
    unverified_for_no_reason: {"guessed"},
    never_looked_up: {"guessed"},
    answered_after_all: {"guessed"},
    expired_although_decided: {"false"},
    expired_although_never_referred: {"false"},
    expired_before_its_time: {"guessed"},
    no_decision_at_all: {"unexpected"},
    drop_late: {"lost"},
    late_that_never_was: {"false"},
    late_for_another_outcome: {"false"},
    late_by_another_time: {"false"},
    drop_conflict: {"lost"},
    drop_placed_differs: {"lost"},
    conflict_of_nothing: {"false"},
    conflict_of_harmony: {"false"},
    drop_orphan: {"lost"},
    orphan_of_nothing: {"false"},
    orphan_with_a_bet: {"false"},
    drop_gap: {"lost"},
    gap_that_never_was: {"unexpected"},
    shorter_gap: {"false"},
}


@pytest.mark.parametrize(("lie", "kinds"), LIES.items(), ids=[lie.__name__ for lie in LIES])
def test_a_lie_is_found(world, lie, kinds):
    lie(world)
    report = world.judged()
    assert kinds <= {kind for kind, number in report.findings.items() if number}, report.examples


# -- the simulator's truth -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slip", "said", "at_s", "kinds"),
    [
        ("accepted", [("accept", 60)], 0, {}),
        ("accepted", [("reject", 59), ("accept", 60)], 0, {"untrue": 1}),
        ("accepted", [("ignore", 60)], 0, {"untrue": 1}),
        ("short", [("ignore", 60)], 0, {}),
        ("short", [("accept", 100)], 0, {"untrue": 1}),
        ("short", [("accept", 139)], 0, {}),  # may have been on its way when the window ended
        ("gone", [("accept", 720)], 0, {}),
        ("gone", [("accept", 1000)], 0, {"untrue": 1}),
    ],
)
def test_outcomes_are_the_traders(world, slip, said, at_s, kinds):
    world.truths = [(CUSTOMER, slip, Truth(outcome="placed referred", at_ns=START_NS))]
    world.truths += [(CUSTOMER, slip, Truth(outcome=word, at_ns=START_NS + s * S)) for word, s in said]
    assert findings(world) == kinds


def test_what_was_decided_at_once_is_true_too(world):
    world.truths = [(CUSTOMER, "accepted", Truth(outcome="placed accepted", at_ns=START_NS))]
    assert findings(world) == {}
    world.truths = [(CUSTOMER, "accepted", Truth(outcome="placed rejected", at_ns=START_NS))]
    assert findings(world) == {"untrue": 1}


def test_bets_of_another_run_are_left_alone(world):
    world.truths = [(CUSTOMER, "accepted", Truth(outcome="reject", at_ns=START_NS))]
    assert findings(world) == {}
