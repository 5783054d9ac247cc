"""Judge each fact against the book: current, and then the book changes; or late, and then it is only marked.

The order time of a fact is its ``t`` if that is plausible. Sockets lag behind each other by up to 75 s, so an old price
may arrive after a new one; it goes out marked, for history, and never as the current one.
"""

from collections.abc import Callable
from copy import copy
from typing import Any, Final

from msgspec import UNSET

from processors.core.kambi.book import MAX_RECENT, MAX_STATISTICS, Book
from processors.core.kambi.entries import OfferEntry, OutcomeEntry, Part
from processors.core.kambi.normalize.values import STARTING_PRICE
from schemas.kambi import events

FUTURE_MS: Final = 60_000
"""How far the vendor's clock may be ahead of ours; a time beyond that would make everything after it late."""
MAX_WORD: Final = 64
"""Of a status or a state in the book: entries must fit into a changelog record, whatever the vendor calls a status."""
MAX_PART_BYTES: Final = 64 * 1024
"""Of a clock, score, statistics or description in the book; a larger one is stated again by every snapshot."""

_CLOCK: Final = "clock"
_DESCRIPTION: Final = "description"
PART_NAMES: dict[type[events.Normalized], str] = {
    events.ClockChanged: _CLOCK,
    events.ClockRemoved: _CLOCK,
    events.ScoreChanged: "score",
    events.StatisticsChanged: "statistics",
    events.EventDescriptionChanged: _DESCRIPTION,
}
"""Records that are an event's value as a whole, by the name of the value."""


def order_time_ms(time_ms: int | None, received_ms: int) -> int:
    """Return the vendor's time, if it is usable and not in the future, else the time of receipt; all UTC ms."""
    if time_ms is None or time_ms > received_ms + FUTURE_MS:
        return received_ms
    return time_ms


