"""Is FastPath there, is the token accepted, does it speak as we think, and do our models read what it sends?

Asks what the sheet leaves open and only a real service can settle: words of the acknowledgement, shape of heartbeats,
whether ``startPosition`` skips or starts at, and whether numbers are of the fixture or of the connection. Everything is
bounded in time; nothing is written anywhere.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from connectors.clock import SystemClock
from connectors.fastpath.config import LEGACY_UNTIL, FastpathSettings
from connectors.fastpath.connector import http_session
from connectors.fastpath.fixtures import Fixture
from connectors.fastpath.listing import Listed, Lister, NoList
from connectors.fastpath.paths import feeds_of
from connectors.fastpath.rest import FastpathRest, Unauthorised
from connectors.runner import ConnectionBudget
from processors.core.fastpath.packet import Numbered
from schemas.fastpath.feed import Feed, feed_of
from tricast.doctor.answer import Answer, words
from tricast.doctor.fastpath_stream import Heard, judge, listen

_SHORT_S: Final = 10.0
"""How long to listen to a replay."""
_SKIPPED: Final = 3
"""Position asked for to see how it counts, in packets after the first."""
_ENOUGH: Final = _SKIPPED + 2
_WHO_READS_LISTS: Final = "whoever maintains connectors/fastpath/fixtures.py"


async def examine(settings: FastpathSettings, *, listen_s: float) -> AsyncIterator[Answer]:
    """Yield the answers one by one, as they come.

    Args:
        settings: Where FastPath is, and what is wanted of it.
        listen_s: How long to listen to a feed, seconds.
    """
    for host in dict.fromkeys(urlsplit(url).hostname or "" for url in (settings.stream_url, settings.api_url)):
        yield await _resolved(host)
    for host in settings.legacy_hosts:
        action = "use the hosts below srarena.io; paths stay"
        yield Answer(question=f"host {host}", verdict="warning", found=f"shut down on {LEGACY_UNTIL}", action=action)
    if not settings.token.get_secret_value():
        yield Answer(question="token", verdict="failed", found="none", action="set TRICAST_FASTPATH__TOKEN")
        return
    found: list[str] = []
    async for answer, feeds in _lists(settings):
        found += feeds
        yield answer
    chosen = _one_of_each_kind((*settings.feeds, *found))
    if not chosen:
        action = "set TRICAST_FASTPATH__FEEDS to the path of a feed, or TRICAST_FASTPATH__SPORTS when something is live"
        yield Answer(question="feed to listen to", verdict="warning", found="none", action=action)
    for feed in chosen:
        heard = await listen(settings, feed, position=None if feed.position is None else 0, for_s=listen_s)
        for answer in judge(feed, heard, listen_s):
            yield answer
        if feed.kind == "actions" and heard.accepted and feed.position is not None:
            async for answer in _positions(settings, feed, heard):
                yield answer


async def _resolved(host: str) -> Answer:
    question = f"DNS: {host}"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        action = "check the URL, and this machine's resolver"
        return Answer(question=question, verdict="failed", found=words(error), action=action)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    return Answer(question=question, verdict="ok", found=", ".join(addresses[:5]))


# -- REST ------------------------------------------------------------------------------------------------------------


async def _lists(settings: FastpathSettings) -> AsyncIterator[tuple[Answer, Sequence[str]]]:
    """Yield what the list of each sport came to, and feeds of the fixtures that are live in it."""
    clock = SystemClock()
    async with http_session(settings) as session:
        rest = FastpathRest(
            session,
            base_url=settings.api_url,
            token=settings.token.get_secret_value(),
            budget=ConnectionBudget(settings.requests_per_second, window_s=1.0, clock=clock),
            requests_per_second=settings.requests_per_second,
            timeout_s=settings.http_timeout_s,
            clock=clock,
        )
        lister = Lister(rest, types=settings.fixture_types)
        for sport in settings.sports or tuple(dict.fromkeys(_sport(path) for path in settings.feeds if _sport(path))):
            answer = await lister.list(sport)
            question = f"REST: fixtures of {sport}"
            if not isinstance(answer, Listed):
                yield _unlisted(question, answer, settings), ()
                continue
            live = [each for each in answer.listing.fixtures if each.life == "live"]
            found = f"{len(answer.listing.fixtures)} fixtures, {len(live)} of them live"
            odd = f"; {answer.unreadable} entries name no fixture" if answer.unreadable else ""
            odd += "; not all pages came" if answer.failure is not None else ""
            action = (
                "send such a list to whoever maintains connectors/fastpath/fixtures.py" if answer.unreadable else ""
            )
            yield (
                Answer(question=question, verdict="warning" if odd else "ok", found=found + odd, action=action),
                _feeds(settings, sport, live),
            )


def _sport(path: str) -> str:
    return feed_of(path).sport


def _feeds(settings: FastpathSettings, sport: str, live: Sequence[Fixture]) -> Sequence[str]:
    each = (feeds_of(sport, fixture.id, kinds=settings.kinds, media=settings.media) for fixture in live[:1])
    return [path for paths in each for path in paths]


def _unlisted(question: str, failure: object, settings: FastpathSettings) -> Answer:
    detail = getattr(failure, "detail", "")
    match failure:
        case Unauthorised(status=status):
            action = "check TRICAST_FASTPATH__TOKEN" + (", or the licence for this sport" if status == 403 else "")
            return Answer(question=question, verdict="failed", found=f"refused ({status}): {detail}", action=action)
        case NoList():
            action = f"send this answer to {_WHO_READS_LISTS}"
            return Answer(question=question, verdict="failed", found=f"no list: {detail}", action=action)
    said = f"{type(failure).__name__} {getattr(failure, 'status', '') or getattr(failure, 'fault', '')}: {detail}"
    action = (
        f"check TRICAST_FASTPATH__API_URL, that this machine reaches {urlsplit(settings.api_url).hostname}, and sports"
    )
    return Answer(question=question, verdict="failed", found=said, action=action)


def _one_of_each_kind(paths: Sequence[str]) -> Sequence[Feed]:
    """Return the first feed of each kind and family: one feed is like another of its kind."""
    feeds: dict[tuple[str, str], Feed] = {}
    for path in paths:
        feed = feed_of(path)
        feeds.setdefault((feed.family, feed.kind), feed)
    return tuple(feeds.values())


# -- what only two connections tell ----------------------------------------------------------------------------------


async def _positions(settings: FastpathSettings, feed: Feed, heard: Heard) -> AsyncIterator[Answer]:
    """Connect once more from a position that a replay has passed, and compare with what came from the start."""
    reading, scope = f"{feed.path}: startPosition", f"{feed.path}: numbers"
    whole = heard.packets
    numbers = [packet.number for packet in whole]
    if len(whole) < _ENOUGH or None in numbers:
        action = f"ask again when the fixture has {_ENOUGH} packets or more"
        yield Answer(question=reading, verdict="warning", found=f"only {len(whole)} packets to judge by", action=action)
        return
    asked = _SKIPPED if feed.position == "events" else numbers[_SKIPPED]
    again = await listen(
        settings, feed, position=asked, for_s=_SHORT_S, until=lambda so_far: bool(so_far.packets or so_far.refused)
    )
    place = _place(whole, again.packets[0]) if again.packets else None
    if place is None:
        found = "nothing that was there before" if again.packets else (again.refused or "nothing")
        yield Answer(question=reading, verdict="warning", found=f"asked for {asked}, got {found}", action="ask again")
        return
    yield _reading(feed, reading, asked, place)
    if place:  # the first packet has the first number either way
        yield _scope(feed, scope, whole[place].number, again.packets[0].number, place)


def _place(whole: Sequence[Numbered], packet: Numbered) -> int | None:
    """Return where in ``whole`` a packet of the same content stands."""
    content = (packet.key, packet.body)
    return next((number for number, each in enumerate(whole) if (each.key, each.body) == content), None)


def _reading(feed: Feed, question: str, asked: int | None, place: int) -> Answer:
    begins = f"asked for {asked}, it began with packet {place + 1} of the replay"
    readings = {_SKIPPED: "skips as many", _SKIPPED - 1: "starts at it"}
    if feed.position == "sequence":
        readings = {_SKIPPED: "starts at that number", _SKIPPED + 1: "starts after it"}
    if place not in readings:
        action = "positions do not count as documented: repairs may miss packets; tell whoever maintains the connector"
        ignored = " (the position was ignored)" if place == 0 else ""
        return Answer(question=question, verdict="warning", found=begins + ignored, action=action)
    return Answer(question=question, verdict="ok", found=f"{readings[place]}: {begins}")


def _scope(feed: Feed, question: str, before: int | None, now: int | None, place: int) -> Answer:
    if before == now:
        return Answer(
            question=question, verdict="ok", found=f"of the fixture: the same packet is {now} on both connections"
        )
    found = f"packet {place + 1} is {before} on one connection and {now} on the next"
    if now == feed.first_number:
        return Answer(question=question, verdict="ok", found=f"of the connection: {found}")
    action = "neither reading of the documents: tell whoever maintains the sequence account"
    return Answer(question=question, verdict="warning", found=found, action=action)
