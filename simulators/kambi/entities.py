"""Events, bet offers and outcomes as the simulator holds them, and as the vendor writes them (sheet, section 8)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from simulators.kambi.book import Market, Match
from simulators.kambi.changes import Json
from simulators.kambi.prices import american, fractional

EventState = Literal["NOT_STARTED", "STARTED", "FINISHED"]


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One outcome; odds and line in thousandths."""

    id: int
    offer_id: int
    label: str
    type: str
    odds: int
    changed_ms: int
    line: int | None = None


@dataclass(slots=True, kw_only=True)
class Offer:
    """One bet offer; outcomes by (type, label). Suspended until ``resume_ms`` when that is set."""

    id: int
    event_id: int
    market: Market
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    resume_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """Who plays whom, where; made up."""

    sport: Literal["FOOTBALL", "TENNIS"]
    home: str
    away: str
    group: str
    group_id: int


@dataclass(slots=True, kw_only=True)
class Event:
    """One event; bet offers by (criterion id, part). ``requote_ms`` is when the trader next prices the whole book."""

    id: int
    fixture: Fixture
    start_ms: int
    match: Match
    state: EventState = "NOT_STARTED"
    offers: dict[tuple[int, int], Offer] = field(default_factory=dict)
    requote_ms: int = 0
    ends_ms: int | None = None

    @property
    def main_offer(self) -> Offer:
        """The bet offer that live/open shows; every live event has one."""
        return next(offer for offer in self.offers.values() if offer.market.main)


def event_json(event: Event) -> Json:
    """Return the sheet's Event."""
    fixture = event.fixture
    name = f"{fixture.home} - {fixture.away}"
    sport_name = fixture.sport.capitalize()
    sport_group = 1_000_093_190 if fixture.sport == "FOOTBALL" else 1_000_093_193
    live = event.state == "STARTED"
    return {
        "id": event.id,
        "name": name,
        "nameDelimiter": "-",
        "englishName": name,
        "homeName": fixture.home,
        "awayName": fixture.away,
        "start": timestamp(event.start_ms),
        "group": fixture.group,
        "groupId": fixture.group_id,
        "path": [
            {"id": sport_group, "name": sport_name, "englishName": sport_name, "termKey": sport_name.lower()},
            {
                "id": fixture.group_id,
                "name": fixture.group,
                "englishName": fixture.group,
                "termKey": fixture.group.lower().replace(" ", "_"),
            },
        ],
        "nonLiveBoCount": 0 if live else 40,
        "liveBoCount": len(event.offers),
        "sport": fixture.sport,
        "tags": ["OPEN_FOR_LIVE", "MATCH"] if live else ["OFFERED_LIVE", "MATCH"],
        "state": event.state,
        "groupSortOrder": 3_002_001_000_000_000_000 + fixture.group_id % 1000,
    }


def bet_offer_json(offer: Offer) -> Json:
    """Return the sheet's BetOffer; the tag MAIN_LINE never appears in pushed ones, so it is not set here."""
    market = offer.market
    criterion: Json = {"id": market.criterion_id, "label": market.label, "englishLabel": market.label, "order": []}
    if market.occurrence is not None:
        criterion["occurrenceType"] = market.occurrence
    if market.lifetime is not None:
        criterion["lifetime"] = market.lifetime
    body: Json = {
        "id": offer.id,
        "eventId": offer.event_id,
        "criterion": criterion,
        "betOfferType": {"id": market.type_id, "name": market.type_name, "englishName": market.type_name},
        "tags": ["OFFERED_LIVE", "MAIN"] if market.main else ["OFFERED_LIVE"],
        "cashOutStatus": "ENABLED",
        "outcomes": [outcome_json(outcome) for outcome in offer.outcomes.values()],
    }
    if offer.resume_ms is not None:
        body["suspended"] = True
    return body


def outcome_json(outcome: Outcome) -> Json:
    """Return the sheet's Outcome."""
    body: Json = {
        "id": outcome.id,
        "betOfferId": outcome.offer_id,
        "label": outcome.label,
        "englishLabel": outcome.label,
        "type": outcome.type,
    }
    if outcome.line is not None:
        body["line"] = outcome.line
    return body | {
        **odds_json(outcome.odds),
        "status": "OPEN",
        "cashOutStatus": "ENABLED",
        "changedDate": timestamp(outcome.changed_ms),
    }


def odds_outcome_json(outcome: Outcome) -> Json:
    """Return the sheet's OddsOutcome (mt 11)."""
    return {"id": outcome.id, "betOfferId": outcome.offer_id, **odds_json(outcome.odds)}


def odds_json(odds: int) -> Json:
    """Return odds in the vendor's three formats."""
    return {"odds": odds, "oddsFractional": fractional(odds), "oddsAmerican": american(odds)}


def timestamp(epoch_ms: int) -> str:
    """Return ISO 8601 UTC to the second with ``Z``."""
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
