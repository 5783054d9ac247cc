"""Bring an event's bet offers to what its match quotes: removals, outcomes, new odds, additions."""

from collections.abc import Iterator, Sequence
from itertools import islice

from simulators.kambi import bodies
from simulators.kambi.book import Quote, Selection
from simulators.kambi.changes import (
    Change,
    OddsChanged,
    OfferAdded,
    OfferRemoved,
    OutcomesAdded,
    OutcomesRemoved,
)
from simulators.kambi.entities import STARTING_PRICE, Event, Moment, Offer, Outcome
from simulators.kambi.ids import Ids
from simulators.kambi.prices import to_odds
from simulators.kambi.trader import settle

_OFFERS_PER_MESSAGE = 3
"""How many bet offers' outcomes the trader puts in one odds message when the whole book is priced anew."""
PLAYER = "OT_PLAYER_PARTICIPANT"
"""Type of the outcomes that are players."""


def apply_book(event: Event, quotes: Sequence[Quote], ids: Ids, moment: Moment) -> Iterator[Change]:
    """Bring the event's bet offers to what is quoted: removals first, then new odds and outcomes, then additions.

    What leaves is settled at once where its market says so, else when the event ends.
    """
    wanted = {quote.key: quote for quote in quotes if quote.selections}
    for key in [key for key in event.offers if key not in wanted]:
        offer = event.offers.pop(key)
        yield OfferRemoved(event_id=event.id, reach=offer.market.reach, bet_offer_id=offer.id)
        outcomes = [(outcome.id, offer.id) for outcome in offer.named]
        if offer.market.decided_when_gone:
            yield from settle(event.id, outcomes)
        else:
            event.unsettled.update(outcomes)
    moved: list[tuple[Offer, list[Outcome]]] = []
    added: list[Offer] = []
    for key, quote in wanted.items():
        held = event.offers.get(key)
        if held is None:
            event.offers[key] = held = Offer(id=ids.offer(), event_id=event.id, market=quote.market, part=quote.part)
            if quote.market.combined:
                _combine(held, quote, ids, moment)
            else:
                _fit(held, quote, ids, moment)
            added.append(held)
            continue
        if quote.market.combined:
            continue  # its odds never move
        removed, new, changed = _fit(held, quote, ids, moment)
        if removed:
            gone = tuple({"id": outcome.id, "betOfferId": held.id} for outcome in removed)
            yield OutcomesRemoved(event_id=event.id, reach=held.market.reach, outcomes=gone)
            event.unsettled.update((outcome.id, held.id) for outcome in removed)
        if new:
            held.told_ms = moment.now_ms
            whole = tuple(bodies.outcome_json(outcome) for outcome in new)
            yield OutcomesAdded(event_id=event.id, reach=held.market.reach, outcomes=whole)
        if changed:
            moved.append((held, changed))
    yield from _odds_messages(event.id, moved)
    for offer in added:
        offer.told_ms = moment.now_ms
        yield OfferAdded(event_id=event.id, reach=offer.market.reach, bet_offer=bodies.bet_offer_json(offer))


def _fit(
    offer: Offer, quote: Quote, ids: Ids, moment: Moment
) -> tuple[list[Outcome], list[Outcome], list[Outcome]]:  # fmt: skip
    """Bring one bet offer's outcomes to the quote; return those removed, added and with new odds."""
    wanted = {(selection.type, selection.label): selection for selection in quote.selections}
    removed = [offer.outcomes.pop(key) for key in list(offer.outcomes) if key not in wanted]
    added, changed = [], []
    for key, selection in wanted.items():
        odds = _priced(quote, selection)
        held = offer.outcomes.get(key)
        if held is None:
            scratched = selection.participant is not None and selection.participant.scratched
            offer.outcomes[key] = held = Outcome(
                id=ids.outcome(),
                offer_id=offer.id,
                label=selection.label,
                type=selection.type,
                odds=odds,
                changed_ms=moment.now_ms,
                line=selection.line,
                status="SUSPENDED" if scratched else "OPEN",
                participant=selection.participant,
            )
            added.append(held)
        elif held.odds != odds:
            held.odds, held.changed_ms = odds, moment.now_ms
            changed.append(held)
    return removed, added, changed


def _priced(quote: Quote, selection: Selection) -> int | None:
    if selection.participant is not None and selection.participant.scratched:
        return None
    return STARTING_PRICE if quote.market.starting_price else to_odds(selection.probability)


def _combine(offer: Offer, quote: Quote, ids: Ids, moment: Moment) -> None:
    """Give a scorecast its parts, which have no odds, and the odds of each combination."""
    offer.parts = [
        Outcome(
            id=ids.outcome(),
            offer_id=offer.id,
            label=selection.label,
            type=selection.type,
            odds=None,
            changed_ms=moment.now_ms,
        )
        for selection in quote.selections
    ]
    sides = list(zip(offer.parts, quote.selections, strict=True))
    offer.combinations = [
        (player, result, to_odds(player_quote.probability * result_quote.probability))
        for player, player_quote in sides
        for result, result_quote in sides
        if player.type == PLAYER != result.type
    ]


def _odds_messages(event_id: int, moved: list[tuple[Offer, list[Outcome]]]) -> Iterator[Change]:
    """Gather bet offers of one reach: general channels must not carry what is not theirs."""
    for reach in ("listed", "extended", "event"):
        offers = iter([item for item in moved if item[0].market.reach == reach])
        while batch := list(islice(offers, _OFFERS_PER_MESSAGE)):
            outcomes = tuple(bodies.odds_outcome_json(outcome) for _, changed in batch for outcome in changed)
            yield OddsChanged(event_id=event_id, reach=batch[0][0].market.reach, outcomes=outcomes)
