"""Normalized records of ``rms.approvals``: each decision that a trader's desk announced, once."""

from typing import Annotated

from msgspec import UNSET, Meta, Raw, UnsetType, field

from schemas.normalized import Normalized
from schemas.rms.fields import (
    APPROVALS,
    Amount,
    BetCode,
    BetSlipId,
    Connection,
    CustomerId,
    Line,
    Milliseconds,
    Nanoseconds,
    PlatformId,
    RawPosition,
    Said,
    ShortCode,
)


class Approval(Normalized, kw_only=True):
    """RESERVE_BET_ACCEPT or RESERVE_BET_REJECT; equal repeats, over sockets too, are passed over and counted."""

    ce_type = "tricast.rms.approval.v1"
    topic = APPROVALS

    customer: CustomerId
    bet_slip_id: BetSlipId | UnsetType = UNSET
    bet_code: BetCode | UnsetType = UNSET
    short_code: ShortCode | UnsetType = UNSET
    platform_id: PlatformId | UnsetType = UNSET
    said: Said
    reason: (
        Annotated[str, Meta(description="The trader's, as sent; over 1,000 letters in details only.")] | UnsetType
    ) = UNSET
    decided_ns: Nanoseconds | UnsetType = UNSET
    decided_at: Annotated[str, Meta(description="When it was decided, exactly as sent.")] | UnsetType = UNSET
    received_ns: Nanoseconds
    latency_ms: Milliseconds | UnsetType = UNSET
    stake: Amount | UnsetType = UNSET
    odds: Amount | UnsetType = UNSET
    user_id: Annotated[str, Meta(description="Who decided, as text.")] | UnsetType = UNSET
    line: Line
    connection: Connection
    raw: RawPosition
    details: Annotated[dict[str, Raw], Meta(description="All other fields by their own names, values as sent.")] = (
        field(default_factory=dict)
    )
