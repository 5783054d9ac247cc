"""Snapshots of offers: only differences go out, and never what push changed since."""

import json
from typing import Any

import pytest

from processors.core.kambi.snapshot import SnapshotFinding, take_snapshot
from schemas.kambi.codes import Count
from tests.core.driver import Record
from tests.core.kambi.snapshots import AS_OF, ASKED, LIVE, OFFERS, SAME, T, offers, show, task_with
from tests.core.kambi.tasks import EVENT, OFFER, ONE, TWO, Task, added, gone, message, odds, offer_body, removed, status


def test_what_push_said_already_is_no_difference():
    assert show(task_with(), offers(SAME)) == []


DIFFERENCES: dict[str, tuple[dict[str, Any], list[tuple[str, Any]]]] = {
    "odds": (
        offers(offer_body((ONE, 1600), (TWO, 2500))),
        [("odds.changed", [{"id": ONE, "odds_thousandths": 1600}])],
    ),
    "odds taken away": (offers(offer_body((ONE, None), (TWO, 2500))), [("odds.changed", [{"id": ONE}])]),
    "starting price": (
        offers(offer_body((ONE, -1), (TWO, 2500))),
        [("odds.changed", [{"id": ONE, "starting_price": True}])],
    ),
    "outcome added": (
        offers(offer_body((ONE, 1500), (TWO, 2500), (7, 3500))),
        [("outcomes.added", [{"id": 7, "odds_thousandths": 3500, "status": "OPEN"}])],
    ),
    "outcome removed": (offers(offer_body((ONE, 1500))), [("outcomes.removed", [{"id": TWO}])]),
    "outcome status": (
        offers(SAME | {"outcomes": [{**SAME["outcomes"][0], "status": "SUSPENDED"}, SAME["outcomes"][1]]}),
        [("outcomes.status-changed", [{"id": ONE, "status": "SUSPENDED"}])],
    ),
    "offer added": (
        offers(SAME, offer_body((7, 1500), offer=8)),
        [("offer.added", [{"id": 7, "odds_thousandths": 1500, "status": "OPEN"}])],
    ),
}


