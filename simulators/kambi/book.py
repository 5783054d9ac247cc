"""What a match offers right now, and what happens in it: pure values between the matches and the offering."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, Protocol

Reach = Literal["listed", "extended", "event"]
"""Widest channel a bet offer rides on: general, extended general, or its event's own only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One criterion with its bet offer type, as the vendor's catalogue would hold it."""

    criterion_id: int
    label: str
    type_id: int
    type_name: str
    reach: Reach = "event"
    main: bool = False
    lifetime: str | None = None
    occurrence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One outcome to offer; ``line`` in thousandths."""

    label: str
    type: str
    probability: float
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One bet offer to have open: a market and which of its parts (line, game number, goal number)."""

    market: Market
    part: int
    selections: tuple[Selection, ...]

    @property
    def key(self) -> tuple[int, int]:
        """What makes two quotes the same bet offer."""
        return self.market.criterion_id, self.part


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something on the pitch that makes the trader suspend.

    Attributes:
        criteria: Criterion ids to suspend; every bet offer of the event when ``None``.
        pause_ms: How long until new odds are out.
    """

    criteria: frozenset[int] | None
    pause_ms: int


class Match(Protocol):
    """A running match: knows the game, not the bet offers."""

    @property
    def finished(self) -> bool: ...

    def advance(self, elapsed_ms: int, chance: Random) -> Incident | None:
        """Play on for ``elapsed_ms``; return what makes the trader suspend."""
        ...

    def quotes(self) -> Sequence[Quote]:
        """Return every bet offer that should be open now, always at least the main one."""
        ...

    def live_data(self, event_id: int) -> dict[str, Any]:
        """Return the sheet's LiveData."""
        ...


def pair(market: Market, line: int, over: float, labels: tuple[str, str], types: tuple[str, str]) -> Quote:
    """Return a two-way quote whose outcomes share ``line`` (thousandths); ``over`` is the first one's probability."""
    return Quote(
        market=market,
        part=line,
        selections=(
            Selection(label=labels[0], type=types[0], probability=over, line=line),
            Selection(label=labels[1], type=types[1], probability=1 - over, line=line),
        ),
    )
