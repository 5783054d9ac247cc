"""Random histories of the book: restarts change nothing, and consumers know what it holds."""

import json
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.kambi import entries
from processors.core.kambi.dedupe import WINDOW_S
from tests.core.kambi.tasks import (
    GENERAL,
    OWN,
    START_MS,
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
