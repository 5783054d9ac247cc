"""The book: what consumers know of every offer and event of one task. It changes exactly with what goes out as current.

A ``Book`` is open for one record: it reads each entry once, and nothing is written before ``write``.
"""

from typing import Any, Final

from processors.core.kambi import entries
from processors.core.kambi.dedupe import WINDOW_S
from processors.core.kambi.entries import EventEntry, OfferEntry, OutcomeEntry, Part
from processors.core.kambi.index import decode_place, encode_place, place_key
from processors.core.kambi.shelf import Changes
from processors.core.processor import Store

SNAPSHOT_LINE: Final = 0
"""Stands for a snapshot where entries name the line that said something last."""
MAX_OFFERS_PER_EVENT: Final = 5_000
"""Offers of one event that are kept, about 45 kB a list: ten times the largest football match. More go out unkept."""
MAX_OUTCOMES: Final = 2_000
"""Outcomes of one offer that are kept, about 40 kB; outright markets have hundreds. More go out unkept."""
MAX_RECENT: Final = 64
"""Ticker lines, occurrences and visualizations of one event whose order is remembered; lines are 75 s apart at most."""
MAX_STATISTICS: Final = 64
"""Live statistics of one event that are kept; the sheet knows 24 types."""


class Book:
    """The entries that one record touches.

    Args:
        store: State of the stream task.
        line: Number of the line that speaks; ``SNAPSHOT_LINE`` for a snapshot.
        now_s: Stream time, whole seconds.

    Attributes:
        changes: What the shelf must know.
        contradictions: How often two lines said different things of one entity at one time.
        unkept: How many entities had no room.
    """

    __slots__ = (
        "_dirty_events",
        "_dirty_members",
        "_dirty_offers",
        "_events",
        "_full",
        "_gone",
        "_members",
        "_offers",
        "_places",
        "_store",
        "changes",
        "contradictions",
        "line",
        "now_s",
        "unkept",
    )

    def __init__(self, store: Store, line: int, now_s: int) -> None:
        self._store = store
        self.line = line
        self.now_s = now_s
        self._offers: dict[int, OfferEntry | None] = {}
        self._events: dict[int, EventEntry | None] = {}
        self._members: dict[int, dict[int, None]] = {}
        self._dirty_offers: set[int] = set()
        self._dirty_events: set[int] = set()
        self._dirty_members: set[int] = set()
        self._gone: list[int] = []
        self._places: dict[int, int] = {}
        self.changes = Changes()
        self.contradictions = 0
        self.unkept = 0
        self._full: OfferEntry | None = None
        """Nothing more of it can go at this time: one frame may bring tens of thousands of outcomes."""

    # Reading.

    def offer(self, offer_id: int) -> OfferEntry | None:
        """Return an offer's entry, removed ones too; say ``change_offer`` before changing it."""
        if offer_id in self._offers:
            return self._offers[offer_id]
        stored = self._store.get(entries.offer_key(offer_id))
        entry = self._offers[offer_id] = None if stored is None else entries.decode_offer(stored)
        return entry

    def event(self, event_id: int) -> EventEntry | None:
        """Return an event's entry, removed ones too; say ``change_event`` before changing it."""
        if event_id in self._events:
            return self._events[event_id]
        stored = self._store.get(entries.event_key(event_id))
        entry = self._events[event_id] = None if stored is None else entries.decode_event(stored)
        return entry

    def floor(self, event_id: int) -> int:
        """Return the order time of the event's last removal; what is not newer than that is history. -1 = never."""
        event = self.event(event_id)
        return -1 if event is None else event.floor

    def knows(self, record: Any) -> bool:
        """Tell whether the offer or, where it is about none, the event of ``record`` has an entry."""
        offer_id = getattr(record, "offer_id", None)
        return (self.event(record.event_id) if offer_id is None else self.offer(offer_id)) is not None

    def members(self, event_id: int) -> dict[int, None]:
        """Return the ids of an event's offers in the order in which they came, removed ones too."""
        members = self._members.get(event_id)
        if members is None:
            stored = self._store.get(entries.members_key(event_id))
            members = dict.fromkeys(() if stored is None else entries.decode_members(stored))
            self._members[event_id] = members
        return members

    def event_of(self, offer_id: int) -> int | None:
        """Return the event of an offer, of whatever shard, or ``None`` if nobody ever named both."""
        offer = self.offer(offer_id)
        if offer is not None:
            return offer.event_id
        known = self._places.get(offer_id)
        if known is not None:
            return known
        stored = self._store.get(place_key(offer_id))
        return None if stored is None else decode_place(stored)[0]

    # Changing.

    def change_offer(self, offer_id: int) -> None:
        """Have the offer's entry written."""
        self._dirty_offers.add(offer_id)

    def change_event(self, event_id: int) -> EventEntry:
        """Return the event's entry, a new one if need be, and have it written."""
        event = self.event(event_id)
        if event is None:
            event = self._events[event_id] = EventEntry(created_s=self.now_s)
            self.changes.events.append(event_id)
        self._dirty_events.add(event_id)
        return event

    def add_offer(self, event_id: int, offer_id: int) -> OfferEntry | None:
        """Return a new entry of an offer that has none, or ``None`` if its event has no room for more."""
        members = self.members(event_id)
        if len(members) >= MAX_OFFERS_PER_EVENT:
            self.unkept += 1
            return None
        event = self.event(event_id)
        if event is None or event.removed_s:
            event = self.change_event(event_id)
            event.removed_s = 0
        # What is not newer than the event's removal stays history for each outcome of the offer, too.
        floor = event.floor
        offer = OfferEntry(event_id=event_id, order=floor, line=self.line, floor=floor, gone=floor)
        self._offers[offer_id] = offer
        members[offer_id] = None
        self._dirty_members.add(event_id)
        self._dirty_offers.add(offer_id)
        self.changes.offers += 1
        return offer

    def move_offer(self, offer_id: int, offer: OfferEntry, event_id: int) -> None:
        """Make the offer one of another event; an id that the vendor used twice."""
        self.members(offer.event_id).pop(offer_id, None)
        self._dirty_members.add(offer.event_id)
        event = self.change_event(event_id)
        event.removed_s = 0
        offer.event_id, offer.gone = event_id, event.floor
        self.members(event_id)[offer_id] = None
        self._dirty_members.add(event_id)

    def add_outcome(self, offer: OfferEntry, outcome_id: int, entry: OutcomeEntry) -> bool:
        """Keep an outcome that has no entry yet; return whether there is room."""
        outcomes = offer.outcomes
        if len(outcomes) >= MAX_OUTCOMES and self._full is not offer:
            for other_id in [
                other_id
                for other_id, other in outcomes.items()
                if other.removed_s and self.now_s - other.removed_s > WINDOW_S
            ]:
                del outcomes[other_id]
            self._full = offer
        if len(outcomes) >= MAX_OUTCOMES:
            self.unkept += 1
            return False
        outcomes[outcome_id] = entry
        return True

    def remove_offer(self, offer_id: int, offer: OfferEntry, order: int) -> None:
        """Leave of the offer what keeps late facts from bringing it back."""
        offer.order, offer.line, offer.floor, offer.gone = order, self.line, order, order
        offer.defined, offer.suspended, offer.visible, offer.cash_out = False, None, None, None
        # What was newer than the removal stays newer: should the offer come back, its older price is no current one.
        offer.outcomes = {
            outcome_id: OutcomeEntry(entry.order, entry.line, removed_s=entry.removed_s or self.now_s)
            for outcome_id, entry in offer.outcomes.items()
            if entry.order > order
        }
        offer.removed_s = self.now_s
        self._dirty_offers.add(offer_id)
        self.changes.removed.append(entries.offer_key(offer_id))

    def remove_event(self, event_id: int, order: int) -> None:
        """Drop the event's offers, and leave of the event what keeps late facts from bringing it back."""
        event = self.change_event(event_id)
        floor = max(order, event.newest())
        for offer_id in self.members(event_id):
            offer = self.offer(offer_id)
            if offer is not None:
                floor = max(floor, offer.newest())
                self._offers[offer_id] = None
                self._dirty_offers.discard(offer_id)
                self._gone.append(offer_id)
                self._places[offer_id] = event_id
                self.changes.offers -= 1
        self._members[event_id] = {}
        self._dirty_members.add(event_id)
        self._events[event_id] = EventEntry(
            created_s=event.created_s, order=order, line=self.line, floor=floor, removed_s=self.now_s
        )
        self.changes.removed.append(entries.event_key(event_id))

    def remember_place(self, offer_id: int, event_id: int) -> None:
        """Remember the event of an offer of another shard."""
        if offer_id not in self._places and self._store.get(place_key(offer_id)) is None:
            self._places[offer_id] = event_id

    def set_part(self, event_id: int, name: str, part: Part) -> None:
        """Set clock, score, statistics or description of an event."""
        self.change_event(event_id).parts[name] = part

    # Ending.

    def write(self) -> None:
        """Put what changed into the store."""
        put = self._store.put
        for offer_id in self._gone:
            if self._offers[offer_id] is None:
                self._store.delete(entries.offer_key(offer_id))
        for offer_id in self._dirty_offers:
            put(entries.offer_key(offer_id), entries.encode(self._offers[offer_id]))
        for event_id in self._dirty_events:
            put(entries.event_key(event_id), entries.encode(self._events[event_id]))
        for event_id in self._dirty_members:
            put(entries.members_key(event_id), entries.encode(list(self._members[event_id])))
        for offer_id, event_id in self._places.items():
            key = place_key(offer_id)
            stored = self._store.get(key)
            if stored is None:
                self.changes.elsewhere.append(key)
            learned_s = self.now_s if stored is None else decode_place(stored)[1]  # the shelf has it by that second
            put(key, encode_place((event_id, learned_s)))
