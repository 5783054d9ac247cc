"""The book in the store: tombstones, bounds, housekeeping; and random histories, with and without restarts."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.kambi import book as book_module
from processors.core.kambi import entries
from processors.core.kambi.book import Book
from processors.core.kambi.dedupe import WINDOW_S
from processors.core.kambi.entries import OutcomeEntry
from processors.core.kambi.index import decode_place
from processors.core.kambi.shelf import Shelf
from schemas.kambi.codes import Count
from schemas.raw import Header
from tests.core.driver import DictStore, Driver, Record
from tests.core.kambi.tasks import (
    EVENT,
    GENERAL,
    OFFER,
    ONE,
    OWN,
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
    offer.outcomes[1].removed_s = 1000 - WINDOW_S - 1
    assert book.add_outcome(offer, 9, OutcomeEntry(T, 1))
    assert list(offer.outcomes) == [0, 2, 9]


def test_half_a_million_outcomes_of_one_offer_go_out_and_the_book_stays_small():
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


# A record that fails.


class Failing(Task):
    """Takes back what a record wrote when it fails at an output or a count, as the engine does."""

    fails_in = -1

    def feed_record(self, record: Record) -> None:
        entries_, outputs = dict(self.store.entries), list(self.outputs)
        try:
            super().feed_record(record)
        except RuntimeError:
            self.store.entries, self.outputs = entries_, outputs
            raise

    def forward(self, topic: str, key: bytes, value: bytes | None, headers: list[Header]) -> None:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise RuntimeError("planned")
        super().forward(topic, key, value, headers)

    def count(self, what: str, number: int = 1) -> None:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise RuntimeError("planned")
        super().count(what, number)


@pytest.mark.parametrize("fails_in", range(1, 12))
def test_a_record_that_fails_leaves_nothing_behind(fails_in: int):
    def run(task: Failing, *, failing: bool) -> Failing:
        task.feed(b'{"shard":0,"shards":1,"keys":[],"previous_connection":null}', kind="opened", line=OWN)
        task.say(added(T, (ONE, 1500)), added(T, (ONE, 1500), offer=9), at_ms=T)
        shown = {"betOffers": [offer_body((7, 1500))]}
        records: list[Callable[[], object]] = [
            lambda: task.say(odds(T - 9, (ONE, 1600)), gone(T + 1), odds(T + 2, (1, 1500)), state(T + 3)),
            lambda: task.show(shown, f"betoffer/event/{EVENT}.json", requested_ms=T + 9_000),
            lambda: task.tick(T + WINDOW_MS + 9_000),
        ]
        for record in records:
            if failing:
                task.fails_in = fails_in
                with suppress(RuntimeError):
                    record()
                if task.fails_in > 0:
                    continue  # it did not come that far
                task.fails_in = -1
            record()
        task.tick(T + 3 * WINDOW_MS)
        return task

    again, plain = run(Failing(), failing=True), run(Failing(), failing=False)
    assert again.store.entries == plain.store.entries
    assert [output.value for output in again.outputs] == [output.value for output in plain.outputs]


class Deaf(Task):
    """Fails at the first record of health, which comes when the book is written already."""

    is_deaf = False

    def forward(self, topic: str, key: bytes, value: bytes | None, headers: list[Header]) -> None:
        if self.is_deaf and topic == "kambi.health":
            raise RuntimeError("planned")
        super().forward(topic, key, value, headers)


def test_memory_that_is_ahead_of_the_store_is_dropped():
    task = Deaf()
    keys = [f"v2018.kambi.en.ev.{EVENT}.json", f"v2018.kambi.ev.{EVENT}.json"]
    opened = {"shard": 0, "shards": 1, "keys": keys, "previous_connection": None}
    task.feed(json.dumps(opened).encode(), kind="opened", line=OWN)
    task.say(added(T, (ONE, 1500)), at_ms=T)
    task.is_deaf = True
    with pytest.raises(RuntimeError):
        task.say(gone(T + 1))
    assert task.memory == {}


# Random histories.


@dataclass(frozen=True)
class Step:
    """One record of a history: a frame, a snapshot or a tick."""

    after_ms: int
    line: str
    children: tuple[tuple[str, int, int, int, int], ...] = ()
    """Kind, event, offer, outcome or value, and how old its ``t`` is, ms."""
    snapshot: tuple[str, tuple[tuple[int, int, int], ...], int] | None = None
    """What was asked, what it shows (event, offer, odds), and how long ago it was requested, ms."""


def text(kind: str, event: int, offer: int, value: int, t: int) -> str:
    outcome, price = value % 3 + 1, 1500 + value
    outcomes = [{"id": outcome, "betOfferId": offer, "odds": price, "status": "OPEN"}]
    of_event = {"eventId": event, "outcomes": outcomes}
    match kind:
        case "odds":
            return odds(t, (outcome, price), (4, 1500), offer=offer, event=event)
        case "added":
            return added(t, (outcome, price), (4, 1600), offer=offer, event=event)
        case "removed":
            return removed(t, offer, event if value % 2 else None)
        case "status":
            return status(t, suspended=bool(value % 2), offer=offer, event=event)
        case "booa":
            return message(22, "booa", of_event, t)
        case "boor":
            return message(23, "boor", of_event, t)
        case "osu":
            return message(32, "osu", of_event, t)
        case "abos":
            return message(9, "abos", {"eventId": event}, t)
        case "gone":
            return gone(t, event)
        case "state":
            return state(t, ("STARTED", "NOT_STARTED")[value % 2], event)
        case "score":
            return score(t, str(value % 3), "0", value if value % 2 else None, event)
        case "clock":
            return message(15, "mcu", {"eventId": event, "matchClock": {"minute": value, "running": True}}, t)
        case "no clock":
            return message(12, "mcr", {"eventId": event}, t)
        case _:
            return message(28, "ls", {"eventId": event, "occurrenceTypeId": "X", "value": value}, t)


KINDS = ("odds", "odds", "odds", "added", "added", "removed", "status", "booa", "boor", "osu", "abos")
KINDS += ("gone", "state", "score", "clock", "no clock", "ls")
events_ = st.integers(1, 3)
ages_ms = st.sampled_from([0, 0, 1, 1, 2, 500, 3_000, WINDOW_MS])
children_ = st.tuples(st.sampled_from(KINDS), events_, st.integers(1, 4), st.integers(0, 5), ages_ms)
moments = st.sampled_from([0, 1, 1, 900, 2_100, WINDOW_MS + 1_000])
steps = st.one_of(
    st.builds(
        Step,
        after_ms=moments,
        line=st.sampled_from([GENERAL, OWN, "kambi-0-events-1"]),
        children=st.lists(children_, min_size=1, max_size=4).map(tuple),
    ),
    st.builds(
        Step,
        after_ms=moments,
        line=st.just("kambi-0-snapshots"),
        snapshot=st.tuples(
            st.sampled_from(["offers", "open", "live", "gone"]),
            st.lists(st.tuples(events_, st.integers(1, 4), st.integers(1500, 1505)), max_size=3).map(tuple),
            st.sampled_from([0, 100, 3_000]),
        ),
    ),
    st.builds(Step, after_ms=moments, line=st.just(GENERAL)),
)


def take(task: Task, step: Step, now_ms: int) -> None:
    if step.children:
        task.say(*(text(*child[:4], now_ms - child[4]) for child in step.children), line=step.line, at_ms=now_ms)
    elif step.snapshot is None:
        task.tick(now_ms)
    else:
        what, shown, ago_ms = step.snapshot
        shown = tuple({offer: (event, offer, price) for event, offer, price in shown}.values())
        events = {event: {"id": event, "state": "STARTED"} for event, _, _ in shown}
        bodies: dict[str, tuple[Any, str]] = {
            "offers": (
                {
                    "betOffers": [offer_body((1, price), (4, 1500), offer=o, event=e) for e, o, price in shown],
                    "events": list(events.values()),
                },
                "betoffer/event/1,2,3.json",
            ),
            "open": ({"liveEvents": [{"event": event} for event in events.values()]}, "event/live/open.json"),
            "live": (
                [{"eventId": e, "score": {"home": str(price % 3), "away": "0"}} for e, _, price in shown],
                "event/livedata/1,2,3.json",
            ),
            "gone": ({"error": {"status": 404}}, "betoffer/event/1,2,3.json"),
        }
        body, position = bodies[what]
        code = 404 if what == "gone" else 200
        task.show(body, position, requested_ms=now_ms - ago_ms, status=code, at_ms=now_ms)


def play(history: list[Step], *, restarts: list[bool] | None = None, **keywords: int) -> Task:
    task, now_ms = Task(**keywords), T
    for number, step in enumerate(history):
        now_ms += step.after_ms
        if restarts is not None and restarts[number]:
            task.reopen()
        take(task, step, now_ms)
    return task


@settings(max_examples=80, deadline=None)
@given(st.lists(steps, max_size=25), st.lists(st.booleans(), min_size=25, max_size=25), st.sampled_from([0, 2]))
def test_restarts_change_nothing(history: list[Step], restarts: list[bool], copy_skew_ms: int):
    plain = play(history, copy_skew_ms=copy_skew_ms)
    again = play(history, restarts=restarts, copy_skew_ms=copy_skew_ms)
    assert again.outputs == plain.outputs
    assert again.dead_letters == plain.dead_letters
    assert again.store.entries == plain.store.entries


@settings(max_examples=80, deadline=None)
@given(st.lists(steps, max_size=25))
def test_no_older_time_of_an_entity_goes_out_as_current(history: list[Step]):
    """Judged by the records alone: current times of an outcome, or of an offer's own status, never fall."""
    newest: dict[Any, int] = {}
    for output in play([one_event_an_offer(step) for step in history]).outputs:
        value = json.loads(output.value)
        t = value.get("vendor_time_ms")
        if t is None or value.get("late") or output.topic != "kambi.offers" or "offer_id" not in value:
            continue
        told = [outcome["id"] for outcome in value.get("outcomes", ()) if not outcome.get("late")]
        kind = output.header("ce_type")
        for entity in told if "outcomes" in value else ["offer"]:
            key = (value["offer_id"], entity)
            assert t >= newest.get(key, 0), (kind, value)
            newest[key] = t


