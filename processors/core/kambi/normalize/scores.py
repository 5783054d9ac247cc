"""Clock, score, statistics, and what happens in a match.

A clock, score or statistics that says nothing is a broken message where it is the whole message, and no candidate where
it is a part of ``liveData``.
"""

from msgspec import UNSET, UnsetType

from processors.core.kambi.findings import RejectedError
from processors.core.kambi.normalize.values import Time, coordinate, event_id, name, number, optional, present
from schemas.kambi import events, wire
from schemas.kambi.codes import Code


def clock_removed(element: wire.EventOnly, time: Time) -> list[events.Fact]:
    """Return the candidate of ``mcr``."""
    return [events.ClockRemoved(event_id=event_id(element.event_id), vendor_time_ms=time)]


def clock_pushed(element: wire.MatchClockUpdated, time: Time) -> list[events.Fact]:
    """Return the candidate of ``mcu``."""
    return [_said(clock_changed(element.match_clock, event_id(element.event_id), time), "a clock")]


def score_pushed(element: wire.EventScoreUpdated, time: Time) -> list[events.Fact]:
    """Return the candidate of ``score``."""
    return [_said(score_changed(element.score, event_id(element.event_id), time), "a score")]


def statistics_pushed(element: wire.EventStatsUpdated, time: Time) -> list[events.Fact]:
    """Return the candidate of ``stats``."""
    return [_said(statistics_changed(element.statistics, event_id(element.event_id), time), "statistics")]


def live_data_changed(live: wire.LiveData, event: int, time: Time) -> list[events.Fact]:
    """Return what ``liveData`` says about ``event``: clock, score, statistics, as far as they are there."""
    found = (
        clock_changed(live.match_clock, event, time),
        score_changed(live.score, event, time),
        statistics_changed(live.statistics, event, time),
    )
    return [record for record in found if record is not None]


def clock_changed(clock: wire.MatchClock | None, event: int, time: Time) -> events.ClockChanged | None:
    """Return the record of a clock, ``None`` if it says nothing."""
    if clock is None or clock == wire.MatchClock(version=clock.version):
        return None
    return events.ClockChanged(
        event_id=event,
        vendor_time_ms=time,
        minute=present(clock.minute),
        second=present(clock.second),
        minutes_left_in_period=present(clock.minutes_left_in_period),
        seconds_left_in_minute=present(clock.seconds_left_in_minute),
        period=present(clock.period),
        period_id=name(clock.period_id),
        running=present(clock.running),
        disabled=present(clock.disabled),
        version=optional(clock.version),
    )


def score_changed(score: wire.Score | None, event: int, time: Time) -> events.ScoreChanged | None:
    """Return the record of a score, ``None`` if a side is missing."""
    if score is None or score.home is None or score.away is None:
        return None
    return events.ScoreChanged(
        event_id=event,
        vendor_time_ms=time,
        home=str(score.home),
        away=str(score.away),
        info=present(score.info),
        who=present(score.who),
        version=optional(score.version),
    )


def statistics_changed(statistics: wire.Statistics | None, event: int, time: Time) -> events.StatisticsChanged | None:
    """Return the record of statistics, ``None`` if they are neither of football nor of sets."""
    if statistics is None or (statistics.football is None and statistics.sets is None):
        return None
    football, sets = statistics.football, statistics.sets
    return events.StatisticsChanged(
        event_id=event,
        vendor_time_ms=time,
        football=UNSET
        if football is None
        else events.FootballStatistics(home=_team(football.home), away=_team(football.away)),
        sets=UNSET
        if sets is None
        else events.SetStatistics(
            home=present(sets.home), away=present(sets.away), home_serve=present(sets.home_serve)
        ),
        version=optional(statistics.version),
    )


def ticker_added(element: wire.TickerUpdated, time: Time) -> list[events.Fact]:
    """Return the candidate of ``tu``."""
    line = element if element.ticker is None else element.ticker
    line_id = element.id if line.id is None else line.id
    if line_id is None:
        raise RejectedError(Code.BAD_ELEMENT, "a ticker line without id")
    return [
        events.TickerAdded(
            event_id=event_id(line.event_id, element.event_id),
            vendor_time_ms=time,
            ticker_id=number(line_id),
            type=name(line.type),
            minute=present(line.minute),
            message=present(line.message),
        )
    ]


def occurrence_changed(element: wire.MatchOccurrence, time: Time) -> list[events.Fact]:
    """Return the candidate of ``mo``."""
    return [
        events.OccurrenceChanged(
            event_id=event_id(element.event_id),
            vendor_time_ms=time,
            occurrence_id=number(element.id),
            action=present(element.action),
            occurrence_type_id=name(element.occurrence_type_id),
            period_id=name(element.period_id),
            second_in_period=present(element.second_in_period),
            second_in_match=present(element.second_in_match),
            second_in_period_added_time=present(element.second_in_period_added_time),
            player=_player(element.player),
            player_out=_player(element.player_out),
            additional_properties=present(element.additional_properties),
            index=present(element.index),
            period_index=present(element.period_index),
        )
    ]


def visualization_changed(element: wire.VisualizationOccurrence, time: Time) -> list[events.Fact]:
    """Return the candidate of ``vo``."""
    shown = element.visualization
    position = wire.Position() if shown is None or shown.position is None else shown.position
    return [
        events.VisualizationChanged(
            event_id=event_id(element.event_id),
            vendor_time_ms=time,
            visualization_id=number(element.id),
            occurrence_type_id=name(element.occurrence_type_id),
            period_id=name(element.period_id),
            x=coordinate(position.x),
            y=coordinate(position.y),
            zone=name(position.zone),
        )
    ]


def live_statistic_changed(element: wire.LiveStatistics, time: Time) -> list[events.Fact]:
    """Return the candidate of ``ls``."""
    value = element.count if element.value is None else element.value
    if value is None:
        raise RejectedError(Code.BAD_ELEMENT, "ls has neither value nor count")
    return [
        events.LiveStatisticChanged(
            event_id=event_id(element.event_id),
            vendor_time_ms=time,
            occurrence_type_id=str(element.occurrence_type_id),
            value=value,
        )
    ]


def _said(record: events.Fact | None, what: str) -> events.Fact:
    if record is None:
        raise RejectedError(Code.BAD_ELEMENT, f"{what} that says nothing")
    return record


def _team(team: wire.TeamStatistics | None) -> events.TeamStatistics | UnsetType:
    if team is None:
        return UNSET
    return events.TeamStatistics(
        yellow_cards=present(team.yellow_cards), red_cards=present(team.red_cards), corners=present(team.corners)
    )


def _player(player: wire.Player | None) -> events.Player | UnsetType:
    return UNSET if player is None else events.Player(id=optional(player.id), name=present(player.name))
