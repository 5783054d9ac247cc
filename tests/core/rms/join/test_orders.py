"""Whatever order the parts come in, and however the tasks lag behind each other: the outcome is that of rms.raw."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.rms.join.coverage import MAX_GAPS, is_gapped, take_time
from processors.core.rms.join.entries import Clock, Passage
from processors.core.rms.join.passage import MAX_AHEAD, heal, take_passed
from schemas.rms.pending import AnyMessage, Time
from tests.core.rms.join.tasks import PARTITIONS, Tasks, approval, bet, time

CODES = ("a", "b", "c", "d")
"""They and the slip lie in several tasks."""
said = st.sampled_from(("accept", "reject"))
decisions = st.lists(st.tuples(st.integers(12, 200), said, st.sampled_from(("slip", "code", "both"))), max_size=5)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[list[AnyMessage]], list[list[AnyMessage]], str]:
    """Draw what the two routers send for one live bet, each in its order, and the outcome."""
    code = draw(st.sampled_from(CODES))
    outcome, by_code = "expired", 0
    evidence: list[list[AnyMessage]] = [[time(1)]]
    for raw, (at, says, names) in enumerate(sorted(draw(decisions), key=lambda one: one[0])):
        slip = None if names == "code" else "s1"
        message = approval(says, at, raw, slip=slip, code=None if names == "slip" else code, before=by_code)
        by_code += slip is None
        evidence.append([message, time(at, by_code=by_code)])
        if outcome == "expired" and at <= 130:
            outcome = f"{says}ed"
    if draw(st.booleans()):  # another bet's approval, that has passed before the end
        evidence.append([approval("reject", 201, 900, slip=None, code="other", before=by_code)])
        by_code += 1
    for at in (202, 240, 400):
        evidence.append([time(at, by_code=by_code)])
    bets = [bet(code=code)]
    if draw(st.booleans()):
        bets.append(bet(code=code))
    return bets, evidence, outcome


@settings(max_examples=150, deadline=None)
@given(histories(), st.data())
def test_the_outcome_is_that_of_the_order_in_raw(
    history: tuple[list[list[AnyMessage]], list[list[AnyMessage]], str], data: st.DataObject
):
    bets, evidence, outcome = history
    tasks = Tasks(at_once=False)
    places = sorted(data.draw(st.lists(st.integers(0, len(evidence)), min_size=len(bets), max_size=len(bets))))
    for number, messages in enumerate([*evidence, []]):
        for bet_messages in (one for one, place in zip(bets, places, strict=True) if place == number):
            tasks.send(*bet_messages)
        tasks.send(*messages)
        for partition in data.draw(st.lists(st.integers(0, PARTITIONS - 1), max_size=6)):
            tasks.step(partition)
    tasks.drain()
    tasks.send(time(700, by_code=9), time(4_000, by_code=9))
    tasks.drain()
    decided = [value for value in tasks.told() if value["type"] == "decision"]
    assert [value["outcome"] for value in decided] == [outcome]
    assert tasks.dead() == []
    assert all(value["raw"] != value.get("earlier_raw") for value in tasks.told() if value["type"] == "conflict")
    _check_the_rest_is_accounted_for(tasks, evidence)


def _check_the_rest_is_accounted_for(tasks: Tasks, evidence: list[list[AnyMessage]]) -> None:
    """Each approval of the bet is the decision, late, a conflict, or counted as said already."""
    approvals = sum(getattr(one, "raw", (0, 900))[1] != 900 for messages in evidence for one in messages)
    told = [value["type"] for value in tasks.told() if value["type"] in ("late", "conflict")]
    by_evidence = sum(value.get("evidence") == "approval" for value in tasks.told() if value["type"] == "decision")
    assert len(told) + by_evidence + tasks.count("rms.duplicate") == approvals


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(1, 13)), st.lists(st.integers(1, 12), max_size=6))
def test_the_mark_is_where_all_have_passed(order: list[int], repeats: list[int]):
    passage, seen = Passage(), set[int]()
    for number, ordinal in enumerate(order):
        seen.add(ordinal)
        for one in (ordinal, *(repeats[number : number + 1] if set(repeats[number : number + 1]) <= seen else ())):
            before = passage.mark
            assert take_passed(passage, one, 5) == (passage.mark != before)
        expected = next(one for one in range(14) if one + 1 not in seen)
        assert passage.mark == expected
        assert all(last + 1 < first for (_, last), (first, _) in pairwise([(0, expected), *passage.ahead]))
        assert {one for first, last in passage.ahead for one in range(first, last + 1)} == {
            one for one in seen if one > expected
        }
    assert passage == Passage(mark=12)


def test_what_is_ahead_of_a_hole_is_bounded():
    passage = Passage()
    for ordinal in range(2, 3_000, 2):
        take_passed(passage, ordinal, 5)
        assert len(passage.ahead) <= MAX_AHEAD
    assert passage.mark == 2_998 - 2 * MAX_AHEAD
    assert passage.given_up_ns == 5
    assert not heal(passage, 105, 100)
    assert heal(passage, 106, 100)
    assert passage.given_up_ns == 106


covers = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 6), st.booleans()), min_size=1, max_size=30)


@given(covers, st.integers(0, 200), st.integers(0, 30))
def test_gaps_are_what_was_not_covered(steps: list[tuple[int, int, bool]], first: int, length: int):
    """Time by time: covered from ``since`` to ``proven``, or not at all; gaps are the rest, up to now."""
    clock, covered, at, since = Clock(), list[tuple[int, int]](), 10, None
    for ahead, lag, is_covered in steps:
        at += ahead
        if not is_covered:
            since = None
            take_time(clock, Time(customer="7", now_ns=at))
            continue
        # Between two times without a word of an end coverage may have begun anew.
        if since is None or lag == 6:
            since = at
        proven = max(since, at - lag)
        if covered and covered[-1][0] == since:
            covered[-1] = (since, max(covered[-1][1], proven))
        else:
            covered.append((since, proven))
        take_time(clock, Time(customer="7", now_ns=at, since_ns=since, proven_ns=proven))
    # At the last moment of coverage something may have been missed. What is to come is no gap as long as it is covered.
    last = first + length
    expected = any(begin <= first and (last < end or since == begin) for begin, end in covered)
    assert is_gapped(clock, first, last) is not expected


@pytest.mark.parametrize("number", [MAX_GAPS, MAX_GAPS + 40])
def test_gaps_are_bounded_and_doubt_never_shrinks(number: int):
    clock: Any = Clock()
    for gap in range(number):
        take_time(clock, Time(customer="7", now_ns=100 * gap + 10, since_ns=100 * gap + 10, proven_ns=100 * gap + 50))
    assert len(clock.gaps) == min(number, MAX_GAPS)
    for gap in range(1, number):
        assert is_gapped(clock, 100 * gap - 20, 100 * gap - 10)
    assert not is_gapped(clock, 100 * (number - 1) + 20, 100 * (number - 1) + 30)
