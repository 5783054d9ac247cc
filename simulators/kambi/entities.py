"""Events, bet offers and outcomes as the simulator holds them. ``bodies`` writes them as the vendor does."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from simulators.kambi.book import Market, Match, Participant

EventState = Literal["NOT_STARTED", "STARTED", "FINISHED"]
OutcomeStatus = Literal["OPEN", "SUSPENDED", "SETTLED"]
Sport = Literal["FOOTBALL", "TENNIS", "BASKETBALL", "GALLOPS"]

STARTING_PRICE = -1
"""Odds of an outcome that is settled at the starting price (sheet, section 9)."""

_KEPT = 20
"""Latest occurrences and ticker lines that the HTTP API still shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When something happens.

    Attributes:
        game_ms: Simulated time, on which pauses and durations are measured.
        now_ms: The vendor's clock, epoch milliseconds: ``t``, versions, dates.
    """

    game_ms: float
    now_ms: int


@dataclass(slots=True, kw_only=True)
class Outcome:
    """One outcome; odds and line in thousandths, odds ``None`` when it cannot be bet on.

    Attributes:
        reopen_ms: Suspended until then (game time) when set.
    """

    id: int
    offer_id: int
    label: str
    type: str
    odds: int | None
    changed_ms: int
    line: int | None = None
    status: OutcomeStatus = "OPEN"
    reopen_ms: float | None = None
    participant: Participant | None = None

    @property
    def movable(self) -> bool:
        """Whether a trader would move its odds."""
        return self.status == "OPEN" and self.odds != STARTING_PRICE


@dataclass(slots=True, kw_only=True)
class Offer:
    """One bet offer, the ``part``-th of its market; outcomes by (type, label).

    Attributes:
        resume_ms: Suspended until then (game time) when set.
        show_ms: Hidden until then (game time) when set.
        parts: Players and results of a scorecast, which it has instead of outcomes.
        combinations: Pairs of these with the odds of both together.
        told_ms: When it or one of its outcomes was last told whole, the vendor's clock.
    """

    id: int
    event_id: int
    market: Market
    part: int
    outcomes: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    resume_ms: float | None = None
    show_ms: float | None = None
    parts: list[Outcome] = field(default_factory=list)
    combinations: list[tuple[Outcome, Outcome, int]] = field(default_factory=list)
    told_ms: int = 0

    @property
    def suspended(self) -> bool:
        return self.resume_ms is not None

    @property
    def visible(self) -> bool:
        return self.show_ms is None

    @property
    def named(self) -> list[Outcome]:
        """Its outcomes, those that are parts of combinations too."""
        return [*self.outcomes.values(), *self.parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """Who plays whom, where; made up. A race has no sides but ``participants`` and a ``meeting``."""

    sport: Sport
    name: str
    group: str
    group_id: int
    home: str | None = None
    away: str | None = None
    participants: tuple[Participant, ...] = ()
    meeting: str | None = None


@dataclass(slots=True)
class Live:
    """What was last told of a live event: push said it, HTTP shows the same."""

    clock: dict[str, Any] | None = None
    score: dict[str, Any] | None = None
    statistics: dict[str, Any] | None = None
    description: str | None = None
    visualization: dict[str, Any] | None = None
    counts: dict[str, int] = field(default_factory=dict)
    occurrences: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    tickers: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    version: int = 0


@dataclass(slots=True, kw_only=True)
class Event:
    """One event; bet offers by (criterion id, part).

    Attributes:
        opened: Whether the event ever went live: until then its bet offers are pre-match ones, which push never tells.
        requote_ms: When the trader next prices the whole book, game time.
        wake_ms: When the first of its timers (repricing, suspensions, hidden offers, outcomes, delay) ends, game time.
        delay_ms: When its start is taken back, game time.
        restart_ms: When it starts again after that, game time.
        ends_ms: When it leaves the offering, game time.
        held: Outcomes that are suspended for a while, with their bet offers.
        unsettled: Outcomes that left the offering undecided, and their bet offers.
    """

    id: int
    fixture: Fixture
    start_ms: int
    match: Match
    state: EventState = "NOT_STARTED"
    opened: bool = False
    live: Live = field(default_factory=Live)
    offers: dict[tuple[int, int], Offer] = field(default_factory=dict)
    requote_ms: float = 0
    wake_ms: float = 0
    delay_ms: float = math.inf
    restart_ms: float = math.inf
    ends_ms: float | None = None
    held: list[tuple[Offer, Outcome]] = field(default_factory=list)
    unsettled: dict[int, int] = field(default_factory=dict)

    def holds(self, offer: Offer) -> bool:
        """Whether ``offer`` is still in the offering."""
        return self.offers.get((offer.market.criterion_id, offer.part)) is offer

    @property
    def main_offer(self) -> Offer:
        """The bet offer that live/open shows; every event has one."""
        return next(offer for offer in self.offers.values() if offer.market.main)
