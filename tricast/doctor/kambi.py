"""Is Kambi there, does it speak as we think, and do our models read what it sends?

Asks what the sheet leaves open and only a real service can settle: Engine.IO level, language, shapes of messages
(``push-examples``). Everything is bounded in time; nothing is written anywhere.
"""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from connectors.kambi.config import KambiSettings
from connectors.trust import trusted
from processors.core.kambi.channels import Side
from processors.core.kambi.debulk import read_child
from processors.core.kambi.findings import Unreadable
from processors.core.kambi.normalize import normalize, vendor_time_ms
from tricast.doctor.answer import Answer, short, words
from tricast.doctor.kambi_push import listen_on_push

HTTP_TIMEOUT_S = 15.0
_LIVE_EVENTS = "offering API: live events"

EXAMPLES: dict[str, Side] = {
    "EventAdded": "language",
    "LiveEventOpened": "language",
    "BetOfferAdded": "language",
    "BetOfferRemoved": "neutral",
    "BetOfferStatusUpdated": "language",
    "BetOfferOddsUpdated": "neutral",
    "MatchClockRemoved": "neutral",
    "MatchClockUpdated": "language",
    "EventScoreUpdated": "neutral",
    "EventStatsUpdated": "neutral",
    "EventRemoved": "neutral",
    "TickerUpdated": "language",
    "EventDescriptionUpdated": "neutral",
    "BetOfferOddsAdded": "language",
    "BetOfferOddsRemoved": "neutral",
    "OutcomesSettled": "neutral",
    "MatchOccurrence": "language",
    "VisualizationOccurrence": "neutral",
    "LiveStatistics": "neutral",
    "OutcomesStatusUpdated": "neutral",
    "EventStateUpdated": "neutral",
}
"""Messages that ``push-examples`` shows, by name, and the side of a pair of keys that each comes on."""
STATISTICS_TYPES = ("SET-BASED", "FOOTBALL")
"""Of ``EventStatsUpdated`` there is an example of each."""


async def examine(settings: KambiSettings, *, listen_s: float) -> AsyncIterator[Answer]:
    """Yield the answers one by one, as they come.

    Args:
        settings: Where Kambi is, and what is wanted of it.
        listen_s: How long to listen on the general keys, seconds.
    """
    timeout = aiohttp.ClientTimeout(total=HTTP_TIMEOUT_S)
    connector = aiohttp.TCPConnector(ssl=trusted(settings.ca_file))
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        listed = await _live_events(session, settings)
        events = listed if isinstance(listed, list) else []
        if isinstance(listed, Answer):
            yield listed
        else:
            yield Answer(question=_LIVE_EVENTS, verdict="ok", found=f"{len(events)} live events")
            yield _language(settings, events)
        async for answer in listen_on_push(session, settings, listen_s, expects_traffic=bool(events)):
            yield answer
        async for answer in _examples(session, settings):
            yield answer


# -- the HTTP API -----------------------------------------------------------------------------------------------------


async def _live_events(session: aiohttp.ClientSession, settings: KambiSettings) -> list[Any] | Answer:
    """Return the live events, or what is wrong with the answer."""
    try:
        status, body = await _get(session, settings, "event/live/open.json", {"lang": settings.language})
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        host = urlsplit(settings.offering_url).hostname
        action = f"check TRICAST_KAMBI__OFFERING_URL and that this machine reaches {host}"
        return Answer(question=_LIVE_EVENTS, verdict="failed", found=words(error), action=action)
    events = body.get("liveEvents") if isinstance(body, dict) else None
    if status != 200 or not isinstance(events, list):
        action = "check TRICAST_KAMBI__OFFERING: 404 means that the offering is unknown"
        return Answer(question=_LIVE_EVENTS, verdict="failed", found=f"HTTP {status}: {short(body)}", action=action)
    return events


def _language(settings: KambiSettings, events: list[Any]) -> Answer:
    """Return whether the HTTP API localizes for the language; push says nothing about an unknown one."""
    names = [
        (event.get("name"), event.get("englishName"))
        for item in events
        if isinstance(item, dict) and isinstance(event := item.get("event"), dict)
    ]
    question = f"offering API: language {settings.language}"
    if not names:
        return Answer(question=question, verdict="warning", found="no event to judge by", action="ask again later")
    localized = sum(name != english for name, english in names)
    if settings.language.startswith("en") or localized:
        return Answer(question=question, verdict="ok", found=f"{localized} of {len(names)} names differ from English")
    action = "check TRICAST_KAMBI__LANGUAGE: `en` and `en_GB` are different languages to Kambi"
    return Answer(question=question, verdict="warning", found="every name is the English one", action=action)


async def _examples(session: aiohttp.ClientSession, settings: KambiSettings) -> AsyncIterator[Answer]:
    for name, side in EXAMPLES.items():
        for statistics_type in STATISTICS_TYPES if name == "EventStatsUpdated" else ("",):
            query = {"mockData": "true"}
            query |= {"lang": settings.language} if side == "language" else {}
            query |= {"eventStatsType": statistics_type} if statistics_type else {}
            question = f"push example: {name}" + (f" ({statistics_type})" if statistics_type else "")
            try:
                status, body = await _get(session, settings, f"push-examples/{name}", query)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
                yield Answer(question=question, verdict="warning", found=words(error))
                continue
            if status != 200:
                yield Answer(question=question, verdict="warning", found=f"HTTP {status}: {short(body)}")
            else:
                yield _read(question, body)


def _read(question: str, body: Any) -> Answer:
    """Return whether our models read an example, which may be a message or a bulk of them."""
    action = "send this message to whoever maintains schemas/kambi/wire.py"
    kinds = []
    for message in body if isinstance(body, list) else [body]:
        child = read_child(json.dumps(message).encode())
        found = child if isinstance(child, Unreadable) else normalize(child, vendor_time_ms(child.t))
        if isinstance(found, Unreadable):
            said = f"{found.code}: {found.detail}: {short(message)}"
            return Answer(question=question, verdict="failed", found=said, action=action)
        kinds += [type(candidate).__name__ for candidate in found]
    return Answer(question=question, verdict="ok", found=", ".join(kinds))


# -- common -----------------------------------------------------------------------------------------------------------


async def _get(
    session: aiohttp.ClientSession, settings: KambiSettings, path: str, query: dict[str, str]
) -> tuple[int, Any]:
    url = f"{settings.offering_url}/offering/v2018/{settings.offering}/{path}"
    async with session.get(url, params=query) as response:
        body = await response.read()
        try:
            return response.status, json.loads(body)
        except (ValueError, RecursionError):
            return response.status, body.decode(errors="replace")
