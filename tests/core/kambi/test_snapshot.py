"""Snapshots: only differences go out, never what push changed since, and what cannot be read costs only itself."""

import json
from typing import Any

import pytest

from processors.core.kambi.snapshot import BEFORE_REQUEST_MS, FINISHED_MS, SnapshotFinding, take_snapshot
from schemas.codec import validate
from schemas.kambi.codes import Code, Count
from tests.core.driver import Record
from tests.core.kambi.tasks import (
    EVENT,
    OFFER,
    ONE,
    START_MS,
    TWO,
    WITH_ENDS,
    Task,
    added,
    gone,
    kind_of,
    message,
    odds,
    offer_body,
    removed,
    score,
    state,
    status,
)

T = START_MS
ASKED = T + 10_000
"""When the snapshot is requested."""
AS_OF = ASKED - BEFORE_REQUEST_MS
OFFERS = f"betoffer/event/{EVENT}.json?lang=en_GB"
LIVE = f"event/livedata/{EVENT}.json?lang=en_GB"
OPEN = "event/live/open.json?lang=en_GB"
LISTED = "listView/football/all/all/all/matches.json?lang=en_GB"
EVENT_BODY = {"id": EVENT, "name": "A - B", "state": "STARTED"}


def task_with(*children: str) -> Task:
    """Return a task that knows an event with one offer, by push, and that the vendor's clock went on since."""
    task = Task()
    task.say(message(5, "leo", {"event": EVENT_BODY}, T), added(T, (ONE, 1500), (TWO, 2500)), at_ms=T)
    task.say(*children, odds(ASKED, (1, 1500), offer=1, event=1), at_ms=ASKED)
    return task


def offers(*shown: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"betOffers": list(shown), "events": [EVENT_BODY]} | beside


def show(task: Task, body: Any, position: str = OFFERS, **request: Any) -> list[tuple[str, Any]]:
    """Return (kind, outcomes or value) of what a snapshot brought; all of it must be marked and valid."""
    before = len(task.outputs)
    records = task.show(body, position, requested_ms=request.pop("requested_ms", ASKED), **request)
    told = [output for output in task.outputs[before:] if kind_of(output) not in WITH_ENDS]
    for index, output in enumerate(told):
        if output.topic != "kambi.health":
            validate(output.header("ce_type"), output.value)
            assert output.header("ce_id") == f"tricast.kambi.raw/0/{task.offset - 1}/{index}"
    assert all(record["source"] == "snapshot" and "vendor_time_ms" not in record for record in records)
    return [(record["kind"], record.get("outcomes", record)) for record in records]


SAME = offer_body((ONE, 1500), (TWO, 2500))


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


# Live data.

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


# Not found.


def test_404_of_event_ids_removes_the_events():
    error = {"error": {"status": 404, "message": "Not found"}}
    task = task_with()
    assert [kind for kind, _ in show(task, error, status=404)] == ["event.removed"]
    assert task.counts[Count.SNAPSHOT_NOT_FOUND] == 1
    assert show(task_with(odds(AS_OF + 1, (ONE, 1500))), error, status=404) == []
    assert show(task_with(), error, LIVE, status=404) == []
    assert [kind for kind, _ in show(task_with(), b"", status=404)] == ["event.removed"]


# What cannot be read.

WHOLE = json.dumps(offers(SAME)).encode()
BAD = {
    "html": (b"<!DOCTYPE html><html></html>", 200),
    "html with 404": (b"<html>gone</html>", 404),
    "truncated": (WHOLE[: len(WHOLE) // 2], 200),
    "empty": (b"", 200),
    "error body": (b'{"error":{"status":500,"message":"Oops"}}', 200),
    "error body, other order": (b'{"error":{"message":"Oops","status":404}}', 200),
    "another object": (b'{"hello":1}', 200),
    "a number": (b"7", 200),
    "not utf-8": (b'{"betOffers":"\xff"}', 200),
    "deep": (b'{"betOffers":' + b"[" * 100_000, 200),
    "no list": (b'{"betOffers":7}', 200),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD.keys())
def test_body_that_is_no_answer_is_one_dead_letter_and_changes_nothing(body: bytes, code: int):
    task = task_with()
    known = dict(task.store.entries)
    assert show(task, body, status=code) == []
    assert [(dead.value, dead.code, dead.index) for dead in task.dead_letters] == [(body, Code.BAD_SNAPSHOT, None)]
    assert {key: value for key, value in task.store.entries.items() if key[:1] in b"oem"} == {
        key: value for key, value in known.items() if key[:1] in b"oem"
    }


def test_bad_item_costs_only_itself():
    task = task_with()
    bad = [{"id": "x"}, offer_body((ONE, 5), offer=9), {"id": 5, "eventId": 1.5}]
    body = offers(bad[0], offer_body((ONE, 1600), (TWO, 2500)), *bad[1:])
    assert show(task, body) == [("odds.changed", [{"id": ONE, "odds_thousandths": 1600}])]
    assert [(json.loads(dead.value), dead.index) for dead in task.dead_letters] == [
        (part, index) for index, part in enumerate(bad, 1)
    ]


def test_answer_of_five_megabytes():
    task = task_with()
    many = [offer_body((n, 1500), (n + 1, 2500), offer=n) for n in range(10_000, 20_000, 5)]
    body = json.dumps(offers(SAME, *many) | {"news": "x" * 4_500_000}).encode()
    assert len(body) > 5_000_000 - 200_000
    assert [kind for kind, _ in show(task, body)] == ["offer.added"] * len(many)


@pytest.mark.parametrize("position", ["", "odds/ladder.json", "betoffer/event/x.json", "betoffer/event/.json"])
def test_unknown_request_is_a_dead_letter(position: str):
    task = task_with()
    assert show(task, offers(SAME), position) == []
    assert [dead.code for dead in task.dead_letters] == [Code.BAD_SNAPSHOT]


@pytest.mark.parametrize("missing", ["tc-position", "tc-status", "tc-requested-ns"])
def test_snapshot_without_its_headers_is_a_dead_letter(missing: str):
    task = task_with()
    headers = [
        (name, value)
        for name, value in {
            "tc-kind": b"snapshot",
            "tc-line": b"kambi-0-snapshots",
            "tc-connection": b"s",
            "tc-received-ns": b"1790000000000000000",
            "tc-position": OFFERS.encode(),
            "tc-status": b"200",
            "tc-requested-ns": b"1790000000000000000",
        }.items()
        if name != missing
    ]
    task.feed_record(Record(offset=9, value=WHOLE, headers=headers))
    assert [dead.code for dead in task.dead_letters] == [Code.BAD_HEADERS]


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
