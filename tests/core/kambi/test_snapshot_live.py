"""Snapshots of live data and of lists: what differs goes out, and what two lists in a row lack is gone."""

from typing import Any

import pytest

from processors.core.kambi.snapshot import FINISHED_MS
from tests.core.kambi.snapshots import AS_OF, ASKED, EVENT_BODY, LISTED, LIVE, OPEN, SAME, T, offers, show, task_with
from tests.core.kambi.tasks import EVENT, OFFER, ONE, Task, gone, message, offer_body, score, state

CLOCK = {"minute": 7, "second": 1, "period": "1st half", "running": True}
SCORE = {"home": "1", "away": "0", "who": "HOME"}
KNOWN = (
    message(15, "mcu", {"eventId": EVENT, "matchClock": CLOCK}, T),
    score(T, "1", "0"),
    message(17, "stats", {"eventId": EVENT, "statistics": {"sets": {"home": [1], "away": [0]}}}, T),
    message(20, "desc", {"eventId": EVENT, "description": "Rain"}, T),
)
LIVE_BODY = {
    "eventId": EVENT,
    "matchClock": CLOCK,
    "score": SCORE,
    "statistics": {"sets": {"home": [1], "away": [0]}},
    "description": "Rain",
}


def live(**changes: Any) -> list[Any]:
    """Return the one answer with ``changes``; ``None`` takes a value out."""
    body = LIVE_BODY | changes
    return [{name: value for name, value in body.items() if value is not None}]


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (live(), []),
        (live(matchClock=CLOCK | {"minute": 9, "second": 3}), []),
        (live(matchClock=CLOCK | {"running": False}), ["clock.changed"]),
        (live(matchClock=CLOCK | {"period": "2nd half"}), ["clock.changed"]),
        (live(matchClock=None), ["clock.removed"]),
        (live(score=SCORE | {"away": "1"}), ["score.changed"]),
        (live(statistics={"sets": {"home": [2], "away": [0]}}), ["statistics.changed"]),
        (live(statistics=None), []),
        (live(description="Sun"), ["event.description-changed"]),
        (live(description=None), ["event.description-changed"]),
        ({"liveData": live()[0]}, []),
    ],
)
def test_live_data(body: Any, kinds: list[str]):
    task = task_with(*KNOWN)
    assert [kind for kind, _ in show(task, body, LIVE)] == kinds
    assert show(task, body, LIVE) == []


def test_stopped_clock_is_compared_by_its_time():
    stopped = CLOCK | {"running": False}
    task = task_with(message(15, "mcu", {"eventId": EVENT, "matchClock": stopped}, T), *KNOWN[1:])
    body = live(matchClock=stopped | {"second": 2})
    assert [kind for kind, _ in show(task, body, LIVE)] == ["clock.changed"]


def test_no_score_is_no_difference_to_none():
    assert show(task_with(), [{"eventId": EVENT, "score": {"home": "", "away": "", "who": "UNKNOWN"}}], LIVE) == []


@pytest.mark.parametrize(
    ("pushed", "shown", "kinds"),
    [
        (score(AS_OF + 1, "1", "0", 7), {"version": 8, "away": "1"}, ["score.changed"]),
        (score(T, "1", "0", 7), {"version": 6, "away": "1"}, []),
        (score(AS_OF + 1, "1", "0", 7), {"version": 7, "away": "1"}, []),
        (score(AS_OF + 1, "1", "0"), {"version": 8, "away": "1"}, []),
    ],
    ids=["greater", "smaller", "equal and raced", "only one has one"],
)
def test_version_decides_where_both_have_one(pushed: str, shown: dict[str, Any], kinds: list[str]):
    assert [kind for kind, _ in show(task_with(pushed), [{"eventId": EVENT, "score": SCORE | shown}], LIVE)] == kinds


# Live events, lists.


def opened(**beside: Any) -> dict[str, Any]:
    return {"liveEvents": [{"event": EVENT_BODY} | beside]}


