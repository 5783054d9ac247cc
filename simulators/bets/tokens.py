"""The access token of one customer (fact sheet §2): exchanged once, refreshed in time, taken anew when refused."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from simulators.bets.calls import Calls
from simulators.bets.config import BetCustomerSettings
from simulators.bets.patience import Patience

log = logging.getLogger(__name__)

_EXCHANGE: Final = "/identity/resources/auth/v1/api-token"
_REFRESH: Final = "/identity/resources/auth/v2/api-token/token/refresh"
_LIFE_S: Final = 1_800
"""Of a token whose answer does not say (fact sheet §2.2)."""
_FRESH_SHARE: Final = 0.8


class Tokens:
    """Holds the token pair of a customer; one call at a time.

    Args:
        customer: Whose.
        calls: How the vendor is called.
        auth_url: Base URL.
        monotonic_s: Tells the age of tokens.
        patience: Makes the waits between tries.
    """

    def __init__(
        self,
        customer: BetCustomerSettings,
        calls: Calls,
        auth_url: str,
        *,
        monotonic_s: Callable[[], float],
        patience: Callable[[], Patience],
    ) -> None:
        self._customer = customer
        self._calls = calls
        self._auth_url = auth_url
        self._monotonic_s = monotonic_s
        self._patience = patience
        self._access: str | None = None
        self._refresh: str | None = None
        self._fresh_until_s = 0.0
        self._turn = asyncio.Lock()

    async def bearer(self) -> str:
        """Return an access token as soon as there is one."""
        async with self._turn:
            if self._access is None or self._monotonic_s() >= self._fresh_until_s:
                self._access = await self._obtain()
            return self._access

    def refused(self, access: str) -> None:
        """Take note that ``access`` is no good any more."""
        if self._access == access:
            self._access = self._refresh = None

    async def _obtain(self) -> str:
        patience = self._patience()
        while True:
            asked_s = self._monotonic_s()
            reply = await self._calls.post(*self._call())
            body = reply.body if reply.status == 200 and isinstance(reply.body, Mapping) else {}
            access = _text(body, "accessToken", "access_token")
            self._refresh = _text(body, "refreshToken", "refresh_token")
            if access is not None:
                life_s = _seconds(body) or _LIFE_S
                self._fresh_until_s = asked_s + life_s * _FRESH_SHARE
                return access
            # Whatever it was, a refresh token is good for one try: an exchange needs none.
            log.warning(
                "bets.no_token customer=%s status=%s Operator action: if this goes on, check client_id, secret and"
                " auth_url of the bet platform",
                self._customer.customer_id,
                reply.status,
            )
            await patience.rest(patience.next_s(reply.retry_after_s))

    def _call(self) -> tuple[str, Mapping[str, str]]:
        if self._refresh is not None:
            return self._auth_url + _REFRESH, {"refreshToken": self._refresh}
        return self._auth_url + _EXCHANGE, {
            "clientId": self._customer.client_id,
            "secret": self._customer.secret.get_secret_value(),
        }


def _text(body: Mapping[str, Any], *names: str) -> str | None:
    """Return the first usable value; the two calls spell their fields in two ways (fact sheet §2.2)."""
    texts = (body.get(name) for name in names)
    return next(
        (text for text in texts if isinstance(text, str) and text.isascii() and text.isprintable() and text), None
    )


def _seconds(body: Mapping[str, Any]) -> float | None:
    value = body.get("expiresIn", body.get("expires_in"))
    return value if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None
