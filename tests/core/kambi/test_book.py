"""The book in the store: what is kept, tombstones, bounds, housekeeping."""

import json
from typing import Any

import pytest

from processors.core.kambi import book as book_module
from processors.core.kambi import entries
from processors.core.kambi.book import Book
from processors.core.kambi.dedupe import WINDOW_S
from processors.core.kambi.entries import OutcomeEntry
from processors.core.kambi.index import decode_place
from processors.core.kambi.shelf import Shelf
from schemas.kambi.codes import Count
from tests.core.driver import DictStore, Driver
from tests.core.kambi.tasks import (
    EVENT,
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
WINDOW_MS = WINDOW_S * 1000


def book_keys(task: Driver) -> list[bytes]:
    return sorted(key for key in task.store.entries if key[:1] in b"oem")


# What is kept.


def offer_of(task: Driver, offer: int = OFFER) -> entries.OfferEntry:
    return entries.decode_offer(task.store.entries[entries.offer_key(offer)])


def outcomes_of(task: Driver, offer: int = OFFER) -> dict[int, tuple[int | None, str | None]]:
    return {
        outcome_id: (entry.odds, entry.status)
        for outcome_id, entry in offer_of(task, offer).outcomes.items()
        if not entry.removed_s
    }


def test_book_follows_push():
    task = Task()
    task.say(added(T, (ONE, 1500), (TWO, 2500)), at_ms=T)
    assert outcomes_of(task) == {ONE: (1500, "OPEN"), TWO: (2500, "OPEN")}
    task.say(odds(T + 1, (ONE, 1600), (TWO, None)))
    assert outcomes_of(task) == {ONE: (1600, "OPEN"), TWO: (None, "OPEN")}
    task.say(
        message(32, "osu", {"eventId": EVENT, "outcomes": [{"id": ONE, "betOfferId": OFFER, "status": "X"}]}, T + 2)
    )
    task.say(message(23, "boor", {"eventId": EVENT, "outcomes": [{"id": TWO, "betOfferId": OFFER}]}, T + 2))
    assert outcomes_of(task) == {ONE: (1600, "X")}
    task.say(status(T + 3))
    assert offer_of(task).suspended is True
    task.say(added(T + 4, (7, 1500)))
    assert outcomes_of(task) == {7: (1500, "OPEN")}
    assert offer_of(task).suspended is False
    task.say(removed(T + 5))
    assert outcomes_of(task) == {}
    assert offer_of(task).removed_s


def test_changes_of_unknown_offers_and_outcomes_go_out_and_are_kept():
    task = Task()
    assert [record["kind"] for record in task.say(odds(T, (ONE, 1500)), status(T, offer=9), at_ms=T)] == [
        "odds.changed",
        "offer.status-changed",
    ]
    assert outcomes_of(task) == {ONE: (1500, None)}
    assert not offer_of(task).defined
    assert offer_of(task, 9).suspended is True


def test_whole_offer_replaces_even_newer_outcomes():
    """A consumer takes it for what it is; the next snapshot states what it lost by that."""
    task = Task()
    task.say(odds(T + 5, (ONE, 1500)), at_ms=T + 10)
    task.say(added(T, (TWO, 2500)))
    assert outcomes_of(task) == {TWO: (2500, "OPEN")}
    shown = {"betOffers": [offer_body((ONE, 1500), (TWO, 2500))]}
    (record,) = task.show(shown, f"betoffer/event/{EVENT}.json", requested_ms=T + 10_000)
    assert record["kind"] == "outcomes.added"
    assert record["outcomes"] == [{"id": ONE, "odds_thousandths": 1500, "status": "OPEN"}]


def test_all_known_offers_are_suspended():
    task = Task()
    task.say(added(T, (ONE, 1500)), added(T, (TWO, 1500), offer=9), added(T + 9, (3, 1500), offer=10), at_ms=T)
    task.say(removed(T + 1, 9), message(9, "abos", {"eventId": EVENT}, T + 5))
    assert [offer_of(task, offer).suspended for offer in (OFFER, 9, 10)] == [True, None, False]


def test_an_offer_id_that_comes_again_in_another_event_moves():
    task = Task()
    task.say(added(T, (ONE, 1500)), at_ms=T)
    task.say(added(T + 1, (ONE, 1500), event=EVENT + 1))
    task.say(gone(T + 2))
    assert offer_of(task).event_id == EVENT + 1


# Removed things.


def test_removed_offer_leaves_a_tombstone_for_the_window_and_then_nothing():
    task = Task()
    task.say(added(T, (ONE, 1500)), added(T, (TWO, 1500), offer=9), removed(T + 1), at_ms=T)
    task.tick(T + WINDOW_MS)
    assert entries.offer_key(OFFER) in task.store.entries
    task.tick(T + WINDOW_MS + 1000)
    assert entries.offer_key(OFFER) not in task.store.entries
    assert entries.decode_members(task.store.entries[entries.members_key(EVENT)]) == [9]


def test_removed_event_drops_its_offers_at_once_and_itself_after_the_window():
    task = Task()
    task.say(added(T, (ONE, 1500)), score(T, "1", "0"), gone(T + 1), at_ms=T)
    assert book_keys(task) == [entries.event_key(EVENT), entries.members_key(EVENT)]
    task.tick(T + WINDOW_MS + 1000)
    assert book_keys(task) == []


@pytest.mark.parametrize("back", [added(T + 2, (ONE, 1500)), odds(T + 2, (ONE, 1500)), status(T + 2)])
@pytest.mark.parametrize("removal", [removed(T + 1), gone(T + 1)], ids=["offer", "event"])
def test_what_comes_back_in_time_outlives_its_tombstone(back: str, removal: str):
    task = Task()
    task.say(state(T), added(T, (ONE, 1500)), removal, at_ms=T)
    (record,) = task.say(back, at_ms=T + 5_000)
    assert "late" not in record
    task.tick(T + WINDOW_MS + 10_000)
    assert book_keys(task) == [
        entries.event_key(EVENT),
        entries.members_key(EVENT),
        entries.offer_key(OFFER),
    ]
    assert not offer_of(task).removed_s


def test_removal_of_the_unknown_is_remembered_too():
    task = Task()
    task.say(removed(T + 1), gone(T + 1, event=7), at_ms=T)
    late = [record.get("late") for record in task.say(added(T, (ONE, 1500)), state(T, event=7))]
    assert late == [True, True]


# Bounds.


def test_offers_of_one_event_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(book_module, "MAX_OFFERS_PER_EVENT", 3)
    task = Task()
    records = task.say(*(added(T, (1, 1500), offer=number) for number in range(5)), at_ms=T)
    assert len(records) == 5
    assert len(task.say(odds(T + 1, (1, 1500), offer=4))) == 1
    assert task.counts[Count.UNKEPT] == 3
    assert len([key for key in task.store.entries if key[:1] == b"o"]) == 3


def test_outcomes_of_one_offer_are_bounded_and_removed_ones_make_room(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(book_module, "MAX_OUTCOMES", 3)
    book = Book(DictStore(), 1, 1000)
    offer = book.add_offer(1, 1)
    assert offer is not None
    for number in range(5):
        book.add_outcome(offer, number, OutcomeEntry(T, 1))
    assert (list(offer.outcomes), book.unkept) == ([0, 1, 2], 2)
    offer.outcomes[1].removed_s = 1000 - WINDOW_S
    assert not book.add_outcome(offer, 9, OutcomeEntry(T, 1))
    assert Book(DictStore(), 1, 1001).add_outcome(offer, 9, OutcomeEntry(T, 1))
    assert list(offer.outcomes) == [0, 2, 9]


def test_fifty_thousand_outcomes_of_one_offer_go_out_and_the_book_stays_small():
    task = Task()
    outcomes = [{"id": number, "betOfferId": OFFER, "odds": 1500} for number in range(50_000)]
    (record,) = task.say(message(11, "boou", {"eventId": EVENT, "outcomes": outcomes}, T), at_ms=T)
    assert len(record["outcomes"]) == 50_000
    assert len(task.store.entries[entries.offer_key(OFFER)]) < 100_000


def test_words_of_megabytes_go_out_and_are_not_kept():
    task = Task()
    word = "x" * 1_000_000
    outcomes = [{"id": ONE, "betOfferId": OFFER, "status": word, "odds": 1500}]
    children = [
        message(22, "booa", {"eventId": EVENT, "outcomes": outcomes}, T),
        message(34, "esu", {"id": EVENT, "state": word}, T),
        message(20, "desc", {"eventId": EVENT, "description": word}, T),
        message(28, "ls", {"eventId": EVENT, "occurrenceTypeId": word, "value": 1}, T),
        message(8, "bosu", {"eventId": EVENT, "betOfferId": OFFER, "cashOutStatus": word}, T),
    ]
    assert all(word in json.dumps(record) for record in task.say(*children, at_ms=T))
    assert max(len(value) for value in task.store.entries.values()) < 10_000
    shown: dict[str, Any] = offer_body((ONE, 1500)) | {"cashOutStatus": word}
    shown["outcomes"][0]["status"] = word
    body = {"betOffers": [shown], "events": [{"id": EVENT, "state": word}]}
    for at_ms in (T + 10_000, T + 20_000):
        again = task.show(body, f"betoffer/event/{EVENT}.json", requested_ms=at_ms)
    assert again == []


def test_recent_items_and_statistics_are_bounded():
    task = Task()
    for number in range(100):
        body: dict[str, Any] = {"eventId": EVENT, "id": number, "occurrenceTypeId": f"T{number}", "value": number}
        task.say(message(25, "mo", body, T + number), message(28, "ls", body, T + number), at_ms=T)
    event = entries.decode_event(task.store.entries[entries.event_key(EVENT)])
    assert len(event.recent) == book_module.MAX_RECENT
    assert "o99" in event.recent
    assert len(event.statistics) == book_module.MAX_STATISTICS


def small_shelf(task: Driver, **bounds: int) -> None:
    """Have the task's shelf made with small bounds, as every remake of it is, too."""
    task.memory["kambi.shelf"] = Shelf(task.store, **bounds)


@pytest.mark.parametrize("reopen", [False, True])
def test_oldest_events_go_when_there_are_too_many(reopen: bool):
    task = Task()
    for number in range(10):
        small_shelf(task, max_events=4) if reopen or number == 0 else None
        task.say(odds(T, (1, 1500), offer=number, event=number), at_ms=T + number * 1000)
    kept = sorted(entries.key_id(key) for key in task.store.entries if key[:1] == b"e")
    assert kept == [6, 7, 8, 9]
    assert sorted(entries.key_id(key) for key in task.store.entries if key[:1] == b"o") == kept
    assert task.counts[Count.EVENTS_EVICTED] == 6


@pytest.mark.parametrize("reopen", [False, True])
def test_oldest_events_go_when_there_are_too_many_offers(reopen: bool):
    task = Task()
    for number in range(4):
        small_shelf(task, max_offers=4) if reopen or number == 0 else None
        task.say(*(odds(T, (1, 1500), offer=10 * number + n, event=number) for n in (1, 2)), at_ms=T + number * 1000)
    assert sorted(entries.key_id(key) for key in task.store.entries if key[:1] == b"o") == [21, 22, 31, 32]


def test_places_are_bounded():
    task = Task()
    small_shelf(task, max_elsewhere=3)
    for number in range(10):
        task.say(odds(T, (1, 1500), offer=number, event=number), gone(T, event=number), at_ms=T + number * 1000)
    places = [entries.key_id(key) for key in task.store.entries if key[:1] == b"i"]
    assert sorted(places) == [7, 8, 9]


def test_place_that_is_learned_again_keeps_its_age():
    """The shelf knows it by the second it was learned; a restart reads that second from the store."""
    task = Task()
    for number in range(3):
        children = [odds(T + number, (1, 1500), offer=7, event=5), gone(T + number, event=5)]
        task.say(*children, at_ms=T + number * 1000)
    assert [decode_place(value) for _, value in task.store.items(b"i")] == [(5, T // 1000)]