@pytest.mark.parametrize(("body", "expected"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_difference_goes_out_once(body: Any, expected: list[tuple[str, Any]]):
    task = task_with()
    assert show(task, body) == expected
    assert show(task, body, requested_ms=ASKED + 5_000) == []


@pytest.mark.parametrize(("body", "expected"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_what_came_in_between_is_late_and_what_comes_after_is_current(body: Any, expected: list[tuple[str, Any]]):
    task = task_with()
    show(task, body)
    if expected[0][0] != "offer.added":
        outcome = expected[0][1][0]["id"]
        (record,) = task.say(odds(AS_OF - 1, (outcome, 9000)), at_ms=ASKED + 1)
        assert record["late"] is True
        (record,) = task.say(odds(AS_OF + 1, (outcome, 9100)))
        assert "late" not in record


@pytest.mark.parametrize(("body", "expected"), DIFFERENCES.values(), ids=DIFFERENCES.keys())
def test_what_push_changed_since_is_left_alone(body: Any, expected: list[tuple[str, Any]]):
    outcomes = [] if expected[0][0] == "offer.added" else expected[0][1]
    since = odds(AS_OF + 1, *((outcome["id"], 9000) for outcome in outcomes)) if outcomes else removed(AS_OF + 1, 8)
    task = task_with(since)
    assert show(task, body) == []
    assert task.counts[Count.RACED] == 1


def test_status_of_an_offer():
    task = task_with()
    body = offers(offer_body((ONE, 1500), (TWO, 2500), suspended=True))
    ((kind, record),) = show(task, body)
    assert (kind, record["suspended"], record["visible"]) == ("offer.status-changed", True, True)
    (record,) = task.say(status(AS_OF - 1, suspended=False), at_ms=ASKED + 1)
    assert record["late"] is True
    assert show(task_with(status(AS_OF + 1, suspended=False)), body) == []


def test_offer_absent_from_a_whole_answer_is_removed():
    task = task_with()
    assert [kind for kind, _ in show(task, offers())] == ["offer.removed"]
    assert show(task, offers(), requested_ms=ASKED + 5_000) == []


@pytest.mark.parametrize(
    "body",
    [
        offers(range={"start": 0, "size": 0, "total": 1}),
        offers({"id": "x"}),
        {"betOffers": [], "events": [{"id": None}]},
    ],
    ids=["short range", "unreadable offer", "unreadable event"],
)
def test_answer_that_is_not_whole_removes_nothing(body: Any):
    assert show(task_with(), body) == []


@pytest.mark.parametrize("child", [odds(AS_OF + 1, (ONE, 1500)), status(AS_OF + 1)], ids=["outcome", "offer"])
def test_offer_of_which_push_spoke_since_is_not_removed(child: str):
    task = task_with(child)
    assert show(task, offers()) == []
    assert task.counts[Count.RACED] == 1


def test_hidden_offer_is_not_removed_by_absence_and_shown_by_presence():
    task = task_with(message(8, "bosu", {"eventId": EVENT, "betOfferId": OFFER, "visible": False}, T + 1))
    assert show(task, offers()) == []
    ((kind, record),) = show(task, offers(SAME))
    assert (kind, record["visible"]) == ("offer.status-changed", True)


@pytest.mark.parametrize("removal", [removed(AS_OF + 1), gone(AS_OF + 1)], ids=["offer", "event"])
def test_snapshot_never_brings_back_what_push_removed_since(removal: str):
    task = task_with(removal)
    assert show(task, offers(SAME)) == []
    assert task.counts[Count.RACED] == 1
    assert show(task, {"eventId": EVENT, "score": {"home": "1", "away": "0"}}, LIVE) == []


def test_live_data_alone_brings_no_event_back():
    assert show(task_with(gone(T + 1)), [{"eventId": EVENT, "score": {"home": "1", "away": "0"}}], LIVE) == []


def test_snapshot_brings_back_what_was_removed_before_it():
    task = task_with(removed(T + 1))
    assert [kind for kind, _ in show(task, offers(SAME))] == ["offer.added"]
    task = task_with(gone(T + 1))
    assert [kind for kind, _ in show(task, offers(SAME))] == ["event.opened", "offer.added"]


def test_outcome_that_a_newer_whole_offer_lacks_is_not_added():
    task = task_with(added(AS_OF + 1, (ONE, 1500)))
    assert show(task, offers(SAME)) == []
    assert task.counts[Count.RACED] == 1


def test_offer_known_by_its_changes_only_is_stated_with_what_is_newer():
    task = Task()
    task.say(odds(AS_OF + 1, (ONE, 1900)), status(AS_OF + 1), at_ms=ASKED)
    task.say(message(23, "boor", {"eventId": EVENT, "outcomes": [{"id": TWO, "betOfferId": OFFER}]}, AS_OF + 1))
    before = len(task.outputs)
    assert show(task, offers(SAME))[1:] == [
        ("offer.added", [{"id": ONE, "odds_thousandths": 1900, "status": "OPEN"}]),
    ]
    assert json.loads(task.outputs[before + 1].value)["suspended"] is True
    (record,) = task.say(odds(AS_OF, (ONE, 1700)), at_ms=ASKED + 1)
    assert record["late"] is True


def test_first_snapshot_of_an_event_states_all_of_it():
    task = Task()
    assert [kind for kind, _ in show(task, offers(SAME))] == ["event.opened", "offer.added"]
    assert show(task, offers(SAME), requested_ms=ASKED + 1) == []


# As-of.


def test_snapshot_speaks_for_no_later_than_the_vendors_newest_time():
    """The vendor's clock may be behind ours; then its newest ``t`` says how far it has come."""
    task = Task()
    task.say(added(T - 60_000, (ONE, 1500)), odds(T - 50_000, (ONE, 1600)), at_ms=T)
    assert show(task, offers(offer_body((ONE, 1700))), requested_ms=T + 100)[1:] == [
        ("odds.changed", [{"id": ONE, "odds_thousandths": 1700}])
    ]
    (record,) = task.say(odds(T - 49_999, (ONE, 1800)), at_ms=T + 200)
    assert "late" not in record


# Not found.


def test_404_of_event_ids_removes_the_events():
    error = {"error": {"status": 404, "message": "Not found"}}
    task = task_with()
    assert [kind for kind, _ in show(task, error, status=404)] == ["event.removed"]
    assert task.counts[Count.SNAPSHOT_NOT_FOUND] == 1
    assert show(task_with(odds(AS_OF + 1, (ONE, 1500))), error, status=404) == []
    assert show(task_with(), error, LIVE, status=404) == []
    assert [kind for kind, _ in show(task_with(), b"", status=404)] == ["event.removed"]


# What health is told.


def finding(task: Task, body: Any, position: str = OFFERS) -> SnapshotFinding:
    stamps = {
        "tc-position": position.encode(),
        "tc-status": b"200",
        "tc-requested-ns": b"%d" % (ASKED * 1_000_000),
    }
    record = Record(offset=9, value=json.dumps(body).encode(), headers=[])
    taken = take_snapshot(
        record, stamps, "kambi-0-snapshots", ASKED * 1_000_000, task, cause_of=lambda event_id, what: "baseline"
    )
    assert taken is not None
    return taken.finding


def test_finding_names_what_was_covered_and_how_it_differed():
    both = f"betoffer/event/{EVENT},3.json"
    task = task_with(odds(AS_OF + 1, (TWO, 2600)))
    found = finding(task, offers(offer_body((ONE, 1600), (TWO, 2500))), both)
    assert (found.what, found.requested_ns, found.is_complete) == ("offers", ASKED * 1_000_000, True)
    first, second = found.events
    assert (first.event_id, first.is_there, first.differences, first.raced) == (EVENT, True, {"odds.changed": 1}, 1)
    assert (second.event_id, second.is_there, second.differences) == (3, False, {})


def test_offer_known_by_a_status_only_takes_its_cash_out_from_the_snapshot():
    """The status is newer than the snapshot but says nothing of cash-out: an equal snapshot then differs in nothing."""
    task = task_with(status(ASKED, suspended=False, offer=8))
    shown = offer_body((7, 1500), offer=8) | {"cashOutStatus": "ENABLED"}
    (added_offer,) = [value for kind, value in show(task, offers(SAME, shown)) if kind == "offer.added"] or [None]
    assert show(task, offers(SAME, shown), requested_ms=ASKED + 30_000) == []
    assert added_offer is not None


def test_offer_that_was_removed_since_is_not_told_from_before_though_something_of_it_came_again():
    task = task_with(removed(AS_OF + 1, 8), odds(AS_OF + 2, (7, 1500), offer=8))
    shown = offer_body((6, 1400), (7, 1400), offer=8)
    assert [kind for kind, _ in show(task, offers(SAME, shown)) if kind.startswith("offer")] == []
    (kind, outcomes), *rest = show(task, offers(SAME, shown), requested_ms=ASKED + 30_000)
    assert (kind, [outcome["id"] for outcome in outcomes], rest) == ("offer.added", [6, 7], [])
