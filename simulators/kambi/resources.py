"""What the Offering HTTP API answers: path and query to status and body (sheet, section 7). Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.kambi.offering import Offering

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HTTP status and JSON body."""

    status: int
    body: dict[str, Any]


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


_RESOURCES: tuple[tuple[re.Pattern[str], Callable[[Offering, re.Match[str], Query], Answer]], ...] = (
    (re.compile(r"event/live/open"), _live_open),
)
