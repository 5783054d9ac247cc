"""Normalized records of ``rms.decisions``: one final outcome per referred bet, and what people should look at."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from schemas.normalized import Closed, Normalized
from schemas.rms.fields import (
    DECISIONS,
    Amount,
    BetCode,
    BetSlipId,
    Context,
    CustomerId,
    Disposition,
    Evidence,
    Milliseconds,
    Nanoseconds,
    Outcome,
    PlatformId,
    RawPosition,
    Reason,
    Said,
    ShortCode,
)


class Latency(Closed, kw_only=True):
    """How long each step took, where both ends are known."""

    placed_to_answered_ms: Milliseconds | UnsetType = UNSET
    answered_to_decided_ms: Annotated[int, Meta(description="The trader, by the vendor's clock.")] | UnsetType = UNSET
    decided_to_received_ms: Annotated[int, Meta(description="The vendor's way to us.")] | UnsetType = UNSET
    placed_to_received_ms: Annotated[int, Meta(description="All of it.")] | UnsetType = UNSET


class Positions(Closed, kw_only=True):
    """The records the outcome rests on."""

    placed: RawPosition | UnsetType = UNSET
    answered: RawPosition | UnsetType = UNSET
    decided: Annotated[str, Meta(description="Approval or look-up in rms.raw.")] | UnsetType = UNSET


class Amended(Closed, kw_only=True):
    """What an approval says about the bet that differs from what was placed."""

    stake: Amount | UnsetType = UNSET
    odds: Amount | UnsetType = UNSET


class Decision(Normalized, kw_only=True):
    """The final outcome of a referred bet; there is never a second one."""

    ce_type = "tricast.rms.decision.v1"
    topic = DECISIONS

    customer: CustomerId
    bet_slip_id: BetSlipId
    bet_code: BetCode | UnsetType = UNSET
    short_code: ShortCode | UnsetType = UNSET
    platform_id: PlatformId | UnsetType = UNSET
    outcome: Outcome
    evidence: Evidence
    why: (
        Annotated[
            Reason,
            Meta(
                description="expired_unverified: feed-down, not-found, no-answer, unanswered, no-code,"
                " unknown-disposition, unordered."
            ),
        ]
        | UnsetType
    ) = UNSET
    reason: Annotated[str, Meta(description="The trader's, as sent, up to 1,000 letters.")] | UnsetType = UNSET
    context: Context | UnsetType = UNSET
    disposition: Disposition | UnsetType = UNSET
    stake: Amount | UnsetType = UNSET
    amended: (
        Annotated[Amended, Meta(description="What the approval says otherwise than the placed bet.")] | UnsetType
    ) = UNSET
    placed_ns: Nanoseconds | UnsetType = UNSET
    answered_ns: Nanoseconds | UnsetType = UNSET
    decided_ns: Annotated[int, Meta(ge=0, description="By the vendor's clock, UTC ns.")] | UnsetType = UNSET
    received_ns: Annotated[int, Meta(ge=0, description="When the evidence reached us, UTC ns.")] | UnsetType = UNSET
    deadline_ns: Annotated[int, Meta(ge=0, description="End of the bet's window, UTC ns.")]
    latency: Annotated[Latency, Meta(description="How long each step took.")]
    positions: Annotated[Positions, Meta(description="The records it rests on.")]
    after_orphan: (
        Annotated[bool, Meta(description="The approval had been told as an orphan before the bet came.")] | UnsetType
    ) = UNSET


class Late(Normalized, kw_only=True):
    """A decision of the vendor that came after the bet's window had ended; the outcome stands."""

    ce_type = "tricast.rms.late.v1"
    topic = DECISIONS

    customer: CustomerId
    bet_slip_id: BetSlipId
    bet_code: BetCode | UnsetType = UNSET
    said: Said
    evidence: Evidence
    earlier: Annotated[Outcome, Meta(description="The outcome that stands.")]
    received_ns: Nanoseconds
    after_deadline_ms: Milliseconds
    raw: RawPosition


class Conflict(Normalized, kw_only=True):
    """Two records that cannot both be right; a person has to look. The outcome, if there is one, stands."""

    ce_type = "tricast.rms.conflict.v1"
    topic = DECISIONS

    customer: CustomerId
    bet_slip_id: BetSlipId | UnsetType = UNSET
    bet_code: BetCode | UnsetType = UNSET
    why: Annotated[
        Reason,
        Meta(
            description="opposite: the vendor said accept and reject; answer-contradicts: the approval contradicts an"
            " accepted or rejected disposition; ids-disagree: slip id and bet code name two bets; placed-differs: one"
            " slip id placed twice with other content; answer-differs; code-of-two-bets."
        ),
    ]
    stands: Annotated[str, Meta(description="What stands: an outcome, or empty when there is none yet.")]
    said: Said | UnsetType = UNSET
    earlier_raw: RawPosition | UnsetType = UNSET
    raw: RawPosition


class Orphan(Normalized, kw_only=True):
    """A decision of the vendor whose bet had not come within the orphan window; one that comes later still gets it."""

    ce_type = "tricast.rms.orphan.v1"
    topic = DECISIONS

    customer: CustomerId
    bet_slip_id: BetSlipId | UnsetType = UNSET
    bet_code: BetCode | UnsetType = UNSET
    said: Said
    received_ns: Nanoseconds
    raw: RawPosition
