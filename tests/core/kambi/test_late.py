"""A fact older than what is known of its entity goes out marked, and never changes what is current."""

from collections.abc import Callable
from typing import Any

import pytest

from processors.core.kambi.late import FUTURE_MS
from schemas.kambi.codes import Count
from tests.core.kambi.tasks import (
    EVENT,
    GENERAL,
    OFFER,
    ONE,
    START_MS,
    TWO,
    Task,
    added,
    gone,
    message,
    odds,
    offer_body,
    removed,
    score,
    state,
    status,
)

T = START_MS
LATER, EARLIER = T + 10, T + 5


def lateness(*children: str) -> list[Any]:
    """Return per record whether it is late, for one frame a child."""
    task = Task()
    return [record.get("late") for child in children for record in task.say(child, at_ms=T + 1000)]


def item(mt: int, name: str, t: int, **body: Any) -> str:
    return message(mt, name, {"eventId": EVENT} | body, t)


PAIRS = {
    "state": (state(LATER), state(EARLIER, "NOT_STARTED")),
    "event removed before its state": (state(LATER), gone(EARLIER)),
    "event added": (
        state(LATER),
        message(4, "ea", {"event": {"id": EVENT, "state": "NOT_STARTED"}}, EARLIER),
    ),
    "offer status": (status(LATER), status(EARLIER, suspended=False)),
    "offer added after its status": (status(LATER), added(EARLIER, (ONE, 1500))),
    "offer added after its removal": (removed(LATER), added(EARLIER, (ONE, 1500))),
    "offer removed after it came again": (added(LATER, (ONE, 1500)), removed(EARLIER)),
    "odds": (odds(LATER, (ONE, 1500)), odds(EARLIER, (ONE, 1600))),
    "odds of a removed offer": (removed(LATER), odds(EARLIER, (ONE, 1600))),
    "odds of an outcome that a whole offer lacks": (added(LATER, (TWO, 1500)), odds(EARLIER, (ONE, 1600))),
    "odds after a status": (
        item(32, "osu", LATER, outcomes=[{"id": ONE, "betOfferId": OFFER, "status": "SUSPENDED"}]),
        odds(EARLIER, (ONE, 1600)),
    ),
    "outcome added after its removal": (
        item(23, "boor", LATER, outcomes=[{"id": ONE, "betOfferId": OFFER}]),
        item(22, "booa", EARLIER, outcomes=[{"id": ONE, "betOfferId": OFFER, "odds": 1600}]),
    ),
    "clock": (
        item(15, "mcu", LATER, matchClock={"minute": 7, "running": True}),
        item(15, "mcu", EARLIER, matchClock={"minute": 6, "running": True}),
    ),
    "clock removed": (item(15, "mcu", LATER, matchClock={"minute": 7}), item(12, "mcr", EARLIER)),
    "clock after its removal": (item(12, "mcr", LATER), item(15, "mcu", EARLIER, matchClock={"minute": 7})),
    "score": (score(LATER, "1", "0"), score(EARLIER, "0", "0")),
    "statistics": (
        item(17, "stats", LATER, statistics={"sets": {"home": [2], "away": [0]}}),
        item(17, "stats", EARLIER, statistics={"sets": {"home": [1], "away": [0]}}),
    ),
    "description": (item(20, "desc", LATER, description="Rain"), item(20, "desc", EARLIER, description="Sun")),
    "live statistic": (
        item(28, "ls", LATER, occurrenceTypeId="CORNERS_HOME", value=2),
        item(28, "ls", EARLIER, occurrenceTypeId="CORNERS_HOME", value=1),
    ),
    "ticker": (item(19, "tu", LATER, id=7, message="b"), item(19, "tu", EARLIER, id=7, message="a")),
    "occurrence": (item(25, "mo", LATER, id=7, action="DELETED"), item(25, "mo", EARLIER, id=7, action="ADDED")),
    "visualization": (item(27, "vo", LATER, id=7), item(27, "vo", EARLIER, id=7, periodId="1")),
    "all suspended": (item(9, "abos", LATER), item(9, "abos", EARLIER)),
}


@pytest.mark.parametrize(("first", "second"), PAIRS.values(), ids=PAIRS.keys())
def test_older_fact_of_an_entity_is_late(first: str, second: str):
    assert lateness(first, second) == [None, True]


