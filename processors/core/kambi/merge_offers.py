"""The offers of an event in a snapshot against those of the book; the rules are those of ``merge``."""

from dataclasses import dataclass, field

from msgspec import UNSET

from processors.core.kambi.entries import OfferEntry, OutcomeEntry
from processors.core.kambi.judging import book_value, odds_of
from processors.core.kambi.merge import EventMerge
from processors.core.kambi.normalize.values import STARTING_PRICE
from schemas.kambi import events


def merge_offer(merge: EventMerge, shown: events.OfferAdded, *, whole: bool) -> None:
    """Merge one offer; ``whole``: an outcome that is not in it does not exist."""
    offer = merge.book.offer(shown.offer_id)
    if offer is not None and offer.event_id != merge.event_id:
        merge.raced += 1  # an id that the vendor used twice: push decides whose it is
    elif offer is None or offer.removed_s or not offer.defined:
        _define(merge, shown, offer)
    else:
        _status(merge, shown, offer)
        _outcomes(merge, shown, offer, whole=whole)


def merge_absence(merge: EventMerge, shown: set[int]) -> None:
    """Remove the offers that are not in a complete answer; hidden ones are never in it."""
    for offer_id in list(merge.book.members(merge.event_id)):
        offer = merge.book.offer(offer_id)
        if offer_id in shown or offer is None or offer.removed_s or offer.visible is False:
            continue
        if offer.newest() > merge.as_of_ms:
            merge.raced += 1
            continue
        merge.emit(events.OfferRemoved(event_id=merge.event_id, offer_id=offer_id))
        merge.book.remove_offer(offer_id, offer, merge.as_of_ms)


def _define(merge: EventMerge, shown: events.OfferAdded, offer: OfferEntry | None) -> None:
    """State an offer that is not known, or known by changes only; what is newer than the snapshot is kept."""
    book, as_of_ms = merge.book, merge.as_of_ms
    if offer is None:
        offer = book.add_offer(merge.event_id, shown.offer_id)
        if offer is None:
            return  # no room: without an entry every snapshot would state it again
    elif (
        offer.floor > as_of_ms  # removed since; what came again is not what the snapshot shows
        or (offer.removed_s and offer.newest() > as_of_ms)
        or (offer.visible is False and offer.order > as_of_ms)
    ):
        merge.raced += 1
        return
    elif offer.order > as_of_ms and offer.suspended is not None:
        shown.suspended = offer.suspended
        if offer.cash_out is not None:  # a status that says nothing of it leaves what the snapshot shows
            shown.cash_out_status = offer.cash_out
    _define_outcomes(merge, shown, offer)
    if offer.order <= as_of_ms:
        offer.order, offer.line = as_of_ms, book.line
    offer.floor = max(offer.floor, as_of_ms)
    offer.defined, offer.visible, offer.removed_s = True, True, 0
    offer.suspended, offer.cash_out = shown.suspended, book_value(shown.cash_out_status)
    book.change_offer(shown.offer_id)
    event = book.event(merge.event_id)
    if event is None or event.removed_s:
        book.change_event(merge.event_id).removed_s = 0
    merge.emit(shown)


def _define_outcomes(merge: EventMerge, shown: events.OfferAdded, offer: OfferEntry) -> None:
    known, offer.outcomes = offer.outcomes, {}
    outcomes = []
    for outcome in shown.outcomes:
        entry = known.pop(outcome.id, None)
        if entry is None or entry.order <= merge.as_of_ms:
            entry = _entry(merge, outcome)
            outcomes.append(outcome)
        elif not entry.removed_s:
            _say_known(outcome, entry)
            outcomes.append(outcome)
        merge.book.add_outcome(offer, outcome.id, entry)
    for outcome_id, entry in known.items():
        if entry.order > merge.as_of_ms:
            # As with a pushed offer: who takes it for what it is has this outcome no more.
            entry.odds, entry.status, entry.removed_s = None, None, entry.removed_s or merge.book.now_s
            merge.book.add_outcome(offer, outcome_id, entry)
    shown.outcomes = outcomes


def _say_known(outcome: events.Outcome, entry: OutcomeEntry) -> None:
    """Have ``outcome``, as a snapshot shows it, say the newer odds and status that push said."""
    if odds_of(outcome) != entry.odds:
        outcome.odds_thousandths = UNSET if entry.odds is None or entry.odds == STARTING_PRICE else entry.odds
        outcome.starting_price = True if entry.odds == STARTING_PRICE else UNSET
        outcome.odds_fractional = outcome.odds_american = UNSET
    if entry.status is None:
        entry.status = book_value(outcome.status)
    else:
        outcome.status = entry.status


