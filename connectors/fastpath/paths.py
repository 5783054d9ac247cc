"""Which paths a sport has: its lists at the REST host, and the feeds of a fixture (fact sheet §1, §10). Pure."""

import re
from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from connectors.fastpath.config import FeedKind

_WITH_VERSION: Final = MappingProxyType({"volleyball": "v2/volleyball"})
_FIXTURE = re.compile(r"(?:media/)?((?:v\d+/)?[^/]+/fixtures/[^/]+)/")
_LIVE_EVENTS: Final = MappingProxyType(
    {
        # The documents print the first, and other tennis resources below /tennis.
        "tennis": ("tournaments/liveevents", "tennis/tournaments/liveevents"),
        "golf": ("golf/tournaments/liveevents",),
    }
)


def lists_of(sport: str) -> tuple[str, ...]:
    """Return where the live fixtures of ``sport`` are listed; the next one is for when the API does not know one."""
    return _LIVE_EVENTS.get(sport, (f"{_WITH_VERSION.get(sport, sport)}/fixtures",))


def takes_a_filter(sport: str) -> bool:
    """Return whether the lists of ``sport`` take ``live``, ``type`` and paging."""
    return sport not in _LIVE_EVENTS


def fixture_of(feed: str) -> str | None:
    """Return where the fixture of a feed tells its status; ``None``: nowhere."""
    found = _FIXTURE.match(feed)
    return found[1] if found else None


def feeds_of(sport: str, fixture: str, *, kinds: Iterable[FeedKind], media: bool) -> tuple[str, ...]:
    """Return the paths of the feeds of one fixture, of ``kinds`` as far as the sport has them."""
    known = _feeds(sport, fixture)
    return tuple(("media/" if media else "") + known[kind] for kind in dict.fromkeys(kinds) if kind in known)


def _feeds(sport: str, fixture: str) -> dict[FeedKind, str]:
    match sport:
        case "tennis":
            events = f"tennis/events/{fixture}"
            return {"actions": f"{events}/stream", "statistics": f"{events}/statistics"}
        case "golf":
            return {"actions": f"golf/tournaments/{fixture}"}
        case "mma":
            return {"actions": f"mma/fights/{fixture}/details", "statistics": f"mma/fights/{fixture}/livestats"}
        case "tabletennis":  # its second version is v2/tabletennis
            return {"actions": f"tabletennis/{fixture}/matchdetails"}
        case _:
            fixtures = f"{_WITH_VERSION.get(sport, sport)}/fixtures/{fixture}"
            return {"actions": f"{fixtures}/actions", "statistics": f"{fixtures}/statistics"}
