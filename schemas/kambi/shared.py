"""What messages and HTTP answers of Kambi are made of, as it comes (fact sheet §8, §9, §13).

Extra fields are ignored, describing enums are open strings, every field but the ids may be absent or ``null``.
msgspec and not pydantic: this is the hot path, and a 1.25 kB message takes 3 µs instead of 11 there.
Models are strict: msgspec's lax mode would read ``"9007199254740993.0"`` as an id and round it.
"""

from typing import Annotated

from msgspec import Meta, Raw, Struct

MAX_ID = 2**63 - 1
"""Largest id we take: the largest signed 64-bit number, so that every consumer's long holds it."""

Id = Annotated[int, Meta(ge=0, le=MAX_ID)] | Annotated[str, Meta(pattern=r"^[0-9]{1,19}\Z")]
"""Ids pass 2^53 and come as numbers or as strings of digits; ``int(id)`` is exact for both."""

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Whole numbers that every consumer's long holds."""

Name = str | Int64
"""A name that some of Kambi's own clients see as a number (§13)."""


class PathStep(Struct, rename="camel", gc=False):
    """One step from sport down to league."""

    id: Id | None = None
    name: str | None = None
    english_name: str | None = None
    term_key: str | None = None


class Event(Struct, rename="camel", gc=False):
    """An event (§8); ``awayName`` and ``nameDelimiter`` are missing on competitions (§13)."""

    id: Id
    name: str | None = None
    english_name: str | None = None
    name_delimiter: str | None = None
    home_name: str | None = None
    away_name: str | None = None
    start: str | None = None
    group: str | None = None
    group_id: Id | None = None
    group_sort_order: Id | None = None
    path: list[PathStep] | None = None
    sport: str | None = None
    state: str | None = None
    tags: list[str] | None = None
    live_bo_count: Int64 | None = None
    non_live_bo_count: Int64 | None = None


class Criterion(Struct, rename="camel", gc=False):
    """What a bet offer is about; ids group but do not sort (§8)."""

    id: Id | None = None
    label: str | None = None
    english_label: str | None = None
    occurrence_type: str | None = None
    lifetime: str | None = None


class BetOfferType(Struct, rename="camel", gc=False):
    """Kind of bet offer; ids are an open list."""

    id: Id
    name: str | None = None
    english_name: str | None = None


class Outcome(Struct, rename="camel", gc=False):
    """An outcome, whole (``boa``, ``booa``) or as odds only (``boou``)."""

    id: Id
    bet_offer_id: Id | None = None
    odds: Int64 | None = None
    odds_fractional: str | None = None
    odds_american: str | None = None
    line: Int64 | None = None
    label: str | None = None
    english_label: str | None = None
    type: str | None = None
    status: str | None = None
    cash_out_status: str | None = None
    changed_date: str | None = None
    participant: str | None = None
    participant_id: Id | None = None


class CombinableOutcomes(Struct, rename="camel", gc=False):
    """Of scorecast and wincast: the outcomes that are combined, OPEN without odds (§13)."""

    player_outcomes: list[Outcome] | None = None
    result_outcomes: list[Outcome] | None = None


class BetOffer(Struct, rename="camel", gc=False):
    """A bet offer; ``suspended`` omitted means false, ``betOfferType`` is an object or its bare id (§6, §8)."""

    id: Id
    event_id: Id | None = None
    criterion: Criterion | None = None
    bet_offer_type: Id | BetOfferType | None = None
    outcomes: list[Outcome] | None = None
    combinable_outcomes: Raw = Raw()  # its shape is on nobody's word (§13), so it must not cost the offer
    tags: list[str] | None = None
    suspended: bool | None = None
    closed: str | None = None
    cash_out_status: str | None = None


class MatchClock(Struct, rename="camel", gc=False):
    """The clock, which may run down (§8)."""

    minute: Int64 | None = None
    second: Int64 | None = None
    minutes_left_in_period: Int64 | None = None
    seconds_left_in_minute: Int64 | None = None
    period: str | None = None
    period_id: Name | None = None
    running: bool | None = None
    disabled: bool | None = None
    version: Id | None = None


class Score(Struct, rename="camel", gc=False):
    """The score; texts, because of "W" and game points (§8)."""

    home: Name | None = None
    away: Name | None = None
    info: str | None = None
    who: str | None = None
    version: Id | None = None


class TeamStatistics(Struct, rename="camel", gc=False):
    """Counts of one football team."""

    yellow_cards: Int64 | None = None
    red_cards: Int64 | None = None
    corners: Int64 | None = None


class FootballStatistics(Struct, rename="camel", gc=False):
    """Counts of both football teams."""

    home: TeamStatistics | None = None
    away: TeamStatistics | None = None


class SetStatistics(Struct, rename="camel", gc=False):
    """Sets in playing order, -1 = not played (§8)."""

    home: list[Int64] | None = None
    away: list[Int64] | None = None
    home_serve: bool | None = None


class Statistics(Struct, rename="camel", gc=False):
    """Statistics of football, of sets, or both."""

    football: FootballStatistics | None = None
    sets: SetStatistics | None = None
    version: Id | None = None


class LiveData(Struct, rename="camel", gc=False):
    """Clock, score and statistics of an event; the rest of it is pushed one by one (§8)."""

    event_id: Id | None = None
    match_clock: MatchClock | None = None
    score: Score | None = None
    statistics: Statistics | None = None
