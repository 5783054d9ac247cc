"""What the Offering HTTP API answers: path and query to status and body (sheet, section 7). Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.kambi.offering import Offering

Query = Mapping[str, str]

_RANGE_MAX = 2_000
"""Most bet offers of one answer (sheet, section 7)."""
_LONGEST_NUMBER = 20
"""Digits of the largest id, and one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HTTP status and JSON body."""

    status: int
    body: Any


def error(status: int, message: str) -> Answer:
    """Return an error as the API words it."""
    return Answer(status=status, body={"error": {"status": status, "message": message}})


def answer(offering: Offering, path: str, query: Query) -> Answer:
    """Answer a GET.

    Args:
        offering: What to show.
        path: Below ``/offering/v2018/{offering}/``, decoded; ``.json`` at its end says nothing.
        query: Parameters; those that mean nothing here (``lang``, ``market`` …) are passed over.
    """
    for pattern, resource in _RESOURCES:
        match = pattern.fullmatch(path.removesuffix(".json"))
        if match is not None:
            return resource(offering, match, query)
    return error(404, "Not found")


def _live_open(offering: Offering, _: re.Match[str], __: Query) -> Answer:
    return Answer(status=200, body=offering.live_open())


def _bet_offers(offering: Offering, match: re.Match[str], query: Query) -> Answer:
    size, start = query.get("range_size", str(_RANGE_MAX)), query.get("range_start", "0")
    if not (_is_number(size) and _is_number(start)):
        return error(400, "range_size and range_start are numbers")
    body = offering.betoffer_event(
        _ids(match["ids"]),
        range_start=int(start),
        range_size=min(int(size), _RANGE_MAX),
        only_main=query.get("onlyMain", "false") == "true",
    )
    return _found(body, 404, "No bet offers for the requested events")


def _live_data(offering: Offering, match: re.Match[str], _: Query) -> Answer:
    return _found(offering.livedata(_ids(match["ids"])), 404, "No live data for the requested events")


def _live_data_of_one(offering: Offering, match: re.Match[str], _: Query) -> Answer:
    """Answer the form of 2018."""
    of_events = offering.livedata(_ids(match["id"]))
    return _found({"liveData": of_events[0]} if of_events else None, 404, "No live data for the requested event")


def _list_view(offering: Offering, match: re.Match[str], query: Query) -> Answer:
    terms = match["terms"].split("/")
    body = offering.list_view(*terms, starts_from=query.get("from"), starts_to=query.get("to"))
    return _found(body, 406, "No term matches")


def _odds_ladder(offering: Offering, _: re.Match[str], __: Query) -> Answer:
    return Answer(status=200, body=offering.odds_ladder())


def _push_example(offering: Offering, match: re.Match[str], query: Query) -> Answer:
    body = offering.push_example(match["name"], stats_type=query.get("eventStatsType", "FOOTBALL"))
    return _found(body, 404, "No such message")


def _found(body: Any, otherwise: int, message: str) -> Answer:
    return error(otherwise, message) if body is None else Answer(status=200, body=body)


def _ids(text: str) -> list[int]:
    """Return the ids of a comma list; what is no id is no event either."""
    return [int(part) for part in text.split(",") if _is_number(part)]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER


_RESOURCES: tuple[tuple[re.Pattern[str], Callable[[Offering, re.Match[str], Query], Answer]], ...] = (
    (re.compile(r"event/live/open"), _live_open),
    (re.compile(r"event/livedata/(?P<ids>[^/]+)"), _live_data),
    (re.compile(r"event/(?P<id>[^/]+)/livedata"), _live_data_of_one),
    (re.compile(r"betoffer/event/(?P<ids>[^/]+)"), _bet_offers),
    (re.compile(r"listView/(?P<terms>[^/]+(?:/[^/]+){0,4})"), _list_view),
    (re.compile(r"oddsLadder"), _odds_ladder),
    (re.compile(r"push-examples/(?P<name>[^/]+)"), _push_example),
)
