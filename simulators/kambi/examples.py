"""``push-examples``: one message of each name, made from what is in the offering."""

from collections.abc import Callable, Sequence

import orjson

from simulators.kambi import changes as ch
from simulators.kambi.bodies import Json, bet_offer_json, event_json, live_data_json, odds_outcome_json, outcome_json
from simulators.kambi.channels import Channels
from simulators.kambi.entities import Event, Offer
from simulators.kambi.messages import MessageWriter

_CHANNELS = Channels(offering="kambi", languages=("en_GB",), extended=False)
_CLOCK = {"minute": 63, "second": 12, "period": "2nd half", "running": True, "periodId": "SECOND_HALF", "version": 1}
_FOOTBALL = {side: {"yellowCards": 1, "redCards": 0, "corners": 5} for side in ("home", "away")}
_SETS = {"home": [6, 3, -1], "away": [4, 2, -1], "homeServe": True}


def push_example(name: str, events: Sequence[Event], now_ms: int, *, stats_type: str) -> Json | None:
    """Return the envelope of one message of this name; ``None`` when there is no such name.

    Args:
        name: As in the vendor's table, e.g. ``BetOfferAdded``.
        events: The offering, never empty.
        now_ms: Its ``t``.
        stats_type: ``FOOTBALL`` or ``SET-BASED``.
    """
    make = _MAKERS.get(name)
    if make is None:
        return None
    if name == "EventStatsUpdated":
        statistics: Json = {"sets": _SETS} if stats_type == "SET-BASED" else {"football": _FOOTBALL}
        change: ch.Change = ch.StatisticsChanged(event_id=events[0].id, statistics=statistics | {"version": now_ms})
    else:
        event = events[0]
        offer = event.main_offer
        change = make(event, offer)
    example: Json = orjson.loads(MessageWriter(_CHANNELS).write(change, now_ms).envelope)
    return example


def _settled(event: Event, offer: Offer) -> ch.Change:
    outcomes = tuple(
        {"id": outcome.id, "betOfferId": offer.id, "eventId": event.id, "status": "SETTLED"}
        for outcome in offer.outcomes.values()
    )
    return ch.OutcomesSettled(event_id=event.id, outcomes=outcomes)


def _occurrence(event: Event, _: Offer) -> ch.Change:
    body = {"id": 410_000_001, "eventId": event.id, "occurrenceTypeId": "CORNERS_AWAY", "secondInPeriod": 812}
    body |= {"secondInMatch": 3512, "periodId": "SECOND_HALF", "action": "ADDED", "periodIndex": 1}
    return ch.OccurrenceChanged(event_id=event.id, occurrence=body)


def _visualization(event: Event, _: Offer) -> ch.Change:
    body = {"id": 410_000_002, "eventId": event.id, "occurrenceTypeId": "ATTACK_HOME", "periodId": "SECOND_HALF"}
    return ch.VisualizationChanged(
        event_id=event.id, visualization=body | {"visualization": {"position": {"x": 71, "y": 40, "zone": "ATTACK"}}}
    )


def _ticker(event: Event, _: Offer) -> ch.Change:
    body = {"id": 9001, "eventId": event.id, "type": "INFO", "minute": 64, "message": "Corner for the away side"}
    return ch.TickerAdded(event_id=event.id, ticker=body)


def _gone(offer: Offer) -> tuple[Json, ...]:
    return tuple({"id": outcome.id, "betOfferId": offer.id} for outcome in offer.outcomes.values())


_MAKERS: dict[str, Callable[[Event, Offer], ch.Change]] = {
    "EventAdded": lambda event, _: ch.EventAdded(event_id=event.id, event=event_json(event)),
    "LiveEventOpened": lambda event, offer: ch.EventOpened(
        event_id=event.id,
        event=event_json(event),
        live_data=live_data_json(event),
        main_bet_offer=bet_offer_json(offer),
    ),
    "EventRemoved": lambda event, _: ch.EventRemoved(event_id=event.id),
    "EventStateUpdated": lambda event, _: ch.EventStateChanged(event_id=event.id, state=event.state),
    "EventDescriptionUpdated": lambda event, _: ch.DescriptionChanged(event_id=event.id, description="Rain delay"),
    "BetOfferAdded": lambda event, offer: ch.OfferAdded(
        event_id=event.id, reach=offer.market.reach, bet_offer=bet_offer_json(offer)
    ),
    "BetOfferRemoved": lambda event, offer: ch.OfferRemoved(
        event_id=event.id, reach=offer.market.reach, bet_offer_id=offer.id
    ),
    "BetOfferStatusUpdated": lambda event, offer: ch.OfferStatusChanged(
        event_id=event.id, reach=offer.market.reach, bet_offer_id=offer.id, suspended=offer.suspended
    ),
    "BetOfferOddsUpdated": lambda event, offer: ch.OddsChanged(
        event_id=event.id,
        reach=offer.market.reach,
        outcomes=tuple(odds_outcome_json(outcome) for outcome in offer.outcomes.values()),
    ),
    "BetOfferOddsAdded": lambda event, offer: ch.OutcomesAdded(
        event_id=event.id,
        reach=offer.market.reach,
        outcomes=tuple(outcome_json(outcome) for outcome in offer.outcomes.values()),
    ),
    "BetOfferOddsRemoved": lambda event, offer: ch.OutcomesRemoved(
        event_id=event.id, reach=offer.market.reach, outcomes=_gone(offer)
    ),
    "OutcomesStatusUpdated": lambda event, offer: ch.OutcomesStatusChanged(
        event_id=event.id, outcomes=tuple(outcome | {"status": "SUSPENDED"} for outcome in _gone(offer))
    ),
    "OutcomesSettled": _settled,
    "MatchClockUpdated": lambda event, _: ch.ClockChanged(event_id=event.id, clock=_CLOCK),
    "MatchClockRemoved": lambda event, _: ch.ClockRemoved(event_id=event.id),
    "EventScoreUpdated": lambda event, _: ch.ScoreChanged(
        event_id=event.id, score={"home": "2", "away": "1", "who": "HOME", "version": 1}, game_score=False
    ),
    "EventStatsUpdated": lambda event, _: ch.StatisticsChanged(event_id=event.id, statistics={"version": 1}),
    "TickerUpdated": _ticker,
    "MatchOccurrence": _occurrence,
    "VisualizationOccurrence": _visualization,
    "LiveStatistics": lambda event, _: ch.LiveStatisticChanged(
        event_id=event.id, type_id="SHOTS_ON_TARGET_HOME", value=7
    ),
}
