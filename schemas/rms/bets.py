"""Input of tricast: what a bet platform writes to ``rms.bets``, one record a bet placed and one an answer to it.

The key is ``<customer>/<bet_slip_id>``. Fields nobody here knows are left alone; ids may be JSON numbers or text.
"""

from decimal import Decimal
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType, field

from schemas.normalized import Closed, Normalized
from schemas.rms.fields import BETS, Disposition

InputId = Annotated[str | int, Meta(description="Text, or a whole number; both mean the same text.")]
InputAmount = Annotated[
    Decimal,
    Meta(
        description="A number, or a decimal as text; more than 0.",
        # msgspec reads both, but names in the schema only what it writes; see schemas/export.py
        extra_json_schema={
            "anyOf": [{"type": "string", "format": "decimal"}, {"type": "number", "exclusiveMinimum": 0}]
        },
    ),
]
InputTime = Annotated[str | int, Meta(description="RFC 3339 with offset, or milliseconds since 1970.")]


class Selection(Closed, kw_only=True, forbid_unknown_fields=False):
    """One selection of a slip; names as tricast has them."""

    event_id: InputId | UnsetType = UNSET
    market_id: InputId | UnsetType = UNSET
    line: Annotated[str, Meta(description="Line of the market, as text.")] | UnsetType = UNSET
    outcome_id: InputId | UnsetType = UNSET
    odds: InputAmount | UnsetType = UNSET


class BetPlaced(Normalized, kw_only=True, forbid_unknown_fields=False, tag_field="type", tag="placed"):
    """A bet was sent to place-bet."""

    ce_type = "tricast.rms.bet.placed.v1"
    topic = BETS

    customer: InputId
    bet_slip_id: InputId
    placed_at: InputTime
    platform_id: InputId | UnsetType = UNSET
    context: Annotated[str, Meta(description="prematch, live, inplay, mixed; of others the shorter window holds.")]
    bet_type: Annotated[str, Meta(description="single, multiple, system; open.")] | UnsetType = UNSET
    stake: InputAmount
    selections: Annotated[list[Selection], Meta(description="What was bet on, in the slip's order.")] = field(
        default_factory=list
    )
    user_id: InputId | UnsetType = UNSET


class BetAnswered(Normalized, kw_only=True, forbid_unknown_fields=False, tag_field="type", tag="answered"):
    """place-bet answered."""

    ce_type = "tricast.rms.bet.answered.v1"
    topic = BETS

    customer: InputId
    bet_slip_id: InputId
    answered_at: InputTime
    bet_code: (
        Annotated[str | int | None, Meta(description="The vendor's id of the bet, if it told one.")] | UnsetType
    ) = UNSET
    short_code: Annotated[str | int | None, Meta(description="For people.")] | UnsetType = UNSET
    result: Annotated[bool, Meta(description="As the vendor answered.")] | UnsetType = UNSET
    disposition: Disposition
