"""Copies whose ``t`` differs from line to line, with the setting that allows for it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.kambi.codes import Count
from tests.core.driver import Driver
from tests.core.kambi.tasks import GENERAL, ONE, OWN, START_MS, Task, odds, score, state, status

T = START_MS
SKEW_MS = 5


def current(task: Driver) -> list[int]:
    """Return the odds that went out as current, in order."""
    said = []
    for output in task.outputs:
        for outcome in json.loads(output.value).get("outcomes", ()):
            if not outcome.get("late"):
                said.append(outcome["odds_thousandths"])
    return said


def test_equal_times_are_asked_for_unless_the_setting_allows_more():
    for skew_ms, copies in ((0, 2), (SKEW_MS, 1)):
        task = Task(copy_skew_ms=skew_ms)
        task.say(odds(T, (ONE, 1500)), at_ms=T)
        task.say(odds(T + SKEW_MS, (ONE, 1500)), line=GENERAL)
        assert len(task.outputs) == copies
        assert task.counts[Count.COPY] == 2 - copies


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (status(T), status(T + 3)),
        (score(T, "1", "0"), score(T - 3, "1", "0")),
        (state(T), state(T + 5)),
    ],
)
def test_records_are_compared_without_their_time(first: str, second: str):
    task = Task(copy_skew_ms=SKEW_MS)
    (record,) = task.say(first, at_ms=T)
    assert record["vendor_time_ms"] == T
    assert task.say(second, line=GENERAL) == []


def test_too_far_apart_another_value_or_the_same_line_is_no_copy():
    task = Task(copy_skew_ms=SKEW_MS)
    task.say(odds(T, (ONE, 1500)), at_ms=T)
    assert len(task.say(odds(T + SKEW_MS + 1, (ONE, 1500)), line=GENERAL)) == 1
    assert len(task.say(odds(T + SKEW_MS + 2, (ONE, 1600)), line=GENERAL)) == 1
    task = Task(copy_skew_ms=SKEW_MS)
    assert len(task.say(odds(T, (ONE, 1500)), odds(T + 1, (ONE, 1500)), at_ms=T)) == 2


def test_each_copy_is_matched_once():
    task = Task(copy_skew_ms=SKEW_MS)
    task.say(odds(T, (ONE, 1500)), at_ms=T)
    assert task.say(odds(T + 2, (ONE, 1500)), line=GENERAL) == []
    assert len(task.say(odds(T + 3, (ONE, 1500)), line=GENERAL)) == 1


def test_copies_are_matched_in_the_order_of_the_lines():
    task = Task(copy_skew_ms=SKEW_MS)
    changes = [(0, 1500), (1, 1600), (2, 1500)]
    assert len(task.say(*(odds(T + ms, (ONE, price)) for ms, price in changes), at_ms=T)) == 3
    assert task.say(*(odds(T + 4 + ms, (ONE, price)) for ms, price in changes), line=GENERAL) == []


def test_copy_leaves_the_order_time_alone():
    """The general line's clock is ahead; what its copy says about time must not make the next change late."""
    task = Task(copy_skew_ms=SKEW_MS)
    task.say(odds(T, (ONE, 1500)), at_ms=T)
    task.say(odds(T + 3, (ONE, 1500)), line=GENERAL)
    (record,) = task.say(odds(T + 1, (ONE, 1600)))
    assert "late" not in record


def test_current_copy_of_a_late_fact_goes_out():
    task = Task(copy_skew_ms=SKEW_MS)
    task.say(odds(T + 3, (ONE, 1500)), line=GENERAL, at_ms=T)
    assert task.say(odds(T, (ONE, 1500))) == []
    (record,) = task.say(odds(T + 1, (ONE, 1600)))
    assert record["late"] is True, "as far as times tell"
    (record,) = task.say(odds(T + 4, (ONE, 1600)), line=GENERAL)
    assert "late" not in record
    assert current(task) == [1500, 1600]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(2 * SKEW_MS + 1, 15), st.sampled_from([1500, 1600, 1700])), min_size=1, max_size=8),
    st.integers(-SKEW_MS, SKEW_MS),
    st.data(),
)
def test_two_lines_whose_times_differ_say_every_change_once(
    changes: list[tuple[int, int]], skew_ms: int, data: st.DataObject
):
    """Whatever the lines' lag, the current records are the vendor's changes in their order."""
    sent, t = [], T
    for after_ms, value in changes:
        t += after_ms
        if not sent or sent[-1][1] != value:
            sent.append((t, value))
    waiting = {OWN: list(sent), GENERAL: [(t + skew_ms, value) for t, value in sent]}
    task = Task(copy_skew_ms=SKEW_MS)
    while any(waiting.values()):
        line = data.draw(st.sampled_from([line for line, left in waiting.items() if left]))
        t, value = waiting[line].pop(0)
        task.say(odds(t, (ONE, value)), line=line, at_ms=T)
    assert current(task) == [value for _, value in sent]
