"""What normalized FastPath records are made of: described fields, and what every numbered packet's record has."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, UnsetType

from schemas.normalized import Closed, Normalized

ACTIONS = "fastpath.actions"
STATISTICS = "fastpath.statistics"
SEQUENCE = "fastpath.sequence"
CONNECTIONS = "fastpath.connections"
COMMANDS = "fastpath.commands"
HEALTH = "fastpath.health"
STATE = "fastpath.state"

MAX_SEQUENCE = 2**63 - 1
"""Greatest number taken: the largest signed 64-bit number, so that every consumer's long holds it."""

FeedPath = Annotated[str, Meta(description="Path of the feed's URL without leading slash; the feed's name everywhere.")]
FixtureId = Annotated[
    str,
    Meta(description="Fixture as the packet names it, else as the path does; on the multiplexer feedType/eventId."),
]
Line = Annotated[str, Meta(description="Connector line: the feed path, with @<replica> for a hot standby.")]
Connection = Annotated[str, Meta(description="UUID of one connect of that line.")]
Sequence = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_SEQUENCE,
        description="Number in the account of this feed and fixture, the same over all connections and lines.",
    ),
]
VendorSequence = Annotated[
    int,
    Meta(ge=0, le=MAX_SEQUENCE, description="fixtureSeqNum or seqNum as sent on that connection."),
]
Nanoseconds = Annotated[int, Meta(ge=0, description="UTC nanoseconds since 1970.")]
VendorNanoseconds = Annotated[
    int,
    Meta(
        ge=0,
        description="The vendor's timestamp, UTC nanoseconds since 1970. Absent when there was none, or none usable:"
        " impossible dates, placeholders from before 2001.",
    ),
]
VendorTime = Annotated[str, Meta(description="The vendor's timestamp exactly as sent.")]
Milliseconds = Annotated[int, Meta(ge=0, description="Milliseconds of stream time.")]
Text = Annotated[str, Meta(description="As sent; an open list.")]
Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, description="As sent.")]
Flag = Annotated[bool, Meta(description="As sent.")]
Position = Annotated[
    int, Meta(ge=0, description="startPosition: events to skip (family A) or first number wanted (family B).")
]
Frame = Annotated[int, Meta(ge=0, description="tc-frame number in its connection, from 1; 0 = before the first.")]
Reason = Annotated[
    str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", description="Word or words-with-hyphens; an open list.")
]
Details = Annotated[dict[str, Raw], Meta(description="The vendor's other fields by their own names, values as sent.")]
JsonObject = Annotated[dict[str, Raw], Meta(description="The vendor's object as sent.")]

Delivery = Annotated[
    Literal["live", "replayed", "late_burst"],
    Meta(
        description="live; replayed: history sent after a connect, its timestamp is over 10 s older than that;"
        " late_burst: collected offline and delivered in a burst (delayStatus). Only live ones tell a latency."
    ),
]
Why = Literal["in_order", "filled", "timeout", "overfull", "late", "repaired", "conflict", "unordered"]


class StateInForce(Closed, kw_only=True):
    """State of the upstream collector when a packet arrived."""

    state: Annotated[
        str, Meta(description="Connected, Disconnected, Delayed, Unstable, PartiallyDisconnected …; open; or unknown.")
    ]
    since_ns: Nanoseconds | UnsetType = UNSET
    vendor_time: VendorTime | UnsetType = UNSET


class Released(Closed, kw_only=True):
    """Why and after how long a packet went out."""

    why: Annotated[
        Why,
        Meta(
            description="in_order: nothing was missing before it; filled: what was missing before it came; timeout,"
            " overfull: what is missing before it was given up; late, repaired: its place was given up; conflict: its"
            " number says something else already; unordered: it takes no part in the order."
        ),
    ]
    after_ms: Milliseconds


class PacketRecord(Normalized, kw_only=True):
    """What the record of every packet of a match has, in front of the rest."""

    feed: FeedPath
    fixture_id: FixtureId
    sequence: Sequence | UnsetType = UNSET
    vendor_sequence: VendorSequence | UnsetType = UNSET
    line: Line
    connection: Connection
    vendor_time_ns: VendorNanoseconds | UnsetType = UNSET
    vendor_time: VendorTime | UnsetType = UNSET
    received_ns: Nanoseconds
    delivery: Delivery
    latency_ms: (
        Annotated[int, Meta(description="Receipt minus vendor time; below 0 when the clocks disagree.")] | UnsetType
    ) = UNSET
    connection_state: Annotated[StateInForce, Meta(description="In force when the packet arrived.")]
    released: Annotated[Released, Meta(description="Why and after how long it went out.")]
    late: (
        Annotated[Literal[True], Meta(description="Came after it was given up, by the connection that skipped it.")]
        | UnsetType
    ) = UNSET
    repaired: (
        Annotated[Literal[True], Meta(description="Came by a replay or another line, after what follows it.")]
        | UnsetType
    ) = UNSET
    conflict: (
        Annotated[Literal[True], Meta(description="Its number was taken by a packet that says something else.")]
        | UnsetType
    ) = UNSET
    trace_id: Annotated[str, Meta(description="traceId: for asking the vendor.")] | UnsetType = UNSET
