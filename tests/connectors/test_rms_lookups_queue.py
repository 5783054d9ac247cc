"""Look-ups without a network: what is one, whose turn it is, what an answer answers."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rms.bet_detail import bet_at, meaning, position_of
from connectors.rms.lookup_queue import (
    MOST,
    BadLookUp,
    Bet,
    Due,
    Later,
    LookUpQueue,
    OtherRecord,
    Wanted,
    read_look_up,
)
from schemas.rms.lookups import LookUp

S = 1_000_000_000
T = 1_790_000_000 * S
HEADERS = [("ce_type", LookUp.ce_type.encode())]


def body(**fields):
    known = {"customer": "90210", "bet_slip_id": "s-1", "bet_code": "c-1", "why": "gap", "asked_ns": T, "until_ns": T}
    return json.dumps({**known, **fields}).encode()


def wanted(slip="s-1", *, code=None, asked_s=0.0, until_s=900.0):
    return Wanted(
        customer="90210",
        bet_slip_id=slip,
        bet_code=code or slip.replace("s", "c"),
        asked_ns=T + round(asked_s * S),
        until_ns=T + round(until_s * S),
    )


def bet(slip="s-1"):
    return Bet(slip, slip.replace("s", "c"))


# -- records ---------------------------------------------------------------------------------------------------------


def test_a_look_up_is_read_with_and_without_its_type_and_with_fields_of_later_versions():
    known = Wanted(customer="90210", bet_slip_id="s-1", bet_code="c-1", asked_ns=T, until_ns=T)
    assert read_look_up(body(), HEADERS) == known
    assert read_look_up(body(), []) == known
    assert read_look_up(body(why="other", more=[1]), HEADERS) == known


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"\xff",
        b"[" * 100_000,
        body(customer="x"),
        body(customer=90210),
        body(customer="1" * 21),
        body(bet_code=""),
        body(bet_code=None),
        body(bet_code="x" * 201),
        body(bet_slip_id=7),
        body(asked_ns=-1),
        body(asked_ns=1.5),
        body(until_ns=2**63),
        body(until_ns="soon"),
        body(bet_code="\ud800"),
    ],
)
def test_what_is_no_look_up_says_why(value):
    finding = read_look_up(value, HEADERS)
    assert isinstance(finding, BadLookUp)
    assert finding.detail


def test_a_record_of_another_type_is_not_for_us():
    assert read_look_up(body(), [("ce_type", b"tricast.rms.lookup.v2")]) == OtherRecord("tricast.rms.lookup.v2")


@given(st.binary(max_size=200), st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=8)), max_size=3))
def test_no_bytes_are_an_exception(value, headers):
    read_look_up(value, headers)


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(ids, ids)
def test_any_ids_come_back_from_the_position_that_raw_records_name(slip, code):
    position = position_of(Bet(slip, code))
    assert position.isascii()
    assert position.isprintable()
    assert bet_at(position) == Bet(slip, code)


def test_the_position_is_as_the_contract_has_it():
    assert position_of(Bet("a/b &1", "k3v9-x")) == "bet/detail?code=k3v9-x&slip=a%2Fb%20%261"


@given(st.text(max_size=60))
def test_no_position_is_an_exception(text):
    bet_at(text)
    bet_at(f"bet/detail?{text}")


@pytest.mark.parametrize(
    ("status", "text", "what"),
    [
        (200, b'{"success": true, "data": {}}', "answer"),
        (200, b'{"success": false}', "answer"),
        (200, b"<html>", "failure"),
        (200, b'{"success": tr', "failure"),
        (200, b"", "failure"),
        (200, b"[]", "failure"),
        (200, b"[" * 100_000, "failure"),
        (302, b"", "failure"),
        (400, b"", "answer"),
        (404, b"<html>", "answer"),
        (401, b"{}", "token"),
        (403, b"{}", "failure"),
        (408, b"", "failure"),
        (429, b"{}", "limit"),
        (500, b"{}", "failure"),
        (503, b"", "failure"),
    ],
)
def test_what_an_answer_is_about(status, text, what):
    assert meaning(status, text) == what


# -- the queue -------------------------------------------------------------------------------------------------------


def a_queue(**settings) -> Any:
    return LookUpQueue(**settings)


def test_the_oldest_comes_first_and_is_gone_when_answered():
    queue = a_queue()
    for slip in ("s-2", "s-1", "s-3"):
        assert queue.ask(wanted(slip), T) == "taken"
    order = []
    while isinstance(due := queue.next(T), Due):
        order.append(due.bet.slip)
        queue.done(due)
    assert order == ["s-2", "s-1", "s-3"]
    assert (due, len(queue)) == (Later(None), 0)


def test_the_oldest_is_the_one_that_was_asked_for_first_whenever_it_was_read():
    queue = a_queue()
    for slip, asked_s in (("s-1", 3), ("s-2", 1), ("s-3", 2), ("s-2", 9), ("s-1", 0)):
        queue.ask(wanted(slip, asked_s=asked_s), T + 10 * S)
    order = []
    while isinstance(due := queue.next(T + 10 * S), Due):
        order.append((due.bet.slip, (due.asked_ns - T) // S))
        queue.done(due)
    assert order == [("s-1", 3), ("s-2", 9), ("s-3", 2)]


def test_several_for_one_bet_are_one_and_it_waits_for_the_longest():
    queue = a_queue()
    queue.ask(wanted(until_s=10), T)
    assert queue.ask(wanted(asked_s=5, until_s=900), T + 5 * S) == "merged"
    assert queue.ask(wanted(asked_s=1, until_s=6), T + 5 * S) == "merged"
    assert len(queue) == 1
    due = queue.next(T + 800 * S)
    assert due == Due(bet(), T + 5 * S)
    queue.done(due)
    assert queue.next(T + 800 * S) == Later(None)


def test_one_slip_with_two_codes_is_two():
    queue = a_queue()
    queue.ask(wanted(code="a"), T)
    assert queue.ask(wanted(code="b"), T) == "taken"


def test_what_is_asked_for_while_a_request_is_under_way_is_asked_again():
    queue = a_queue()
    queue.ask(wanted(), T)
    due = queue.next(T)
    queue.ask(wanted(asked_s=1), T + S)
    queue.done(due)
    assert queue.next(T + S) == Due(bet(), T + S)


def test_what_nobody_waits_for_any_more_is_dropped_and_counted():
    queue = a_queue()
    queue.ask(wanted("s-1", until_s=10), T)
    queue.ask(wanted("s-2", until_s=20), T)
    assert queue.ask(wanted("s-3", until_s=-1), T) == "too-late"
    assert queue.next(T + 10 * S).bet == bet("s-1")
    assert queue.next(T + 10 * S + 1).bet == bet("s-2")
    assert queue.next(T + 30 * S) == Later(None)
    assert queue.too_late == 2


def test_failures_are_tried_again_three_times_with_growing_delays_and_others_come_meanwhile():
    queue = a_queue()
    queue.ask(wanted("s-1"), T)
    queue.ask(wanted("s-2"), T)
    first = queue.next(T)
    assert queue.failed(first, T)
    assert queue.next(T).bet == bet("s-2")
    queue.done(queue.next(T))
    now_ns, waits = T, []
    while True:
        later = queue.next(now_ns)
        if later == Later(None):
            break
        waits.append(later.in_s)
        now_ns += round(later.in_s * S)
        goes_on = queue.failed(queue.next(now_ns), now_ns)
        assert goes_on == (len(waits) < 3)
    assert waits == [5, 30, 120]


def test_a_new_wish_starts_the_tries_again():
    queue = a_queue()
    queue.ask(wanted(), T)
    for _ in range(3):
        queue.failed(queue.next(T + 400 * S), T)
    queue.ask(wanted(asked_s=300), T + 400 * S)
    assert queue.failed(queue.next(T + 400 * S), T + 400 * S)


def test_what_another_connector_recorded_later_than_it_was_asked_for_serves():
    queue = a_queue()
    queue.ask(wanted("s-1", asked_s=5), T + 5 * S)
    queue.recorded(bet("s-1"), T + 4 * S)  # it says nothing of what came after
    assert len(queue) == 1
    queue.recorded(bet("s-1"), T + 5 * S)
    assert len(queue) == 0
    assert queue.ask(wanted("s-1", asked_s=5), T + 6 * S) == "answered"
    assert queue.ask(wanted("s-1", asked_s=6), T + 6 * S) == "taken"


def test_answers_that_are_read_first_serve_too_and_the_newest_counts():
    queue = a_queue()
    queue.recorded(bet(), T + 9 * S)
    queue.recorded(bet(), T + 2 * S)
    assert queue.ask(wanted(asked_s=8), T + 10 * S) == "answered"


def test_a_standby_leaves_look_ups_to_others_for_a_while():
    queue = a_queue(patience_s=15)
    queue.ask(wanted(), T + S)
    assert queue.next(T + S) == Later(14.0)
    assert isinstance(queue.next(T + 15 * S), Due)


def test_a_wish_from_a_clock_ahead_of_ours_waits_but_not_for_long():
    queue = a_queue()
    queue.ask(wanted("s-1", asked_s=2), T)
    queue.ask(wanted("s-2", asked_s=5000, until_s=9000), T)
    assert queue.next(T) == Later(2.0)
    queue.done(queue.next(T + 2 * S))
    assert queue.next(T + 2 * S) == Later(58.0)
    queue.done(queue.next(T + 60 * S))
    assert len(queue) == 0


def test_no_more_wait_than_fit():
    queue = a_queue()
    for number in range(MOST):
        assert queue.ask(wanted(f"s-{number}"), T) == "taken"
    assert queue.ask(wanted("s-x"), T) == "too-many"
    assert len(queue) == MOST


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ask", "done", "failed", "recorded"]),
            st.sampled_from(["s-1", "s-2"]),
            st.integers(0, 40),
        ),
        max_size=50,
    )
)
def test_in_any_history_every_wish_is_answered_by_a_later_request_or_ends_as_counted(history):
    """Ours are answered when ``done`` or ``recorded`` after them; until then, or given up, or too late, they wait."""
    queue, now_ns = a_queue(), T
    open_since, given_up = {}, set()
    for what, slip, seconds in history:
        now_ns += seconds * S
        match what:
            case "ask":
                wish = wanted(slip, asked_s=(now_ns - T) / S, until_s=(now_ns - T) / S + 100)
                if (taken := queue.ask(wish, now_ns)) == "answered":  # at that very moment
                    continue
                assert taken in {"taken", "merged"}
                open_since[slip] = (wish.asked_ns, wish.until_ns)
                given_up.discard(slip)
            case "recorded":
                queue.recorded(bet(slip), now_ns)
                open_since.pop(slip, None)
            case _:
                due = queue.next(now_ns)
                if isinstance(due, Due):
                    if what == "done":
                        queue.done(due)
                        open_since.pop(due.bet.slip, None)
                    elif not queue.failed(due, now_ns):
                        given_up.add(due.bet.slip)
        queue.next(now_ns)
        waiting = {known.slip for known in queue._waiting}
        expected = {slip for slip, (_, until_ns) in open_since.items() if now_ns <= until_ns} - given_up
        assert waiting == expected
