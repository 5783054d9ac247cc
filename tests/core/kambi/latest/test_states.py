"""Latest states of Kambi: any history of facts, against a naive account of them; and what a reader needs of them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.kambi.latest.lines import PREFIX as LINES
from processors.core.kambi.latest.processor import KambiState
from processors.engine.task import Batch
from schemas.kambi import events
from schemas.kambi.codes import Code
from schemas.kambi.state import Clock, Score, Statistics
from tests.core.kambi.latest import naive
from tests.core.kambi.latest.facts import HISTORIES
from tests.core.latest import START_NS, States, newest, said

History = list[tuple[str, dict[str, Any]]]


def sorted_outcomes(states: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The order of outcomes means nothing."""
    return {
        key: state | ({"outcomes": sorted(state["outcomes"], key=lambda one: one["id"])} if "outcomes" in state else {})
        for key, state in states.items()
    }


def folded(history: History, restarts: set[int] = frozenset()) -> tuple[States, list[int]]:  # type: ignore[assignment]
    """Return what comes of a history, and when tricast received each fact of it."""
    states, received = States(KambiState()), []
    for number, (ce_type, value) in enumerate(history):
        if number in restarts:
            states.restart()
        record = states.fact(ce_type, value)
        received.append(START_NS + record.offset)
        states.fold(record)
    return states, received


@given(HISTORIES, st.sets(st.integers(0, 40), max_size=3))
@settings(max_examples=60)
def test_states_are_what_the_facts_add_up_to(history: History, restarts: set[int]):
    states, received = folded(history, restarts)
    assert sorted_outcomes(said(states.now)) == sorted_outcomes(naive.states(history, received))
    assert states.letters == []


@given(HISTORIES)
@settings(max_examples=30)
def test_nothing_is_told_that_changes_nothing(history: History):
    states, _ = folded(history)
    before: dict[str, Any] = {}
    for record in states.log:
        if record.value is None:
            assert record.key in before
            del before[record.key]
            continue
        now = said({record.key: record.value})[record.key]
        assert before.get(record.key) != now
        before[record.key] = now
    # Facts of one topic are folded in order, so where states stand rises.
    places: dict[str, int] = {}
    for record in states.log:
        topic, offset = record.fact
        assert places.get(topic, -1) <= offset
        places[topic] = offset


ONE = {"id": 1, "odds_thousandths": 1500, "odds_american": "-200", "label": "1", "status": "OPEN"}
OFFER = {"event_id": 7, "offer_id": 9}
ADDED = ("tricast.kambi.offer.added.v1", OFFER | {"suspended": False, "tags": ["MAIN"], "outcomes": [ONE]})


def test_new_odds_rewrite_one_record_of_one_offer():
    states = States(KambiState())
    states.say(ADDED[0], **ADDED[1])
    (changed,) = states.say("tricast.kambi.odds.changed.v1", **OFFER, outcomes=[{"id": 1, "odds_thousandths": 1600}])
    assert changed.key == "7#offer/9"
    assert changed.value == {
        "event_id": 7,
        "offer_id": 9,
        "suspended": False,
        "visible": True,
        "tags": ["MAIN"],
        "outcomes": [{"id": 1, "odds_thousandths": 1600, "label": "1", "status": "OPEN"}],
        "fact": "tricast.kambi.offers/0/2",
        "fact_id": "tricast.kambi.raw/0/2/0",
    }
    assert changed.headers["ce_id"] == "tricast.kambi.offers/0/2/0"
    assert changed.headers["ce_source"] == "tricast/kambi/state"


TWO = {"id": 2, "odds_thousandths": 2500, "label": "2"}
WHOLE = OFFER | {"suspended": False, "visible": True, "tags": ["MAIN"], "outcomes": [ONE, TWO]}
RULES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a whole offer replaces it": ("offer.added", {"suspended": True, "outcomes": [TWO]}, {"outcomes": [TWO]}),
    "a status": ("offer.status-changed", {"suspended": True, "visible": False}, {"suspended": True, "visible": False}),
    "odds that are taken away": (
        "odds.changed",
        {"outcomes": [{"id": 2}]},
        {"outcomes": [ONE, {"id": 2, "label": "2"}]},
    ),
    "an outcome replaces one": ("outcomes.added", {"outcomes": [{"id": 1}]}, {"outcomes": [{"id": 1}, TWO]}),
    "an outcome beside others": ("outcomes.added", {"outcomes": [{"id": 3}]}, {"outcomes": [ONE, TWO, {"id": 3}]}),
    "an outcome goes": ("outcomes.removed", {"outcomes": [{"id": 1}]}, {"outcomes": [TWO]}),
    "one of two that is not late goes": (
        "outcomes.removed",
        {"outcomes": [{"id": 1, "late": True}, {"id": 2}]},
        {"outcomes": [ONE]},
    ),
    "an outcome's status": (
        "outcomes.status-changed",
        {"outcomes": [{"id": 1, "status": "SUSPENDED"}]},
        {"outcomes": [ONE | {"status": "SUSPENDED"}, TWO]},
    ),
}


