"""The referral desk: where bets come in and wait, and from which decisions go out when they are due."""

import heapq
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final, Protocol

from simulators.ledger import Ledger
from simulators.rms.approvals import approval
from simulators.rms.bets import Bet, Book, Decision, Disposition, Json
from simulators.rms.ledger import Line
from simulators.rms.trader import Move, Trader

_S: Final = 1_000_000_000
_NO_CODE: Final = "000000000-0000000000"


class Announce(Protocol):
    """Hands a packet to the room of a customer and platform; returns how many connections were in it."""

    def __call__(self, customer: str, platform: int, packet: str, decision: int) -> int: ...


class Desk:
    """All bets, and all that is still to be decided.

    Args:
        book: Where bets are kept.
        trader: Who decides.
        announce: How it is told.
        ledger: Where the truth is written down.
        clock: Tells UTC ns.
    """

    def __init__(
        self, book: Book, trader: Trader, announce: Announce, ledger: Ledger, clock: Callable[[], int]
    ) -> None:
        self.book = book
        self._trader = trader
        self._announce = announce
        self._ledger = ledger
        self._clock = clock
        self._moves: list[tuple[int, int, Bet, Move]] = []
        self._sequence = count()
        self._bets = 0
        self._decisions = 0
        self._last_code = _NO_CODE

    @property
    def waiting(self) -> int:
        """Decisions that are still to be said."""
        return len(self._moves)

    @property
    def decisions(self) -> int:
        """Decisions that were said, ignoring among them."""
        return self._decisions

    def place(
        self,
        customer: str,
        platform: int,
        slip: Json,
        *,
        disposition: Disposition | None = None,
        moves: Sequence[Move] | None = None,
    ) -> Bet:
        """Take a bet in.

        Args:
            customer: Whose.
            platform: Where.
            slip: The place-bet request.
            disposition: What becomes of it at once; drawn when ``None``.
            moves: What the trader will say if it is referred; drawn when ``None``.
        """
        self._bets += 1
        now_ns = self._clock()
        bet = self.book.add(
            customer=customer,
            platform=platform,
            slip=slip,
            disposition=disposition or self._trader.disposition(self._bets),
            now_ns=now_ns,
        )
        self._ledger.append(
            Line(
                kind="bet",
                at_ns=now_ns,
                customer=customer,
                platform=platform,
                bet=bet.code,
                slip=bet.slip_id,
                disposition=bet.disposition,
            )
        )
        if bet.disposition == "referred":
            for move in self._trader.plan(bet) if moves is None else moves:
                heapq.heappush(self._moves, (now_ns + int(move.after_s * _S), next(self._sequence), bet, move))
        return bet

    def tick(self) -> None:
        """Say what is due."""
        now_ns = self._clock()
        while self._moves and self._moves[0][0] <= now_ns:
            _, _, bet, move = heapq.heappop(self._moves)
            if self.book.by_code(bet.code) is bet:  # forgotten ones are never decided
                self.decide(bet, move)

    def decide(self, bet: Bet, move: Move) -> Decision:
        """Say ``move`` about ``bet`` now."""
        self._decisions += 1
        number, now_ns = self._decisions, self._clock()
        packet = None
        reached = 0
        if move.outcome != "ignore":
            packet = approval(bet, move, now_ns, other_code=self._last_code)
            reached = self._announce(bet.customer, bet.platform, packet, number)
            self._last_code = bet.code
        decision = Decision(number=number, outcome=move.outcome, at_ns=now_ns, reached=reached)
        bet.decisions.append(decision)
        self._ledger.append(
            Line(
                kind="decision",
                at_ns=now_ns,
                decision=number,
                customer=bet.customer,
                platform=bet.platform,
                bet=bet.code,
                slip=bet.slip_id,
                outcome=move.outcome,
                stands=bet.stands,
                turn=len(bet.decisions),
                reached=reached,
            )
        )
        if packet is not None and reached == 0:
            self._ledger.append(
                Line(
                    kind="lost",
                    at_ns=now_ns,
                    packet=packet,
                    decision=number,
                    fault="no-socket",
                    customer=bet.customer,
                    platform=bet.platform,
                )
            )
        return decision