def test_live_open_shows_state_and_main_offer_and_removes_no_offer():
    task = task_with(state(T + 1, "NOT_STARTED"))
    assert [kind for kind, _ in show(task, opened(), OPEN)] == ["event.state-changed"]
    body = opened(mainBetOffer=offer_body((ONE, 1600)))
    assert show(task, body, OPEN) == [("odds.changed", [{"id": ONE, "odds_thousandths": 1600}])]
    assert show(task_with(state(AS_OF + 1, "NOT_STARTED")), opened(), OPEN) == []


def test_started_event_absent_from_two_whole_answers_in_a_row_is_removed():
    task = task_with()
    nothing: dict[str, Any] = {"liveEvents": []}
    assert show(task, nothing, OPEN) == []
    assert show(task, opened(), OPEN) == []
    assert show(task, nothing, OPEN) == []
    assert show(task, {"liveEvents": [{"event": {"id": None}}]}, OPEN) == [], "not whole: says nothing"
    assert [kind for kind, _ in show(task, nothing, OPEN, requested_ms=ASKED + 5_000)] == ["event.removed"]
    assert show(task, nothing, OPEN) == []


FINISHED: dict[str, Any] = {"state": "FINISHED"}
NOTHING: dict[str, Any] = {"liveEvents": []}


def lists_without(task: Task, *requested_ms: int) -> list[str]:
    """Return the kinds of what came of lists that lack everything."""
    return [kind for each in requested_ms for kind, _ in show(task, NOTHING, OPEN, requested_ms=each)]


def test_finished_event_whose_removal_was_lost_is_gone_with_two_lists_in_a_row_that_lack_it():
    """No connector asks for it any more, and push said its removal to nobody: the lists alone tell."""
    task = task_with(state(T + 1, "FINISHED"))
    late = T + 1 + FINISHED_MS
    assert lists_without(task, late) == []
    assert lists_without(task, late + 5_000) == ["event.removed"]
    assert lists_without(task, late + 10_000) == []
    assert list(task.store.items(b"o" + OFFER.to_bytes(8, "big"))) == []


def test_finished_event_has_left_the_lists_and_is_not_gone_for_that():
    task = task_with(state(T + 1, "FINISHED"))
    assert lists_without(task, ASKED, ASKED + 5_000, T + FINISHED_MS) == []


def test_finished_event_that_its_own_answer_has_is_not_gone_while_it_is_asked_for():
    """Else it would go by the lists and come back by its own answer, again and again, until push removes it."""
    task = task_with(state(T + 1, "FINISHED"))
    answer = offers(SAME, events=[EVENT_BODY | FINISHED])
    for minute in range(1, 6):
        asked = ASKED + minute * 60_000
        assert show(task, answer, requested_ms=asked) == []
        assert lists_without(task, asked + 15_000, asked + 30_000, asked + 45_000) == []
    forgotten = ASKED + 5 * 60_000 + FINISHED_MS
    assert lists_without(task, forgotten, forgotten + 15_000) == ["event.removed"]


def test_removal_by_push_after_that_by_lists_is_current():
    task = task_with(state(T + 1, "FINISHED"))
    lists_without(task, T + 1 + FINISHED_MS, T + 2 + FINISHED_MS)
    (record,) = task.say(gone(ASKED + 1))
    assert "late" not in record


@pytest.mark.parametrize(
    "child",
    [state(T + 1, "NOT_STARTED"), state(T + 1, "POSTPONED"), state(AS_OF + 1, "FINISHED"), score(AS_OF + 1, "1", "0")],
    ids=["not started", "of a state nobody knows", "just finished", "raced"],
)
def test_event_that_is_not_started_or_lives_is_not_removed(child: str):
    task = task_with(child)
    for _ in range(3):
        assert show(task, {"liveEvents": []}, OPEN) == []


def test_list_view_states_offers_and_removes_nothing():
    task = task_with()
    before = {"id": 3, "name": "C - D", "state": "NOT_STARTED"}
    listed = offer_body((7, 1500), offer=8, event=3)
    body = {"events": [{"event": EVENT_BODY, "betOffers": []}, {"event": before, "betOffers": [listed]}]}
    assert [kind for kind, _ in show(task, body, LISTED)] == ["event.added", "offer.added"]
    assert show(task, {"events": []}, LISTED) == []