@pytest.mark.parametrize(("kind", "value", "changed"), RULES.values(), ids=RULES)
def test_what_a_fact_does_to_an_offer(kind: str, value: dict[str, Any], changed: dict[str, Any]):
    states = States(KambiState())
    states.say(ADDED[0], **ADDED[1] | {"outcomes": [ONE, TWO]})
    assert said(states.now) == {"7#offer/9": WHOLE}
    states.say(f"tricast.kambi.{kind}.v1", **OFFER, **value)
    wanted = OFFER | {"suspended": True, "visible": True} if kind == "offer.added" else WHOLE
    assert said(states.now) == {"7#offer/9": wanted | changed}


def test_all_offers_of_an_event_and_no_others_are_suspended():
    states = States(KambiState())
    for event_id, offer_id in ((7, 1), (7, 2), (8, 3)):
        states.say(ADDED[0], **ADDED[1] | {"event_id": event_id, "offer_id": offer_id})
    told = states.say("tricast.kambi.offers.suspended.v1", event_id=7)
    assert [(one.key, one.headers["ce_id"][-2:]) for one in told] == [("7#offer/1", "/0"), ("7#offer/2", "/1")]
    assert {key: state["suspended"] for key, state in states.now.items()} == {
        "7#offer/1": True,
        "7#offer/2": True,
        "8#offer/3": False,
    }


def test_an_event_said_again_keeps_what_it_does_not_say():
    states = States(KambiState())
    states.say("tricast.kambi.event.added.v1", event_id=7, name="A - B", tags=["A"], state="STARTED")
    states.say("tricast.kambi.event.description-changed.v1", event_id=7, description="rain")
    states.say("tricast.kambi.event.added.v1", event_id=7, name="B - A")
    assert said(states.now)["7#event"] == {"event_id": 7, "name": "B - A", "state": "STARTED", "description": "rain"}
    states.say("tricast.kambi.event.description-changed.v1", event_id=7)
    assert said(states.now)["7#event"] == {"event_id": 7, "name": "B - A", "state": "STARTED"}


def test_the_end_of_an_event_leaves_tombstones_and_an_empty_store():
    states = States(KambiState())
    states.say("tricast.kambi.event.opened.v1", event_id=7, name="A - B")
    states.say("tricast.kambi.score.changed.v1", event_id=7, home="1", away="0")
    for offer_id in (1, 2, 3):
        states.say(ADDED[0], **ADDED[1] | {"offer_id": offer_id})
    states.say("tricast.kambi.offer.removed.v1", event_id=7, offer_id=2)
    gone = [
        (one.key, one.value, one.headers["ce_type"])
        for kind in ("event.removed", "scores.removed", "offers.removed")
        for one in states.say(f"tricast.kambi.{kind}.v1", event_id=7)
    ]
    assert gone == [
        ("7#event", None, "tricast.kambi.state.event.v1"),
        ("7#play", None, "tricast.kambi.state.play.v1"),
        ("7#offer/1", None, "tricast.kambi.state.offer.v1"),
        ("7#offer/3", None, "tricast.kambi.state.offer.v1"),
    ]
    assert newest(states.log) == {}
    # When it was swept last, and that the event ended.
    assert [sorted(key for key, _ in task.store.items()) for task in states.tasks.values()] == [[b"t", b"x7"]] * 3


@pytest.mark.parametrize(
    ("ce_type", "value"),
    [
        ("tricast.kambi.odds.changed.v1", OFFER | {"late": True, "outcomes": [{"id": 1, "odds_thousandths": 9000}]}),
        ("tricast.kambi.odds.changed.v1", OFFER | {"outcomes": [{"id": 1, "odds_thousandths": 9000, "late": True}]}),
        ("tricast.kambi.offer.removed.v1", OFFER | {"late": True}),
        ("tricast.kambi.offers.removed.v1", {"event_id": 8}),
        ("tricast.kambi.offer.repriced.v9", OFFER | {"whatever": 1}),
        ADDED,
    ],
    ids=["late", "late outcome", "late removal", "end of another event", "a type to come", "what holds already"],
)
def test_it_changes_no_state(ce_type: str, value: dict[str, Any]):
    states = States(KambiState())
    states.say(ADDED[0], **ADDED[1])
    before = states.now
    assert states.say(ce_type, **value) == []
    assert (states.now, states.letters) == (before, [])


