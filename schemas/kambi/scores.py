"""Normalized records of ``kambi.scores``: clock, score, statistics, ticker, occurrences, visualizations."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from schemas.kambi.fields import SCORES, Fact, OccurrenceType, PeriodId, Text, Version
from schemas.kambi.wire import MAX_ID
from schemas.normalized import Closed

Count = Annotated[int, Meta(description="How many; -1 means there is no number.")]
Sets = Annotated[list[int], Meta(description="Games or points per set, in playing order; -1: not played (yet).")]
Second = Annotated[int, Meta(description="Seconds.")]
ItemId = Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's id of it.")]
Coordinate = Annotated[
    int | Annotated[str, Meta(pattern=r"^-?[0-9]+\.[0-9]+$")],
    Meta(description="As sent: an integer, or a decimal fraction as a string. The scale is the vendor's."),
]


class ClockRemoved(Fact, kw_only=True):
    """The match clock is gone; show none (MatchClockRemoved, mt 12)."""

    ce_type = "tricast.kambi.clock.removed.v1"
    topic = SCORES


class ClockChanged(Fact, kw_only=True):
    """The match clock, whole; while it runs, count on until the next record (MatchClockUpdated, mt 15)."""

    ce_type = "tricast.kambi.clock.changed.v1"
    topic = SCORES

    minute: Annotated[int, Meta(description="Minutes played.")] | UnsetType = UNSET
    second: Annotated[int, Meta(description="Seconds into that minute.")] | UnsetType = UNSET
    minutes_left_in_period: (
        Annotated[int, Meta(description="Of clocks that run down: American football, ice hockey, basketball.")]
        | UnsetType
    ) = UNSET
    seconds_left_in_minute: Annotated[int, Meta(description="Likewise.")] | UnsetType = UNSET
    period: Text | UnsetType = UNSET
    period_id: PeriodId | UnsetType = UNSET
    running: Annotated[bool, Meta(description="True: time goes on between records.")] | UnsetType = UNSET
    disabled: Annotated[bool, Meta(description="True: the vendor keeps no clock for it now.")] | UnsetType = UNSET
    version: Version | UnsetType = UNSET


class ScoreChanged(Fact, kw_only=True):
    """The score, whole (EventScoreUpdated, mt 16)."""

    ce_type = "tricast.kambi.score.changed.v1"
    topic = SCORES

    home: Annotated[str, Meta(description='Goals, points, tennis game points ("40", "A") or "W"; empty: none.')]
    away: Annotated[str, Meta(description="Likewise.")]
    info: Annotated[str, Meta(description="For people, e.g. HT: 1-1.")] | UnsetType = UNSET
    who: Annotated[str, Meta(description="Who scored: HOME, AWAY, UNKNOWN; open.")] | UnsetType = UNSET
    version: Version | UnsetType = UNSET


class TeamStatistics(Closed, kw_only=True):
    """One football team's counts."""

    yellow_cards: Count | UnsetType = UNSET
    red_cards: Count | UnsetType = UNSET
    corners: Count | UnsetType = UNSET


class FootballStatistics(Closed, kw_only=True):
    """Counts of both football teams."""

    home: Annotated[TeamStatistics, Meta(description="Of the home team.")] | UnsetType = UNSET
    away: Annotated[TeamStatistics, Meta(description="Of the away team.")] | UnsetType = UNSET


class SetStatistics(Closed, kw_only=True):
    """Sets of tennis and the like."""

    home: Sets | UnsetType = UNSET
    away: Sets | UnsetType = UNSET
    home_serve: Annotated[bool, Meta(description="True: the home side serves.")] | UnsetType = UNSET


class StatisticsChanged(Fact, kw_only=True):
    """Statistics, whole: of football, of sets, or both (EventStatsUpdated, mt 17)."""

    ce_type = "tricast.kambi.statistics.changed.v1"
    topic = SCORES

    football: Annotated[FootballStatistics, Meta(description="Of football.")] | UnsetType = UNSET
    sets: Annotated[SetStatistics, Meta(description="Of sports played in sets.")] | UnsetType = UNSET
    version: Version | UnsetType = UNSET


class ScoresRemoved(Fact, kw_only=True):
    """Clock, score and statistics of an event are gone, because it left the offering (with event.removed; its id is
    below that)."""

    ce_type = "tricast.kambi.scores.removed.v1"
    topic = SCORES


class TickerAdded(Fact, kw_only=True):
    """A line of live text; one of the same id replaces it (TickerUpdated, mt 19)."""

    ce_type = "tricast.kambi.ticker.added.v1"
    topic = SCORES

    ticker_id: ItemId
    type: Annotated[str, Meta(description="Kind of line; open.")] | UnsetType = UNSET
    minute: Annotated[int, Meta(description="Match minute.")] | UnsetType = UNSET
    message: Text | UnsetType = UNSET


class Player(Closed, kw_only=True):
    """A player."""

    id: ItemId | UnsetType = UNSET
    name: Text | UnsetType = UNSET


class OccurrenceChanged(Fact, kw_only=True):
    """Something that happened in the match was added, modified or deleted (MatchOccurrence, mt 25)."""

    ce_type = "tricast.kambi.occurrence.changed.v1"
    topic = SCORES

    occurrence_id: ItemId
    action: Annotated[str, Meta(description="ADDED, MODIFIED, DELETED; open.")] | UnsetType = UNSET
    occurrence_type_id: OccurrenceType | UnsetType = UNSET
    period_id: PeriodId | UnsetType = UNSET
    second_in_period: Second | UnsetType = UNSET
    second_in_match: Second | UnsetType = UNSET
    second_in_period_added_time: Second | UnsetType = UNSET
    player: Annotated[Player, Meta(description="Who did it, or who came in.")] | UnsetType = UNSET
    player_out: Annotated[Player, Meta(description="Who went out.")] | UnsetType = UNSET
    additional_properties: Annotated[list[str], Meta(description="As sent; an open list.")] | UnsetType = UNSET
    index: Annotated[int, Meta(description="Place among those of its kind in the match.")] | UnsetType = UNSET
    period_index: Annotated[int, Meta(description="Number of the period it belongs to.")] | UnsetType = UNSET


class VisualizationChanged(Fact, kw_only=True):
    """Where the play is now (VisualizationOccurrence, mt 27)."""

    ce_type = "tricast.kambi.visualization.changed.v1"
    topic = SCORES

    visualization_id: ItemId
    occurrence_type_id: OccurrenceType | UnsetType = UNSET
    period_id: PeriodId | UnsetType = UNSET
    x: Coordinate | UnsetType = UNSET
    y: Coordinate | UnsetType = UNSET
    zone: Annotated[str, Meta(description="Part of the field; open.")] | UnsetType = UNSET


class LiveStatisticChanged(Fact, kw_only=True):
    """One statistic of the match (LiveStatistics, mt 28); its key is event and occurrence_type_id."""

    ce_type = "tricast.kambi.live-statistic.changed.v1"
    topic = SCORES

    occurrence_type_id: OccurrenceType
    value: Annotated[int, Meta(description="A count, or a percentage for types that are shares.")]
