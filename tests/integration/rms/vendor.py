"""The simulator's desk by a clock of our own: who placed what, what the trader said, and to whom it was told."""

import json
from collections.abc import Iterator
from typing import Any

from simulators.ledger import Ledger
from simulators.rms.bets import Bet, Book
from simulators.rms.config import RmsCredentialSettings, RmsPlatformSettings, RmsTraderSettings
from simulators.rms.desk import Announce, Desk
from simulators.rms.platform import BetPlatform
from simulators.rms.slips import detail
from simulators.rms.trader import Trader

CUSTOMERS = ("90210", "90211")
WAITING = "reserve"


class Vendor:
    """Takes bets, decides about them, tells whoever listens, and can be asked.

    Args:
        seed: What decides.
        start_ns: When it begins.
        bets_per_second: All customers together.
        trader: How the trader is.
        announce: Who listens.
    """

    def __init__(
        self, *, seed: int, start_ns: int, bets_per_second: float, trader: RmsTraderSettings, announce: Announce
    ) -> None:
        self.now_ns = start_ns
        self._book = Book(seed=seed, start_ns=start_ns, kept=100_000)
        drawn = Trader(trader, seed=seed, referred_share=0.7, rejected_share=0.1)
        self._desk = Desk(self._book, drawn, announce, Ledger(None), lambda: self.now_ns)
        self._platform = BetPlatform(
            RmsPlatformSettings(bets_per_second=bets_per_second, slip_ids="big", same_slip_ids=True),
            [RmsCredentialSettings(client_id=customer, customer_id=customer) for customer in CUSTOMERS],
            seed=seed,
            start_ns=start_ns,
        )

    @property
    def bets(self) -> Iterator[Bet]:
        return self._book.after(0)

    def advance(self, elapsed_ns: int, *, placing: bool) -> list[Bet]:
        """Let time pass; return the bets that were placed."""
        self.now_ns += elapsed_ns
        slips = self._platform.advance(elapsed_ns) if placing else ()
        placed = [self._desk.place(customer, platform, slip) for customer, platform, slip in slips]
        self._desk.tick()
        return placed

    def detail(self, customer: str, code: str) -> tuple[int, bytes]:
        """Return what bet/detail answers: status and body."""
        bet = self._book.by_code(code)
        if bet is None or bet.customer != customer:
            return 404, b'{"result":false,"message":"Bet not found"}'
        answer = detail(bet, WAITING)
        return answer.status, json.dumps(answer.body).encode()


def placed(bet: Bet) -> dict[str, Any]:
    """Return ``bet`` as a bet platform writes it to ``rms.bets``."""
    slip = bet.slip
    return {
        "type": "placed",
        "customer": bet.customer,
        "bet_slip_id": slip["betSlipId"],
        "placed_at": bet.placed_ns // 1_000_000,
        "platform_id": bet.platform,
        "context": slip["betSlipContext"],
        "bet_type": slip["betType"],
        "stake": str(slip["stake"]["totalAmount"]),
        "selections": [
            {
                "event_id": selection["eventId"],
                "market_id": selection["market"]["id"],
                "line": selection["market"]["line"],
                "outcome_id": selection["bet"]["id"],
                "odds": str(selection["bet"]["odds"]),
            }
            for selection in slip["selections"]
        ],
        "user_id": slip["userInfo"]["id"],
    }


def answered(bet: Bet, at_ns: int, *, unknown: bool) -> dict[str, Any]:
    """Return the answer to place-bet as a bet platform writes it, with an ``unknown`` disposition if wanted."""
    return {
        "type": "answered",
        "customer": bet.customer,
        "bet_slip_id": bet.slip["betSlipId"],
        "answered_at": at_ns // 1_000_000,
        "bet_code": bet.code,
        "short_code": bet.short_code,
        "result": bet.answer["result"],
        "disposition": "unknown" if unknown else bet.disposition,
    }
