"""Normalized Kambi records: closed, typed, with units. Absent stays absent; ``null`` never occurs.

A model is one version of one CloudEvents type. It changes only by a new version with a new model.
"""

from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.kambi.wire import MAX_ID

EVENTS = "kambi.events"
OFFERS = "kambi.offers"
HEALTH = "kambi.health"

EventId = Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's event id; also the record key.")]
OfferId = Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's bet offer id.")]
OutcomeId = Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's outcome id; passes 2^32.")]
VendorTime = Annotated[
    int,
    Meta(
        ge=0,
        description="The message's t: UTC milliseconds since 1970. Neither unique nor a sequence. Absent if unusable.",
    ),
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
Tags = Annotated[list[str], Meta(description="As sent; an open list. MAIN_LINE is never pushed.")]
CashOut = Annotated[str, Meta(description="ENABLED, SUSPENDED, DISABLED; open. The worse of offer and outcome holds.")]
EventState = Annotated[str, Meta(description="NOT_STARTED, STARTED, FINISHED, UNKNOWN; open.")]
Text = Annotated[str, Meta(description="As sent; localized unless the name says english.")]
Nanoseconds = Annotated[int, Meta(ge=0, description="UTC nanoseconds since 1970.")]
Frame = Annotated[int, Meta(ge=0, description="tc-frame number in its connection, from 1; 0 = before the first.")]


class Closed(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A part of a normalized record."""


class Normalized(Closed, kw_only=True):
    """A normalized record; its type and its topic."""

    ce_type: ClassVar[str]
    topic: ClassVar[str]


class PathStep(Closed, kw_only=True):
    """One step from sport down to league."""

    id: Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's group id.")] | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    english_name: Text | UnsetType = UNSET
    term_key: Annotated[str, Meta(description="Stable name in URLs.")] | UnsetType = UNSET


class _EventDescription(Normalized, kw_only=True):
    event_id: EventId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    english_name: Text | UnsetType = UNSET
    name_delimiter: Text | UnsetType = UNSET
    home_name: Text | UnsetType = UNSET
    away_name: Annotated[str, Meta(description="Absent on competitions.")] | UnsetType = UNSET
    sport: Annotated[str, Meta(description="FOOTBALL, TENNIS …; open.")] | UnsetType = UNSET
    state: EventState | UnsetType = UNSET
    start: Annotated[str, Meta(description="ISO 8601 UTC, as sent; may change to the real start.")] | UnsetType = UNSET
    group_name: Annotated[str, Meta(description="Innermost group, usually the league.")] | UnsetType = UNSET
    group_id: Annotated[int, Meta(ge=0, le=MAX_ID, description="Id of that group.")] | UnsetType = UNSET
    group_sort_order: (
        Annotated[int, Meta(ge=0, le=MAX_ID, description="19 digits, above 2^53: read it as a 64-bit integer.")]
        | UnsetType
    ) = UNSET
    path: Annotated[list[PathStep], Meta(description="From sport down to league.")] | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    live_offer_count: Annotated[int, Meta(description="Bet offers offered live.")] | UnsetType = UNSET
    non_live_offer_count: Annotated[int, Meta(description="Bet offers offered before the start.")] | UnsetType = UNSET


class EventAdded(_EventDescription, kw_only=True):
    """An event entered the live offering (EventAdded, mt 4)."""

    ce_type = "tricast.kambi.event.added.v1"
    topic = EVENTS


class EventOpened(_EventDescription, kw_only=True):
    """An event opened for live betting (LiveEventOpened, mt 5); its main offer follows as offer.added."""

    ce_type = "tricast.kambi.event.opened.v1"
    topic = EVENTS


class EventRemoved(Normalized, kw_only=True):
    """An event left the offering, and all its offers with it (EventRemoved, mt 18)."""

    ce_type = "tricast.kambi.event.removed.v1"
    topic = EVENTS

    event_id: EventId
    vendor_time_ms: VendorTime | UnsetType = UNSET


class EventStateChanged(Normalized, kw_only=True):
    """An event's state moved to or from STARTED or NOT_STARTED (EventStateUpdated, mt 34)."""

    ce_type = "tricast.kambi.event.state-changed.v1"
    topic = EVENTS

    event_id: EventId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    state: EventState


class Criterion(Closed, kw_only=True):
    """What an offer is about, e.g. total goals."""

    id: (
        Annotated[int, Meta(ge=0, le=MAX_ID, description="Groups offers; does not sort or compare them.")] | UnsetType
    ) = UNSET
    label: Text | UnsetType = UNSET
    english_label: Text | UnsetType = UNSET
    occurrence_type: Annotated[str, Meta(description="GOALS, CARDS, POINTS …; open.")] | UnsetType = UNSET
    lifetime: Annotated[str, Meta(description="FULL_TIME, FULL_TIME_OVERTIME …; open.")] | UnsetType = UNSET


class Outcome(Closed, kw_only=True):
    """An outcome with everything that describes it. The order of outcomes means nothing."""

    id: OutcomeId
    odds_thousandths: Odds | UnsetType = UNSET
    starting_price: StartingPrice | UnsetType = UNSET
    odds_fractional: Fractional | UnsetType = UNSET
    odds_american: American | UnsetType = UNSET
    line_thousandths: Line | UnsetType = UNSET
    label: Text | UnsetType = UNSET
    english_label: Text | UnsetType = UNSET
    type: Annotated[str, Meta(description="OT_OVER, OT_ONE …; open.")] | UnsetType = UNSET
    status: (
        Annotated[
            str,
            Meta(
                description="OPEN, CLOSED, SUSPENDED, SETTLED; open. An OPEN outcome of a suspended offer is suspended."
            ),
        ]
        | UnsetType
    ) = UNSET
    cash_out_status: CashOut | UnsetType = UNSET
    changed_at: Annotated[str, Meta(description="The vendor's changedDate, ISO 8601 UTC.")] | UnsetType = UNSET
    participant: Text | UnsetType = UNSET
    participant_id: Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's participant id.")] | UnsetType = UNSET


class OutcomeOdds(Closed, kw_only=True):
    """New odds of one outcome; without odds and starting_price the vendor took the price away."""

    id: OutcomeId
    odds_thousandths: Odds | UnsetType = UNSET
    starting_price: StartingPrice | UnsetType = UNSET
    odds_fractional: Fractional | UnsetType = UNSET
    odds_american: American | UnsetType = UNSET


class OutcomeReference(Closed, kw_only=True):
    """An outcome by its id."""

    id: OutcomeId


class OfferAdded(Normalized, kw_only=True):
    """A bet offer, whole; replaces one of the same id (BetOfferAdded, mt 6, or the main offer of mt 5)."""

    ce_type = "tricast.kambi.offer.added.v1"
    topic = OFFERS

    event_id: EventId
    offer_id: OfferId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    criterion: Criterion | UnsetType = UNSET
    type_id: (
        Annotated[int, Meta(ge=0, le=MAX_ID, description="1 handicap, 2 match, 6 over/under …; open.")] | UnsetType
    ) = UNSET
    type_name: Text | UnsetType = UNSET
    english_type_name: Text | UnsetType = UNSET
    suspended: Annotated[bool, Meta(description="Nothing of it can be bet now, whatever its outcomes say.")]
    closed_at: Annotated[str, Meta(description="ISO 8601 UTC; absent while live.")] | UnsetType = UNSET
    cash_out_status: CashOut | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    outcomes: Annotated[
        list[Outcome],
        Meta(description="Empty for scorecast and wincast (16, 20), whose combinations stay in the raw record."),
    ]


class OfferRemoved(Normalized, kw_only=True):
    """A bet offer is gone, and its outcomes with it (BetOfferRemoved, mt 7)."""

    ce_type = "tricast.kambi.offer.removed.v1"
    topic = OFFERS

    event_id: EventId
    offer_id: OfferId
    vendor_time_ms: VendorTime | UnsetType = UNSET


class OfferStatusChanged(Normalized, kw_only=True):
    """A bet offer was suspended, resumed, hidden or shown (BetOfferStatusUpdated, mt 8)."""

    ce_type = "tricast.kambi.offer.status-changed.v1"
    topic = OFFERS

    event_id: EventId
    offer_id: OfferId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    suspended: Annotated[bool, Meta(description="Nothing of it can be bet now; false when the vendor omits it.")]
    visible: Annotated[bool, Meta(description="False = do not show it; true when the vendor omits it.")]
    cash_out_status: CashOut | UnsetType = UNSET


class OddsChanged(Normalized, kw_only=True):
    """New odds of outcomes of one bet offer, those that are new only (BetOfferOddsUpdated, mt 11)."""

    ce_type = "tricast.kambi.odds.changed.v1"
    topic = OFFERS

    event_id: EventId
    offer_id: OfferId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    outcomes: Annotated[list[OutcomeOdds], Meta(min_length=1)]


class OutcomesAdded(Normalized, kw_only=True):
    """Outcomes entered a bet offer or replace those of the same id (BetOfferOddsAdded, mt 22)."""

    ce_type = "tricast.kambi.outcomes.added.v1"
    topic = OFFERS

    event_id: EventId
    offer_id: OfferId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    outcomes: Annotated[list[Outcome], Meta(min_length=1)]


class OutcomesRemoved(Normalized, kw_only=True):
    """Outcomes left a bet offer (BetOfferOddsRemoved, mt 23)."""

    ce_type = "tricast.kambi.outcomes.removed.v1"
    topic = OFFERS

    event_id: EventId
    offer_id: OfferId
    vendor_time_ms: VendorTime | UnsetType = UNSET
    outcomes: Annotated[list[OutcomeReference], Meta(min_length=1)]


class LineHealth(Normalized, kw_only=True):
    """State of one connector line. A gapped record is followed by a live one when the line goes on."""

    ce_type = "tricast.kambi.line.health.v1"
    topic = HEALTH

    line: Annotated[str, Meta(description="Connector line, e.g. kambi-0-general; also the record key.")]
    state: Annotated[
        Literal["live", "gapped", "down"],
        Meta(description="live: frames come; gapped: an interval is lost; down: no connection."),
    ]
    reason: Annotated[
        Literal["opened", "reconnected", "hole", "overflow", "resumed", "closed"],
        Meta(
            description="opened, reconnected: a connect, first or after another; hole: frames that the connector"
            " numbered never came to Kafka; overflow: the connector's spool was full; resumed: frames come again after"
            " a gap; closed: the connection ended."
        ),
    ]
    since_ns: Nanoseconds
    connection: Annotated[str, Meta(description="UUID of the connection this is about.")]
    ours: Annotated[bool, Meta(description="True: we lost it, not the vendor or the network.")] | UnsetType = UNSET
    previous_connection: (
        Annotated[str, Meta(description="UUID of the connection whose last frame begins the gap.")] | UnsetType
    ) = UNSET
    previous_frame: (
        Annotated[int, Meta(ge=0, description="Last frame of that connection; the gap ends where this one begins.")]
        | UnsetType
    ) = UNSET
    first_frame: Frame | UnsetType = UNSET
    last_frame: Frame | UnsetType = UNSET
    lost_frames: Annotated[int, Meta(ge=0, description="How many frames are gone.")] | UnsetType = UNSET
    close_code: Annotated[int, Meta(description="As the connector saw it.")] | UnsetType = UNSET
    close_reason: Annotated[str, Meta(description="As the connector saw it.")] | UnsetType = UNSET


MODELS: tuple[type[Normalized], ...] = (
    EventAdded,
    EventOpened,
    EventRemoved,
    EventStateChanged,
    OfferAdded,
    OfferRemoved,
    OfferStatusChanged,
    OddsChanged,
    OutcomesAdded,
    OutcomesRemoved,
    LineHealth,
)
