"""Normalized records of ``kambi.state``: what holds now of an event, of each of its offers, and of its play.

What the facts of one topic add up to, so each stands beside those of its own topic alone (docs/state.md). ``partial``
and ``fact`` come before what the facts say; what they say has their names.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from schemas.kambi.fields import (
    STATE,
    CashOut,
    EventId,
    EventState,
    Nanoseconds,
    OfferId,
    PeriodId,
    Tags,
    Text,
    VendorTime,
    Version,
)
from schemas.kambi.offering import PathStep
from schemas.kambi.offers import Criterion, Outcome
from schemas.kambi.scores import FootballStatistics, SetStatistics
from schemas.kambi.wire import MAX_ID
from schemas.normalized import Closed, Normalized

FactPosition = Annotated[
    str,
    Meta(
        pattern=r"^[^/]+/[0-9]{1,19}/[0-9]{1,19}$",
        description="Topic, partition and offset of the fact that it was last changed by; nothing up to there is"
        " missing.",
    ),
]
FactId = Annotated[str, Meta(description="ce_id of that fact.")]
Partial = Annotated[
    Literal[True],
    Meta(description="True: only changes of it came by, nobody said all of it yet. Absent: whole."),
]


class LatestState(Normalized, kw_only=True):
    """What every state of Kambi has, in front of the rest."""

    event_id: EventId
    fact: FactPosition
    fact_id: FactId
    partial: Partial | UnsetType = UNSET


class EventLatest(LatestState, kw_only=True):
    """What an event is and its state; a tombstone when it left the offering. Of the facts in kambi.events."""

    ce_type = "tricast.kambi.state.event.v1"
    topic = STATE

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
    description: Annotated[str, Meta(description="For people, not localized, e.g. a rain delay.")] | UnsetType = UNSET


class OfferLatest(LatestState, kw_only=True):
    """A bet offer as it is: outcomes, odds, suspension; a tombstone when it is gone. Of the facts in kambi.offers."""

    ce_type = "tricast.kambi.state.offer.v1"
    topic = STATE

    offer_id: OfferId
    criterion: Criterion | UnsetType = UNSET
    type_id: (
        Annotated[int, Meta(ge=0, le=MAX_ID, description="1 handicap, 2 match, 6 over/under …; open.")] | UnsetType
    ) = UNSET
    type_name: Text | UnsetType = UNSET
    english_type_name: Text | UnsetType = UNSET
    suspended: (
        Annotated[bool, Meta(description="Nothing of it can be bet now, whatever its outcomes say.")] | UnsetType
    ) = UNSET
    visible: Annotated[bool, Meta(description="False = do not show it.")] | UnsetType = UNSET
    closed_at: Annotated[str, Meta(description="ISO 8601 UTC; absent while live.")] | UnsetType = UNSET
    cash_out_status: CashOut | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    main_line: (
        Annotated[
            Literal[True],
            Meta(
                description="True: of the event's visible offers of this type and criterion that have a line, the one"
                " whose two odds are closest; several when equal. Computed by tricast; tags say what the vendor said."
            ),
        ]
        | UnsetType
    ) = UNSET
    outcomes: Annotated[list[Outcome], Meta(description="Those that are there; their order means nothing.")]


class Said(Closed, kw_only=True):
    """When a part was said."""

    vendor_time_ms: VendorTime | UnsetType = UNSET
    received_ns: Annotated[Nanoseconds, Meta(description="When tricast received it, UTC nanoseconds since 1970.")]


class Clock(Said, kw_only=True):
    """The match clock as it was said; while it runs, count on from then."""

    minute: Annotated[int, Meta(description="Minutes played.")] | UnsetType = UNSET
    second: Annotated[int, Meta(description="Seconds into that minute.")] | UnsetType = UNSET
    minutes_left_in_period: Annotated[int, Meta(description="Of clocks that run down.")] | UnsetType = UNSET
    seconds_left_in_minute: Annotated[int, Meta(description="Likewise.")] | UnsetType = UNSET
    period: Text | UnsetType = UNSET
    period_id: PeriodId | UnsetType = UNSET
    running: Annotated[bool, Meta(description="True: time goes on.")] | UnsetType = UNSET
    disabled: Annotated[bool, Meta(description="True: the vendor keeps no clock for it now.")] | UnsetType = UNSET
    version: Version | UnsetType = UNSET


class Score(Said, kw_only=True):
    """The score."""

    home: Annotated[str, Meta(description='Goals, points, tennis game points ("40", "A") or "W"; empty: none.')]
    away: Annotated[str, Meta(description="Likewise.")]
    info: Annotated[str, Meta(description="For people, e.g. HT: 1-1.")] | UnsetType = UNSET
    who: Annotated[str, Meta(description="Who scored: HOME, AWAY, UNKNOWN; open.")] | UnsetType = UNSET
    version: Version | UnsetType = UNSET


class Statistics(Said, kw_only=True):
    """Statistics, of football, of sets, or both."""

    football: Annotated[FootballStatistics, Meta(description="Of football.")] | UnsetType = UNSET
    sets: Annotated[SetStatistics, Meta(description="Of sports played in sets.")] | UnsetType = UNSET
    version: Version | UnsetType = UNSET


class PlayLatest(LatestState, kw_only=True):
    """Clock, score and statistics of an event; a tombstone when it left the offering. Of the facts in kambi.scores."""

    ce_type = "tricast.kambi.state.play.v1"
    topic = STATE

    clock: Annotated[Clock, Meta(description="Absent: there is none.")] | UnsetType = UNSET
    score: Annotated[Score, Meta(description="Absent: nobody said one.")] | UnsetType = UNSET
    statistics: Annotated[Statistics, Meta(description="Absent: nobody said any.")] | UnsetType = UNSET
    live_statistics: (
        Annotated[
            dict[str, int],
            Meta(description="By occurrence type (CORNERS_AWAY, ACES_WON_HOME …; open): a count, or a percentage."),
        ]
        | UnsetType
    ) = UNSET
