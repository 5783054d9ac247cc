"""The trader of one event: turns quotes into bet offers, moves odds, suspends and opens. Pure but for its ids."""

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from simulators.kambi.book import Incident, Quote
from simulators.kambi.changes import (
    Change,
    OddsChanged,
    OfferAdded,
    OfferRemoved,
    OfferStatusChanged,
    OutcomesAdded,
    OutcomesRemoved,
)
from simulators.kambi.entities import Event, Offer, Outcome, bet_offer_json, odds_outcome_json, outcome_json
from simulators.kambi.prices import stepped, to_odds

_OFFERS_PER_MESSAGE = 3
"""How many bet offers' outcomes the trader puts in one odds message when the whole book is priced anew."""


class Ids:
    """Ids of bet offers and outcomes, both beyond 32 bits, never given twice."""

    def __init__(self, start_ms: int) -> None:
        # A thousand a second since 2023-11-14: a simulator that is started again goes on beyond what it gave before.
        since_s = max(0, start_ms // 1000 - 1_700_000_000)
        self._offer = 4_400_000_000 + since_s * 1_000
        self._outcome = 4_400_000_000 + since_s * 4_000

    def offer(self) -> int:
        self._offer += 1
        return self._offer

    def outcome(self) -> int:
        self._outcome += 1
        return self._outcome


def apply_book(event: Event, quotes: Sequence[Quote], ids: Ids, now_ms: int) -> Iterator[Change]:
    """Bring the event's bet offers to what is quoted: removals first, then new odds and outcomes, then additions."""
    wanted = {quote.key: quote for quote in quotes if quote.selections}
    for key in [key for key in event.offers if key not in wanted]:
        offer = event.offers.pop(key)
        yield OfferRemoved(event_id=event.id, reach=offer.market.reach, bet_offer_id=offer.id)
    moved: list[tuple[Offer, list[Outcome]]] = []
    added: list[Offer] = []
    for key, quote in wanted.items():
        held = event.offers.get(key)
        if held is None:
            event.offers[key] = held = Offer(id=ids.offer(), event_id=event.id, market=quote.market)
            _fit(held, quote, ids, now_ms)
            added.append(held)
            continue
        removed, new, changed = _fit(held, quote, ids, now_ms)
        if removed:
            gone = tuple({"id": outcome.id, "betOfferId": held.id} for outcome in removed)
            yield OutcomesRemoved(event_id=event.id, reach=held.market.reach, outcomes=gone)
        if new:
            whole = tuple(outcome_json(outcome) for outcome in new)
            yield OutcomesAdded(event_id=event.id, reach=held.market.reach, outcomes=whole)
        if changed:
            moved.append((held, changed))
    yield from _odds_messages(event.id, moved)
    for offer in added:
        yield OfferAdded(event_id=event.id, reach=offer.market.reach, bet_offer=bet_offer_json(offer))


def suspend(event: Event, incident: Incident, now_ms: int) -> Iterator[Change]:
    """Suspend what the incident concerns until new odds are out; what is suspended already stays so for longer."""
    event.requote_ms = now_ms + incident.pause_ms
    for offer in event.offers.values():
        if incident.criteria is None or offer.market.criterion_id in incident.criteria:
            was_open = offer.resume_ms is None
            offer.resume_ms = event.requote_ms
            if was_open:
                yield _status(offer)


def suspend_one(offer: Offer, until_ms: int) -> Change:
    """Suspend one open bet offer for a while."""
    offer.resume_ms = until_ms
    return _status(offer)


def resume(event: Event, now_ms: int) -> Iterator[Change]:
    """Open again what was suspended until now."""
    for offer in event.offers.values():
        if offer.resume_ms is not None and offer.resume_ms <= now_ms:
            offer.resume_ms = None
            yield _status(offer)


def move(offer: Offer, chance: Random, now_ms: int) -> Change:
    """Shorten one outcome and drift the last of the others, as a bet on the first would."""
    outcomes = list(offer.outcomes.values())
    backed = chance.randrange(len(outcomes))
    ticks = chance.choice((1, 1, 1, 2, 3))
    changed = []
    for outcome, step in ((outcomes[backed], -ticks), (outcomes[backed - 1], ticks)):
        odds = stepped(outcome.odds, step)
        if odds == outcome.odds:  # at an end of the ladder: a move has to move something
            odds = stepped(outcome.odds, -step)
        outcome.odds, outcome.changed_ms = odds, now_ms
        changed.append(odds_outcome_json(outcome))
        if len(outcomes) == 1:
            break
    return OddsChanged(event_id=offer.event_id, reach=offer.market.reach, outcomes=tuple(changed))


def drop_outcome(offer: Offer, chance: Random) -> Change:
    """Take one outcome out of a bet offer that has enough of them; the next pricing brings it back under a new id."""
    outcome = offer.outcomes.pop(chance.choice(sorted(offer.outcomes)))
    gone = ({"id": outcome.id, "betOfferId": offer.id},)
    return OutcomesRemoved(event_id=offer.event_id, reach=offer.market.reach, outcomes=gone)


def _fit(
    offer: Offer, quote: Quote, ids: Ids, now_ms: int
) -> tuple[list[Outcome], list[Outcome], list[Outcome]]:  # fmt: skip
    """Bring one bet offer's outcomes to the quote; return those removed, added and with new odds."""
    wanted = {(selection.type, selection.label): selection for selection in quote.selections}
    removed = [offer.outcomes.pop(key) for key in list(offer.outcomes) if key not in wanted]
    added, changed = [], []
    for key, selection in wanted.items():
        odds = to_odds(selection.probability)
        held = offer.outcomes.get(key)
        if held is None:
            offer.outcomes[key] = held = Outcome(
                id=ids.outcome(),
                offer_id=offer.id,
                label=selection.label,
                type=selection.type,
                odds=odds,
                changed_ms=now_ms,
                line=selection.line,
            )
            added.append(held)
        elif held.odds != odds:
            held.odds, held.changed_ms = odds, now_ms
            changed.append(held)
    return removed, added, changed


def _odds_messages(event_id: int, moved: list[tuple[Offer, list[Outcome]]]) -> Iterator[Change]:
    """Gather bet offers of one reach: general channels must not carry what is not theirs."""
    for reach in ("listed", "extended", "event"):
        offers = iter([item for item in moved if item[0].market.reach == reach])
        while batch := list(islice(offers, _OFFERS_PER_MESSAGE)):
            outcomes = tuple(odds_outcome_json(outcome) for _, changed in batch for outcome in changed)
            yield OddsChanged(event_id=event_id, reach=batch[0][0].market.reach, outcomes=outcomes)


def _status(offer: Offer) -> Change:
    return OfferStatusChanged(
        event_id=offer.event_id,
        reach=offer.market.reach,
        bet_offer_id=offer.id,
        suspended=offer.resume_ms is not None,
    )