def test_fields_of_a_version_to_come_go_through_untouched():
    states = States(KambiState())
    states.fold(states.fact(ADDED[0], ADDED[1]))
    task = states.tasks["tricast.kambi.offers"]
    value = ADDED[1] | {"boost": {"until": "1.50"}, "outcomes": [ONE | {"boosted": [1]}]}
    record = states.fact(ADDED[0], value)
    task.process(Batch(0, task.position, record.offset + 1, [record]))
    ((_, _, payload, _, _),) = task.take_outputs()
    assert b'"boost":{"until":"1.50"}' in (payload or b"")
    assert b'"boosted":[1]' in (payload or b"")


BAD = {
    "no json": (ADDED[0], b"{"),
    "a list": (ADDED[0], b"[]"),
    "no event": (ADDED[0], {"offer_id": 1}),
    "event of another kind": (ADDED[0], OFFER | {"event_id": "7"}),
    "no offer": (ADDED[0], {"event_id": 7, "suspended": False, "outcomes": []}),
    "outcomes of another kind": ("tricast.kambi.odds.changed.v1", OFFER | {"outcomes": [7]}),
    "outcome without id": ("tricast.kambi.odds.changed.v1", OFFER | {"outcomes": [{"odds_thousandths": 1500}]}),
}


@pytest.mark.parametrize(("ce_type", "value"), BAD.values(), ids=BAD)
def test_what_is_no_fact_of_ours_is_a_dead_letter_and_changes_nothing(ce_type: str, value: Any):
    states = States(KambiState())
    states.say(ADDED[0], **ADDED[1])
    before = states.now
    states.fold(states.fact(ce_type, value))
    assert [code for code, _ in states.letters] == [Code.BAD_FACT]
    assert states.now == before


def test_a_record_without_headers_is_a_dead_letter():
    states = States(KambiState())
    record = states.fact(*ADDED)
    record.headers.clear()  # type: ignore[attr-defined]  # a list here
    states.fold(record)
    assert [code for code, _ in states.letters] == [Code.BAD_FACT]


def test_states_have_every_field_that_facts_have():
    about = {"vendor_time_ms", "source", "late"}

    def fields(model: type[Any]) -> set[str]:
        return set(model.__struct_fields__) - about

    place = {"fact", "fact_id", "partial"}
    assert fields(events.EventLatest) == fields(events.EventOpened) | place | {"description"}
    offers = fields(events.OfferAdded) | fields(events.OfferStatusChanged)
    assert fields(events.OfferLatest) == offers | place | {"main_line"}
    for part, model in (
        (Clock, events.ClockChanged),
        (Score, events.ScoreChanged),
        (Statistics, events.StatisticsChanged),
    ):
        assert fields(part) == fields(model) - {"event_id"} | {"received_ns"}


DAY_NS = 24 * 3_600_000_000_000
TRAILING = {
    "odds": ("tricast.kambi.odds.changed.v1", OFFER | {"outcomes": [{"id": 1, "odds_thousandths": 1500}]}),
    "state": ("tricast.kambi.event.state-changed.v1", {"event_id": 7, "state": "FINISHED"}),
    "clock": ("tricast.kambi.clock.changed.v1", {"event_id": 7, "minute": 90}),
    "live statistic": (
        "tricast.kambi.live-statistic.changed.v1",
        {"event_id": 7, "occurrence_type_id": "A", "value": 1},
    ),
}
BACK = {
    "offer": ("tricast.kambi.offer.added.v1", ADDED[1]),
    "event": ("tricast.kambi.event.opened.v1", {"event_id": 7, "name": "A - B"}),
}
ENDS = ("event.removed", "offers.removed", "scores.removed")


def end_of(states: States, event_id: int = 7) -> None:
    for kind in ENDS:
        states.say(f"tricast.kambi.{kind}.v1", event_id=event_id)


def let_pass(states: States, after_ns: int) -> None:
    """Have facts about another event come that late, in each topic."""
    for ce_type, value in (
        ("tricast.kambi.event.state-changed.v1", {"state": "STARTED"}),
        ("tricast.kambi.offers.suspended.v1", {}),
        ("tricast.kambi.clock.removed.v1", {}),
    ):
        states.fold(states.fact(ce_type, {"event_id": 8} | value, at_ns=START_NS + after_ns))


