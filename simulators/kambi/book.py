"""What a match offers right now, and what happens in it: pure values between the matches and the offering."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal, Protocol

Reach = Literal["listed", "extended", "event"]
"""Widest channel a bet offer rides on: general, extended general, or its event's own only."""

LivePart = Literal["clock", "score", "statistics"]
"""What a match tells whole, each time anew."""

Action = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One criterion with its bet offer type, as the vendor's catalogue would hold it.

    Attributes:
        starting_price: All its outcomes are at the starting price, odds -1.
        combined: Two-part outcomes (scorecast): ``outcomes`` stays empty, and its odds never move.
        decided_when_gone: A bet offer that is quoted no more is decided, not just too one-sided.
        each_way: Fraction (thousandths) and places of an each-way bet.
    """

    criterion_id: int
    label: str
    type_id: int
    type_name: str
    reach: Reach = "event"
    main: bool = False
    lifetime: str | None = None
    occurrence: str | None = None
    starting_price: bool = False
    combined: bool = False
    decided_when_gone: bool = False
    each_way: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One runner of a race."""

    id: int
    name: str
    start_number: int
    driver: str
    form: str
    age: int
    scratched: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """One outcome to offer; ``line`` in thousandths; ``participant`` in races."""

    label: str
    type: str
    probability: float
    line: int | None = None
    participant: Participant | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A part of the live data is other than before; it is to be read from the match."""

    part: LivePart


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurred:
    """Something that the vendor's match occurrences name; MODIFIED and DELETED mean the last one of its type.

    Attributes:
        type_id: The sheet's ``occurrenceTypeId``.
        fields: Further fields of the sheet's Occurrence.
    """

    type_id: str
    action: Action
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Something for the vendor's pitch picture: further fields of the sheet's Visualization."""

    type_id: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A live statistic has a new value: a count, or a percentage."""

    type_id: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A line for the ticker."""

    type: str
    minute: int
    message: str


Happening = Incident | Told | Occurred | Seen | Counted | Reported


class Match(Protocol):
    """A running match: knows the game, not the bet offers. Bodies are without ``version``: the event gives it."""

    @property
    def finished(self) -> bool: ...

    def advance(self, elapsed_ms: float, chance: Random) -> Sequence[Happening]:
        """Play on for ``elapsed_ms``; return what happened, in order, an incident before what it led to."""
        ...

    def quotes(self) -> Sequence[Quote]:
        """Return every bet offer that should be open now, always at least the main one."""
        ...

    def clock(self) -> dict[str, Any] | None:
        """Return the sheet's MatchClock, if the sport has one."""
        ...

    def score(self) -> dict[str, Any] | None:
        """Return the sheet's Score, if the sport has one."""
        ...

    def statistics(self) -> dict[str, Any] | None:
        """Return the sheet's Statistics, if the sport has them."""
        ...


NO_SCORE: dict[str, Any] = {"home": "", "away": "", "who": "UNKNOWN"}
"""The score is always there, empty when there is none (sheet, section 8)."""


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


def spread(market: Market, line: int, home: float) -> Quote:
    """Return a handicap quote: the two outcomes have opposite signs; ``line`` is the home side's, thousandths."""
    return Quote(
        market=market,
        part=line,
        selections=(
            Selection(label="1", type="OT_ONE", probability=home, line=line),
            Selection(label="2", type="OT_TWO", probability=1 - home, line=-line),
        ),
    )


def two_way(
    market: Market,
    part: int,
    first: float,
    labels: tuple[str, str] = ("1", "2"),
    types: tuple[str, str] = ("OT_ONE", "OT_TWO"),
) -> Quote:
    """Return a quote of two outcomes without a line."""
    return Quote(
        market=market,
        part=part,
        selections=(
            Selection(label=labels[0], type=types[0], probability=first),
            Selection(label=labels[1], type=types[1], probability=1 - first),
        ),
    )