@pytest.mark.parametrize(("second", "first"), PAIRS.values(), ids=PAIRS.keys())
def test_in_order_nothing_is_late(first: str, second: str):
    assert lateness(first, second) == [None, None]


OF_AN_OFFER: dict[str, Callable[[int], str]] = {
    "added": lambda t: added(t, (ONE, 1500)),
    "odds": lambda t: odds(t, (ONE, 1500)),
    "status": status,
    "removed": removed,
    "outcome added": lambda t: item(22, "booa", t, outcomes=[{"id": ONE, "betOfferId": OFFER, "odds": 1600}]),
    "outcome removed": lambda t: item(23, "boor", t, outcomes=[{"id": ONE, "betOfferId": OFFER}]),
    "outcome status": lambda t: item(32, "osu", t, outcomes=[{"id": ONE, "betOfferId": OFFER, "status": "SUSPENDED"}]),
}
OF_AN_EVENT: dict[str, Callable[[int], str]] = {
    "state": state,
    "score": lambda t: score(t, "0", "0"),
    "clock removed": lambda t: item(12, "mcr", t),
    "live statistic": lambda t: item(28, "ls", t, occurrenceTypeId="CORNERS_HOME", value=1),
    "occurrence": lambda t: item(25, "mo", t, id=7, action="ADDED"),
    "all suspended": lambda t: item(9, "abos", t),
    **OF_AN_OFFER,
}
LATE_BY = {"older": (EARLIER, True), "at one time": (LATER, True), "newer": (LATER + 1, None)}


@pytest.mark.parametrize(("t", "late"), LATE_BY.values(), ids=LATE_BY.keys())
@pytest.mark.parametrize("child", OF_AN_EVENT.values(), ids=OF_AN_EVENT.keys())
def test_only_what_is_newer_than_the_removal_of_its_event_is_current(
    child: Callable[[int], str], t: int, late: bool | None
):
    """Its lines carry what is of one time in any order, and nothing would take away again what a removal did."""
    before = [added(T, (TWO, 1500)), odds(T + 1, (TWO, 1600))]
    assert lateness(*before, gone(LATER), child(t)) == [None, None, None, late]


@pytest.mark.parametrize(("t", "late"), LATE_BY.values(), ids=LATE_BY.keys())
@pytest.mark.parametrize("child", OF_AN_OFFER.values(), ids=OF_AN_OFFER.keys())
def test_only_what_is_newer_than_the_removal_of_its_offer_is_current(
    child: Callable[[int], str], t: int, late: bool | None
):
    if child is removed and t == LATER:
        late = None  # says the same once more
    before = [added(T, (TWO, 1500)), odds(T + 1, (TWO, 1600))]
    assert lateness(*before, removed(LATER), child(t)) == [None, None, None, late]


@pytest.mark.parametrize("removal", [gone, removed], ids=["event", "offer"])
@pytest.mark.parametrize("back", [status, lambda t: odds(t, (TWO, 1500))], ids=["status", "odds"])
@pytest.mark.parametrize("child", OF_AN_OFFER.values(), ids=OF_AN_OFFER.keys())
def test_what_is_of_the_time_of_a_removal_stays_late_when_the_offer_came_back(
    removal: Callable[[int], str], back: Callable[[int], str], child: Callable[[int], str]
):
    assert lateness(added(T, (ONE, 1500)), removal(EARLIER), back(LATER), child(EARLIER)) == [None, None, None, True]


def test_what_an_event_line_brings_of_the_time_of_the_removal_brings_nothing_back():
    """The general line had the removal, 10 ms before the event's line had seven offers suspended of that time."""
    task = Task()
    task.say(added(T, (ONE, 1500)), state(T), at_ms=T)
    task.say(gone(LATER), line=GENERAL)
    (record,) = task.say(status(LATER))
    assert record["late"] is True
    assert list(task.store.items(b"o")) == []
    (record, offer) = task.say(state(LATER + 1), status(LATER + 1))
    assert "late" not in record
    assert "late" not in offer


@pytest.mark.parametrize("removal", [gone, removed], ids=["event", "offer"])
def test_removal_that_is_said_twice_at_one_time_is_late_only_when_the_offer_came_back(removal: Callable[[int], str]):
    before = added(T, (ONE, 1500))
    assert lateness(before, removal(EARLIER), removal(EARLIER)) == [None, None, None]
    back = [removal(EARLIER), odds(LATER, (ONE, 1500)), removal(EARLIER)]
    assert lateness(before, *back) == [None, None, None, True]