def _status(merge: EventMerge, shown: events.OfferAdded, offer: OfferEntry) -> None:
    cash_out = book_value(shown.cash_out_status)
    if shown.suspended == offer.suspended and offer.visible is not False and cash_out in {None, offer.cash_out}:
        return
    if offer.order > merge.as_of_ms:
        merge.raced += 1
        return
    offer.order, offer.line, offer.visible = merge.as_of_ms, merge.book.line, True
    offer.suspended, offer.cash_out = shown.suspended, offer.cash_out if cash_out is None else cash_out
    merge.book.change_offer(shown.offer_id)
    merge.emit(
        events.OfferStatusChanged(
            event_id=merge.event_id,
            offer_id=shown.offer_id,
            suspended=shown.suspended,
            visible=True,
            cash_out_status=shown.cash_out_status,
        )
    )


@dataclass(slots=True)
class _Changes:
    """What differs among the outcomes of one offer."""

    removed: list[events.OutcomeReference] = field(default_factory=list)
    added: list[events.Outcome] = field(default_factory=list)
    odds: list[events.OutcomeOdds] = field(default_factory=list)
    statuses: list[events.OutcomeStatus] = field(default_factory=list)


def _outcomes(merge: EventMerge, shown: events.OfferAdded, offer: OfferEntry, *, whole: bool) -> None:
    changes = _Changes()
    if whole:
        _absent_outcomes(merge, {outcome.id for outcome in shown.outcomes}, offer, changes)
    for outcome in shown.outcomes:
        _outcome(merge, outcome, offer, changes)
    event_id, offer_id = merge.event_id, shown.offer_id
    before = len(merge.records)
    if changes.removed:
        merge.emit(events.OutcomesRemoved(event_id=event_id, offer_id=offer_id, outcomes=changes.removed))
    if changes.added:
        merge.emit(events.OutcomesAdded(event_id=event_id, offer_id=offer_id, outcomes=changes.added))
    if changes.odds:
        merge.emit(events.OddsChanged(event_id=event_id, offer_id=offer_id, outcomes=changes.odds))
    if changes.statuses:
        merge.emit(events.OutcomesStatusChanged(event_id=event_id, offer_id=offer_id, outcomes=changes.statuses))
    if len(merge.records) > before:
        merge.book.change_offer(offer_id)


def _outcome(merge: EventMerge, outcome: events.Outcome, offer: OfferEntry, changes: _Changes) -> None:
    entry = offer.outcomes.get(outcome.id)
    odds, status = odds_of(outcome), book_value(outcome.status)
    if entry is not None and not entry.removed_s and entry.odds == odds and status in {None, entry.status}:
        return
    if (offer.floor if entry is None else entry.order) > merge.as_of_ms:
        merge.raced += 1
    elif entry is None:
        if merge.book.add_outcome(offer, outcome.id, _entry(merge, outcome)):
            changes.added.append(outcome)
    elif entry.removed_s or (entry.status is None and status is not None):
        changes.added.append(outcome)  # nobody ever said all of it
        offer.outcomes[outcome.id] = _entry(merge, outcome)
    else:
        if entry.odds != odds:
            changes.odds.append(
                events.OutcomeOdds(
                    id=outcome.id,
                    odds_thousandths=outcome.odds_thousandths,
                    starting_price=outcome.starting_price,
                    odds_fractional=outcome.odds_fractional,
                    odds_american=outcome.odds_american,
                )
            )
        if status not in {None, entry.status}:
            changes.statuses.append(events.OutcomeStatus(id=outcome.id, status=outcome.status))
            entry.status = status
        entry.order, entry.line, entry.odds = merge.as_of_ms, merge.book.line, odds


def _absent_outcomes(merge: EventMerge, shown: set[int], offer: OfferEntry, changes: _Changes) -> None:
    for outcome_id, entry in offer.outcomes.items():
        if outcome_id in shown or entry.removed_s:
            continue
        if entry.order > merge.as_of_ms:
            merge.raced += 1
            continue
        changes.removed.append(events.OutcomeReference(id=outcome_id))
        entry.order, entry.line, entry.odds, entry.status = merge.as_of_ms, merge.book.line, None, None
        entry.removed_s = merge.book.now_s


def _entry(merge: EventMerge, outcome: events.Outcome) -> OutcomeEntry:
    return OutcomeEntry(merge.as_of_ms, merge.book.line, odds_of(outcome), book_value(outcome.status))
