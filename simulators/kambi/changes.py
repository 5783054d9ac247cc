"""What can change in the live offering, as values. ``messages`` turns them into the vendor's envelopes.

Bodies are plain JSON values as the sheet's section 8 has them, taken at the moment of the change.
"""

from dataclasses import dataclass
from typing import Any

from simulators.kambi.book import Reach

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAdded:
    """An event entered the offering, not yet live."""

    event_id: int
    event: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class EventOpened:
    """An event went live."""

    event_id: int
    event: Json
    live_data: Json
    main_bet_offer: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStateChanged:
    """An event moved to or from STARTED."""

    event_id: int
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRemoved:
    """An event left the offering, with all it had."""

    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAdded:
    """A bet offer entered, outcomes inline."""

    event_id: int
    reach: Reach
    bet_offer: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRemoved:
    """A bet offer left."""

    event_id: int
    reach: Reach
    bet_offer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferStatusChanged:
    """A bet offer was suspended, hidden, or opened or shown again; nothing is said of its outcomes."""

    event_id: int
    reach: Reach
    bet_offer_id: int
    suspended: bool
    visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OddsChanged:
    """New odds of some outcomes of one event; the outcomes may be of several bet offers."""

    event_id: int
    reach: Reach
    outcomes: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesAdded:
    """Whole outcomes joined a bet offer."""

    event_id: int
    reach: Reach
    outcomes: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesRemoved:
    """Outcomes left a bet offer that stays."""

    event_id: int
    reach: Reach
    outcomes: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesStatusChanged:
    """Outcomes were suspended, opened again or settled, each ``{id, betOfferId, status}``."""

    event_id: int
    outcomes: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomesSettled:
    """Outcomes were settled, ``{id, betOfferId, eventId, status}``; for the settlement channel."""

    event_id: int
    outcomes: tuple[Json, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChanged:
    """The whole new match clock."""

    event_id: int
    clock: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRemoved:
    """There is no match clock any more."""

    event_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreChanged:
    """The whole new score; ``game_score`` when it is the score of a tennis game."""

    event_id: int
    score: Json
    game_score: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsChanged:
    """The whole new statistics, of a football match or of a sport played in sets."""

    event_id: int
    statistics: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionChanged:
    """Something is said about the event; the empty text takes it back."""

    event_id: int
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerAdded:
    """A line of the ticker, with its own id."""

    event_id: int
    ticker: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceChanged:
    """A match occurrence was added, modified or deleted; ``action`` inside says which."""

    event_id: int
    occurrence: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualizationChanged:
    """What the pitch picture shows now."""

    event_id: int
    visualization: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatisticChanged:
    """One live statistic has a new value."""

    event_id: int
    type_id: str
    value: int


OfferChange = OfferAdded | OfferRemoved | OfferStatusChanged | OddsChanged | OutcomesAdded | OutcomesRemoved
"""Changes that ride on as many channels as the bet offer reaches."""

LiveChange = (
    ClockChanged
    | ClockRemoved
    | ScoreChanged
    | StatisticsChanged
    | DescriptionChanged
    | TickerAdded
    | OccurrenceChanged
    | VisualizationChanged
    | LiveStatisticChanged
)
"""Changes of what happens in a match."""

Change = (
    OfferChange
    | LiveChange
    | EventAdded
    | EventOpened
    | EventStateChanged
    | EventRemoved
    | OutcomesStatusChanged
    | OutcomesSettled
)
