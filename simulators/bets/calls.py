"""One POST of JSON, and an answer whatever happens."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from simulators.bets.verdict import Reply

_LONGEST_WAIT_S: Final = 900


class Calls:
    """Calls the vendor.

    Args:
        session: Of aiohttp; whoever made it closes it.
        timeout_s: How long one call may take, seconds.
    """

    def __init__(self, session: aiohttp.ClientSession, *, timeout_s: float) -> None:
        self._session = session
        self._timeout_s = timeout_s

    async def post(self, url: str, body: Mapping[str, Any], *, bearer: str | None = None) -> Reply:
        """Return what ``url`` answers; never raises for what the network or the vendor did."""
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._session.post(url, json=body, headers=headers, allow_redirects=False) as answer,
            ):
                text = await answer.read()
                return Reply(status=answer.status, body=_json(text), retry_after_s=_retry_after_s(answer))
        except aiohttp.ClientConnectorError:
            return Reply(status=None)  # no connection, so nothing was sent
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Reply(status=0)


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _retry_after_s(answer: aiohttp.ClientResponse) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(min(int(text), _LONGEST_WAIT_S)) if text.isascii() and text.isdecimal() and len(text) < 10 else 0.0
