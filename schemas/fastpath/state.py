"""Normalized record of ``fastpath.state``: where a fixture stands, as one feed of it says."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from schemas.fastpath.actions import Summary
from schemas.fastpath.fields import (
    STATE,
    Delivery,
    Details,
    FeedPath,
    FixtureId,
    Nanoseconds,
    Sequence,
    StateInForce,
    VendorNanoseconds,
    VendorTime,
)
from schemas.normalized import Normalized


class FixtureLatest(Normalized, kw_only=True):
    """Where a fixture stands after the last packet of its feed that is in order; a tombstone 48 h after it."""

    ce_type = "tricast.fastpath.state.fixture.v1"
    topic = STATE

    feed: FeedPath
    fixture_id: FixtureId
    fact: Annotated[
        str,
        Meta(
            pattern=r"^[^/]+/[0-9]{1,19}/[0-9]{1,19}$",
            description="Topic, partition and offset of that packet's record: nothing up to there is missing.",
        ),
    ]
    fact_id: Annotated[str, Meta(description="ce_id of that record.")]
    sequence: Sequence | UnsetType = UNSET
    vendor_time_ns: VendorNanoseconds | UnsetType = UNSET
    vendor_time: VendorTime | UnsetType = UNSET
    received_ns: Nanoseconds
    delivery: Delivery
    connection_state: Annotated[StateInForce, Meta(description="In force when the packet arrived.")]
    finished: (
        Annotated[bool, Meta(description="Of the last packet that said so; also true after a dropped collection.")]
        | UnsetType
    ) = UNSET
    summary: Annotated[Summary, Meta(description="Of the last action that had one.")] | UnsetType = UNSET
    element_type: Annotated[str, Meta(description="Of the last event element; open.")] | UnsetType = UNSET
    details: Annotated[Details, Meta(description="Of the last event element, as sent.")] | UnsetType = UNSET
