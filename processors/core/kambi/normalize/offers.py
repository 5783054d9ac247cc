"""Bet offers and their outcomes."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from processors.core.kambi.findings import READ_ERRORS, RejectedError, Unplaced
from processors.core.kambi.normalize.values import (
    LEAST_ODDS,
    STARTING_PRICE,
    Time,
    event_id,
    number,
    odds,
    optional,
    present,
)
from schemas.kambi import events, wire
from schemas.kambi.codes import Code

_COMBINABLE = msgspec.json.Decoder(wire.CombinableOutcomes | list[wire.Outcome] | None)


def offer_pushed(element: wire.BetOfferAdded, time: Time) -> list[events.Fact]:
    """Return the candidate of ``boa``."""
    return [offer_added(element.bet_offer, event_id(element.event_id, element.bet_offer.event_id), time)]


def offer_removed(element: wire.BetOfferRemoved, time: Time) -> list[events.Fact | Unplaced]:
    """Return the candidate of ``bor``, which may lack its event."""
    offer_id = number(element.bet_offer_id)
    if element.event_id is None:
        return [Unplaced(offer_id, time)]
    return [events.OfferRemoved(event_id=number(element.event_id), offer_id=offer_id, vendor_time_ms=time)]


def offer_status_changed(element: wire.BetOfferStatusUpdated, time: Time) -> list[events.Fact]:
    """Return the candidate of ``bosu``."""
    return [
        events.OfferStatusChanged(
            event_id=event_id(element.event_id),
            offer_id=number(element.bet_offer_id),
            vendor_time_ms=time,
            suspended=bool(element.suspended),
            visible=element.visible is not False,
            cash_out_status=present(element.cash_out_status),
        )
    ]


def offers_suspended(element: wire.EventOnly, time: Time) -> list[events.Fact]:
    """Return the candidate of ``abos``."""
    return [events.OffersSuspended(event_id=event_id(element.event_id), vendor_time_ms=time)]


def offer_added(offer: wire.BetOffer, event: int, time: Time) -> events.OfferAdded:
    """Return the record of a whole offer of ``event``, pushed or polled."""
    kind, criterion = offer.bet_offer_type, offer.criterion
    if not isinstance(kind, wire.BetOfferType):
        kind = None if kind is None else wire.BetOfferType(id=kind)  # one client sees the bare id (fact sheet §6)
    return events.OfferAdded(
        event_id=event,
        offer_id=number(offer.id),
        vendor_time_ms=time,
        criterion=UNSET
        if criterion is None
        else events.Criterion(
            id=optional(criterion.id),
            label=present(criterion.label),
            english_label=present(criterion.english_label),
            occurrence_type=present(criterion.occurrence_type),
            lifetime=present(criterion.lifetime),
        ),
        type_id=UNSET if kind is None else number(kind.id),
        type_name=UNSET if kind is None else present(kind.name),
        english_type_name=UNSET if kind is None else present(kind.english_name),
        suspended=bool(offer.suspended),
        closed_at=present(offer.closed),
        cash_out_status=present(offer.cash_out_status),
        tags=present(offer.tags),
        outcomes=[_outcome(outcome) for outcome in offer.outcomes or _combinable(offer)],
    )


def _combinable(offer: wire.BetOffer) -> Sequence[wire.Outcome]:
    """Return the players and results of scorecast and wincast, which list no outcomes (fact sheet §13), each once."""
    try:
        combinable = _COMBINABLE.decode(offer.combinable_outcomes) if bytes(offer.combinable_outcomes) else None
    except READ_ERRORS:
        return ()
    if combinable is None:
        return ()
    listed = combinable
    if isinstance(combinable, wire.CombinableOutcomes):
        listed = [*(combinable.player_outcomes or ()), *(combinable.result_outcomes or ())]
    once: dict[int, wire.Outcome] = {}
    for outcome in listed:
        once.setdefault(number(outcome.id), outcome)
    return list(once.values())


def _per_offer(
    model: Callable[..., events.Fact], convert: Callable[[wire.Outcome], Any]
) -> Callable[[wire.OutcomesChanged, Time], list[events.Fact]]:
    """Return a normalizer that makes one record per bet offer, in the order in which the offers first appear."""

    def normalizer(element: wire.OutcomesChanged, time: Time) -> list[events.Fact]:
        event = event_id(element.event_id)
        common = element.bet_offer_id
        by_offer: dict[int, list[Any]] = {}
        for outcome in element.outcomes:
            sent = outcome.bet_offer_id
            if sent is None:
                sent = common
                if sent is None:
                    raise RejectedError(Code.NO_OFFER_ID, "an outcome names no bet offer")
            offer_id = number(sent)
            if offer_id in by_offer:
                by_offer[offer_id].append(convert(outcome))
            else:
                by_offer[offer_id] = [convert(outcome)]
        if not by_offer:
            raise RejectedError(Code.NO_OUTCOMES, "the list of outcomes is empty")
        return [
            model(event_id=event, offer_id=offer_id, vendor_time_ms=time, outcomes=outcomes)
            for offer_id, outcomes in by_offer.items()
        ]

    return normalizer


def _odds_only(outcome: wire.Outcome) -> events.OutcomeOdds:
    sent, fractional, american = outcome.odds, outcome.odds_fractional, outcome.odds_american
    return events.OutcomeOdds(
        id=number(outcome.id),
        odds_thousandths=sent if sent is not None and sent >= LEAST_ODDS else odds(sent),
        starting_price=True if sent == STARTING_PRICE else UNSET,
        odds_fractional=UNSET if fractional is None else fractional,
        odds_american=UNSET if american is None else american,
    )


def _reference(outcome: wire.Outcome) -> events.OutcomeReference:
    return events.OutcomeReference(id=number(outcome.id))


def _status(outcome: wire.Outcome) -> events.OutcomeStatus:
    if outcome.status is None and outcome.cash_out_status is None:
        raise RejectedError(Code.BAD_ELEMENT, "an outcome without status")
    return events.OutcomeStatus(
        id=number(outcome.id),
        status=present(outcome.status),
        cash_out_status=present(outcome.cash_out_status),
    )


def _outcome(outcome: wire.Outcome) -> events.Outcome:
    return events.Outcome(
        id=number(outcome.id),
        odds_thousandths=odds(outcome.odds),
        starting_price=True if outcome.odds == STARTING_PRICE else UNSET,
        odds_fractional=present(outcome.odds_fractional),
        odds_american=present(outcome.odds_american),
        line_thousandths=present(outcome.line),
        label=present(outcome.label),
        english_label=present(outcome.english_label),
        type=present(outcome.type),
        status=present(outcome.status),
        cash_out_status=present(outcome.cash_out_status),
        changed_at=present(outcome.changed_date),
        participant=present(outcome.participant),
        participant_id=optional(outcome.participant_id),
    )


odds_changed = _per_offer(events.OddsChanged, _odds_only)
outcomes_added = _per_offer(events.OutcomesAdded, _outcome)
outcomes_removed = _per_offer(events.OutcomesRemoved, _reference)
outcomes_status_changed = _per_offer(events.OutcomesStatusChanged, _status)
