"""Replays of RMS' dead letters: what the vendor or the bet platform said later stands."""

import json
from dataclasses import replace
from typing import Any

import pytest

from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.core.rms.join.processor import RmsJoin
from schemas.rms import pending
from tests.core.driver import Driver, Record
from tests.core.rms.approvals.raw import Partition
from tests.core.rms.bet_records import ANSWERED, LOGGED_MS, PLACED, SLIP
from tests.dlq.bench import Bench, Out, everything

RAW, BETS = "t.rms.raw", "t.rms.bets"
A, B = {"betSlipId": "a", "code": "x"}, {"betSlipId": "b"}
BAD = {"betSlipId": None}


class Approvals(Bench):
    """A task with one socket of one customer."""

    def __init__(self) -> None:
        super().__init__(RmsApprovals(), RAW)
        self.source = Partition()
        self.line = self.source.line().open()
        self.fed = 0
        self.go()

    def go(self) -> list[Out]:
        records, self.fed = self.source.records[self.fed :], len(self.source.records)
        return self.feed(records)

    def tell(self, said: str, *arguments: Any) -> list[Out]:
        self.line.tell(said, *arguments)
        return approvals(self.go())

    def fail(self, said: str, *arguments: Any) -> None:
        self.planted.bugs = {b"RESERVE_BET"}
        assert not self.tell(said, *arguments)
        self.planted.bugs = set()


def approvals(outs: list[Out]) -> list[Out]:
    return [out for out in outs if out.topic == "rms.approvals"]


def evidence(outs: list[Out]) -> list[pending.Evident]:
    messages = [pending.decode(out.value or b"") for out in outs if out.topic == "rms.pending"]
    return [message for message in messages if isinstance(message, pending.Evident)]


@pytest.fixture
def task() -> Approvals:
    return Approvals()


def test_a_packet_of_a_mended_bug_brings_its_approvals_marked_and_as_evidence_of_its_own_place(task: Approvals):
    task.fail("accept", A, B)
    (letter,) = task.letters
    place = f"{RAW}/0/{letter.source.offset}"
    before = everything(task.task)
    outs = task.replay(letter)
    mark = f"{RAW}/0/{len(task.raw) - 1}"
    assert [out.header("ce_id") for out in approvals(outs)] == [f"{place}/0/0", f"{place}/1/0"]
    assert {out.header("ce_replayed") for out in outs} == {mark}
    assert [out.said["raw"] for out in approvals(outs)] == [place, place]
    assert [(one.slip, one.said, one.raw) for one in evidence(outs)] == [
        ("a", "accept", (0, letter.source.offset, 0)),
        ("b", "accept", (0, letter.source.offset, 1)),
    ]
    changed = {key[:1] for key, value in everything(task.task).items() if before.get(key) != value}
    assert changed == {b"d"}, "what was told, and nothing of lines or coverage"


def test_one_approval_alone_is_accepted_or_rejected_as_its_event_said(task: Approvals):
    task.tell("reject", B, BAD)
    (letter,) = task.letters
    assert (letter.code, letter.source.part, letter.part) == ("rms.no-id", 1, "RESERVE_BET_REJECT")
    outs = task.feed([task.request(letter, value=json.dumps(A).encode())])
    assert [out.header("ce_id") for out in approvals(outs)] == [f"{RAW}/0/{letter.source.offset}/1/0"]
    assert [out.said["said"] for out in approvals(outs)] == ["reject"]


def test_an_approval_whose_event_is_not_named_is_refused(task: Approvals):
    task.tell("reject", B, BAD)
    nameless = replace(task.letters[0], part=None)
    assert not task.feed([task.request(nameless, value=json.dumps(A).encode())])
    assert [letter.detail for letter in task.letters[1:]] == [
        "the letter does not name the event, and only that says accept or reject"
    ]


def test_a_letter_whose_headers_say_too_little_is_refused_for_that(task: Approvals):
    task.fail("accept", A)
    assert not task.replay(replace(task.letters[0], stamps=()))
    (refused,) = task.letters[1:]
    assert refused.code == "rms.replay-refused"
    assert "nothing comes of it" not in refused.detail


LATER = {
    "the opposite for the slip": ("accept", A, "reject", {"betSlipId": "a"}),
    "the same for the slip": ("accept", A, "accept", A),
    "by code, when the slip came with it": ("accept", {"code": "x"}, "reject", A),
    "by slip, when its code came alone": ("accept", A, "reject", {"code": "x"}),
}


@pytest.mark.parametrize(("said", "failed", "later_said", "later"), LATER.values(), ids=LATER)
def test_a_later_approval_of_the_bet_refuses(task: Approvals, said: str, failed: Any, later_said: str, later: Any):
    task.fail(said, failed)
    assert task.tell(later_said, later)
    before = everything(task.task)
    assert not task.replay(task.letters[0])
    assert task.letters[1].code == "rms.replay-refused"
    assert f"an approval at {RAW}/0/{len(task.raw) - 2} is out" in task.letters[1].detail
    assert everything(task.task) == before


