"""One polite client for the offering HTTP API: what it answered is a finding, never an exception."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import aiohttp
from yarl import URL

from connectors.clock import Clock
from connectors.retry_after import retry_after_s
from connectors.trust import told

_CHUNK_BYTES: Final = 64 * 1024
_MOST_REDIRECTS: Final = 3
_VALIDATORS: Final = 10_000
"""Requests whose validators are kept: 500 events make some 200."""
_LONGEST_VALIDATOR: Final = 200
_OLDEST_AGE_S: Final = 86_400

_ASKED_FOR: Final = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}

_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole body with status 200 or 404, whatever is in it.

    Attributes:
        position: Path and query of the request below the offering.
        status: 200 or 404.
        body: Exact bytes after content decoding.
        requested_ns: The body says nothing older than that, UTC nanoseconds: when the request was sent, less the age
            that a cache on the way gave the body (RFC 9111 §5.1).
        received_ns: When all of it was there, UTC nanoseconds.
        content_type: Media type, without parameters; ``application/octet-stream`` when there was none.
        validators: What to send to have it answered by "not modified"; see :meth:`OfferingHttp.remember`.
    """

    position: str
    status: int
    body: bytes
    requested_ns: int
    received_ns: int
    content_type: str
    validators: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unchanged:
    """304: the body is what it was when its validators were remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A status that gives no body to record: 406, 429, 5xx …; ``retry_after_s`` is 0 when the server named no time."""

    status: int
    retry_after_s: float


Fault = Literal["network", "timeout", "truncated", "too-large", "redirects"]


@dataclass(frozen=True, slots=True)
class Broken:
    """No whole answer came."""

    fault: Fault
    detail: str


Finding = Answer | Unchanged | Refused | Broken


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remembered:
    """The last recorded body of a request.

    Attributes:
        digest: Of the body.
        since_ns: When it was first seen, UTC nanoseconds.
        settled: It was recorded again later.
        until_s: When it is asked for in full again, monotonic seconds.
        validators: What to send.
    """

    digest: bytes
    since_ns: int
    settled: bool
    until_s: float
    validators: Mapping[str, str]


class OfferingHttp:
    """GETs below ``/offering/v2018/<offering>/``.

    Args:
        session: HTTP client session, shared with the sockets.
        base_url: Offering API, e.g. ``https://eu-offering-api.kambicdn.com``.
        offering: Offering identifier.
        clock: Stamps requests and answers.
        max_body_bytes: Bound of a body after decoding: what a raw record holds.
        timeout_s: From the request to the last byte, seconds.
        trust_s: How long validators are used, seconds. Equal bodies do not mean that nothing was pushed between them:
            where push told a change and lost its taking back, only a whole answer shows it.
        settle_s: How much later an equal body has to be recorded before validators are used, seconds.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        base_url: str,
        offering: str,
        clock: Clock,
        max_body_bytes: int,
        timeout_s: float,
        trust_s: float,
        settle_s: float,
    ) -> None:
        self._session = session
        self._root = f"{base_url}/offering/v2018/{offering}/"
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._trust_s = trust_s
        self._settle_ns = round(settle_s * 1_000_000_000)
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    async def get(self, position: str, *, conditional: bool) -> Finding:
        """Ask once for ``position``; ``conditional``: "not modified since what was remembered" is answer enough."""
        headers = dict(_ASKED_FOR)
        if conditional:
            headers.update(self._validators(position))
        requested_ns = self._clock.now_ns()
        try:
            async with self._session.get(
                URL(self._root + position, encoded=True),
                headers=headers,
                timeout=self._timeout,
                max_redirects=_MOST_REDIRECTS,
            ) as response:
                return await self._read(response, position, requested_ns)
        except TimeoutError:
            return Broken("timeout", f"no whole answer within {self._timeout.total:g} s")
        except aiohttp.TooManyRedirects:
            return Broken("redirects", f"more than {_MOST_REDIRECTS} redirects")
        except aiohttp.ClientPayloadError as error:
            return Broken("truncated", str(error))
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: a Location that is no URL
            return Broken("network", told(error))

    def remember(self, answer: Answer) -> None:
        """Note that ``answer`` was recorded; once the same body was recorded twice, ask conditionally.

        Once is not enough: what push changed around the request is not compared with that answer, and only a later one,
        though equal, settles it. After that a 304 needs no record.
        """
        before = self._remembered.pop(answer.position, None)
        if not answer.validators:
            return
        digest = hashlib.blake2b(answer.body, digest_size=16).digest()
        since_ns = answer.requested_ns if before is None or before.digest != digest else before.since_ns
        self._remembered[answer.position] = _Remembered(
            digest=digest,
            since_ns=since_ns,
            settled=before is not None and answer.requested_ns - since_ns >= self._settle_ns,
            until_s=self._clock.monotonic_s() + self._trust_s,
            validators=answer.validators,
        )
        if len(self._remembered) > _VALIDATORS:
            self._remembered.popitem(last=False)

    # -- private -----------------------------------------------------------------------------------------------------

    def _validators(self, position: str) -> Mapping[str, str]:
        known = self._remembered.get(position)
        if known is None or not known.settled or self._clock.monotonic_s() >= known.until_s:
            return {}
        return known.validators

    async def _read(self, response: aiohttp.ClientResponse, position: str, requested_ns: int) -> Finding:
        sent = response.request_info.headers
        if response.status == _NOT_MODIFIED and ("If-None-Match" in sent or "If-Modified-Since" in sent):
            return Unchanged()
        if response.status not in {_OK, _NOT_FOUND}:
            wish = response.headers.get("Retry-After", "")
            return Refused(status=response.status, retry_after_s=retry_after_s(wish, now_ns=self._clock.now_ns()))
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_body_bytes:
                response.close()  # what is left is not read, so the connection cannot be used again
                return Broken("too-large", f"more than {self._max_body_bytes} bytes")
        return Answer(
            position=position,
            status=response.status,
            body=bytes(body),
            requested_ns=requested_ns - _age_s(response) * 1_000_000_000,
            received_ns=self._clock.now_ns(),
            content_type=response.content_type,
            validators=_validators_of(response),
        )


def _age_s(response: aiohttp.ClientResponse) -> int:
    text = response.headers.get("Age", "").strip()
    return min(int(text[:9]), _OLDEST_AGE_S) if text.isascii() and text.isdecimal() else 0


def _validators_of(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    pairs = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
    offered = ((ours, response.headers.get(theirs, "")) for ours, theirs in pairs)
    # What no request could carry back is not kept.
    return {
        name: value
        for name, value in offered
        if value and len(value) <= _LONGEST_VALIDATOR and value.isascii() and value.isprintable()
    }
