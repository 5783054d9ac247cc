"""Records of ``rms.lookups``: bets whose state the connector is to ask bet/detail for."""

from typing import Annotated, Literal

from msgspec import Meta

from schemas.normalized import Normalized
from schemas.rms.fields import LOOKUPS, BetCode, BetSlipId, CustomerId, Nanoseconds


class LookUp(Normalized, kw_only=True):
    """Ask of the connector: what has become of this bet? The answer comes back through ``rms.raw``."""

    ce_type = "tricast.rms.lookup.v1"
    topic = LOOKUPS

    customer: CustomerId
    bet_slip_id: BetSlipId
    bet_code: BetCode
    why: Annotated[Literal["gap", "deadline"], Meta(description="gap: the socket was away; deadline: in doubt then.")]
    asked_ns: Nanoseconds
    """Time of the customer's feed when it was asked for."""
    until_ns: Annotated[int, Meta(ge=0, description="After this, UTC ns, nobody waits for the answer any more.")]
