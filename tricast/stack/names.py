"""Names of live events from the offering HTTP API: push names an event only when it opens."""

import json

import aiohttp

_TIMEOUT_S = 5.0


async def live_event_names(offering_url: str, offering: str, language: str) -> dict[int, str]:
    """Return names by event id; none when the API does not answer as documented (sheet §7): ids are shown then."""
    url = f"{offering_url}/offering/v2018/{offering}/event/live/open.json"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S), raise_for_status=True) as session,
            session.get(url, params={"lang": language}) as response,
        ):
            events = json.loads(await response.read())["liveEvents"]
        return {item["event"]["id"]: str(item["event"]["name"]) for item in events}
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
        return {}
