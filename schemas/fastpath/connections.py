"""Normalized records of ``fastpath.connections`` and ``fastpath.commands``: upstream state, and asks of connectors."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from schemas.fastpath.fields import (
    COMMANDS,
    CONNECTIONS,
    Connection,
    FeedPath,
    FixtureId,
    Line,
    Nanoseconds,
    Position,
    Sequence,
    VendorTime,
)
from schemas.normalized import Normalized

State = Annotated[
    str, Meta(description="Connected, Disconnected, Delayed, Unstable, PartiallyDisconnected …; open; or unknown.")
]


class ConnectionState(Normalized, kw_only=True):
    """The vendor's collector at the venue changed its state; equal states over lines and reconnects are one."""

    ce_type = "tricast.fastpath.connection.state.v1"
    topic = CONNECTIONS

    feed: FeedPath
    state: State
    previous: Annotated[str, Meta(description="State told before; absent: this is the first that was.")] | UnsetType = (
        UNSET
    )
    since_ns: Nanoseconds
    vendor_time: VendorTime | UnsetType = UNSET
    line: Line
    connection: Connection
    fixture_id: FixtureId | UnsetType = UNSET
    implied: (
        Annotated[Literal[True], Meta(description="No status said so: a live packet newer than Disconnected did.")]
        | UnsetType
    ) = UNSET


class Repair(Normalized, kw_only=True):
    """Ask of the connector: reconnect this line from this position, numbers are missing."""

    ce_type = "tricast.fastpath.command.repair.v1"
    topic = COMMANDS

    feed: FeedPath
    fixture_id: FixtureId
    line: Line
    first: Sequence
    last: Sequence
    position: Position
    attempt: Annotated[int, Meta(ge=1, description="Which attempt for this gap.")]
