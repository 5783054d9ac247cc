"""Events, bet offers, outcomes and live data as the vendor writes them, on push and HTTP alike (sheet, section 8)."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from simulators.kambi.book import NO_SCORE, Participant
from simulators.kambi.entities import STARTING_PRICE, Event, Offer, Outcome
from simulators.kambi.prices import american, fractional

Json = dict[str, Any]

SPORTS = {
    "FOOTBALL": (1_000_093_190, "Football", "football"),
    "TENNIS": (1_000_093_193, "Tennis", "tennis"),
    "BASKETBALL": (1_000_093_204, "Basketball", "basketball"),
    "GALLOPS": (1_000_093_220, "Horse Racing", "gallops"),
}
"""Group id, name and term of each sport."""


def event_json(event: Event) -> Json:
    """Return the sheet's Event; a race has runners and a meeting, but no sides."""
    fixture = event.fixture
    sport_id, sport_name, sport_term = SPORTS[fixture.sport]
    live = event.state == "STARTED"
    offers = len(event.offers)
    body: Json = {"id": event.id, "name": fixture.name}
    if fixture.home is not None and fixture.away is not None:
        body |= {"nameDelimiter": "-", "homeName": fixture.home, "awayName": fixture.away}
    body |= {
        "englishName": fixture.name,
        "start": timestamp(event.start_ms),
        "group": fixture.group,
        "groupId": fixture.group_id,
        "path": [
            {"id": sport_id, "name": sport_name, "englishName": sport_name, "termKey": sport_term},
            {
                "id": fixture.group_id,
                "name": fixture.group,
                "englishName": fixture.group,
                "termKey": term_key(fixture.group),
            },
        ],
        "nonLiveBoCount": 0 if live else offers,
        "liveBoCount": offers if live else 0,
        "sport": fixture.sport,
        "tags": ["OPEN_FOR_LIVE" if live else "OFFERED_LIVE", "COMPETITION" if fixture.participants else "MATCH"],
        "state": event.state,
        "groupSortOrder": 3_002_001_000_000_000_000 + fixture.group_id % 1000,
    }
    if fixture.participants:
        body |= {
            "meetingId": fixture.meeting,
            "distance": "1600",
            "raceClass": "4",
            "trackType": "TURF",
            "going": "GOOD",
            "participants": [_participant_json(runner) for runner in fixture.participants],
        }
    return body


def bet_offer_json(offer: Offer, *, live: bool = True, over_http: bool = False) -> Json:
    """Return the sheet's BetOffer; the tag MAIN_LINE is for HTTP only."""
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
        "tags": [
            "OFFERED_LIVE" if live else "OFFERED_PREMATCH",
            *(["MAIN"] if market.main else []),
            *(["MAIN_LINE"] if market.main and over_http else []),
            *(["STARTING_PRICE"] if market.starting_price else []),
        ],
        "cashOutStatus": "ENABLED",
        "outcomes": [outcome_json(outcome) for outcome in offer.outcomes.values()],
    }
    if offer.suspended:
        body["suspended"] = True
    if market.each_way is not None:
        fraction, places = market.each_way
        body["eachWay"] = {"terms": f"1/{1000 // fraction}", "fractionMilli": fraction, "placeLimit": places}
    if market.combined:
        body |= {"combinableOutcomes": _combinable_json(offer), "scorerType": {"type": 1, "name": "FIRST"}}
    return body


def _combinable_json(offer: Offer) -> Json:
    """Return the parts, open without odds, and the same parts again in each combination (sheet, section 13)."""
    parts = {outcome.id: outcome_json(outcome) for outcome in offer.parts}
    players = {player.id for player, _, _ in offer.combinations}
    return {
        "playerOutcomes": [part for part_id, part in parts.items() if part_id in players],
        "resultOutcomes": [part for part_id, part in parts.items() if part_id not in players],
        "outcomeCombinations": [
            {**odds_json(odds), "playerOutcome": parts[player.id], "resultOutcome": parts[result.id]}
            for player, result, odds in offer.combinations
        ],
    }


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
    if outcome.participant is not None:
        runner = outcome.participant
        body |= {
            "participant": runner.name,
            "participantId": runner.id,
            "startNr": runner.start_number,
            "scratched": runner.scratched,
        }
    return body | {
        **odds_json(outcome.odds),
        "status": outcome.status,
        "cashOutStatus": "ENABLED",
        "changedDate": timestamp(outcome.changed_ms),
    }


def odds_outcome_json(outcome: Outcome) -> Json:
    """Return the sheet's OddsOutcome (mt 11)."""
    return {"id": outcome.id, "betOfferId": outcome.offer_id, **odds_json(outcome.odds)}


def odds_json(odds: int | None) -> Json:
    """Return odds in the vendor's three formats; a starting price has no other format, and ``None`` is left out."""
    if odds is None:
        return {}
    if odds == STARTING_PRICE:
        return {"odds": odds}
    return {"odds": odds, "oddsFractional": fractional(odds), "oddsAmerican": american(odds)}


def live_data_json(event: Event) -> Json:
    """Return the sheet's LiveData: what was last told of the event."""
    live = event.live
    body: Json = {"eventId": event.id, "score": live.score or NO_SCORE}
    if live.clock is not None:
        body["matchClock"] = live.clock
    if live.statistics is not None:
        body["statistics"] = live.statistics
    if live.description is not None:
        body["description"] = live.description
    if live.visualization is not None:
        body["latestVisualization"] = live.visualization
    return body | {
        "occurrences": list(live.occurrences),
        "tickers": list(live.tickers),
        "liveFeedUpdates": [{"type": "TICKER", "ticker": ticker} for ticker in live.tickers],
        "liveStatistics": [
            {"occurrenceTypeId": type_id, "count": value} for type_id, value in sorted(live.counts.items())
        ],
    }


def timestamp(epoch_ms: int) -> str:
    """Return ISO 8601 UTC to the second with ``Z``."""
    return _timestamp(epoch_ms // 1000)


@lru_cache(maxsize=1024)  # most of what is written is of this second
def _timestamp(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def term_key(name: str) -> str:
    """Return a name as the list view's terms have it."""
    return name.lower().replace(" ", "_")


def _participant_json(runner: Participant) -> Json:
    return {
        "participantId": runner.id,
        "name": runner.name,
        "englishName": runner.name,
        "startNumber": runner.start_number,
        "scratched": runner.scratched,
        "nonRunner": runner.scratched,
        "participantType": "HORSE",
        "extended": {  # ages and days are text over there
            "driverName": runner.driver,
            "formFigures": runner.form,
            "age": str(runner.age),
            "daysSinceLastRun": str(7 + runner.id % 30),
        },
    }
