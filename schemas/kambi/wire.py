"""Kambi Offering Push messages as they come (fact sheet §6, §13); what they are made of stands in ``shared``."""

from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

from msgspec import Struct, defstruct

from schemas.kambi.shared import (
    MAX_ID,
    BetOffer,
    BetOfferType,
    CombinableOutcomes,
    Criterion,
    Event,
    FootballStatistics,
    Id,
    Int64,
    LiveData,
    MatchClock,
    Name,
    Outcome,
    PathStep,
    Score,
    SetStatistics,
    Statistics,
    TeamStatistics,
)


class EventAdded(Struct, rename="camel", gc=False):
    """``ea``, mt 4."""

    event: Event


class LiveEventOpened(Struct, rename="camel", gc=False):
    """``leo``, mt 5, and an item of ``event/live/open``."""

    event: Event
    live_data: LiveData | None = None
    main_bet_offer: BetOffer | None = None


class BetOfferAdded(Struct, rename="camel", gc=False):
    """``boa``, mt 6; the event id stands here or in the bet offer."""

    bet_offer: BetOffer
    event_id: Id | None = None


class BetOfferRemoved(Struct, rename="camel", gc=False):
    """``bor``, mt 7."""

    bet_offer_id: Id
    event_id: Id | None = None


class BetOfferStatusUpdated(Struct, rename="camel", gc=False):
    """``bosu``, mt 8; ``suspended`` is false and ``visible`` true when missing (§6)."""

    bet_offer_id: Id
    event_id: Id | None = None
    suspended: bool | None = None
    visible: bool | None = None
    cash_out_status: str | None = None


class OutcomesChanged(Struct, rename="camel", gc=False):
    """``boou``, ``booa``, ``boor``, ``osu``, mt 11, 22, 23, 32; ``betOfferId`` stands on the outcome or here (§13)."""

    outcomes: list[Outcome]
    event_id: Id | None = None
    bet_offer_id: Id | None = None


class EventOnly(Struct, rename="camel", gc=False):
    """``er``, ``mcr``, ``abos``, mt 18, 12, 9: what is meant is in the type."""

    event_id: Id | None = None


class EventStateUpdated(Struct, rename="camel", gc=False):
    """``esu``, mt 34; the event id is ``id`` here, ``eventId`` as an alias."""

    state: str
    id: Id | None = None
    event_id: Id | None = None


class MatchClockUpdated(Struct, rename="camel", gc=False):
    """``mcu``, mt 15."""

    match_clock: MatchClock
    event_id: Id | None = None


class EventScoreUpdated(Struct, rename="camel", gc=False):
    """``score``, mt 16."""

    score: Score
    event_id: Id | None = None


class EventStatsUpdated(Struct, rename="camel", gc=False):
    """``stats``, mt 17."""

    statistics: Statistics
    event_id: Id | None = None


class Ticker(Struct, rename="camel", gc=False):
    """A line of live text."""

    id: Id | None = None
    event_id: Id | None = None
    type: Name | None = None
    minute: Int64 | None = None
    message: str | None = None


class TickerUpdated(Ticker, rename="camel", gc=False):
    """``tu``, mt 19: the line itself, or nested under ``ticker`` (§6)."""

    ticker: Ticker | None = None


class EventDescriptionUpdated(Struct, rename="camel", gc=False):
    """``desc``, mt 20; ``null`` or empty takes the description away, a missing one would be another message."""

    description: str | None
    event_id: Id | None = None


class SettledOutcome(Struct, rename="camel", gc=False):
    """An outcome of ``os``."""

    id: Id
    bet_offer_id: Id | None = None
    event_id: Id | None = None
    status: str | None = None


class OutcomesSettled(Struct, rename="camel", gc=False):
    """``os``, mt 24, of which next to nothing is known: objects or bare ids, under one of two names (§6)."""

    outcomes: list[SettledOutcome | Id] | None = None
    outcome_ids: list[SettledOutcome | Id] | None = None
    event_id: Id | None = None
    bet_offer_id: Id | None = None


class Player(Struct, rename="camel", gc=False):
    """A player of an occurrence."""

    id: Id | None = None
    name: str | None = None


class MatchOccurrence(Struct, rename="camel", gc=False):
    """``mo``, mt 25."""

    id: Id
    event_id: Id | None = None
    occurrence_type_id: Name | None = None
    period_id: Name | None = None
    second_in_period: Int64 | None = None
    second_in_match: Int64 | None = None
    second_in_period_added_time: Int64 | None = None
    player: Player | None = None
    player_out: Player | None = None
    additional_properties: list[str] | None = None
    action: str | None = None
    index: Int64 | None = None
    period_index: Int64 | None = None


