"""The two calls of the authentication, over HTTP: what came of one is a finding, never an exception."""

from collections.abc import Callable, Mapping
from typing import Final

import aiohttp

from connectors.clock import Clock
from connectors.retry_after import retry_after_s
from connectors.rms.grants import Answer, Failed, read_answer
from connectors.trust import told

EXCHANGE: Final = "/identity/resources/auth/v1/api-token"
REFRESH: Final = "/identity/resources/auth/v2/api-token/token/refresh"

_MOST_BYTES: Final = 256 * 1024
_CHUNK_BYTES: Final = 16 * 1024


class Authentication:
    """Asks for tokens; each call is one request, follows no redirect and is made once.

    Args:
        session: HTTP client session.
        base_url: Host of the authentication.
        timeout_s: From the request to the last byte, seconds.
        redacted: Takes secrets out of what is shown.
        clock: Tells what ``Retry-After`` means.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        timeout_s: float,
        redacted: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._redacted = redacted
        self._clock = clock

    async def exchange(self, client_id: str, secret: str) -> Answer:
        """Ask for the first pair of a chain."""
        return await self._post(EXCHANGE, {"clientId": client_id, "secret": secret})

    async def refresh(self, token: str) -> Answer:
        """Ask for the next pair; ``token`` is used up if the vendor hears this."""
        return await self._post(REFRESH, {"refreshToken": token})

    async def _post(self, path: str, fields: Mapping[str, str]) -> Answer:
        try:
            async with self._session.post(
                self._base_url + path,
                json=fields,
                headers={"Accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,  # what is sent is not for other hosts
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        response.close()  # what is left is not read, so the connection cannot be used again
                        return Failed("too-large")
                wish_s = retry_after_s(response.headers.get("Retry-After", ""), now_ns=self._clock.now_ns())
                return read_answer(response.status, bytes(body), retry_after_s=wish_s)
        except TimeoutError:
            return Failed("timeout")
        except aiohttp.ClientPayloadError:
            return Failed("truncated")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Failed(f"network ({self._redacted(told(error))})")
