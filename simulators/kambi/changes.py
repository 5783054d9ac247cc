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
    """A bet offer was suspended or opened again; nothing is said of its outcomes."""

    event_id: int
    reach: Reach
    bet_offer_id: int
    suspended: bool


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


Change = (
    EventAdded
    | EventOpened
    | EventStateChanged
    | EventRemoved
    | OfferAdded
    | OfferRemoved
    | OfferStatusChanged
    | OddsChanged
    | OutcomesAdded
    | OutcomesRemoved
)
