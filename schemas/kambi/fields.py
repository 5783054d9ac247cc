"""What normalized Kambi records are made of: described fields, and what all of them have."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from schemas.kambi.wire import MAX_ID
from schemas.normalized import Normalized

EVENTS = "kambi.events"
OFFERS = "kambi.offers"
SCORES = "kambi.scores"
SETTLEMENTS = "kambi.settlements"
HEALTH = "kambi.health"
STATE = "kambi.state"

EventId = Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's event id; also the record key.")]
OfferId = Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's bet offer id.")]
OutcomeId = Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's outcome id; passes 2^32.")]
VendorTime = Annotated[
    int,
    Meta(
        ge=0,
        description="The message's t: UTC milliseconds since 1970. Neither unique nor a sequence. Absent when it was"
        " missing or no usable time (text, seconds, beyond the year 9999), and in what a snapshot showed.",
    ),
]
Source = Annotated[
    Literal["snapshot"],
    Meta(description="snapshot: found by polling the vendor's HTTP API, push never said it. Absent: pushed."),
]
Late = Annotated[
    Literal[True],
    Meta(description="True: older than what is known of it already; history, not the current state. Absent: current."),
]
Odds = Annotated[
    int,
    Meta(
        ge=1000,
        description="Decimal odds x 1000 as sent: 4700 = 4.70. Absent: the vendor sent none; for most offer types that"
        " means not bettable, for scorecast and wincast (16, 20) it does not, so read status. 1000 (1.00) is kept as"
        " sent and means not bettable.",
    ),
]
StartingPrice = Annotated[
    Literal[True], Meta(description="True: settled at the starting price (vendor odds -1), there are no odds yet.")
]
Fractional = Annotated[str, Meta(description="For display only, e.g. 18/5; not always reduced.")]
American = Annotated[str, Meta(description="For display only, e.g. 370 or -118; no plus sign.")]
Line = Annotated[int, Meta(description="Line x 1000: 2500 = 2.5; quarter lines end in 250 and 750.")]
Status = Annotated[
    str,
    Meta(description="OPEN, CLOSED, SUSPENDED, SETTLED; open. An OPEN outcome of a suspended offer is suspended."),
]
Version = Annotated[int, Meta(description="The vendor's version; where both have one, the greater is the newer.")]
OccurrenceType = Annotated[
    str, Meta(description="CORNERS_AWAY, ACES_WON_HOME …; open; a number, where the vendor sends one, in digits.")
]
PeriodId = Annotated[
    str, Meta(description="SECOND_HALF, SET_1 …; open; a number, where the vendor sends one, in digits.")
]
Tags = Annotated[list[str], Meta(description="As sent; an open list. MAIN_LINE is never pushed.")]
CashOut = Annotated[str, Meta(description="ENABLED, SUSPENDED, DISABLED; open. The worse of offer and outcome holds.")]
EventState = Annotated[str, Meta(description="NOT_STARTED, STARTED, FINISHED, UNKNOWN; open.")]
Text = Annotated[str, Meta(description="As sent; localized unless the name says english.")]
Nanoseconds = Annotated[int, Meta(ge=0, description="UTC nanoseconds since 1970.")]
Frame = Annotated[int, Meta(ge=0, description="tc-frame number in its connection, from 1; 0 = before the first.")]


class Fact(Normalized, kw_only=True):
    """What every record about an event has, in front of the rest."""

    event_id: EventId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    source: Source | UnsetType = UNSET
    late: Late | UnsetType = UNSET