@pytest.mark.parametrize(("ce_type", "value"), TRAILING.values(), ids=TRAILING)
def test_what_trails_behind_the_end_of_its_event_goes_by_itself(ce_type: str, value: dict[str, Any]):
    states = States(KambiState())
    end_of(states)
    (trailing,) = states.say(ce_type, **value)
    let_pass(states, DAY_NS - 1)
    assert trailing.key in states.now
    states.restart()
    let_pass(states, DAY_NS + 3_600_000_000_000)
    assert [key for key in states.now if key.startswith("7#")] == []
    assert [key for task in states.tasks.values() for key, _ in task.store.items(b"x")] == []


@pytest.mark.parametrize(("ce_type", "value"), BACK.values(), ids=BACK)
def test_what_was_said_whole_since_stays(ce_type: str, value: dict[str, Any]):
    states = States(KambiState())
    end_of(states)
    (back,) = states.say(ce_type, **value)
    let_pass(states, DAY_NS + 3_600_000_000_000)
    assert back.key in states.now


def test_play_that_goes_on_after_an_end_stays_as_long_as_it_is_said():
    states = States(KambiState())
    end_of(states)
    for hours in (1, 30, 60):
        at_ns = START_NS + hours * 3_600_000_000_000
        states.fold(
            states.fact("tricast.kambi.score.changed.v1", {"event_id": 7, "home": "0", "away": str(hours)}, at_ns=at_ns)
        )
        assert "7#play" in states.now
    let_pass(states, 5 * DAY_NS)
    assert "7#play" not in states.now


TOTAL_GOALS = {"type_id": 6, "criterion": {"id": 1001159926}, "suspended": False}


def total(offer_id: int, line: int, over: int, under: int, **more: Any) -> dict[str, Any]:
    """Return what makes an over/under offer of event 7."""
    outcomes = [
        {"id": offer_id * 10 + n, "line_thousandths": line, "odds_thousandths": odds}
        for n, odds in enumerate([over, under])
    ]
    return {"event_id": 7, "offer_id": offer_id, "outcomes": outcomes} | TOTAL_GOALS | more


def mains(states: States) -> set[str]:
    return {key for key, state in states.now.items() if state.get("main_line")}


def test_the_main_line_moves_with_the_odds_and_two_records_say_so():
    states = States(KambiState())
    for number, (over, under) in enumerate([(1500, 2600), (1900, 1950), (2700, 1450)]):
        states.say("tricast.kambi.offer.added.v1", **total(number, 1500 + 1000 * number, over, under))
    states.say("tricast.kambi.offer.added.v1", **total(5, 500, 1800, 1800, criterion={"id": 3}))  # of its own
    assert mains(states) == {"7#offer/1", "7#offer/5"}
    told = states.say("tricast.kambi.odds.changed.v1", **moved(2, 1900, 1901))
    assert [(one.key, (one.value or {}).get("main_line")) for one in told] == [("7#offer/2", True), ("7#offer/1", None)]
    # A change that leaves it where it is rewrites one record, as ever.
    assert len(states.say("tricast.kambi.odds.changed.v1", **moved(0, 1501, 2600))) == 1
    # Equal gaps are both main lines; what is hidden, or gone, is none.
    states.say("tricast.kambi.odds.changed.v1", **moved(1, 1850, 1851))
    assert mains(states) == {"7#offer/1", "7#offer/2", "7#offer/5"}
    states.say("tricast.kambi.offer.status-changed.v1", event_id=7, offer_id=1, suspended=False, visible=False)
    assert mains(states) == {"7#offer/2", "7#offer/5"}
    states.say("tricast.kambi.offer.removed.v1", event_id=7, offer_id=2)
    assert mains(states) == {"7#offer/0", "7#offer/5"}
    # The end of the event tells each offer's end, and of no offer that it became the main line meanwhile.
    assert [one.value for one in states.say("tricast.kambi.offers.removed.v1", event_id=7)] == [None] * 3


def moved(offer_id: int, over: int, under: int) -> dict[str, Any]:
    outcomes = [{"id": offer_id * 10 + n, "odds_thousandths": odds} for n, odds in enumerate([over, under])]
    return {"event_id": 7, "offer_id": offer_id, "outcomes": outcomes}


def test_states_of_a_version_that_kept_no_lines_are_compared_once_one_of_them_changes():
    states = States(KambiState())
    for number, gap in enumerate([30, 20, 40]):
        states.say("tricast.kambi.offer.added.v1", **total(number, 1500, 1900, 1900 + gap))
    (task,) = states.tasks.values()
    for key, _ in list(task.store.items(LINES)):
        task.store.delete(key)
    states.say("tricast.kambi.odds.changed.v1", **moved(2, 1900, 1935))
    assert mains(states) == {"7#offer/1"}
    states.say("tricast.kambi.odds.changed.v1", **moved(2, 1900, 1910))
    assert mains(states) == {"7#offer/2"}
