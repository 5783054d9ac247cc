"""One polite client for the REST API: what it answered is a finding, never an exception (fact sheet §2, §10)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import aiohttp
import msgspec
from yarl import URL

from connectors.clock import Clock
from connectors.fastpath.protocol import ACCEPT, shown
from connectors.retry_after import retry_after_s
from connectors.trust import told

_CHUNK_BYTES: Final = 64 * 1024
_ERROR_BYTES: Final = 16 * 1024
"""What is read of an error's body: it is for people, and a proxy's page may be long."""
_SLACK: Final = 1.1
"""Requests are sent that much further apart than the budget asks for: on the way they may draw closer."""
_LONGEST_PAUSE_S: Final = 30.0
"""After 429 without a time, seconds; the first pause has two, each further one in a row double."""
_MOST_BODY_BYTES: Final = 16 * 1024 * 1024

_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 200, 401, 403, 404, 429
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole JSON document with status 200 that is no error: an object or an array."""

    document: dict[str, Any] | list[Any]


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """The token is wrong, or (403) it does not cover what was asked for: asking again changes nothing."""

    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """404: the API has no such path or no such fixture."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Any other status, or an error in a body of status 200; no request is made before ``retry_after_s`` are over."""

    status: int
    detail: str
    retry_after_s: float = 0.0


Fault = Literal["network", "timeout", "truncated", "too-large", "not-json"]


@dataclass(frozen=True, slots=True)
class Broken:
    """No whole answer came, or none of the API's."""

    fault: Fault
    detail: str


Finding = Answer | Unauthorised | NotFound | Refused | Broken


class Budget(Protocol):
    """What handshakes and requests of this process share."""

    async def take(self) -> None:
        """Return when one more may be made; it counts from then on."""
        ...


class FastpathRest:
    """GETs below the REST host, at even distances and within the budget of the process.

    Args:
        session: HTTP client session.
        base_url: REST host, e.g. ``https://dde-api.data.srarena.io``.
        token: The vendor's token, as for sockets.
        budget: Shared with the handshakes of this process.
        requests_per_second: What the budget allows, to spread requests within it.
        timeout_s: From the request to the last byte, seconds.
        clock: Waits.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        token: str,
        budget: Budget,
        requests_per_second: int,
        timeout_s: float,
        clock: Clock,
    ) -> None:
        self._session = session
        self._base_url = base_url
        self._token = token
        self._headers = {
            "Accept": ACCEPT,
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip, deflate",
        }
        self._budget = budget
        self._distance_s = _SLACK / requests_per_second
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._clock = clock
        self._free_s = clock.monotonic_s()
        self._too_many = 0
        self._turn = asyncio.Lock()  # wakes waiters in the order they came

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Finding:
        """Ask once for ``path`` (without leading slash), when it is this request's turn."""
        async with self._turn:
            while (wait_s := self._free_s - self._clock.monotonic_s()) > 0:
                await self._clock.sleep(wait_s)
            await self._budget.take()
            self._free_s = self._clock.monotonic_s() + self._distance_s
        try:
            async with self._session.get(
                URL(f"{self._base_url}/{path}").update_query(query or {}),
                headers=self._headers,
                timeout=self._timeout,
                allow_redirects=False,  # a hop is a request of its own, and the token is not for other hosts
            ) as response:
                return await self._read(response)
        except TimeoutError:
            return Broken("timeout", f"no whole answer within {self._timeout.total:g} s")
        except aiohttp.ClientPayloadError as error:
            return Broken("truncated", self.shown(str(error)))
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: what no header can carry
            return Broken("network", self.shown(told(error)))

    def shown(self, text: str) -> str:
        """Return ``text`` of the server for people, see :func:`protocol.shown`."""
        return shown(text, self._token)

    # -- private -----------------------------------------------------------------------------------------------------

    async def _read(self, response: aiohttp.ClientResponse) -> Finding:
        status = response.status
        if status != _OK:
            text = await _some_of(response)
            return self._refused(status, error_in(_decoded(text)) or (0, text.decode(errors="replace")), response)
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > _MOST_BODY_BYTES:
                response.close()  # what is left is not read, so the connection cannot be used again
                return Broken("too-large", f"more than {_MOST_BODY_BYTES} bytes")
        document = _decoded(bytes(body))
        if not isinstance(document, dict | list):
            return Broken("not-json", f"it begins with {self.shown(body.decode(errors='replace'))[:60]!r}")
        if (error := error_in(document)) is not None:
            return self._refused(status, error, response)
        self._too_many = 0
        return Answer(document)

    def _refused(self, status: int, error: tuple[int, str], response: aiohttp.ClientResponse) -> Finding:
        told, detail = error
        status, detail = told or status, self.shown(detail)
        # The documented text for a bad token comes with a status that is not documented.
        names_the_token = "authenticat" in detail.lower() and status < _SERVER_ERROR and status != _TOO_MANY
        if status in {_UNAUTHORIZED, _FORBIDDEN} or names_the_token:
            return Unauthorised(_FORBIDDEN if status == _FORBIDDEN else _UNAUTHORIZED, detail)
        if status == _NOT_FOUND:
            return NotFound(detail)
        wait_s = retry_after_s(response.headers.get("Retry-After", ""), now_ns=self._clock.now_ns())
        if status == _TOO_MANY:
            self._too_many += 1
            wait_s = wait_s or min(2.0**self._too_many, _LONGEST_PAUSE_S)
        # Said to one request, meant for all.
        self._free_s = max(self._free_s, self._clock.monotonic_s() + wait_s)
        return Refused(status=status, detail=detail, retry_after_s=wait_s)


def error_in(document: Any) -> tuple[int, str] | None:
    """Return status (0: not named) and text of an error body, in either of the documented shapes."""
    if not isinstance(document, dict):
        return None
    message = document.get("errorMessage") or document.get("error")
    if not message:
        return None
    status = document.get("status")
    if not isinstance(status, int) or isinstance(status, bool) or not _CLIENT_ERROR <= status < 600:
        status = 0
    return (status, message if isinstance(message, str) else repr(message))


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def _some_of(response: aiohttp.ClientResponse) -> bytes:
    text = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        text += chunk
        if len(text) >= _ERROR_BYTES:
            response.close()
            break
    return bytes(text[:_ERROR_BYTES])