def judge(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
    """Mark what of ``candidate`` is late and put the rest into the book; return whether anything was marked.

    Args:
        candidate: A normalized record whose facts are new.
        payload: The same as bytes.
        order: Its order time, UTC ms.
        book: What is known so far.
    """
    return _JUDGES[type(candidate)](candidate, payload, order, book)


def odds_of(outcome: events.Outcome | events.OutcomeOdds) -> int | None:
    """Return an outcome's odds as the book keeps them."""
    odds = outcome.odds_thousandths
    if odds is UNSET:
        return STARTING_PRICE if outcome.starting_price is True else None
    return odds


def book_value(value: Any) -> Any:
    """Return ``value`` as the book keeps it, ``None`` if it is absent; of words no more than tells them apart."""
    if value is UNSET:
        return None
    return value[:MAX_WORD] if type(value) is str else value


def _late(candidate: Any) -> bool:
    candidate.late = True
    return True


# Offers and their outcomes.


def _entry(candidate: Any, order: int, book: Book) -> OfferEntry | bool:
    """Return the offer's entry to change, a new one if need be; else whether the candidate is late."""
    offer_id: int = candidate.offer_id
    offer = book.offer(offer_id)
    if offer is None:
        if order < book.floor(candidate.event_id):
            return True
        return book.add_offer(candidate.event_id, offer_id) or False
    return offer


def _outcomes(
    change: Callable[[Book, OutcomeEntry, Any], None],
) -> Callable[[Any, bytes, int, Book], bool]:
    """Return the judge of a record whose facts are its outcomes."""

    def judge_outcomes(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
        offer = _entry(candidate, order, book)
        outcomes = candidate.outcomes
        if isinstance(offer, bool):
            if not offer:
                return False
            for outcome in outcomes:
                outcome.late = True
            return _late(candidate)
        late = 0
        for outcome in outcomes:
            entry = offer.outcomes.get(outcome.id)
            if order < (offer.floor if entry is None else entry.order):
                outcome.late = True
                late += 1
            elif entry is None:
                entry = OutcomeEntry(order, book.line)
                change(book, entry, outcome)
                book.add_outcome(offer, outcome.id, entry)
            else:
                if order == entry.order and book.line != entry.line:
                    book.contradictions += _differs(book, entry, outcome, change)
                change(book, entry, outcome)
                entry.order = order
                entry.line = book.line
        if late == len(outcomes):
            return _late(candidate)
        if offer.removed_s:
            _return_offer(candidate.event_id, offer, book)
        book.change_offer(candidate.offer_id)
        return late > 0

    return judge_outcomes


def _differs(book: Book, entry: OutcomeEntry, outcome: Any, change: Callable[[Book, OutcomeEntry, Any], None]) -> bool:
    """Tell whether ``outcome`` says something else than is known."""
    changed = copy(entry)
    change(book, changed, outcome)
    return (entry.odds, entry.status, entry.removed_s > 0) != (changed.odds, changed.status, changed.removed_s > 0)


def _return_offer(event_id: int, offer: OfferEntry, book: Book) -> None:
    """Whoever gets something newer than the removal knows the offer again, and the event with it."""
    offer.removed_s = 0
    event = book.event(event_id)
    if event is None or event.removed_s:
        book.change_event(event_id).removed_s = 0


def _odds_changed(candidate: events.OddsChanged, payload: bytes, order: int, book: Book) -> bool:
    """Do what ``_outcomes(_set_odds)`` does, faster where all is plain: most records are these (10 us a frame)."""
    offer_id = candidate.offer_id
    offer = book.offer(offer_id)
    if offer is None or offer.removed_s:
        return _any_odds_changed(candidate, payload, order, book)
    outcomes, line = offer.outcomes, book.line
    found = []
    for outcome in candidate.outcomes:
        entry = outcomes.get(outcome.id)
        if entry is None or order <= entry.order or entry.removed_s:
            return _any_odds_changed(candidate, payload, order, book)
        found.append(entry)
    for entry, outcome in zip(found, candidate.outcomes, strict=True):
        odds = outcome.odds_thousandths
        entry.odds = odds_of(outcome) if odds is UNSET else odds
        entry.order = order
        entry.line = line
    book.change_offer(offer_id)
    return False


def _set_odds(book: Book, entry: OutcomeEntry, outcome: events.OutcomeOdds) -> None:
    odds = outcome.odds_thousandths
    entry.odds = odds_of(outcome) if odds is UNSET else odds
    entry.removed_s = 0


def _set_outcome(book: Book, entry: OutcomeEntry, outcome: events.Outcome) -> None:
    entry.odds, entry.status, entry.removed_s = odds_of(outcome), book_value(outcome.status), 0


def _set_status(book: Book, entry: OutcomeEntry, outcome: events.OutcomeStatus) -> None:
    entry.status, entry.removed_s = book_value(outcome.status), 0


def _set_removed(book: Book, entry: OutcomeEntry, outcome: events.OutcomeReference) -> None:
    entry.odds, entry.status, entry.removed_s = None, None, book.now_s


def _offer_added(candidate: events.OfferAdded, payload: bytes, order: int, book: Book) -> bool:
    offer = _entry(candidate, order, book)
    if isinstance(offer, bool):
        return offer and _late(candidate)
    if order < offer.order:
        return _late(candidate)
    if offer.event_id != candidate.event_id:
        book.move_offer(candidate.offer_id, offer, candidate.event_id)
    suspended, cash_out, line = candidate.suspended, book_value(candidate.cash_out_status), book.line
    if order == offer.order and line != offer.line and (not offer.defined or offer.suspended != suspended):
        book.contradictions += 1
    if offer.removed_s:
        _return_offer(candidate.event_id, offer, book)
    offer.order = offer.floor = order
    offer.line, offer.defined = line, True
    offer.suspended, offer.visible, offer.cash_out = suspended, True, cash_out
    marked = False
    before, offer.outcomes = offer.outcomes, {}
    for outcome in candidate.outcomes:
        entry = before.get(outcome.id)
        if entry is not None and order < entry.order:
            outcome.late = marked = True
        else:
            before.pop(outcome.id, None)
            entry = OutcomeEntry(order, line, odds_of(outcome), book_value(outcome.status))
            book.add_outcome(offer, outcome.id, entry)
    for outcome_id, entry in before.items():
        if entry.order > order:
            # Who takes the offer for what it is has this outcome no more; what was newer than the offer stays newer.
            entry.odds, entry.status, entry.removed_s = None, None, entry.removed_s or book.now_s
            book.add_outcome(offer, outcome_id, entry)
    book.change_offer(candidate.offer_id)
    return marked


def _offer_status(candidate: events.OfferStatusChanged, payload: bytes, order: int, book: Book) -> bool:
    offer = _entry(candidate, order, book)
    if isinstance(offer, bool):
        return offer and _late(candidate)
    if order < offer.order:
        return _late(candidate)
    line, said = book.line, (candidate.suspended, candidate.visible)
    if order == offer.order and line != offer.line and said != (offer.suspended, offer.visible):
        book.contradictions += 1
    if offer.removed_s:
        _return_offer(candidate.event_id, offer, book)
    offer.order, offer.line = order, line
    offer.suspended, offer.visible = said
    if candidate.cash_out_status is not UNSET:
        offer.cash_out = book_value(candidate.cash_out_status)
    book.change_offer(candidate.offer_id)
    return False


def _offer_removed(candidate: events.OfferRemoved, payload: bytes, order: int, book: Book) -> bool:
    offer = _entry(candidate, order, book)
    if isinstance(offer, bool):
        return offer and _late(candidate)
    if order < offer.order:
        return _late(candidate)
    if order == offer.order and book.line != offer.line and not offer.removed_s:
        book.contradictions += 1
    book.remove_offer(candidate.offer_id, offer, order)
    return False


def _offers_suspended(candidate: events.OffersSuspended, payload: bytes, order: int, book: Book) -> bool:
    event = book.event(candidate.event_id)
    if event is not None and order < max(event.floor, event.suspended_order):
        return _late(candidate)
    book.change_event(candidate.event_id).suspended_order = order
    for offer_id in book.members(candidate.event_id):
        offer = book.offer(offer_id)
        if offer is not None and not offer.removed_s and offer.order <= order:
            offer.order, offer.line, offer.suspended = order, book.line, True
            book.change_offer(offer_id)
    return False


# Events.


def _event_state(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
    event = book.event(candidate.event_id)
    if event is not None and order < max(event.order, event.floor):
        return _late(candidate)
    event = book.change_event(candidate.event_id)
    state: str | None = book_value(candidate.state)
    if state is not None:
        if order == event.order and book.line != event.line and state != event.state and not event.removed_s:
            book.contradictions += 1
        event.state = state
    event.order, event.line, event.removed_s, event.absences = order, book.line, 0, 0
    if type(candidate) is not events.EventStateChanged:
        event.known = True
    return False


def _event_removed(candidate: events.EventRemoved, payload: bytes, order: int, book: Book) -> bool:
    event = book.event(candidate.event_id)
    if event is not None and order < max(event.order, event.floor):
        return _late(candidate)
    book.remove_event(candidate.event_id, order)
    return False


def _part(candidate: Any, payload: bytes, order: int, book: Book) -> bool:
    name = PART_NAMES[type(candidate)]
    event = book.event(candidate.event_id)
    version = book_value(getattr(candidate, "version", UNSET))
    value = kept(candidate, payload)
    if event is not None:
        if order < event.floor:
            return _late(candidate)
        known = event.parts.get(name)
        if known is not None:
            if is_older(order, version, known):
                return _late(candidate)
            if order == known.order and book.line != known.line and value != known.value:
                book.contradictions += 1
            order = max(order, known.order)
    book.set_part(candidate.event_id, name, Part(order, book.line, version, value))
    return False


def kept(record: Any, payload: bytes) -> bytes:
    """Return what the book keeps of a clock, score, statistics or description."""
    return b"" if type(record) is events.ClockRemoved or len(payload) > MAX_PART_BYTES else payload


def is_older(order: int, version: int | None, known: Part) -> bool:
    """Tell whether what has ``order`` and ``version`` is older than ``known``; versions decide where both have one."""
    if version is not None and known.version is not None and version != known.version:
        return version < known.version
    return order < known.order


def _live_statistic(candidate: events.LiveStatisticChanged, payload: bytes, order: int, book: Book) -> bool:
    name = candidate.occurrence_type_id[:MAX_WORD]
    event = book.event(candidate.event_id)
    if event is not None:
        known = event.statistics.get(name)
        if order < event.floor or (known is not None and order < known[0]):
            return _late(candidate)
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
        if event is not None and order < max(event.floor, event.recent.get(name, 0)):
            return _late(candidate)
        recent = book.change_event(candidate.event_id).recent
        recent.pop(name, None)
        recent[name] = order
        if len(recent) > MAX_RECENT:
            del recent[next(iter(recent))]
        return False

    return judge_item


_any_odds_changed = _outcomes(_set_odds)
_JUDGES: dict[type[events.Normalized], Callable[[Any, bytes, int, Book], bool]] = {
    events.EventAdded: _event_state,
    events.EventOpened: _event_state,
    events.EventStateChanged: _event_state,
    events.EventRemoved: _event_removed,
    events.OfferAdded: _offer_added,
    events.OfferRemoved: _offer_removed,
    events.OfferStatusChanged: _offer_status,
    events.OffersSuspended: _offers_suspended,
    events.OddsChanged: _odds_changed,
    events.OutcomesAdded: _outcomes(_set_outcome),
    events.OutcomesRemoved: _outcomes(_set_removed),
    events.OutcomesStatusChanged: _outcomes(_set_status),
    **dict.fromkeys(PART_NAMES, _part),
    events.LiveStatisticChanged: _live_statistic,
    events.TickerAdded: _item("t", lambda candidate: candidate.ticker_id),
    events.OccurrenceChanged: _item("o", lambda candidate: candidate.occurrence_id),
    events.VisualizationChanged: _item("v", lambda candidate: candidate.visualization_id),
}