def test_at_one_time_a_removal_after_its_fact_is_current():
    assert lateness(added(T, (ONE, 1500)), status(LATER), removed(LATER)) == [None, None, None]
    assert lateness(added(T, (ONE, 1500)), status(LATER), gone(LATER)) == [None, None, None]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (odds(LATER, (ONE, 1500)), odds(LATER - 1, (ONE, 1400))),
        (score(LATER, "1", "0"), score(LATER - 1, "0", "0")),
        (item(25, "mo", LATER, id=7), item(25, "mo", LATER - 1, id=7, action="ADDED")),
    ],
    ids=["odds", "score", "occurrence"],
)
def test_removal_of_an_event_is_no_earlier_than_the_newest_of_its_facts(before: str, after: str):
    """Its own ``t`` may be older than that of an odds change that went out; an older price must not follow."""
    assert lateness(before, gone(EARLIER), after) == [None, None, True]


def test_removal_of_an_offer_is_no_earlier_than_the_newest_of_its_outcomes():
    task = Task()
    task.say(added(T, (ONE, 1400)), odds(LATER, (ONE, 1500)), at_ms=T + 100)
    (record,) = task.say(removed(EARLIER))
    assert "late" not in record
    (record,) = task.say(odds(LATER - 1, (ONE, 1400)))
    assert record["late"] is True


def test_price_from_before_the_removal_of_its_event_is_late_when_the_offer_came_back():
    assert lateness(gone(EARLIER), status(LATER), odds(T, (ONE, 1500))) == [None, None, True]


def test_price_that_is_newer_than_the_removal_of_its_offer_stays_newer():
    task = Task()
    task.say(odds(LATER, (ONE, 1500)), at_ms=T + 100)
    task.say(removed(EARLIER))
    (record,) = task.say(added(EARLIER + 1, (ONE, 1400), (TWO, 2500)))
    assert [outcome.get("late") for outcome in record["outcomes"]] == [True, None]
    (record,) = task.say(odds(EARLIER + 1, (TWO, 2400)))
    assert "late" not in record


def test_score_after_the_removal_of_its_event_is_remembered_as_long_as_any():
    task = Task()
    task.say(gone(T), at_ms=T)
    task.say(score(T + 119_000, "1", "0"), at_ms=T + 119_000)
    task.tick(T + 122_000)
    (record,) = task.say(score(T + 118_000, "0", "0"), line=GENERAL)
    assert record["late"] is True
    task.tick(T + 400_000)
    assert list(task.store.items(b"e")) == [], "nothing of it is kept for good"


def test_other_entities_are_not_late():
    children = [odds(LATER, (ONE, 1500)), odds(EARLIER, (TWO, 1500)), score(EARLIER, "0", "0"), status(EARLIER)]
    children += [item(25, "mo", LATER, id=7), item(25, "mo", EARLIER, id=8), item(19, "tu", EARLIER, id=7)]
    assert lateness(*children) == [None] * 7


def test_late_outcomes_are_marked_one_by_one():
    task = Task()
    task.say(odds(LATER, (ONE, 1500)), at_ms=T + 100)
    (record,) = task.say(odds(EARLIER, (ONE, 1400), (TWO, 2500)))
    assert record["outcomes"] == [
        {"id": ONE, "late": True, "odds_thousandths": 1400},
        {"id": TWO, "odds_thousandths": 2500},
    ]
    assert "late" not in record
    assert task.counts[Count.LATE] == 1


def test_outcome_of_a_current_offer_may_be_late():
    task = Task()
    task.say(odds(LATER, (ONE, 1500)), at_ms=T + 100)
    (record,) = task.say(added(EARLIER, (ONE, 1400), (TWO, 2500)))
    assert "late" not in record
    assert [outcome.get("late") for outcome in record["outcomes"]] == [True, None]
    (record,) = task.say(odds(LATER - 1, (ONE, 1300)))
    assert record["late"] is True, "the older odds of the offer were taken"


