"""Finds live fixtures by REST and sees to it that their feeds run, and end (fact sheet §8, §10)."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

from connectors.clock import Clock
from connectors.fastpath.config import FastpathSettings
from connectors.fastpath.fixtures import read_fixture
from connectors.fastpath.following import Following
from connectors.fastpath.lifecycle import Lifecycle, Start, Stop
from connectors.fastpath.listing import Failure, Listed, Lister, NoList
from connectors.fastpath.paths import fixture_of
from connectors.fastpath.rest import Answer, Broken, FastpathRest, NotFound, Refused, Unauthorised
from connectors.runner import Backoff, unless_stopped
from schemas.fastpath.feed import feed_of

log = logging.getLogger(__name__)

_TENNIS_S: Final = 10.0  # the vendor's advice for its list
_STEPS_S: Final = 5.0  # how often it is looked whether a feed has finished
_BACKOFF: Final = Backoff(base_s=1.0, cap_s=30.0)
_UNAUTHORIZED: Final = 401


@dataclass(slots=True)
class DiscoveryCounts:
    """What became of the asking, as plain numbers."""

    lists: int = 0
    """Lists that were had, in part at least."""
    fixtures: int = 0
    """Answers about single fixtures."""
    failed: Counter[str] = field(default_factory=Counter)
    """By reason: ``status-<n>``, ``network``, ``timeout``, ``truncated``, ``too-large``, ``not-json``, ``no-list``."""
    unreadable: int = 0
    """Entries of lists that name no fixture, and answers about another fixture than was asked for."""


class Discovery:
    """Asks for the lists of the configured sports and starts and stops feeds by them.

    A wrong token ends all asking with an alarm, one that does not cover a sport the asking for that sport; feeds that
    run go on.

    Args:
        settings: What to look for.
        rest: Client of the REST API.
        following: The feeds of this process.
        stop: Set when the process is to end.
        clock: Waits.
        random: Spreads and jitters.
    """

    def __init__(
        self,
        settings: FastpathSettings,
        *,
        rest: FastpathRest,
        following: Following,
        stop: asyncio.Event,
        clock: Clock,
        random: Random,
    ) -> None:
        self._settings = settings
        self._rest = rest
        self._lister = Lister(rest, types=settings.fixture_types)
        self._following = following
        self._stop = stop
        self._clock = clock
        self._random = random
        self._lifecycle = Lifecycle(
            chosen=settings.feeds, kinds=settings.kinds, media=settings.media, grace_s=settings.finished_grace_s
        )
        self._left_out: dict[str, tuple[int, int]] = {}
        self._asked_s: dict[str, float] = {}
        self._refused: set[str] = set()
        self.counts = DiscoveryCounts()

    async def run(self) -> None:
        """Run until stopped."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._step_now_and_then(), name="fastpath steps")
            for sport in self._settings.sports:
                group.create_task(unless_stopped(self._stop, self._follow_list(sport)), name=f"fastpath list {sport}")
            if self._settings.sports:
                group.create_task(unless_stopped(self._stop, self._ask_singly()), name="fastpath fixtures")

    @property
    def refused(self) -> frozenset[str]:
        """What is not asked for any more, as the token does not cover it: sports, fixtures; ``*``: it is wrong."""
        return frozenset(self._refused)

    # -- lists -------------------------------------------------------------------------------------------------------

    async def _follow_list(self, sport: str) -> None:
        interval_s = self._settings.discovery_interval_s
        interval_s = min(interval_s, _TENNIS_S) if sport == "tennis" else interval_s
        failures = 0
        while not self._refused & {sport, "*"}:
            answer = await self._lister.list(sport)
            failures = 0 if isinstance(answer, Listed) else failures + 1
            if isinstance(answer, Listed):
                self._listed(sport, answer)
            else:
                self._failed(sport, answer)
            wait_s = interval_s * self._random.uniform(0.9, 1.1)  # sports do not stay in step
            await self._clock.sleep(min(wait_s, _BACKOFF.delay_s(failures, self._random)) if failures else wait_s)

    def _listed(self, sport: str, answer: Listed) -> None:
        self.counts.lists += 1
        self.counts.unreadable += answer.unreadable
        if answer.failure is not None:
            self._failed(sport, answer.failure)
        waiting = self._lifecycle.listed(answer.listing, now_s=self._clock.monotonic_s())
        left_out = (answer.unreadable, waiting)
        if left_out != self._left_out.get(sport, (0, 0)):
            log.warning("fastpath.discovery_incomplete sport=%s unreadable=%d without_a_place=%d", sport, *left_out)
        self._left_out[sport] = left_out
        self._step()

    # -- single fixtures ---------------------------------------------------------------------------------------------

    async def _ask_singly(self) -> None:
        """Ask for the fixtures that lists do not tell of, as far as the rate allows: half of it is left to others."""
        interval_s = self._settings.discovery_interval_s
        pause_s = 2 / self._settings.requests_per_second
        failures = 0
        await self._clock.sleep(2 * interval_s)  # lists come first
        while "*" not in self._refused:
            about = self._next_untold(interval_s)
            if about is None:
                await self._clock.sleep(max(pause_s, 1.0))
                continue
            failures = 0 if await self._ask_about(about) else failures + 1
            await self._clock.sleep(max(pause_s, _BACKOFF.delay_s(failures, self._random) if failures else 0.0))

    def _next_untold(self, interval_s: float) -> str | None:
        before_s = self._clock.monotonic_s() - interval_s
        untold = [
            feed
            for feed in self._lifecycle.untold(before_s=before_s)
            if (path := fixture_of(feed)) is not None and path not in self._refused
        ]
        self._asked_s = {feed: self._asked_s[feed] for feed in untold if feed in self._asked_s}
        return next((feed for feed in untold if self._asked_s.get(feed, before_s) <= before_s), None)

    async def _ask_about(self, feed: str) -> bool:
        """Ask for the fixture of ``feed``; return whether there was an answer."""
        self._asked_s[feed] = self._clock.monotonic_s()
        path = fixture_of(feed)
        assert path is not None
        finding = await self._rest.get(path)
        now_s = self._clock.monotonic_s()
        match finding:
            case Answer(document):
                self.counts.fixtures += 1
                fixture = read_fixture(document, sport=feed_of(feed).sport)
                if fixture is None or fixture.id.casefold() != feed_of(feed).fixture.casefold():
                    self.counts.unreadable += 1
                else:
                    self._lifecycle.answered(feed, fixture, now_s=now_s)
            case NotFound():
                self.counts.fixtures += 1
                self._lifecycle.answered(feed, None, now_s=now_s)
            case _:
                self._failed(path, finding)
                return False
        self._step()
        return True

    # -- common ------------------------------------------------------------------------------------------------------

    async def _step_now_and_then(self) -> None:
        while True:
            self._step()
            wait_s = max(0.0, min(self._lifecycle.due_s() - self._clock.monotonic_s(), _STEPS_S))
            if not await unless_stopped(self._stop, self._clock.sleep(wait_s)):
                return

    def _step(self) -> None:
        for step in self._lifecycle.steps(self._following.feeds, now_s=self._clock.monotonic_s()):
            match step:
                case Start(path):
                    self._following.start(path)
                case Stop(path):
                    self._following.stop(path)

    def _failed(self, about: str, failure: Failure) -> None:
        match failure:
            case Unauthorised(status=status, detail=detail):
                self.counts.failed[f"status-{status}"] += 1
                self._refuse(about, status, detail)
                return
            case NotFound(detail=detail):
                reason = "status-404"
            case Refused(status=status, detail=detail):
                reason = f"status-{status}"
            case Broken(fault=fault, detail=detail):
                reason = fault
            case NoList(detail=detail):
                reason = "no-list"
        self.counts.failed[reason] += 1
        log.warning("fastpath.discovery_failed about=%s reason=%s detail=%.300s", about, reason, detail)

    def _refuse(self, about: str, status: int, detail: str) -> None:
        self._refused.add("*" if status == _UNAUTHORIZED else about)
        log.error(
            "fastpath.discovery_unauthorised about=%s status=%d detail=%.300s Operator action: %s is not asked for any "
            "more, feeds that run go on; check TRICAST_FASTPATH__TOKEN and the licence, and start the connector again",
            about,
            status,
            detail,
            "REST" if status == _UNAUTHORIZED else "this",
        )
