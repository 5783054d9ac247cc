"""One fact onto one state. A state is JSON: what the facts said last, under their names; ``None``: there is none.

Pure: the state before stays as it is.

The rule is the one for every consumer (docs/kambi.md): what is late is history, the rest applies in order.
"""

from typing import Any, Final

from processors.core.latest import Json
from schemas.kambi import events

_ABOUT: Final = frozenset({"vendor_time_ms", "source", "late"})
"""Fields that say of a fact how it came, not what holds."""
_PRICE: Final = ("odds_thousandths", "starting_price", "odds_fractional", "odds_american")
MAX_STATISTICS: Final = 64
"""Live statistics of one event that are kept, as in the book; the sheet knows 24 types."""

_ADDED: Final = frozenset({events.EventAdded.ce_type, events.EventOpened.ce_type})
_PARTS: Final = {
    events.ClockChanged.ce_type: "clock",
    events.ScoreChanged.ce_type: "score",
    events.StatisticsChanged.ce_type: "statistics",
}

EVENT_FACTS: Final = frozenset({*_ADDED, events.EventStateChanged.ce_type, events.EventDescriptionChanged.ce_type})
OFFER_FACTS: Final = frozenset(
    model.ce_type
    for model in (
        events.OfferAdded,
        events.OfferStatusChanged,
        events.OddsChanged,
        events.OutcomesAdded,
        events.OutcomesRemoved,
        events.OutcomesStatusChanged,
    )
)
PLAY_FACTS: Final = frozenset({*_PARTS, events.ClockRemoved.ce_type, events.LiveStatisticChanged.ce_type})


def fold_event(event: Json | None, kind: str, fact: Json) -> Json | None:
    """Return an event after a fact about what it is."""
    said = _said(fact)
    if kind in _ADDED:
        # A description is a fact of its own, and a state that is not said again stays.
        kept = ("state", "description")
        return {name: value for name, value in (event or {}).items() if name in kept} | said
    if kind == events.EventDescriptionChanged.ce_type and "description" not in fact:
        return event and {name: value for name, value in event.items() if name != "description"}
    return (event or {"partial": True}) | said


def fold_offer(offer: Json | None, kind: str, fact: Json) -> Json | None:
    """Return a bet offer after a fact about it or its outcomes."""
    said = _said(fact)
    current = [outcome for outcome in said.pop("outcomes", ()) if not outcome.get("late")]
    if kind == events.OfferAdded.ce_type:
        return said | {"visible": True, "outcomes": current}
    if kind == events.OfferStatusChanged.ce_type:
        return _known(offer, said) | said
    if not current:
        return offer
    offer = _known(offer, said)
    outcomes: dict[Any, Json] = {outcome["id"]: outcome for outcome in offer["outcomes"]}
    for outcome in current:
        number = outcome["id"]
        if kind == events.OutcomesRemoved.ce_type:
            outcomes.pop(number, None)
        elif kind == events.OutcomesAdded.ce_type:
            outcomes[number] = outcome
        else:
            known = outcomes.get(number, {})
            if kind == events.OddsChanged.ce_type:
                known = {name: value for name, value in known.items() if name not in _PRICE}
            outcomes[number] = known | outcome
    return offer | {"outcomes": list(outcomes.values())}


def fold_play(play: Json | None, kind: str, fact: Json, received_ns: int) -> Json | None:
    """Return clock, score and statistics after a fact; a live statistic beyond ``MAX_STATISTICS`` changes nothing."""
    play = {"event_id": fact["event_id"]} | (play or {})
    if kind == events.ClockRemoved.ce_type:
        play.pop("clock", None)
    elif kind == events.LiveStatisticChanged.ce_type:
        statistics, name = play.get("live_statistics", {}), fact["occurrence_type_id"]
        if name in statistics or len(statistics) < MAX_STATISTICS:
            play["live_statistics"] = statistics | {name: fact["value"]}
    else:
        time = {"vendor_time_ms": fact["vendor_time_ms"]} if "vendor_time_ms" in fact else {}
        part = {name: value for name, value in _said(fact).items() if name != "event_id"}
        play[_PARTS[kind]] = part | time | {"received_ns": received_ns}
    return play if play.keys() & {"clock", "score", "statistics", "live_statistics"} else None


def _known(offer: Json | None, said: Json) -> Json:
    if offer is not None:
        return offer
    return {"event_id": said["event_id"], "offer_id": said["offer_id"], "partial": True, "outcomes": []}


def _said(fact: Json) -> Json:
    return {name: value for name, value in fact.items() if name not in _ABOUT}
