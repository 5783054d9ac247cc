"""Normalized records of ``kambi.offers``: bet offers, outcomes, odds and suspensions."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from schemas.kambi.fields import (
    OFFERS,
    American,
    CashOut,
    Fact,
    Fractional,
    Late,
    Line,
    Odds,
    OfferId,
    OutcomeId,
    StartingPrice,
    Status,
    Tags,
    Text,
)
from schemas.kambi.wire import MAX_ID
from schemas.normalized import Closed


class Criterion(Closed, kw_only=True):
    """What an offer is about, e.g. total goals."""

    id: (
        Annotated[int, Meta(ge=0, le=MAX_ID, description="Groups offers; does not sort or compare them.")] | UnsetType
    ) = UNSET
    label: Text | UnsetType = UNSET
    english_label: Text | UnsetType = UNSET
    occurrence_type: Annotated[str, Meta(description="GOALS, CARDS, POINTS …; open.")] | UnsetType = UNSET
    lifetime: Annotated[str, Meta(description="FULL_TIME, FULL_TIME_OVERTIME …; open.")] | UnsetType = UNSET


class Outcome(Closed, kw_only=True):
    """An outcome with everything that describes it. The order of outcomes means nothing."""

    id: OutcomeId
    late: Late | UnsetType = UNSET
    odds_thousandths: Odds | UnsetType = UNSET
    starting_price: StartingPrice | UnsetType = UNSET
    odds_fractional: Fractional | UnsetType = UNSET
    odds_american: American | UnsetType = UNSET
    line_thousandths: Line | UnsetType = UNSET
    label: Text | UnsetType = UNSET
    english_label: Text | UnsetType = UNSET
    type: Annotated[str, Meta(description="OT_OVER, OT_ONE …; open.")] | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    cash_out_status: CashOut | UnsetType = UNSET
    changed_at: Annotated[str, Meta(description="The vendor's changedDate, ISO 8601 UTC.")] | UnsetType = UNSET
    participant: Text | UnsetType = UNSET
    participant_id: Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's participant id.")] | UnsetType = UNSET


class OutcomeOdds(Closed, kw_only=True):
    """New odds of one outcome; without odds and starting_price the vendor took the price away."""

    id: OutcomeId
    late: Late | UnsetType = UNSET
    odds_thousandths: Odds | UnsetType = UNSET
    starting_price: StartingPrice | UnsetType = UNSET
    odds_fractional: Fractional | UnsetType = UNSET
    odds_american: American | UnsetType = UNSET


class OutcomeReference(Closed, kw_only=True):
    """An outcome by its id."""

    id: OutcomeId
    late: Late | UnsetType = UNSET


class OfferAdded(Fact, kw_only=True):
    """A bet offer, whole; replaces one of the same id (BetOfferAdded, mt 6, or the main offer of mt 5)."""

    ce_type = "tricast.kambi.offer.added.v1"
    topic = OFFERS

    offer_id: OfferId
    criterion: Criterion | UnsetType = UNSET
    type_id: (
        Annotated[int, Meta(ge=0, le=MAX_ID, description="1 handicap, 2 match, 6 over/under …; open.")] | UnsetType
    ) = UNSET
    type_name: Text | UnsetType = UNSET
    english_type_name: Text | UnsetType = UNSET
    suspended: Annotated[bool, Meta(description="Nothing of it can be bet now, whatever its outcomes say.")]
    closed_at: Annotated[str, Meta(description="ISO 8601 UTC; absent while live.")] | UnsetType = UNSET
    cash_out_status: CashOut | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    outcomes: Annotated[
        list[Outcome],
        Meta(
            description="Of scorecast and wincast (16, 20): the players and the results, OPEN without odds; the odds of"
            " their combinations stay in the raw record."
        ),
    ]


class OfferRemoved(Fact, kw_only=True):
    """A bet offer is gone, and its outcomes with it (BetOfferRemoved, mt 7)."""

    ce_type = "tricast.kambi.offer.removed.v1"
    topic = OFFERS

    offer_id: OfferId


class OffersRemoved(Fact, kw_only=True):
    """All bet offers of an event are gone, because it left the offering (with event.removed; its id is below that)."""

    ce_type = "tricast.kambi.offers.removed.v1"
    topic = OFFERS


class OfferStatusChanged(Fact, kw_only=True):
    """A bet offer was suspended, resumed, hidden or shown (BetOfferStatusUpdated, mt 8)."""

    ce_type = "tricast.kambi.offer.status-changed.v1"
    topic = OFFERS

    offer_id: OfferId
    suspended: Annotated[bool, Meta(description="Nothing of it can be bet now; false when the vendor omits it.")]
    visible: Annotated[bool, Meta(description="False = do not show it; true when the vendor omits it.")]
    cash_out_status: CashOut | UnsetType = UNSET


class OddsChanged(Fact, kw_only=True):
    """New odds of outcomes of one bet offer, those that are new only (BetOfferOddsUpdated, mt 11)."""

    ce_type = "tricast.kambi.odds.changed.v1"
    topic = OFFERS

    offer_id: OfferId
    outcomes: Annotated[list[OutcomeOdds], Meta(min_length=1)]


class OutcomesAdded(Fact, kw_only=True):
    """Outcomes entered a bet offer or replace those of the same id (BetOfferOddsAdded, mt 22)."""

    ce_type = "tricast.kambi.outcomes.added.v1"
    topic = OFFERS

    offer_id: OfferId
    outcomes: Annotated[list[Outcome], Meta(min_length=1)]


class OutcomesRemoved(Fact, kw_only=True):
    """Outcomes left a bet offer (BetOfferOddsRemoved, mt 23)."""

    ce_type = "tricast.kambi.outcomes.removed.v1"
    topic = OFFERS

    offer_id: OfferId
    outcomes: Annotated[list[OutcomeReference], Meta(min_length=1)]


class OffersSuspended(Fact, kw_only=True):
    """All bet offers of an event are suspended (AllBetOffersSuspended, mt 9, which the vendor withdrew in 2018)."""

    ce_type = "tricast.kambi.offers.suspended.v1"
    topic = OFFERS


class OutcomeStatus(Closed, kw_only=True):
    """New status of one outcome."""

    id: OutcomeId
    late: Late | UnsetType = UNSET
    status: Status | UnsetType = UNSET
    cash_out_status: CashOut | UnsetType = UNSET


class OutcomesStatusChanged(Fact, kw_only=True):
    """New status of outcomes of one bet offer, those that are new only (OutcomesStatusUpdated, mt 32)."""

    ce_type = "tricast.kambi.outcomes.status-changed.v1"
    topic = OFFERS

    offer_id: OfferId
    outcomes: Annotated[list[OutcomeStatus], Meta(min_length=1)]
