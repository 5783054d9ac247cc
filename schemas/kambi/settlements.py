"""Normalized records of ``kambi.settlements``."""

from msgspec import UNSET, UnsetType

from schemas.kambi.fields import (
    SETTLEMENTS,
    EventId,
    Late,
    OfferId,
    OutcomeId,
    Source,
    Status,
    VendorTime,
)
from schemas.normalized import Normalized


class OutcomeSettled(Normalized, kw_only=True):
    """One outcome was settled (OutcomesSettled, mt 24). No ``Fact``: the vendor may name nothing but the outcome."""

    ce_type = "tricast.kambi.outcome.settled.v1"
    topic = SETTLEMENTS

    event_id: EventId | UnsetType = UNSET
    vendor_time_ms: VendorTime | UnsetType = UNSET
    source: Source | UnsetType = UNSET
    late: Late | UnsetType = UNSET
    offer_id: OfferId | UnsetType = UNSET
    outcome_id: OutcomeId
    status: Status | UnsetType = UNSET
