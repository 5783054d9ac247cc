"""Judge facts about bet offers and outcomes against the book; outcomes are judged one by one."""

from collections.abc import Callable
from copy import copy
from typing import Any

from msgspec import UNSET

from processors.core.kambi.book import Book
from processors.core.kambi.entries import OfferEntry, OutcomeEntry
from processors.core.kambi.judging import book_value, mark_late, odds_of
from schemas.kambi import events


def _entry(candidate: Any, order: int, book: Book) -> OfferEntry | bool:
    """Return the offer's entry to change, a new one if need be; else whether the candidate is late.

    Of one time a removal is the last word, whatever comes in which order: nothing would ever take away again what one
    line brings back that another line had removed.
    """
    offer_id: int = candidate.offer_id
    offer = book.offer(offer_id)
    if offer is None or offer.event_id != candidate.event_id:
        if order <= book.floor(candidate.event_id):
            return True
        return offer or book.add_offer(candidate.event_id, offer_id) or False
    if order <= offer.gone:
        is_said_again = offer.removed_s and order == offer.order and type(candidate) is events.OfferRemoved
        return offer if is_said_again else True
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
            return mark_late(candidate)
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
            return mark_late(candidate)
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
    if offer is None or offer.removed_s or offer.event_id != candidate.event_id:
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
        return offer and mark_late(candidate)
    if order < offer.order:
        return mark_late(candidate)
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
        return offer and mark_late(candidate)
    if order < offer.order:
        return mark_late(candidate)
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
        return offer and mark_late(candidate)
    if order < offer.order:
        return mark_late(candidate)
    if order == offer.order and book.line != offer.line and not offer.removed_s:
        book.contradictions += 1
    book.remove_offer(candidate.offer_id, offer, order)
    return False


def _offers_suspended(candidate: events.OffersSuspended, payload: bytes, order: int, book: Book) -> bool:
    event = book.event(candidate.event_id)
    if event is not None and (order <= event.floor or order < event.suspended_order):
        return mark_late(candidate)
    book.change_event(candidate.event_id).suspended_order = order
    for offer_id in book.members(candidate.event_id):
        offer = book.offer(offer_id)
        if offer is not None and not offer.removed_s and offer.order <= order:
            offer.order, offer.line, offer.suspended = order, book.line, True
            book.change_offer(offer_id)
    return False


_any_odds_changed = _outcomes(_set_odds)
OFFER_JUDGES: dict[type[events.Normalized], Callable[[Any, bytes, int, Book], bool]] = {
    events.OfferAdded: _offer_added,
    events.OfferRemoved: _offer_removed,
    events.OfferStatusChanged: _offer_status,
    events.OffersSuspended: _offers_suspended,
    events.OddsChanged: _odds_changed,
    events.OutcomesAdded: _outcomes(_set_outcome),
    events.OutcomesRemoved: _outcomes(_set_removed),
    events.OutcomesStatusChanged: _outcomes(_set_status),
}
"""Mark what of a candidate is late, put the rest into the book, return whether anything was marked; by its type."""
