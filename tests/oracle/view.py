"""What a consumer knows who applies every record that is not late."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class OutcomeView:
    """An outcome: thousandths, -1 = starting price, ``None`` = no odds."""

    odds: int | None = None
    status: str | None = None


@dataclass(slots=True)
class OfferView:
    """A bet offer; ``whole`` if it was ever added as a whole, ``None`` for what nobody said."""

    event: int
    whole: bool = False
    suspended: bool | None = None
    visible: bool | None = None
    cash_out: str | None = None
    outcomes: dict[int, OutcomeView] = field(default_factory=dict)


@dataclass(slots=True)
class EventView:
    """An event; ``known`` if it was ever added or opened."""

    known: bool = False
    state: str | None = None
    parts: dict[str, Json | None] = field(default_factory=dict)


def odds_of(outcome: Json) -> int | None:
    """Return the odds in a record's outcome."""
    return -1 if "starting_price" in outcome else outcome.get("odds_thousandths")


class View:
    """All offers and events of a task."""

    def __init__(self) -> None:
        self.offers: dict[int, OfferView] = {}
        self.events: dict[int, EventView] = {}

    def event(self, event: int) -> EventView:
        """Return what is known of an event, nothing at first."""
        return self.events.setdefault(event, EventView())

    def apply(self, kind: str, event: int, offer: int | None, value: Json) -> None:
        """Apply a record about an event or an offer that is not late; outcomes that are marked late are left out."""
        if kind == "event.removed":
            self.events.pop(event, None)
            self.offers = {number: known for number, known in self.offers.items() if known.event != event}
        elif kind in ("event.added", "event.opened", "event.state-changed"):
            known = self.event(event)
            known.known = known.known or kind != "event.state-changed"
            known.state = value.get("state", known.state)
        elif kind == "offer.removed":
            assert offer is not None
            self.offers.pop(offer, None)
        elif offer is not None:
            self._apply_to_offer(kind, self.offers.setdefault(offer, OfferView(event)), value)

    def apply_part(self, event: int, what: str, value: Json | None) -> None:
        """Set clock, score, statistics or description; ``None``: there is no clock."""
        self.event(event).parts[what] = value

    @staticmethod
    def _apply_to_offer(kind: str, known: OfferView, value: Json) -> None:
        if kind == "offer.added":
            known.whole, known.suspended, known.visible = True, value["suspended"], True
            known.cash_out = value.get("cash_out_status")
            known.outcomes = {}
        elif kind == "offer.status-changed":
            known.suspended, known.visible = value["suspended"], value["visible"]
            known.cash_out = value.get("cash_out_status", known.cash_out)
        for outcome in value.get("outcomes", ()):
            if outcome.get("late"):
                continue
            if kind == "outcomes.removed":
                known.outcomes.pop(outcome["id"], None)
                continue
            entry = known.outcomes.setdefault(outcome["id"], OutcomeView())
            if kind != "outcomes.status-changed":
                entry.odds = odds_of(outcome)
            if kind != "odds.changed":
                entry.status = outcome.get("status")
