"""What RMS records are made of: described fields."""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

BETS = "rms.bets"
APPROVALS = "rms.approvals"
PENDING = "rms.pending"
DECISIONS = "rms.decisions"
LOOKUPS = "rms.lookups"
HEALTH = "rms.health"

CustomerId = Annotated[str, Meta(pattern="^[0-9]{1,20}$", description="Customer id at LSports: digits, as text.")]
BetSlipId = Annotated[
    str, Meta(min_length=1, max_length=200, description="The operator's bet slip id; unique per customer.")
]
BetCode = Annotated[str, Meta(min_length=1, max_length=200, description="bet_code: the vendor's id of the bet.")]
ShortCode = Annotated[str, Meta(max_length=200, description="shortCode: for people; not unique for ever.")]
PlatformId = Annotated[str, Meta(max_length=40, description="Platform of the customer, as text.")]
Nanoseconds = Annotated[int, Meta(ge=0, description="UTC nanoseconds since 1970.")]
Milliseconds = Annotated[int, Meta(description="Milliseconds; below 0 when clocks disagree.")]
Amount = Annotated[Decimal, Meta(description="Decimal as text, never a float.")]
RawPosition = Annotated[str, Meta(description="<topic>/<partition>/<offset> of the record that says so.")]
Context = Annotated[
    str, Meta(max_length=40, description="prematch, live, inplay, mixed: open; only prematch waits long.")
]
Line = Annotated[str, Meta(description="Connector line: rms-<customer id>, with @<replica> for a second socket.")]
Connection = Annotated[str, Meta(description="UUID of one connect of that line.")]
Reason = Annotated[
    str, Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", description="Word or words-with-hyphens; an open list.")
]

Disposition = Annotated[
    Literal["accepted", "rejected", "referred", "unknown"],
    Meta(description="What place-bet came to. referred: a trader decides; unknown: the answer did not say."),
]
Said = Annotated[Literal["accept", "reject"], Meta(description="From the event's name, or the status in bet/detail.")]
Outcome = Annotated[
    Literal["accepted", "rejected", "expired", "expired_unverified"],
    Meta(
        description="expired: nobody decided in time, and nothing was missed; expired_unverified: a decision may have"
        " been missed and could not be looked up."
    ),
]
Evidence = Annotated[
    Literal["approval", "looked_up", "deadline"],
    Meta(description="What the outcome rests on: an event of the socket, bet/detail, or the window's end."),
]