class Position(Struct, rename="camel", gc=False):
    """A place on the field; ``Decimal`` reads a fraction digit by digit."""

    x: Decimal | None = None
    y: Decimal | None = None
    zone: Name | None = None


class Visualization(Struct, rename="camel", gc=False):
    """What a visualization shows."""

    position: Position | None = None


class VisualizationOccurrence(Struct, rename="camel", gc=False):
    """``vo``, mt 27."""

    id: Id
    event_id: Id | None = None
    occurrence_type_id: Name | None = None
    period_id: Name | None = None
    visualization: Visualization | None = None


class LiveStatistics(Struct, rename="camel", gc=False):
    """``ls``, mt 28; the number is ``value`` on push and ``count`` in HTTP answers, so either (§6)."""

    occurrence_type_id: Name
    event_id: Id | None = None
    value: Int64 | None = None
    count: Int64 | None = None


class Child(Struct, gc=False):
    """One message of a bulk; each type has its own model in ``CHILDREN``, which reads ``element`` from the type's key.

    Attributes:
        mt: Message type.
        element: What the message says, a model of ``ELEMENTS``.
        t: Vendor time, a string or an integer of milliseconds; whatever else it is makes the time unusable, not the
            child.
    """

    mt: ClassVar[int]
    element: Any
    t: Any = None


ELEMENTS: MappingProxyType[int, tuple[str, Any]] = MappingProxyType(
    {
        4: ("ea", EventAdded),
        5: ("leo", LiveEventOpened),
        6: ("boa", BetOfferAdded),
        7: ("bor", BetOfferRemoved),
        8: ("bosu", BetOfferStatusUpdated),
        9: ("abos", EventOnly),
        11: ("boou", OutcomesChanged),
        12: ("mcr", EventOnly),
        15: ("mcu", MatchClockUpdated),
        16: ("score", EventScoreUpdated),
        17: ("stats", EventStatsUpdated),
        18: ("er", EventOnly),
        19: ("tu", TickerUpdated),
        20: ("desc", EventDescriptionUpdated),
        22: ("booa", OutcomesChanged),
        23: ("boor", OutcomesChanged),
        24: ("os", OutcomesSettled | list[SettledOutcome | Id]),
        25: ("mo", MatchOccurrence),
        27: ("vo", VisualizationOccurrence),
        28: ("ls", LiveStatistics),
        32: ("osu", OutcomesChanged),
        34: ("esu", EventStateUpdated),
    }
)
"""Message type → name and model of its element."""


def _child(mt: int, name: str, model: Any) -> type[Child]:
    made = defstruct(
        f"Child{mt}",
        [("element", model), ("t", Any, None)],
        bases=(Child,),
        namespace={"mt": mt},
        tag_field="mt",
        tag=mt,
        rename={"element": name},
        gc=False,
    )
    assert issubclass(made, Child)
    return made


CHILDREN: MappingProxyType[int, type[Child]] = MappingProxyType(
    {mt: _child(mt, name, model) for mt, (name, model) in ELEMENTS.items()}
)
"""Message type → model of its messages."""

__all__ = [
    "CHILDREN",
    "ELEMENTS",
    "MAX_ID",
    "BetOffer",
    "BetOfferAdded",
    "BetOfferRemoved",
    "BetOfferStatusUpdated",
    "BetOfferType",
    "Child",
    "CombinableOutcomes",
    "Criterion",
    "Event",
    "EventAdded",
    "EventDescriptionUpdated",
    "EventOnly",
    "EventScoreUpdated",
    "EventStateUpdated",
    "EventStatsUpdated",
    "FootballStatistics",
    "Id",
    "Int64",
    "LiveData",
    "LiveEventOpened",
    "LiveStatistics",
    "MatchClock",
    "MatchClockUpdated",
    "MatchOccurrence",
    "Name",
    "Outcome",
    "OutcomesChanged",
    "OutcomesSettled",
    "PathStep",
    "Player",
    "Position",
    "Score",
    "SetStatistics",
    "SettledOutcome",
    "Statistics",
    "TeamStatistics",
    "Ticker",
    "TickerUpdated",
    "Visualization",
    "VisualizationOccurrence",
]
