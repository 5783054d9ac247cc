"""Which feeds should run: those a person chose, and those of fixtures that the lists show live. Pure.

A list is cached somewhere, cut short or empty for a while; a feed says that it is finished although its collection was
only dropped. So neither is believed at once where it would cost coverage. Times are monotonic seconds.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connectors.fastpath.config import FeedKind
from connectors.fastpath.fixtures import Fixture, Listing
from connectors.fastpath.following import State
from connectors.fastpath.paths import feeds_of
from schemas.fastpath.feed import feed_of

MOST_FIXTURES: Final = 1000
"""Fixtures followed at once; each has a socket a kind. A list that names more is told, and its rest waits."""
STILL_LIVE_S: Final = 1800.0
"""A list that shows a finished feed's fixture live for so long without a break is right, not the feed."""
_MISSING_IN_A_ROW: Final = 2  # one list may be short or old

_Name = tuple[str, str]
"""Sport and fixture as feeds name them."""


@dataclass(frozen=True, slots=True)
class Start:
    """Follow a feed, or follow it again."""

    path: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Follow a feed no more."""

    path: str


Step = Start | Stop


@dataclass(slots=True, kw_only=True)
class _Followed:
    """A fixture of which feeds are followed.

    Attributes:
        chosen: Feeds that a person chose: only their own word ends them.
        found: Feeds that a list led to.
        sport: As its list is named; empty while no list showed it.
        told_s: When an answer last told of it.
        missing: Lists in a row that lacked it.
        unknown: Answers in a row that there is no such fixture.
        leaving_s: Since when it is known to be gone or ended.
        closed_s: Feeds that said they are finished, and when that was seen.
        lapsed: Those of them whose fixture was not shown live at some time since.
    """

    chosen: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    sport: str = ""
    told_s: float = -math.inf
    missing: int = 0
    unknown: int = 0
    leaving_s: float | None = None
    closed_s: dict[str, float] = field(default_factory=dict)
    lapsed: set[str] = field(default_factory=set)

    @property
    def feeds(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.chosen, *self.found)))


class Lifecycle:
    """The feeds of this process, as far as can be known.

    Args:
        chosen: Paths from the settings.
        kinds: Feeds to open of each fixture found.
        media: Whether those are the media feeds.
        grace_s: How long the feeds of a fixture that is gone or over go on, seconds.
    """

    def __init__(self, *, chosen: Iterable[str], kinds: Iterable[FeedKind], media: bool, grace_s: float) -> None:
        self._kinds = tuple(kinds)
        self._media = media
        self._grace_s = grace_s
        self._followed: dict[_Name, _Followed] = {}
        self._again: set[str] = set()
        for path in dict.fromkeys(chosen):
            followed = self._followed.setdefault(_name(path), _Followed())
            followed.chosen = (*followed.chosen, path)

    # -- what is told ------------------------------------------------------------------------------------------------

    def listed(self, listing: Listing, *, now_s: float) -> int:
        """A list was answered; return how many live fixtures of it find no place."""
        waiting = sum(not self._seen(listing.sport, fixture, now_s) for fixture in listing.fixtures)
        # An empty list may be true, but it is what a broken one looks like, too: then fixtures are asked singly.
        if listing.whole and listing.fixtures:
            there = {self._feeds_of(listing.sport, fixture)[:1] for fixture in listing.fixtures}
            for followed in self._followed.values():
                if followed.sport == listing.sport and followed.found[:1] not in there:
                    followed.missing += 1
                    self._leave_if_gone(followed, now_s)
        return waiting

    def answered(self, about: str, fixture: Fixture | None, *, now_s: float) -> None:
        """The fixture of the feed ``about`` was asked for singly; ``None``: the API does not know it."""
        followed = self._followed.get(_name(about))
        if followed is None:
            return
        followed.told_s = now_s
        followed.unknown = followed.unknown + 1 if fixture is None else 0
        if fixture is None:
            self._leave_if_gone(followed, now_s)
        elif fixture.life != "live" or followed.missing < _MISSING_IN_A_ROW:  # else only a list takes it in again
            self._tell(followed, fixture, now_s)

    # -- what to do --------------------------------------------------------------------------------------------------

    def steps(self, feeds: Mapping[str, State], *, now_s: float) -> tuple[Step, ...]:
        """Return what to start and to stop, given the feeds of this process and how each is."""
        again, self._again = self._again, set()
        for name, followed in list(self._followed.items()):
            for path in followed.feeds:
                if feeds.get(path) == "finished" and path not in again:
                    followed.closed_s.setdefault(path, now_s)
                else:
                    followed.closed_s.pop(path, None)
                    followed.lapsed.discard(path)
            if followed.leaving_s is not None and now_s - followed.leaving_s >= self._grace_s:
                followed.found, followed.sport = (), ""
                if not followed.chosen:
                    del self._followed[name]
        wanted = dict.fromkeys(path for followed in self._followed.values() for path in followed.feeds)
        stops = [Stop(path) for path in feeds if path not in wanted]
        return (*stops, *(Start(path) for path in wanted if path not in feeds or path in again))

    def due_s(self) -> float:
        """Return when :meth:`steps` has something to say if nothing is told before."""
        leaving = (each.leaving_s for each in self._followed.values() if each.leaving_s is not None and each.found)
        return min(leaving, default=math.inf) + self._grace_s

    def untold(self, *, before_s: float) -> Sequence[str]:
        """Return a feed of each fixture that no answer told of since ``before_s``, the longest untold first."""
        untold = [each for each in self._followed.values() if each.told_s <= before_s]
        return [each.feeds[0] for each in sorted(untold, key=lambda each: each.told_s)]

    # -- private -----------------------------------------------------------------------------------------------------

    def _feeds_of(self, sport: str, fixture: Fixture) -> tuple[str, ...]:
        return feeds_of(sport, fixture.id, kinds=self._kinds, media=self._media)

    def _seen(self, sport: str, fixture: Fixture, now_s: float) -> bool:
        """Take note of one entry of a list; return whether it has its place, or needs none."""
        feeds = self._feeds_of(sport, fixture)
        if not feeds:
            return True
        followed = self._followed.get(_name(feeds[0]))
        if followed is None:
            if fixture.life != "live":
                return True
            if len(self._followed) >= MOST_FIXTURES:
                return False
            followed = self._followed[_name(feeds[0])] = _Followed()
        if fixture.life == "live":
            followed.found, followed.sport = feeds, sport
        followed.told_s, followed.missing, followed.unknown = now_s, 0, 0
        self._tell(followed, fixture, now_s)
        return True

    def _tell(self, followed: _Followed, fixture: Fixture, now_s: float) -> None:
        match fixture.life:
            case "live":
                followed.leaving_s = None
                for path, closed_s in followed.closed_s.items():
                    if path in followed.lapsed or now_s - closed_s >= STILL_LIVE_S:
                        self._again.add(path)
            case "quiet":
                followed.lapsed.update(followed.closed_s)
            case "ended":
                self._leave(followed, now_s)

    def _leave_if_gone(self, followed: _Followed, now_s: float) -> None:
        if max(followed.missing, followed.unknown) >= _MISSING_IN_A_ROW:
            self._leave(followed, now_s)

    def _leave(self, followed: _Followed, now_s: float) -> None:
        followed.lapsed.update(followed.closed_s)
        if followed.leaving_s is None:
            followed.leaving_s = now_s


def _name(path: str) -> _Name:
    feed = feed_of(path)
    return feed.sport, feed.fixture
