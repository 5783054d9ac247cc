"""What the path of a feed tells: sport, family, fixture, and how its positions count (fact sheet §1, §3, §8).

The URL is the subscription, and most packets of family B do not name their match, so the path is the feed's name
everywhere: raw key, accounts, health.
"""

import re
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
_FIXTURES = re.compile(r"(?:media/)?(?:v\d+/)?(?P<sport>[^/]+)/fixtures/(?P<id>[^/]+)/(?P<what>actions|statistics)")
_TENNIS = re.compile(r"(?:media/)?tennis/events/(?P<id>[^/]+)/(?P<what>stream|statistics)")
_FIGHTS = re.compile(r"(?:media/)?mma/fights/(?P<id>[^/]+)/(?P<what>details|livestats|actions)")
_MEDIA_FIGHTS = re.compile(r"media/mma/(?P<what>fight-details|fight-livestats|fight-actions)/feed/(?P<id>[^/]+)")
_GOLF_TEAM = re.compile(r"(?:media/)?golf/tournaments/(?P<t>[^/]+)/round/(?P<n>[^/]+)/team/(?P<team>[^/]+)")
_GOLF = re.compile(r"(?:media/)?golf/tournaments/(?P<t>[^/]+)/(?P<rest>.+)")
_TABLE_TENNIS = re.compile(r"(?:media/)?tabletennis/(?P<id>[^/]+)/matchdetails")


@lru_cache(maxsize=4096)
def feed_of(path: str) -> Feed:
    """Return what ``path`` tells; a path of no known form is a feed, too: new sports come without notice."""
    path = path.strip("/") if "?" not in path else path.lstrip("/")
    bare, _, query = path.partition("?")
    bare = bare.rstrip("/")
    if match := _TENNIS.fullmatch(bare):
        what = match["what"]
        return Feed(
            path=path,
            sport="tennis",
            family="b",
            kind=_KIND[what],
            fixture=match["id"],
            position="sequence" if what == "stream" else None,  # statistics: the newest on connect, nothing replayed
            first_number=0 if what == "stream" else 1,
        )
    if match := _FIXTURES.fullmatch(bare):
        return Feed(
            path=path,
            sport=match["sport"],
            family="a",
            kind=_KIND[match["what"]],
            fixture=match["id"],
            position="events",
        )
    if match := _FIGHTS.fullmatch(bare) or _MEDIA_FIGHTS.fullmatch(bare):
        return Feed(
            path=path, sport="mma", family="b", kind=_KIND[match["what"]], fixture=match["id"], position="sequence"
        )
    if match := _TABLE_TENNIS.fullmatch(bare):
        return Feed(
            path=path, sport="tabletennis", family="b", kind="actions", fixture=match["id"], position="sequence"
        )
    if match := _GOLF_TEAM.fullmatch(bare):
        return _golf(path, "actions", f"{match['t']}-{match['n']}-{match['team']}")
    if match := _GOLF.fullmatch(bare):
        return _golf(path, "statistics", f"{match['t']}/{match['rest']}")
    if bare == "multiplexer":
        return _golf(path, "mixed", ",".join(parse_qs(query).get("sport", ["golf"])))
    return Feed(path=path, sport="", family="unknown", kind="mixed", fixture=path, position=None)


def _golf(path: str, kind: Kind, fixture: str) -> Feed:
    return Feed(
        path=path, sport="golf", family="b", kind=kind, fixture=fixture, position=None, heartbeat_s=GOLF_HEARTBEAT_S
    )