def test_an_earlier_approval_that_said_the_same_refuses(task: Approvals):
    task.tell("accept", A)
    task.fail("accept", A)
    assert not task.replay(task.letters[0])
    assert task.letters[1].detail == "the same was said before"


def test_an_earlier_approval_that_said_the_opposite_does_not(task: Approvals):
    task.tell("accept", A)
    task.fail("reject", A)
    assert [out.said["said"] for out in approvals(task.replay(task.letters[0]))] == ["reject"]


def test_what_is_older_than_approvals_are_remembered_is_refused(task: Approvals):
    task.fail("accept", A)
    task.source.at(21_700)
    task.line.tick()
    task.go()
    assert not task.replay(task.letters[0])
    assert "longer than approvals are remembered" in task.letters[1].detail


def fail_look_up(task: Approvals) -> None:
    """Have the answer to a look-up of slip-1 fail."""
    lookups = task.source.line(suffix="-lookups")
    task.planted.bugs = {b"success"}
    lookups.look_up({"success": True, "data": {"code": "code-1", "status": "rejected"}})
    task.go()
    task.planted.bugs = set()


def test_the_answer_to_a_look_up_is_replayed_with_what_it_was_asked(task: Approvals):
    fail_look_up(task)
    (found,) = evidence(task.replay(task.letters[0]))
    assert (found.slip, found.code, found.said, found.evidence) == ("slip-1", "code-1", "reject", "looked_up")


def test_the_answer_to_a_look_up_is_refused_where_an_approval_came_later(task: Approvals):
    fail_look_up(task)
    assert task.tell("accept", {"betSlipId": "slip-1"})
    assert not task.replay(task.letters[0])
    assert task.letters[1].code == "rms.replay-refused"
    assert "slip slip-1, code code-1: an approval at" in task.letters[1].detail


def test_the_log_with_its_replays_gives_the_same_bytes_again(task: Approvals):
    task.tell("accept", B, BAD)
    task.replay(task.letters[0])
    task.replay(task.letters[0])
    assert task.again() == task.again()


# Bets, as far as the join.


class Bets(Bench):
    """The router of bets, and the join it writes to."""

    def __init__(self) -> None:
        super().__init__(RmsBets(), BETS)
        self.join = Driver(RmsJoin())
        self.join.stream_time_ns = 0

    def write(self, value: dict[str, Any]) -> list[Out]:
        record = Record(offset=0, value=json.dumps(value).encode(), headers=[], timestamp=LOGGED_MS, key=None)
        return self.send_on(self.feed([record]))

    def fail(self, value: dict[str, Any]) -> None:
        self.planted.bugs = {b"customer"}
        assert not self.write(value)
        self.planted.bugs = set()

    def send_on(self, outs: list[Out]) -> list[Out]:
        for out in outs:
            self.join.feed_record(
                Record(offset=self.join.offset, value=out.value, headers=[], topic="t.rms.pending", key=out.key)
            )
        return outs


def test_a_bet_of_a_mended_bug_goes_to_the_join_with_its_own_position_and_time():
    bets = Bets()
    bets.fail(PLACED)
    (out,) = bets.send_on(bets.replay(bets.letters[0]))
    placed = pending.decode(out.value or b"")
    assert isinstance(placed, pending.Placed)
    assert (placed.slip, placed.position, placed.logged_ns) == (SLIP, f"{BETS}/0/0", LOGGED_MS * 1_000_000)
    assert (placed.replay, out.header("ce_replayed")) == (f"{BETS}/0/1", f"{BETS}/0/1")
    assert not bets.join.dead_letters


@pytest.mark.parametrize(("failed", "known"), [(PLACED, PLACED), (ANSWERED, ANSWERED)], ids=["placed", "answered"])
def test_what_the_slip_had_before_is_refused_by_the_join(failed: dict[str, Any], known: dict[str, Any]):
    bets = Bets()
    bets.fail(failed)
    bets.write(known)
    before = dict(bets.join.store.entries)
    bets.send_on(bets.replay(bets.letters[0])[:1])
    assert [letter.code for letter in bets.join.dead_letters] == ["rms.replay-refused"]
    assert bets.join.store.entries == before


def test_an_answer_is_taken_where_only_the_bet_is_known():
    bets = Bets()
    bets.fail(ANSWERED)
    bets.write(PLACED)
    bets.send_on(bets.replay(bets.letters[0]))
    assert not bets.join.dead_letters


def test_the_joins_own_letters_take_no_replays():
    join = Bench(RmsJoin(), "t.rms.pending")
    join.feed([Record(offset=0, value=b"{}", headers=[])])
    assert not join.replay(join.letters[0])
    assert [letter.detail for letter in join.letters[1:]] == [
        "rms.join's messages are made from others: replay what they came from"
    ]
