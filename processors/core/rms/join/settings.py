"""How long the join waits for what, and how much it asks."""

from dataclasses import dataclass
from typing import Final

SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinSettings:
    """Spans of a customer's time, ns, and a limit.

    Attributes:
        window_prematch_ns: How long a trader may take for a prematch bet.
        window_live_ns: The same for every other context.
        orphan_ns: After this, evidence without bet is told.
        verify_ns: How long a look-up may take when a window ended in doubt.
        unanswered_ns: How long a bet waits for place-bet's answer.
        remember_ns: How long what is final is remembered.
        look_ups: How many bets are asked about when a gap ends.
    """

    window_prematch_ns: int
    window_live_ns: int
    orphan_ns: int
    verify_ns: int
    unanswered_ns: int
    remember_ns: int
    look_ups: int

    @property
    def order_ns(self) -> int:
        """How long what another task has to send is awaited. Only a lost state costs more, and that is rare."""
        return self.remember_ns // 2
