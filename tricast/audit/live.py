"""Candidates about the match itself: clock, score, statistics, ticker, occurrences (sheet §6, §8)."""

from collections.abc import Callable
from typing import Any

from tricast.audit.facts import Candidate, id_of, pick, whole

CLOCK = [
    "minute",
    "second",
    "minutesLeftInPeriod",
    "secondsLeftInMinute",
    "period",
    "periodId",
    "running",
    "disabled",
    "version",
]
SCORE = ["home", "away", "info", "who", "version"]
_OCCURRENCE = [
    "id",
    "occurrenceTypeId",
    "periodId",
    "action",
    "secondInPeriod",
    "secondInMatch",
    "secondInPeriodAddedTime",
    "additionalProperties",
    "index",
    "periodIndex",
]
_CARDS = ["yellowCards", "redCards", "corners"]


def about_event(
    name: str, value: Callable[[dict[str, Any]], Any], entity: str | None = None
) -> Callable[..., list[Candidate]]:
    """Return a builder of one candidate that is about an event and says ``value`` of the message's body.

    ``entity`` is the field that tells several things of one event apart; without it there is one thing of the kind.
    """

    def build(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
        own = name.partition(".")[0] if entity is None else str(body[entity])
        return [whole(name, (id_of(body["eventId"]), mt, own, stamp), value(body))]

    return build


def statistics(statistics: dict[str, Any]) -> Any:
    """Return what a Statistics object says, of football and of sets."""
    teams, sets = statistics.get("football"), statistics.get("sets")
    return [
        None if teams is None else {side: pick(teams.get(side) or {}, _CARDS) for side in ("home", "away")},
        None if sets is None else pick(sets, ["home", "away", "homeServe"]),
        statistics.get("version"),
    ]


def ticker(body: dict[str, Any], mt: int, stamp: str) -> list[Candidate]:
    """Return the candidate of a ``tu``; its body may stand under ``ticker``."""
    ticker = body.get("ticker") or body
    event = id_of(body["eventId"] if body.get("eventId") is not None else ticker["eventId"])
    return [
        whole(
            "ticker.added", (event, mt, id_of(ticker["id"]), stamp), pick(ticker, ["id", "type", "minute", "message"])
        )
    ]


def occurrence(body: dict[str, Any]) -> Any:
    """Return what a ``mo`` says."""
    players = [pick(body.get(name) or {}, ["id", "name"]) for name in ("player", "playerOut")]
    return [pick(body, _OCCURRENCE), players]


def visualization(body: dict[str, Any]) -> Any:
    """Return what a ``vo`` says."""
    return [pick(body, ["id", "occurrenceTypeId", "periodId"]), body.get("visualization")]


def live_statistic(body: dict[str, Any]) -> Any:
    """Return what a ``ls`` says; the number has two names (sheet §6)."""
    return [pick(body, ["occurrenceTypeId"]), body["value"] if body.get("value") is not None else body["count"]]
