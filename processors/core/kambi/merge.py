"""Compare what a snapshot shows with the book; only differences go out, and only of what push did not change since.

A snapshot speaks for its as-of time A. What the book has from after A is left alone (raced); what it has from before is
replaced, and from then on A is the order time of it. Here: events, clock, score, statistics, description.
"""

from collections import Counter
from typing import Any, Final

from msgspec import UNSET, structs

from processors.core.kambi.book import Book
from processors.core.kambi.entries import EventEntry, Part
from processors.core.kambi.judging import PART_NAMES, book_value, kept
from schemas import codec
from schemas.kambi import events

STARTED: Final = "STARTED"


class EventMerge:
    """One event's part of a snapshot.

    Args:
        event_id: The event.
        as_of_ms: What the snapshot speaks for, UTC ms.
        book: What is known; changed as records are made.

    Attributes:
        records: What goes out, in order.
        raced: Entities that differ and were left alone.
    """

    def __init__(self, event_id: int, as_of_ms: int, book: Book) -> None:
        self.event_id = event_id
        self.as_of_ms = as_of_ms
        self.book = book
        self.records: list[Any] = []
        self.raced = 0

    @property
    def differences(self) -> Counter[str]:
        """How many records of each type, by the type's short name, e.g. ``odds.changed``."""
        return Counter(record.ce_type.removeprefix("tricast.kambi.").removesuffix(".v1") for record in self.records)

    @property
    def is_history(self) -> bool:
        """Tell whether the event was removed after what the snapshot speaks for."""
        return self.book.floor(self.event_id) > self.as_of_ms

    def emit(self, record: Any) -> None:
        """Have ``record`` go out."""
        record.source = "snapshot"
        self.records.append(record)

    def describe(self, shown: events.EventOpened) -> None:
        """Merge the event itself."""
        event = self.book.event(self.event_id)
        state = book_value(shown.state)
        is_newer = event is not None and event.order > self.as_of_ms
        if event is None or event.removed_s or not event.known:
            if is_newer and event is not None and event.state is not None:
                shown.state = event.state  # what came since is newer than the rest of it
            self.emit(shown if shown.state == STARTED else events.EventAdded(**structs.asdict(shown)))
            event = self.book.change_event(self.event_id)
            event.known, event.removed_s = True, 0
            if not is_newer:
                self._set_state(event, event.state if state is None else state)
        elif state is not None and state != event.state:
            if is_newer:
                self.raced += 1
                return
            self.emit(events.EventStateChanged(event_id=self.event_id, state=str(shown.state)))
            self._set_state(self.book.change_event(self.event_id), state)

    def _set_state(self, event: EventEntry, state: str | None) -> None:
        event.state, event.order, event.line = state, self.as_of_ms, self.book.line

    def remove(self) -> None:
        """Remove the event if it is there and nothing of it is newer than the snapshot."""
        event = self.book.event(self.event_id)
        if event is None or event.removed_s:
            return
        newest = event.newest()
        for offer_id in self.book.members(self.event_id):
            offer = self.book.offer(offer_id)
            newest = max(newest, 0 if offer is None else offer.newest())
        if newest > self.as_of_ms:
            self.raced += 1
            return
        self.emit(events.EventRemoved(event_id=self.event_id))
        self.book.remove_event(self.event_id, self.as_of_ms)

    def part(self, shown: Any) -> None:
        """Merge clock, score, statistics or description; a removed clock and an absent description are such, too."""
        name = PART_NAMES[type(shown)]
        event = self.book.event(self.event_id)
        if event is not None and event.removed_s:
            return  # the vendor's answers lag behind; whoever lists the event or its offers brings it back, not this
        known = None if event is None else event.parts.get(name)
        version = book_value(getattr(shown, "version", UNSET))
        if not _differs(shown, version, known):
            return
        if known is not None and _is_newer(known, version, self.as_of_ms):
            self.raced += 1
            return
        self.emit(shown)
        payload = kept(shown, codec.encode(shown))
        order = self.as_of_ms if known is None else max(self.as_of_ms, known.order)
        self.book.set_part(self.event_id, name, Part(order, self.book.line, version, payload))


def _is_newer(known: Part, version: int | None, as_of_ms: int) -> bool:
    if version is not None and known.version is not None and version != known.version:
        return known.version > version
    return known.order > as_of_ms


def _differs(shown: Any, version: int | None, known: Part | None) -> bool:
    """Tell whether ``shown`` says something that is not known: what tells nothing is no difference to nothing."""
    if known is None or not known.value:
        return not _is_nothing(shown)
    if type(shown) is events.ClockRemoved:
        return True
    before = codec.decode(shown.ce_type, known.value)
    if isinstance(shown, events.ClockChanged) and isinstance(before, events.ClockChanged):
        if version is not None and known.version is not None:
            return version != known.version
        return _clock(shown) != _clock(before)
    return _said(shown) != _said(before)


def _is_nothing(shown: Any) -> bool:
    match shown:
        case events.ClockRemoved() | events.ScoreChanged(home="", away=""):
            return True
        case events.EventDescriptionChanged(description=description):
            return description is UNSET
        case _:
            return False


def _clock(clock: events.ClockChanged) -> tuple[Any, ...]:
    """Return what of a clock does not change by itself: while it runs, time does."""
    time = (clock.minute, clock.second, clock.minutes_left_in_period, clock.seconds_left_in_minute)
    return clock.running, clock.period, clock.period_id, clock.disabled, None if clock.running is True else time


def _said(record: Any) -> dict[str, Any]:
    said = structs.asdict(record)
    for name in ("vendor_time_ms", "source", "late"):
        del said[name]
    return said
