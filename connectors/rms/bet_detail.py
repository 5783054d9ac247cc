"""bet/detail over HTTP (fact sheet §8.2): what came of a request is a finding, never an exception."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import parse_qsl, quote

import aiohttp
import msgspec

from connectors.clock import Clock
from connectors.retry_after import retry_after_s
from connectors.rms.lookup_queue import Bet
from connectors.rms.ports import Bearer
from connectors.trust import told

_PATH: Final = "bet/detail"
_MOST_BYTES: Final = 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024

_UNAUTHORIZED, _TOO_MANY = 401, 429
_OK: Final = range(200, 300)
_CLIENT_ERRORS: Final = range(400, 500)
_NOT_OF_THE_BET: Final = frozenset({_UNAUTHORIZED, 403, 407, 408, 425, _TOO_MANY})
"""Client errors that mean who asks, or when, not what was asked for."""

Meaning = Literal["answer", "token", "limit", "failure"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A whole answer, whatever is in it.

    Attributes:
        status: HTTP status.
        body: Exact bytes after content decoding.
        requested_ns: When the request was sent, UTC nanoseconds.
        received_ns: When all of the answer was there.
        retry_after_s: What the server asks for; 0: nothing.
    """

    status: int
    body: bytes
    requested_ns: int
    received_ns: int
    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Broken:
    """No whole answer came."""

    fault: Literal["network", "timeout", "truncated", "too-large"]
    detail: str


def meaning(status: int, body: bytes) -> Meaning:
    """Return what an answer is about: the bet (also that there is none), our token, how often we ask, or nothing."""
    if status in _OK:
        return "answer" if _is_object(body) else "failure"
    if status == _UNAUTHORIZED:
        return "token"
    if status == _TOO_MANY:
        return "limit"
    return "answer" if status in _CLIENT_ERRORS and status not in _NOT_OF_THE_BET else "failure"


def position_of(bet: Bet) -> str:
    """Return how raw records name the request for ``bet``."""
    return f"{_PATH}?code={quote(bet.code, safe='')}&slip={quote(bet.slip, safe='')}"


def bet_at(position: str) -> Bet | None:
    """Return the bet that a raw record's position names; ``None`` when it names none."""
    path, _, query = position.partition("?")
    try:
        named = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=8))
    except ValueError:
        return None
    return Bet(named["slip"], named["code"]) if path == _PATH and named.keys() >= {"slip", "code"} else None


class BetDetail:
    """Asks for bets; each call is one request and follows no redirect.

    Args:
        session: HTTP client session.
        base_url: The bet API.
        timeout_s: From the request to the last byte, seconds.
        redacted: Takes secrets out of what is shown.
        clock: Stamps requests and answers.
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
        self._url = f"{base_url}/{_PATH}"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._redacted = redacted
        self._clock = clock

    async def ask(self, bet: Bet, bearer: Bearer) -> Answered | Broken:
        """Ask once for the state of ``bet``."""
        requested_ns = self._clock.now_ns()
        try:
            async with self._session.post(
                self._url,
                json={"code": bet.code},
                headers={"Authorization": f"Bearer {bearer.text}", "Accept": "application/json"},
                timeout=self._timeout,
                allow_redirects=False,  # the token is not for other hosts
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        response.close()  # what is left is not read, so the connection cannot be used again
                        return Broken("too-large", f"more than {_MOST_BYTES} bytes")
                received_ns = self._clock.now_ns()
                return Answered(
                    status=response.status,
                    body=bytes(body),
                    requested_ns=requested_ns,
                    received_ns=received_ns,
                    retry_after_s=retry_after_s(response.headers.get("Retry-After", ""), now_ns=received_ns),
                )
        except TimeoutError:
            return Broken("timeout", f"no whole answer within {self._timeout.total:g} s")
        except aiohttp.ClientPayloadError as error:
            return Broken("truncated", self._redacted(str(error)))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Broken("network", self._redacted(told(error)))


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
