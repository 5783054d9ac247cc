"""Judge facts about events, their clocks, scores and the like against the book."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from processors.core.kambi.book import MAX_RECENT, MAX_STATISTICS, Book
from processors.core.kambi.entries import Part
from processors.core.kambi.judging import MAX_WORD, PART_NAMES, book_value, is_older, kept, mark_late
from schemas.kambi import events


def _event_state(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
    event = book.event(candidate.event_id)
    if event is not None and (order <= event.floor or order < event.order):
        return mark_late(candidate)
    event = book.change_event(candidate.event_id)
    state: str | None = book_value(candidate.state)
    if state is not None:
        if order == event.order and book.line != event.line and state != event.state:
            book.contradictions += 1
        event.state = state
    event.order, event.line, event.removed_s, event.absences = order, book.line, 0, 0
    if type(candidate) is not events.EventStateChanged:
        event.known = True
    return False


def _event_removed(candidate: events.EventRemoved, payload: bytes, order: int, book: Book) -> bool:
    event = book.event(candidate.event_id)
    if event is not None:
        is_said_again = event.removed_s and order == event.floor
        if (order <= event.floor and not is_said_again) or order < event.order:
            return mark_late(candidate)
    book.remove_event(candidate.event_id, order)
    return False


def _part(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
    name = PART_NAMES[type(candidate)]
    event = book.event(candidate.event_id)
    version = book_value(getattr(candidate, "version", UNSET))
    value = kept(candidate, payload)
    if event is not None:
        if order <= event.floor:
            return mark_late(candidate)
        known = event.parts.get(name)
        if known is not None:
            if is_older(order, version, known):
                return mark_late(candidate)
            if order == known.order and book.line != known.line and value != known.value:
                book.contradictions += 1
            order = max(order, known.order)
    book.set_part(candidate.event_id, name, Part(order, book.line, version, value))
    return False


def _live_statistic(candidate: events.LiveStatisticChanged, payload: bytes, order: int, book: Book) -> bool:
    name = candidate.occurrence_type_id[:MAX_WORD]
    event = book.event(candidate.event_id)
    if event is not None:
        known = event.statistics.get(name)
        if order <= event.floor or (known is not None and order < known[0]):
            return mark_late(candidate)
        if known is None and len(event.statistics) >= MAX_STATISTICS:
            book.unkept += 1
            return False
    book.change_event(candidate.event_id).statistics[name] = (order, candidate.value)
    return False


def _item(kind: str, id_of: Callable[[Any], int]) -> Callable[[Any, bytes, int, Book], bool]:
    """Return the judge of ticker lines and the like, each an entity by its own id."""

    def judge_item(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
        name = f"{kind}{id_of(candidate)}"
        event = book.event(candidate.event_id)
        if event is not None and (order <= event.floor or order < event.recent.get(name, 0)):
            return mark_late(candidate)
        recent = book.change_event(candidate.event_id).recent
        recent.pop(name, None)
        recent[name] = order
        if len(recent) > MAX_RECENT:
            del recent[next(iter(recent))]
        return False

    return judge_item


EVENT_JUDGES: dict[type[events.Normalized], Callable[[Any, bytes, int, Book], bool]] = {
    events.EventAdded: _event_state,
    events.EventOpened: _event_state,
    events.EventStateChanged: _event_state,
    events.EventRemoved: _event_removed,
    **dict.fromkeys(PART_NAMES, _part),
    events.LiveStatisticChanged: _live_statistic,
    events.TickerAdded: _item("t", lambda candidate: candidate.ticker_id),
    events.OccurrenceChanged: _item("o", lambda candidate: candidate.occurrence_id),
    events.VisualizationChanged: _item("v", lambda candidate: candidate.visualization_id),
}
"""Mark a candidate that is late, or put it into the book; return whether it was marked; by its type."""
