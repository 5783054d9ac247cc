"""Normalized records of ``rms.health``: how each socket stands."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from schemas.normalized import Closed, Normalized
from schemas.rms.fields import HEALTH, Connection, CustomerId, Line, Nanoseconds, Reason


class Budget(Closed, kw_only=True):
    """What this process may still do within its share of the vendor's limits."""

    connects_left: Annotated[int, Meta(ge=0, description="WebSocket handshakes within the minute.")]
    requests_left: Annotated[int, Meta(ge=0, description="HTTP requests within 15 minutes.")]
    lookups_waiting: Annotated[int, Meta(ge=0, description="Look-ups that wait for their turn.")]


class LineHealth(Normalized, kw_only=True):
    """State of one socket, or a gap of it: from the last frame of one connection to the next that had joined."""

    ce_type = "tricast.rms.line.health.v1"
    topic = HEALTH

    customer: CustomerId
    line: Line
    state: Annotated[
        Literal["live", "suspect", "gapped", "down"],
        Meta(description="live: open and joined; suspect: not joined; gapped: an interval, key line@position; down."),
    ]
    reason: Reason | UnsetType = UNSET
    since_ns: Nanoseconds
    until_ns: Annotated[int, Meta(ge=0, description="gapped: its end.")] | UnsetType = UNSET
    connection: Connection | UnsetType = UNSET
    joined: (
        Annotated[bool, Meta(description="The connection is in the room, so what the vendor sends reaches it.")]
        | UnsetType
    ) = UNSET
    token_age_s: Annotated[int, Meta(ge=0, description="Age of the access token, seconds.")] | UnsetType = UNSET
    refresh_age_s: (
        Annotated[int, Meta(ge=0, description="Age of the exchange that the refresh token stems from, seconds.")]
        | UnsetType
    ) = UNSET
    budget: Annotated[Budget, Meta(description="Told with each tick of the connector.")] | UnsetType = UNSET
    ours: Annotated[Literal[True], Meta(description="We lost these frames, not the vendor.")] | UnsetType = UNSET
    first_frame: Annotated[int, Meta(ge=0, description="First lost, of that connection.")] | UnsetType = UNSET
    last_frame: Annotated[int, Meta(ge=0, description="Last lost.")] | UnsetType = UNSET
