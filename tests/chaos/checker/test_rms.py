"""Planted in RMS' topics: each is named, and what is right is not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checker import rms
from tests.chaos.checker.building import Raw, S, made
from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.history import History
from tests.chaos.checker.judge import judge_rms
from tests.chaos.checker.kambi_accounts import side_by_side
from tests.chaos.checker.record import Record
from tests.chaos.checker.verdict import Verdict

PLACE: rms.Place = ("90210", "s-1")


def judged_rms(
    said: list[tuple[str, int]],
    decisions: list[dict[str, Any]],
    gaps: list[tuple[int, int]],
    disposition: str = "referred",
    placed_ns: int | None = None,
) -> set[str]:
    verdict = Verdict()
    truth = {PLACE: rms.Bet(disposition, 100 * S, said)}
    bets = {PLACE: rms.Written(99 * S, disposition, placed_ns)}
    rms.judge_outcomes(truth, bets, {PLACE: decisions} if decisions else {}, gaps, verdict, ended_before_ns=500 * S)
    return set(verdict.found)


def decision(outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "evidence": "approval", "deadline_ns": 160 * S}


ACCEPT, REJECT_LATE = [("accept", 110 * S)], [("reject", 170 * S)]


@pytest.mark.parametrize(
    ("said", "decisions", "gaps", "kinds"),
    [
        (ACCEPT, [decision("accepted")], [], set()),
        ([], [decision("expired")], [], set()),
        (REJECT_LATE, [decision("expired")], [], set()),
        (ACCEPT, [decision("expired_unverified")], [(105 * S, 115 * S)], set()),
        (ACCEPT, [decision("rejected")], [], {"final-state"}),
        (ACCEPT, [decision("expired")], [], {"final-state"}),
        (ACCEPT, [decision("expired_unverified")], [(161 * S, 170 * S)], {"final-state"}),
        (ACCEPT, [], [], {"lost"}),
        (ACCEPT, [decision("accepted"), decision("accepted")], [], {"duplicated"}),
    ],
)
def test_outcomes(said, decisions, gaps, kinds):
    assert judged_rms(said, decisions, gaps) == kinds


@pytest.mark.parametrize(("placed_s", "kinds"), [(85, set()), (95, {"final-state"})])
def test_a_gap_counts_from_when_the_platform_says_that_a_bet_was_placed(placed_s: int, kinds: set[str]):
    """It writes first and asks then: while Kafka is away the desk has the bet much later."""
    gap = [(80 * S, 88 * S)]
    assert judged_rms([], [decision("expired_unverified")], gap, placed_ns=placed_s * S) == kinds


def test_when_a_bet_was_placed_is_read_from_what_the_platform_wrote():
    records = Raw("rms")
    value = {"customer": "90210", "bet_slip_id": "s-1", "placed_at": "1970-01-01T00:01:25.250001Z"}
    records.add("frame", "rms", "A", 1, 99, value)
    assert rms.written(records.records)[PLACE].placed_ns == 85_250_001_000


def test_what_was_said_in_time_and_sent_too_late_expires_and_is_told_as_late():
    for late, kinds in (
        ({PLACE: 160 * S + 1}, set()),
        ({PLACE: 160 * S}, {"final-state"}),
        ({}, {"final-state"}),
    ):
        verdict = Verdict()
        rms.judge_outcomes(
            {PLACE: rms.Bet("referred", 100 * S, ACCEPT)},
            {PLACE: rms.Written(99 * S, "referred")},
            {PLACE: [decision("expired")]},
            [],
            verdict,
            ended_before_ns=500 * S,
            late=late,
        )
        assert set(verdict.found) == kinds


@pytest.mark.parametrize(
    ("received_s", "header", "after_s"),
    [(165, b"159000000000", 159), (165, b"170000000000", 165), (165, None, 165), (165, b"soon", 165)],
)
def test_a_frame_says_after_when_it_was_sent(received_s: int, header: bytes | None, after_s: int):
    raw = Raw("rms")
    raw.add("frame", "rms-90210", "c", 1, received_s, b"2[]")
    (record,) = raw.records
    record = replace(record, headers=record.headers | ({} if header is None else {"tc-after-ns": header}))
    assert rms.sent_after(record) == after_s * S


def test_where_a_late_approval_stands_in_raw_is_read_and_a_look_up_is_none():
    def late(slip: str, evidence: str, raw: str) -> Record:
        value = {"customer": "90210", "bet_slip_id": slip, "evidence": evidence, "raw": raw, "received_ns": 1}
        return made("rms", "rms.decisions", "late", "0/0", value)

    told = [late("s-1", "approval", "p.rms.raw/2/7"), late("s-2", "looked_up", "p.rms.raw/2/8")]
    assert rms.told_late(told) == {PLACE: (2, 7)}


@pytest.mark.parametrize(("after_s", "kinds"), [(161, set()), (159, {"final-state"})])
def test_an_approval_that_was_read_late_is_no_late_one(tmp_path: Path, after_s: int, kinds: set[str]):
    """The desk said it in time, the connector stood still over the end, and the bet was ended as expired."""
    ids: dict[str, Any] = {"customer": "90210", "bet_slip_id": "s-1"}
    raw, bets, cabinet, verdict = Raw("rms", b"90210"), Raw("rms"), Cabinet(None), Verdict()
    raw.add("frame", "rms-90210", "c", 1, 165, b'2["RESERVE_BET_ACCEPT",{"betSlipId":"s-1"}]')
    bets.add("frame", "rms-90210", "b", 1, 99, ids | {"type": "answered", "disposition": "referred"})
    said = {"said": "accept", "evidence": "approval", "raw": "p.rms.raw/0/0", "received_ns": 165 * S}
    cabinet.put(replace(one, headers=one.headers | {"tc-after-ns": b"%d" % (after_s * S)}) for one in raw.records)
    cabinet.put(replace(one, topic="rms.bets") for one in bets.records)
    cabinet.put(
        [
            made("rms", "rms.approvals", "approval", "0/0", ids | said),
            made("rms", "rms.decisions", "decision", "1/0", ids | decision("expired")),
            made("rms", "rms.decisions", "late", "1/1", ids | said, offset=1),
        ]
    )
    cabinet.index()
    desk = [
        {"kind": "bet", "customer": "90210", "slip": "s-1", "disposition": "referred", "at_ns": 100 * S},
        {"kind": "decision", "customer": "90210", "slip": "s-1", "outcome": "accept", "at_ns": 150 * S},
    ]
    (tmp_path / "rms-ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in desk))
    judge_rms(tmp_path, cabinet, History(), "p.rms.raw", verdict)
    assert set(verdict.found) == kinds
    assert bool(verdict.counts["rms: expired, and decided late"]) is not bool(kinds)


def test_an_answer_that_the_router_was_away_for_is_a_limit():
    for stops, kinds in (([(150 * S, 155 * S)], set()), ([(170 * S, 175 * S)], {"final-state"})):
        verdict = Verdict()
        rms.judge_outcomes(
            {PLACE: rms.Bet("referred", 100 * S, [])},
            {PLACE: rms.Written(99 * S, "referred")},
            {PLACE: [decision("expired_unverified") | {"why": "unanswered"}]},
            [],
            verdict,
            ended_before_ns=500 * S,
            stops=stops,
            unanswered_ns=60 * S,
        )
        assert set(verdict.found) == kinds


def test_an_outcome_of_a_bet_nobody_wrote_is_named():
    verdict = Verdict()
    rms.judge_outcomes({}, {}, {PLACE: [decision("accepted")]}, [], verdict, ended_before_ns=0)
    assert set(verdict.found) == {"duplicated"}


def test_what_was_before_the_first_coverage_and_what_is_open_at_the_end_are_gaps_too():
    def health(offset: int, state: str, **said: int) -> Record:
        value = {"line": "rms-1", "state": state} | said
        return made("rms", "rms.health", "line.health", f"{offset}/0", value, offset=offset)

    told = [
        health(1, "suspect", since_ns=3),
        health(2, "live", since_ns=5),
        health(4, "down", since_ns=20),
        health(6, "gapped", since_ns=19, until_ns=30),
        health(7, "live", since_ns=30),
        health(9, "down", since_ns=40),
    ]
    assert rms.uncovered(told) == [(0, 5), (19, 30), (40, 1 << 62)]


def announcements(*, without: int | None = None, wrong: bool = False) -> set[str]:
    raw = Raw("rms", b"90210")
    raw.add("frame", "rms-90210", "c", 1, 100, b'2["RESERVE_BET_ACCEPT",{"betSlipId":"s-1"}]')
    raw.add("frame", "rms-90210", "c", 2, 101, b'2["RESERVE_BET_ACCEPT","{\\"betSlipId\\":\\"s-1\\"}"]')
    raw.add("frame", "rms-90210", "c", 3, 102, b'2["RESERVE_BET_REJECT",[{"bet_code":"x-1"}]]')
    raw.add("frame", "rms-90210", "c", 4, 103, b'2["RESERVE_BET_REJECT",null]')
    out: list[Record] = [
        made("rms", "rms.approvals", "approval", "0/0", {"bet_slip_id": "s-1", "said": "accept"}),
        made("rms", "rms.approvals", "approval", "2/0", {"bet_code": "x-1", "said": "accept" if wrong else "reject"}),
        replace(made("rms", "rms.dead-letters", "x", "", {}), headers={"tc-source": b"p.rms.raw/0/3/0"}),
    ]
    if without is not None:
        del out[without]
    verdict = Verdict()
    accounts = rms.Accounts(verdict)
    for record, outputs in side_by_side(raw.records, out):
        accounts.take(record, outputs)
    return set(verdict.found)


def test_announcements_as_they_should_be_hold():
    assert announcements() == set()


@pytest.mark.parametrize("without", [0, 1, 2])
def test_an_announcement_that_is_nowhere_is_named(without):
    assert announcements(without=without) == {"not-normalized"}


def test_an_approval_of_something_else_is_named():
    assert announcements(wrong=True) == {"not-normalized"}
