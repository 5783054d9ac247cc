"""Normalized records of ``fastpath.health``: lines and feeds, and how far to trust them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from schemas.fastpath.fields import (
    HEALTH,
    Connection,
    FeedPath,
    FixtureId,
    Frame,
    Line,
    Nanoseconds,
    Reason,
    VendorTime,
)
from schemas.normalized import Normalized

FeedState = Literal["live", "suspect", "backfilling", "repairing", "stale", "suspended", "down"]


class LineHealth(Normalized, kw_only=True):
    """State of one connector line. A gapped record is followed by a live one when the line goes on."""

    ce_type = "tricast.fastpath.line.health.v1"
    topic = HEALTH

    line: Line
    feed: FeedPath
    state: Annotated[
        Literal["live", "suspect", "gapped", "down"],
        Meta(
            description="live: the socket is open; suspect: open, but another line of the feed brings what it does"
            " not; gapped: an interval is lost; down: no connection."
        ),
    ]
    reason: Annotated[
        Reason,
        Meta(
            description="opened, reconnected: a connect, first or after another; hole: frames that the connector"
            " numbered never came to Kafka; overflow: the connector's spool was full; resumed: frames come again;"
            " silent; closed; repair: closed to ask for a replay; unauthorised, not-started, unknown-fixture …: the"
            " server's refusals; open."
        ),
    ]
    since_ns: Nanoseconds
    connection: Connection
    ours: Annotated[Literal[True], Meta(description="We lost it, not the vendor or the network.")] | UnsetType = UNSET
    previous_connection: (
        Annotated[str, Meta(description="UUID of the connection whose last frame begins the gap.")] | UnsetType
    ) = UNSET
    previous_frame: Frame | UnsetType = UNSET
    first_frame: Frame | UnsetType = UNSET
    last_frame: Frame | UnsetType = UNSET
    lost_frames: Annotated[int, Meta(ge=0, description="How many frames are gone.")] | UnsetType = UNSET
    close_code: Annotated[int, Meta(description="WebSocket close code or HTTP status.")] | UnsetType = UNSET
    close_reason: Annotated[str, Meta(description="As the connector saw it.")] | UnsetType = UNSET


class FeedHealth(Normalized, kw_only=True):
    """How far what is known from one feed can be trusted: the worst that holds of it."""

    ce_type = "tricast.fastpath.feed.health.v1"
    topic = HEALTH

    feed: FeedPath
    fixture_id: FixtureId
    state: Annotated[
        FeedState,
        Meta(
            description="down: no open line, or the collection was dropped; suspended: the scorer is offline, all will"
            " come later; stale: the vendor's collector is disconnected; repairing: numbers are missing"
            " and a replay was asked for; backfilling: what was collected offline comes; suspect: the collector is"
            " doubtful, or one of two lines is silent; live."
        ),
    ]
    reason: Reason
    since_ns: Nanoseconds
    vendor_state: (
        Annotated[str, Meta(description="Connection or collection status that made it so, as sent.")] | UnsetType
    ) = UNSET
    vendor_time: VendorTime | UnsetType = UNSET
    open_lines: Annotated[int, Meta(ge=0, description="How many lines are open.")] | UnsetType = UNSET
