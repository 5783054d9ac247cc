"""What HTTP answers say: whole ones, cut ones, errors in every form, one bad entry among good ones."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from processors.core.kambi.answers import FULL_PAGE, Answer, Refused, read_answer
from processors.core.kambi.findings import Unreadable
from schemas.kambi import events
from schemas.kambi.codes import Code

OFFERS = "betoffer/event/1020000001.json?lang=en_GB"
TWO_EVENTS = "betoffer/event/1020000001,1020000003.json?lang=en_GB"
LIVE_DATA = "event/livedata/1020000001,1020000003.json?lang=en_GB"
LIVE_OPEN = "event/live/open.json?lang=en_GB"
LIST_VIEW = "listView/football/all/all/all/matches.json?lang=en_GB"
OUTCOME = {"id": 4345116628, "betOfferId": 2500000001, "odds": 1910, "status": "OPEN"}
OFFER = {"id": 2500000001, "eventId": 1020000001, "tags": ["MAIN", "MAIN_LINE"], "outcomes": [OUTCOME]}
EVENT = {"id": 1020000001, "name": "Alpha FC - Beta FC", "state": "STARTED", "groupSortOrder": 3002001000000000000}
LIVE = {
    "eventId": 1020000001,
    "matchClock": {"minute": 63, "second": 12, "running": True},
    "score": {"home": "2", "away": "1", "who": "HOME", "version": 17},
    "statistics": {"sets": {"home": [6, -1], "away": [4, -1], "homeServe": True}},
    "description": "Rain delay",
    "liveStatistics": [{"occurrenceTypeId": "CORNERS_HOME", "count": 3}],
    "latestVisualization": {"id": 1, "visualization": {"position": {"x": 0.5}}},
}
EVENT_FACT = events.EventOpened(
    event_id=1020000001, name="Alpha FC - Beta FC", state="STARTED", group_sort_order=3002001000000000000
)
OFFER_FACT = events.OfferAdded(
    event_id=1020000001,
    offer_id=2500000001,
    suspended=False,
    tags=["MAIN", "MAIN_LINE"],
    outcomes=[events.Outcome(id=4345116628, odds_thousandths=1910, status="OPEN")],
)
CLOCK = events.ClockChanged(event_id=1020000001, minute=63, second=12, running=True)
SCORE = events.ScoreChanged(event_id=1020000001, home="2", away="1", who="HOME", version=17)
STATISTICS = events.StatisticsChanged(
    event_id=1020000001, sets=events.SetStatistics(home=[6, -1], away=[4, -1], home_serve=True)
)
DESCRIPTION = events.EventDescriptionChanged(event_id=1020000001, description="Rain delay")
PRE_PACKS = [{"prePackSelections": [{"odds": {"decimal": 1910, "american": "-110", "fractional": "9/10"}}]}]


def read(position: str, body: Any, status: int = 200) -> Any:
    return read_answer(position, status, body if isinstance(body, bytes) else json.dumps(body).encode())


def answer(position: str, body: Any) -> Answer:
    found = read(position, body)
    assert isinstance(found, Answer), found
    return found


def test_offers_of_an_event():
    found = answer(OFFERS, {"betOffers": [OFFER], "events": [EVENT], "prePacks": PRE_PACKS, "range": {"total": 1}})
    assert found == Answer(what="offers", asked=(1020000001,), whole=True, facts=[EVENT_FACT, OFFER_FACT], broken=[])


def test_offers_of_several_events_are_told_apart():
    other = OFFER | {"id": 2500000002, "eventId": "1020000003"}
    found = answer(TWO_EVENTS, {"betOffers": [OFFER, other]})
    assert found.asked == (1020000001, 1020000003)
    assert [fact.event_id for fact in found.facts] == [1020000001, 1020000003]


def test_event_of_an_offer_may_stand_in_the_path_only():
    bare = {key: value for key, value in OFFER.items() if key != "eventId"}
    assert answer(OFFERS, {"betOffers": [bare]}).facts == [OFFER_FACT]
    (broken,) = answer(TWO_EVENTS, {"betOffers": [bare]}).broken
    assert broken.finding.code == Code.NO_EVENT_ID


def test_live_data_in_both_forms():
    facts = [CLOCK, SCORE, STATISTICS, DESCRIPTION]
    assert answer(LIVE_DATA, [LIVE]) == Answer(
        what="live-data", asked=(1020000001, 1020000003), whole=True, facts=facts, broken=[]
    )
    unnamed = {key: value for key, value in LIVE.items() if key != "eventId"}
    for body in ({"liveData": LIVE}, {"liveData": [LIVE]}, {"liveData": unnamed}):
        assert answer("event/1020000001/livedata", body).facts == facts
    assert answer(LIVE_DATA, []).facts == []


def test_live_events():
    body = {"liveEvents": [{"event": EVENT, "liveData": LIVE, "mainBetOffer": OFFER}], "group": {"sortOrder": "1"}}
    assert answer(LIVE_OPEN, body) == Answer(
        what="live-open", asked=(), whole=True, facts=[EVENT_FACT, OFFER_FACT, CLOCK, SCORE, STATISTICS], broken=[]
    )


def test_list_view():
    body = {"events": [{"event": EVENT, "betOffers": [OFFER]}, {"event": {"id": 1020000009}}], "activeCategories": []}
    assert answer(LIST_VIEW, body).facts == [EVENT_FACT, OFFER_FACT, events.EventOpened(event_id=1020000009)]


def test_facts_of_an_answer_have_no_vendor_time():
    assert {fact.vendor_time_ms for fact in answer(LIVE_DATA, [LIVE]).facts} == {UNSET}


WHOLE = {
    "no range": ({}, "", 1, True),
    "total reached": ({"range": {"start": 0, "size": 2000, "total": 1}}, "", 1, True),
    "range null": ({"range": None}, "", 1, True),
    "total not reached": ({"range": {"start": 0, "size": 1, "total": 2}}, "", 1, False),
    "later page": ({"range": {"start": 1}}, "", 1, False),
    "range nobody knows": ({"range": "some"}, "", 1, False),
    "full page without total": ({}, "", FULL_PAGE, False),
    "full page with total": ({"range": {"total": FULL_PAGE}}, "", FULL_PAGE, True),
    "main offers only": ({}, "&onlyMain=true", 1, False),
    "some types only": ({}, "&type=2,6", 1, False),
    "a page asked for": ({}, "&range_size=2000", 1, False),
}


@pytest.mark.parametrize(("extra", "query", "entries", "whole"), WHOLE.values(), ids=WHOLE.keys())
def test_absence_counts_only_in_a_whole_answer(extra: dict[str, Any], query: str, entries: int, whole: bool):
    assert answer(OFFERS + query, {"betOffers": [OFFER] * entries, **extra}).whole is whole


def test_an_answer_may_be_empty_and_whole():
    assert answer(OFFERS, {"betOffers": [], "events": []}).whole


BAD_ENTRIES = {
    "no id": ({"eventId": 1020000001}, Code.BAD_ELEMENT),
    "id a fraction": (OFFER | {"id": 2500000001.5}, Code.BAD_ELEMENT),
    "id inexact": (OFFER | {"id": 1e16}, Code.INEXACT_NUMBER),
    "id beyond 2^63": (OFFER | {"id": "9999999999999999999"}, Code.BAD_ELEMENT),
    "odds below 1": (OFFER | {"outcomes": [{"id": 1, "odds": 17}]}, Code.BAD_ODDS),
    "a string": ("offer", Code.NOT_AN_OBJECT),
    "null": (None, Code.NOT_AN_OBJECT),
}


@pytest.mark.parametrize(("entry", "code"), BAD_ENTRIES.values(), ids=BAD_ENTRIES.keys())
@pytest.mark.parametrize("place", [0, 1, 2])
def test_bad_entry_costs_itself_only_and_absence_says_nothing_then(entry: Any, code: Code, place: int):
    offers: list[Any] = [OFFER, OFFER | {"id": 2500000002}]
    offers.insert(place, entry)
    found = answer(OFFERS, {"betOffers": offers, "events": [EVENT]})
    assert [fact.offer_id for fact in found.facts if isinstance(fact, events.OfferAdded)] == [2500000001, 2500000002]
    assert [(json.loads(broken.value), broken.finding.code) for broken in found.broken] == [(entry, code)]
    assert not found.whole


def test_entry_with_a_key_twice_is_broken():
    body = json.dumps({"betOffers": [OFFER, OFFER]}).replace('"id": 2500000001', '"id": 1, "id": 2500000001', 1)
    found = answer(OFFERS, body.encode())
    assert [broken.finding.code for broken in found.broken] == [Code.DUPLICATE_KEY]
    assert found.facts == [OFFER_FACT]


def test_offer_of_another_event_than_its_list_entry_is_broken():
    (broken,) = answer(LIST_VIEW, {"events": [{"event": {"id": 1}, "betOffers": [OFFER]}]}).broken
    assert broken.finding.code == Code.ID_CONFLICT


BODY = json.dumps({"betOffers": [OFFER], "events": [EVENT]}).encode()
UNREADABLE = {
    "empty": b"",
    "cut off": BODY[:-20],
    "HTML": b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    "text": b"Service Unavailable",
    "null": b"null",
    "number": b"17",
    "array": b"[]",
    "array cut off": b'[{"eventId":1}',
    "no list": b"{}",
    "list null": b'{"betOffers":null,"events":[]}',
    "list an object": b'{"betOffers":{"id":1}}',
    "another answer": b'{"liveEvents":[]}',
    "list twice": b'{"betOffers":[],"betOffers":[{"id":1}]}',
    "nested deeply": b'{"betOffers":' + b"[" * 100_000,
    "bytes": b"\xff\xfe{}",
    "two answers": BODY + BODY,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_answer_says_nothing(body: bytes):
    found = read(OFFERS, body)
    assert isinstance(found, Unreadable)
    assert found.code == Code.BAD_SNAPSHOT
    assert len(found.detail) < 500


@pytest.mark.parametrize("position", [LIVE_DATA, LIVE_OPEN, LIST_VIEW])
@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"null", b'{"betOffers":[]}', b'[{"eventId"'])
def test_what_is_no_answer_says_nothing_for_other_requests(position: str, body: bytes):
    assert isinstance(read(position, body), Unreadable)


REFUSALS = {
    "status first": ({"error": {"status": 404, "message": "Not Found"}}, Refused(404, "Not Found")),
    "message first": ({"error": {"message": "Not Found", "status": "404"}}, Refused(404, "Not Found")),
    "beside a list": ({"betOffers": [], "error": {"status": 500}}, Refused(500, "")),
    "status a word": ({"error": {"status": "NOT_FOUND", "message": "no"}}, Refused(0, "no")),
    "error a word": ({"error": "no"}, Refused(0, "an error without status")),
    "error empty": ({"error": {}}, Refused(0, "")),
}


@pytest.mark.parametrize(("body", "refused"), REFUSALS.values(), ids=REFUSALS.keys())
def test_error_in_an_answer_200_is_no_answer(body: Any, refused: Refused):
    assert read(OFFERS, body) == refused


@pytest.mark.parametrize("body", [b"", b"<html>", BODY])
def test_status_speaks_before_the_body(body: bytes):
    assert read(OFFERS, body, status=404) == Refused(404, "HTTP 404")


def test_error_null_is_no_error():
    assert answer(OFFERS, {"error": None, "betOffers": [OFFER]}).facts == [OFFER_FACT]


@pytest.mark.parametrize(
    "position", ["", "group.json", "betoffer/event/", "betoffer/event/x", "betoffer/1", "betoffer/event/1,,2"]
)
def test_unknown_request(position: str):
    assert isinstance(read(position, {"betOffers": []}), Unreadable)


def test_byte_order_mark_and_space():
    assert answer(OFFERS, b"\xef\xbb\xbf \n" + BODY + b"\r\n").facts == [EVENT_FACT, OFFER_FACT]


def test_five_megabytes():
    filler = "x" * 5_000
    body = {"betOffers": [OFFER | {"id": number, "description": filler} for number in range(1_000)]}
    found = answer(OFFERS, body | {"range": {"total": 1_000}})
    assert found.whole
    assert len(found.facts) == 1_000


@pytest.mark.parametrize("odds", [17, "x"], ids=["below 1", "a word"])
def test_five_thousand_bad_entries(odds: Any):
    bad = OFFER | {"outcomes": [OUTCOME | {"odds": odds}]}
    found = answer(OFFERS, {"betOffers": [bad | {"id": number} for number in range(5_000)] + [OFFER]})
    assert [json.loads(broken.value)["id"] for broken in found.broken] == list(range(5_000))
    assert found.facts == [OFFER_FACT]


@pytest.mark.parametrize(
    ("position", "body"),
    [
        (OFFERS, {"betOffers": [OFFER], "events": [EVENT], "prePacks": PRE_PACKS, "range": {"total": 1}}),
        (LIVE_DATA, [LIVE]),
        (LIVE_OPEN, {"liveEvents": [{"event": EVENT, "liveData": LIVE, "mainBetOffer": OFFER}]}),
        (LIST_VIEW, {"events": [{"event": EVENT, "betOffers": [OFFER]}]}),
    ],
    ids=["offers", "live data", "live events", "list view"],
)
def test_answer_cut_anywhere_says_nothing(position: str, body: Any):
    text = json.dumps(body).encode()
    assert isinstance(read(position, text), Answer)
    for end in range(len(text)):
        assert isinstance(read(position, text[:end]), Unreadable), text[:end]


@given(st.integers(0, len(BODY)), st.integers(0, 40), st.binary(max_size=8))
def test_junk_anywhere_in_an_answer_never_raises(start: int, length: int, junk: bytes):
    read(OFFERS, BODY[:start] + junk + BODY[start + length :])