@pytest.mark.parametrize(("first", "second"), PAIRS.values(), ids=PAIRS.keys())
def test_late_fact_changes_nothing(first: str, second: str):
    task = Task()
    task.say(first, at_ms=T + 1000)
    known = [dict(task.store.items(prefix)) for prefix in (b"o", b"e", b"m")]
    task.say(second)
    assert [dict(task.store.items(prefix)) for prefix in (b"o", b"e", b"m")] == known


def test_newer_time_of_the_same_value_counts():
    assert lateness(odds(T, (ONE, 1500)), odds(LATER, (ONE, 1500)), odds(EARLIER, (ONE, 1600))) == [None, None, True]


def test_at_one_time_the_later_arrival_is_current_and_lines_that_differ_are_counted():
    task = Task()
    task.say(odds(T, (ONE, 1500)), at_ms=T + 100)
    task.say(odds(T, (ONE, 1600)), at_ms=T + 100)
    assert Count.CONTRADICTION not in task.counts, "one line may say two things at one time"
    (record,) = task.say(odds(T, (ONE, 1700)), line=GENERAL)
    assert "late" not in record
    assert task.counts[Count.CONTRADICTION] == 1
    shown = {"betOffers": [offer_body((ONE, 1700))]}
    (record,) = task.show(shown, f"betoffer/event/{EVENT}.json", requested_ms=T + 10_000)
    assert record["kind"] == "offer.added", "only whole offers are stated again; nobody added this one"
    assert record["outcomes"][0]["odds_thousandths"] == 1700


def test_copy_at_the_same_time_is_no_contradiction():
    task = Task()
    for line in (GENERAL, "kambi-0-events-0"):
        task.say(odds(T, (ONE, 1500)), status(T), added(T, (TWO, 1500), offer=9), state(T), line=line, at_ms=T + 9)
    assert Count.CONTRADICTION not in task.counts


@pytest.mark.parametrize("mt", ["score", "stats", "mcu"])
def test_greater_version_decides_where_both_have_one(mt: str):
    def child(t: int, version: int | None, said: int) -> str:
        number = {} if version is None else {"version": version}
        bodies = {
            "score": (16, "score", {"home": str(said), "away": "0"} | number),
            "stats": (17, "statistics", {"sets": {"home": [said], "away": [0]}} | number),
            "mcu": (15, "matchClock", {"minute": said} | number),
        }
        code, name, body = bodies[mt]
        return message(code, mt, {"eventId": EVENT, name: body}, t)

    assert lateness(child(LATER, 7, 1), child(EARLIER, 8, 2)) == [None, None]
    assert lateness(child(EARLIER, 8, 1), child(LATER, 7, 2)) == [None, True]
    assert lateness(child(LATER, 7, 1), child(EARLIER, None, 2)) == [None, True]
    assert lateness(child(LATER, 7, 1), child(EARLIER, 7, 2)) == [None, True]
    # What an older time with a greater version replaced stays replaced.
    assert lateness(child(LATER, 7, 1), child(EARLIER, 8, 2), child(LATER - 1, None, 3)) == [None, None, True]


UNUSABLE = {"missing": None, "text": "soon", "seconds": T // 1000, "negative": -5}


@pytest.mark.parametrize("t", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_without_usable_time_the_receipt_orders(t: Any):
    task = Task()
    (record,) = task.say(odds(t, (ONE, 1500)), at_ms=T + 1000)
    assert "vendor_time_ms" not in record
    assert task.counts[Count.NO_VENDOR_TIME] == 1
    (record,) = task.say(odds(T + 999, (ONE, 1600)))
    assert record["late"] is True
    (record,) = task.say(odds(T + 1001, (ONE, 1700)))
    assert "late" not in record


def test_time_ahead_of_ours_stays_as_sent_and_makes_nothing_late():
    task = Task()
    ahead = T + FUTURE_MS + 1
    (record,) = task.say(odds(ahead, (ONE, 1500)), at_ms=T)
    assert record["vendor_time_ms"] == ahead
    assert task.counts[Count.VENDOR_TIME_AHEAD] == 1
    (record,) = task.say(odds(T + 1, (ONE, 1600)), at_ms=T + 2)
    assert "late" not in record
    task.say(odds(ahead - 1, (TWO, 1500)), at_ms=T)
    (record,) = task.say(odds(T + 3, (TWO, 1600)), at_ms=T + 4)
    assert record["late"] is True, "a clock that is a minute ahead is believed"