@settings(max_examples=80, deadline=None)
@given(st.lists(steps, max_size=25))
def test_book_is_what_a_consumer_knows(history: list[Step]):
    """A consumer that applies current records in order has the odds of the book, of every offer that is there."""
    task = play([one_event_an_offer(step) for step in history])
    known: dict[int, dict[int, dict[int, int | None]]] = {}
    for output in task.outputs:
        if output.topic in {"kambi.offers", "kambi.events"}:
            value = json.loads(output.value)
            if not value.get("late"):
                consume(known, output.header("ce_type").split(".", 2)[2].removesuffix(".v1"), value)
    book = {
        entries.key_id(key): {
            outcome_id: outcome.odds for outcome_id, outcome in offer.outcomes.items() if not outcome.removed_s
        }
        for key, offer in ((key, entries.decode_offer(value)) for key, value in task.store.items(b"o"))
        if not offer.removed_s
    }
    assert {offer: outcomes for offers in known.values() for offer, outcomes in offers.items()} == book


def one_event_an_offer(step: Step) -> Step:
    """Return ``step`` as a vendor may send it, who uses an offer's id once only."""
    children = tuple((kind, offer % 3 + 1, offer, value, age) for kind, _, offer, value, age in step.children)
    if step.snapshot is None:
        return replace(step, children=children)
    what, shown, ago_ms = step.snapshot
    return replace(step, snapshot=(what, tuple((offer % 3 + 1, offer, price) for _, offer, price in shown), ago_ms))


def consume(known: dict[int, dict[int, dict[int, int | None]]], kind: str, value: dict[str, Any]) -> None:
    event = value["event_id"]
    offers = known.setdefault(event, {})
    if kind == "event.removed":
        del known[event]
        return
    if "offer_id" not in value:
        return
    offer_id = value["offer_id"]
    if kind == "offer.removed":
        offers.pop(offer_id, None)
        return
    before = offers.setdefault(offer_id, {})
    current = {o["id"]: o.get("odds_thousandths") for o in value.get("outcomes", ()) if not o.get("late")}
    match kind:
        case "offer.added":
            offers[offer_id] = current
        case "outcomes.added" | "odds.changed":
            before.update(current)
        case "outcomes.status-changed":
            before.update({o: None for o in current if o not in before})
        case "outcomes.removed":
            for outcome_id in current:
                before.pop(outcome_id, None)
