"""Which events are live: asked of the offering HTTP API."""

import aiohttp
import msgspec

from schemas.errors import EnvironmentFault


class _Event(msgspec.Struct):
    id: int


class _LiveEvent(msgspec.Struct):
    event: _Event


class _LiveOpen(msgspec.Struct, rename="camel"):
    live_events: list[_LiveEvent]


class DiscoveryFailed(EnvironmentFault):
    """The offering API did not give the live events."""

    code = "discovery-failed"


async def live_events(session: aiohttp.ClientSession, *, offering_url: str, offering: str, language: str) -> list[int]:
    """Return the ids of the live events, in the API's order.

    Raises:
        DiscoveryFailed: No answer, an error status, or not the documented shape.
    """
    url = f"{offering_url}/offering/v2018/{offering}/event/live/open.json"
    try:
        async with session.get(url, params={"lang": language}, timeout=aiohttp.ClientTimeout(total=10)) as response:
            response.raise_for_status()
            body = await response.read()
        return [item.event.id for item in msgspec.json.decode(body, type=_LiveOpen).live_events]
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DiscoveryFailed(f"{url}: {error!r}") from error
