"""Answers of the HTTP API and the offering's plain state, all read from the same events (sheet, section 7)."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from simulators.kambi.bodies import SPORTS, Json, bet_offer_json, event_json, live_data_json, term_key
from simulators.kambi.entities import Event, Offer
from simulators.kambi.prices import LADDER, american, fractional

MATCHES, COMPETITIONS = "matches", "competitions"
IN_PLAY, STARTING_SOON, STARTING_WITHIN = "in-play", "starting-soon", "starting-within"
_ATTRIBUTES = (MATCHES, COMPETITIONS, IN_PLAY, STARTING_SOON, STARTING_WITHIN, "all")

_CATEGORY_GROUPS = ("main_live_bet_offer", "combined_layout")


def state(events: Iterable[Event], *, prematch: bool) -> Json:
    """Return what a consumer should know of ``events``; JSON, so ids are text."""
    return {str(event.id): _event_state(event, with_offers=prematch or event.opened) for event in events}


def _event_state(event: Event, *, with_offers: bool) -> Json:
    return {
        "state": event.state,
        "clock": event.live.clock,
        "score": event.live.score,
        "statistics": event.live.statistics,
        "description": event.live.description,
        "offers": {str(offer.id): _offer_state(offer) for offer in event.offers.values()} if with_offers else {},
    }


def _offer_state(offer: Offer) -> Json:
    return {
        "suspended": offer.suspended,
        "visible": offer.visible,
        "outcomes": {str(outcome.id): {"odds": outcome.odds, "status": outcome.status} for outcome in offer.named},
    }


def live_open(events: Iterable[Event]) -> Json:
    """Return ``event/live/open``."""
    return {
        "liveEvents": [
            {
                "event": event_json(event),
                "liveData": live_data_json(event),
                "mainBetOffer": bet_offer_json(event.main_offer, over_http=True),
            }
            for event in events
            if event.state == "STARTED"
        ],
        "group": {
            "id": 1,
            "name": "Root",
            "englishName": "Root",
            "sortOrder": "1",
            "groups": [
                {"id": group_id, "name": name, "englishName": name, "sport": sport, "sortOrder": str(number)}
                for number, (sport, (group_id, name, _)) in enumerate(SPORTS.items(), 1)
            ],
        },
    }


def betoffer_event(events: Sequence[Event], *, range_start: int, range_size: int, only_main: bool) -> Json | None:
    """Return ``betoffer/event/{ids}``, hidden bet offers left out; ``None`` when there is no event: that is a 404."""
    if not events:
        return None
    shown = [
        (event, offer)
        for event in events
        for offer in event.offers.values()
        if offer.visible and (offer.market.main or not only_main)
    ]
    page = shown[range_start : range_start + range_size]
    return {
        "betOffers": [bet_offer_json(offer, live=event.opened, over_http=True) for event, offer in page],
        "events": [event_json(event) for event in events],
        "prePacks": [],
        "range": {"start": range_start, "size": len(page), "total": len(shown)},
    }


def livedata(events: Sequence[Event]) -> list[Json] | None:
    """Return ``event/livedata/{ids}`` of those that ever went live; ``None`` when there is no event: a 404."""
    return [live_data_json(event) for event in events if event.opened] if events else None


def list_view(
    events: Sequence[Event], terms: Sequence[str], attribute: str, *, starts_from: str | None, starts_to: str | None
) -> Json | None:
    """Return ``listView/{sport}/{region}/{league}/{participant}/{attribute}``; ``None`` for a term that is unknown.

    Args:
        events: The offering.
        terms: The path's terms before the attribute; ``all`` matches everything.
        attribute: What of it.
        starts_from: ISO 8601 instant; for ``starting-within``.
        starts_to: Likewise.
    """
    wanted = [term for term in terms if term != "all"]
    known = {term for _, _, term in SPORTS.values()}.union(*map(_terms, events))
    if attribute not in _ATTRIBUTES or not known.issuperset(wanted):
        return None
    window = (_epoch_ms(starts_from, 0), _epoch_ms(starts_to, 1 << 62))
    return {
        "events": [
            _listed(event)
            for event in events
            if _terms(event).issuperset(wanted) and _has_attribute(event, attribute, window)
        ],
        "categoryGroups": [{"name": name, "categories": []} for name in _CATEGORY_GROUPS],
        "activeCategories": [],
    }


def odds_ladder() -> Json:
    """Return ``oddsLadder``."""
    return {
        "oddsLadder": [{"decimal": odds, "fractional": fractional(odds), "american": american(odds)} for odds in LADDER]
    }


def _listed(event: Event) -> Json:
    offers = [offer for offer in event.offers.values() if offer.market.reach == "listed" and offer.visible]
    body: Json = {
        "event": event_json(event),
        "betOffers": [bet_offer_json(offer, live=event.opened, over_http=True) for offer in offers],
    }
    return body | ({"liveData": live_data_json(event)} if event.opened else {})


def _terms(event: Event) -> set[str]:
    fixture = event.fixture
    names = (fixture.group, fixture.home, fixture.away, *(runner.name for runner in fixture.participants))
    return {SPORTS[fixture.sport][2], *(term_key(name) for name in names if name is not None)}


def _has_attribute(event: Event, attribute: str, window: tuple[int, int]) -> bool:
    checks: dict[str, bool] = {
        "all": True,
        MATCHES: not event.fixture.participants,
        COMPETITIONS: bool(event.fixture.participants),
        IN_PLAY: event.state == "STARTED",
        STARTING_SOON: event.state == "NOT_STARTED",
        STARTING_WITHIN: event.state == "NOT_STARTED" and window[0] <= event.start_ms <= window[1],
    }
    return checks[attribute]


def _epoch_ms(instant: str | None, otherwise: int) -> int:
    try:
        return round(datetime.fromisoformat(instant).timestamp() * 1000) if instant else otherwise
    except ValueError:
        return otherwise
