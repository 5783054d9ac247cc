"""The bet API as the platform uses it: place a bet, politely and at most for so long, then ask how it stands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from simulators.bets.calls import Calls
from simulators.bets.patience import Patience
from simulators.bets.tokens import Tokens
from simulators.bets.verdict import Again, Found, detailed, given_up, placing

_PLACE_BET: Final = "/cart/place-bet"
_BET_DETAIL: Final = "/bet/detail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What came of placing a bet.

    Attributes:
        found: What became of it.
        tries: Calls of place-bet it took.
        status: HTTP status of the last; 0 or ``None`` when there was none.
    """

    found: Found
    tries: int
    status: int | None


class BetApi:
    """Places bets of one customer.

    Args:
        calls: How the vendor is called.
        bets_url: Base URL.
        tokens: Of the customer.
        give_up_s: How long one bet is tried, seconds.
        monotonic_s: Tells how long.
        patience: Makes the waits between tries.
    """

    def __init__(
        self,
        calls: Calls,
        bets_url: str,
        tokens: Tokens,
        *,
        give_up_s: float,
        monotonic_s: Callable[[], float],
        patience: Callable[[], Patience],
    ) -> None:
        self._calls = calls
        self._bets_url = bets_url
        self._tokens = tokens
        self._give_up_s = give_up_s
        self._monotonic_s = monotonic_s
        self._patience = patience

    async def ready(self) -> None:
        """Return when there is a token: no bet is taken from a player before."""
        await self._tokens.bearer()

    async def place(self, slip: Mapping[str, Any]) -> Placed:
        """Place ``slip``; without the status of bet/detail, ``unknown`` is all that place-bet tells of a taken bet."""
        until_s = self._monotonic_s() + self._give_up_s
        patience = self._patience()
        may_be_placed = False
        tries = 0
        while True:
            tries += 1
            bearer = await self._tokens.bearer()
            reply = await self._calls.post(self._bets_url + _PLACE_BET, slip, bearer=bearer)
            said = placing(reply, may_be_placed=may_be_placed)
            if isinstance(said, Again):
                may_be_placed |= said.may_be_placed
                if said.token_is_bad:
                    self._tokens.refused(bearer)
                wait_s = patience.next_s(reply.retry_after_s)
                if self._monotonic_s() + wait_s < until_s:
                    await patience.rest(wait_s)
                    continue
                said = given_up(may_be_placed=may_be_placed)
            return Placed(found=said, tries=tries, status=reply.status)

    async def ask(self, found: Found) -> Found:
        """Return what bet/detail knows of a bet that was taken; asked once, for the vendor counts requests."""
        bearer = await self._tokens.bearer()
        reply = await self._calls.post(self._bets_url + _BET_DETAIL, {"code": found.code}, bearer=bearer)
        return detailed(found, reply)
