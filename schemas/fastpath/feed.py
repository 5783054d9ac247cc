"""What the path of a feed tells: sport, family, fixture, and how its positions count (fact sheet §1, §3, §8).

The URL is the subscription, and most packets of family B do not name their match, so the path is the feed's name
everywhere: raw key, accounts, health.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import parse_qs

Kind = Literal["actions", "statistics", "mixed"]

HEARTBEAT_S: Final = 10
GOLF_HEARTBEAT_S: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """One feed of one fixture.

    Attributes:
        path: As subscribed, without the leading slash, e.g. ``soccer/fixtures/<uuid>/actions``; the golf multiplexer
            keeps its query.
        sport: Vendor's word without version, e.g. ``soccer``, ``tabletennis``; empty for a path of no known form.
        family: ``a``: fixtures; ``b``: event elements; ``unknown``: told packet by packet.
        kind: What its packets are; ``mixed`` for the multiplexer and unknown paths.
        fixture: Id of fixture, event, fight or tournament as in the path; for packets that name none.
        position: How ``startPosition`` counts: ``events`` to skip (family A), number of the first ``sequence`` wanted
            (family B), ``None``: the feed takes none.
        first_number: Number of a fixture's first packet: 1, in tennis 0 (a placeholder).
        heartbeat_s: How often the server sends a heartbeat, seconds.
    """

    path: str
    sport: str
    family: Literal["a", "b", "unknown"]
    kind: Kind
    fixture: str
    position: Literal["events", "sequence"] | None
    first_number: int = 1
    heartbeat_s: int = HEARTBEAT_S


_KIND: Final[dict[str, Kind]] = {
    "actions": "actions",
    "stream": "actions",
    "details": "actions",
    "fight-details": "actions",
    "fight-actions": "actions",
    "statistics": "statistics",
    "livestats": "statistics",
    "fight-livestats": "statistics",
}


def _tennis(path: str, found: re.Match[str]) -> Feed:
    stream = found["what"] == "stream"
    return Feed(
        path=path,
        sport="tennis",
        family="b",
        kind=_KIND[found["what"]],
        fixture=found["id"],
        position="sequence" if stream else None,  # statistics: the newest on connect, nothing replayed
        first_number=0 if stream else 1,
    )


def _fixtures(path: str, found: re.Match[str]) -> Feed:
    return Feed(
        path=path,
        sport=found["sport"],
        family="a",
        kind=_KIND[found["what"]],
        fixture=found["id"],
        position="events",
    )


def _fights(path: str, found: re.Match[str]) -> Feed:
    return Feed(path=path, sport="mma", family="b", kind=_KIND[found["what"]], fixture=found["id"], position="sequence")


def _table_tennis(path: str, found: re.Match[str]) -> Feed:
    return Feed(path=path, sport="tabletennis", family="b", kind="actions", fixture=found["id"], position="sequence")


def _golf_team(path: str, found: re.Match[str]) -> Feed:
    return _golf(path, "actions", f"{found['tournament']}-{found['round']}-{found['team']}")


def _golf_other(path: str, found: re.Match[str]) -> Feed:
    return _golf(path, "statistics", f"{found['tournament']}/{found['rest']}")


def _multiplexer(path: str, found: re.Match[str]) -> Feed:
    return _golf(path, "mixed", ",".join(parse_qs(found["query"] or "").get("sport", ["golf"])))


def _golf(path: str, kind: Kind, fixture: str) -> Feed:
    return Feed(
        path=path, sport="golf", family="b", kind=kind, fixture=fixture, position=None, heartbeat_s=GOLF_HEARTBEAT_S
    )


_Maker = Callable[[str, re.Match[str]], Feed]

_FORMS: Final[tuple[tuple[re.Pattern[str], _Maker], ...]] = tuple(
    (re.compile(rf"{form}/?(?:\?(?P<query>.*))?"), maker)
    for form, maker in (
        (r"(?:media/)?tennis/events/(?P<id>[^/?]+)/(?P<what>stream|statistics)", _tennis),
        (
            r"(?:media/)?(?:v\d+/)?(?P<sport>[^/?]+)/fixtures/(?P<id>[^/?]+)/(?P<what>actions|statistics)",
            _fixtures,
        ),
        (r"(?:media/)?mma/fights/(?P<id>[^/?]+)/(?P<what>details|livestats|actions)", _fights),
        (r"media/mma/(?P<what>fight-details|fight-livestats|fight-actions)/feed/(?P<id>[^/?]+)", _fights),
        (r"(?:media/)?tabletennis/(?P<id>[^/?]+)/matchdetails", _table_tennis),
        (
            r"(?:media/)?golf/tournaments/(?P<tournament>[^/?]+)/round/(?P<round>[^/?]+)/team/(?P<team>[^/?]+)",
            _golf_team,
        ),
        (r"(?:media/)?golf/tournaments/(?P<tournament>[^/?]+)/(?P<rest>[^?]+?)", _golf_other),
        (r"multiplexer", _multiplexer),
    )
)
"""Forms of a path, the narrower before the wider, and what makes a feed of one."""


@lru_cache(maxsize=4096)
def feed_of(path: str) -> Feed:
    """Return what ``path`` tells; a path of no known form is a feed, too: new sports come without notice."""
    path = path.strip("/") if "?" not in path else path.lstrip("/")
    for form, maker in _FORMS:
        if found := form.fullmatch(path):
            return maker(path, found)
    return Feed(path=path, sport="", family="unknown", kind="mixed", fixture=path, position=None)
