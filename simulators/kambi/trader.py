"""The trader of one event: turns quotes into bet offers, moves odds, suspends and opens. Pure but for its ids."""

from collections.abc import Iterator, Sequence
from itertools import islice
from math import inf
from random import Random

from simulators.kambi import bodies
from simulators.kambi.book import Incident, Quote, Selection
from simulators.kambi.changes import (
    Change,
    OddsChanged,
    OfferAdded,
    OfferRemoved,
    OfferStatusChanged,
    OutcomesAdded,
    OutcomesRemoved,
    OutcomesSettled,
    OutcomesStatusChanged,
)
from simulators.kambi.entities import STARTING_PRICE, Event, Moment, Offer, Outcome
from simulators.kambi.ids import Ids
from simulators.kambi.prices import stepped, to_odds

_OFFERS_PER_MESSAGE = 3
"""How many bet offers' outcomes the trader puts in one odds message when the whole book is priced anew."""
_OUTCOMES_PER_SETTLEMENT = 50
_TICKS = (1, 1, 1, 2, 3)
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


def suspend(event: Event, incident: Incident, moment: Moment) -> Iterator[Change]:
    """Suspend what the incident concerns until new odds are out; what is suspended already stays so for longer."""
    event.requote_ms = moment.game_ms + incident.pause_ms
    event.wake_ms = min(event.wake_ms, event.requote_ms)
    for offer in event.offers.values():
        if incident.criteria is None or offer.market.criterion_id in incident.criteria:
            was_open = not offer.suspended
            offer.resume_ms = event.requote_ms
            if was_open:
                yield _status(offer)


def suspend_one(event: Event, offer: Offer, until_ms: float) -> Change:
    """Suspend one open bet offer for a while; its outcomes stay as they are."""
    offer.resume_ms = until_ms
    event.wake_ms = min(event.wake_ms, until_ms)
    return _status(offer)


def hide(event: Event, offer: Offer, until_ms: float) -> Change:
    """Hide one bet offer for a while."""
    offer.show_ms = until_ms
    event.wake_ms = min(event.wake_ms, until_ms)
    return _status(offer)


def hold_outcome(event: Event, offer: Offer, outcome: Outcome, until_ms: float) -> Change:
    """Suspend one outcome of a bet offer for a while."""
    outcome.status, outcome.reopen_ms = "SUSPENDED", until_ms
    event.held.append((offer, outcome))
    event.wake_ms = min(event.wake_ms, until_ms)
    return _outcome_status(event, [outcome])


def resume(event: Event, moment: Moment) -> Iterator[Change]:
    """Open and show again what was suspended or hidden until now; set when to look next."""
    wake_ms = min(event.requote_ms, event.delay_ms)
    for offer in event.offers.values():
        changed = False
        if offer.resume_ms is not None and offer.resume_ms <= moment.game_ms:
            offer.resume_ms, changed = None, True
        if offer.show_ms is not None and offer.show_ms <= moment.game_ms:
            offer.show_ms, changed = None, True
        if changed:
            yield _status(offer)
        wake_ms = min(wake_ms, offer.resume_ms or inf, offer.show_ms or inf)
    held, event.held = event.held, []
    for offer, outcome in held:
        if not event.holds(offer) or offer.outcomes.get((outcome.type, outcome.label)) is not outcome:
            continue  # it left meanwhile
        if outcome.reopen_ms is not None and outcome.reopen_ms > moment.game_ms:
            event.held.append((offer, outcome))
            wake_ms = min(wake_ms, outcome.reopen_ms)
        else:
            outcome.status, outcome.reopen_ms = "OPEN", None
            yield _outcome_status(event, [outcome])
    event.wake_ms = wake_ms


def move(offer: Offer, chance: Random, moment: Moment, *, without_odds: bool = False) -> Change:
    """Shorten one outcome and drift the last of the others, as a bet on the first would.

    Args:
        offer: One with outcomes that are ``movable``.
        chance: What decides which and how far.
        moment: When.
        without_odds: Take the odds of the first of the two away, as the vendor does when nobody can bet on it.
    """
    outcomes = [outcome for outcome in offer.outcomes.values() if outcome.movable]
    backed = chance.randrange(len(outcomes))
    ticks = chance.choice(_TICKS)
    moved = [outcomes[backed]] if len(outcomes) == 1 else [outcomes[backed], outcomes[backed - 1]]
    for outcome, step in zip(moved, (-ticks, ticks), strict=False):
        _step(outcome, step, moment)
    if without_odds:
        moved[0].odds = None
    return _odds_changed(offer, moved)


def move_and_back(offer: Offer, chance: Random, moment: Moment) -> Iterator[Change]:
    """Move one outcome's odds to A, to B and back to A, all at one moment."""
    outcome = chance.choice([outcome for outcome in offer.outcomes.values() if outcome.movable])
    _step(outcome, 1, moment)
    yield _odds_changed(offer, [outcome])
    there = outcome.odds
    _step(outcome, 2, moment)
    yield _odds_changed(offer, [outcome])
    outcome.odds = there
    yield _odds_changed(offer, [outcome])


def drop_outcome(event: Event, offer: Offer, chance: Random) -> Change:
    """Take one outcome out of a bet offer that has enough of them; the next pricing brings it back under a new id."""
    outcome = offer.outcomes.pop(chance.choice(sorted(offer.outcomes)))
    event.unsettled[outcome.id] = offer.id
    gone = ({"id": outcome.id, "betOfferId": offer.id},)
    return OutcomesRemoved(event_id=offer.event_id, reach=offer.market.reach, outcomes=gone)


def close(event: Event) -> Iterator[Change]:
    """Suspend everything for good and settle every outcome, those that left earlier, too."""
    for offer in event.offers.values():
        was_open = not offer.suspended
        offer.resume_ms = inf
        if was_open:
            yield _status(offer)
    for offer in event.offers.values():
        if outcomes := offer.named:
            for outcome in outcomes:
                outcome.status = "SETTLED"
            event.unsettled.update((outcome.id, offer.id) for outcome in outcomes)
            yield _outcome_status(event, outcomes)
    yield from settle(event.id, list(event.unsettled.items()))
    event.unsettled.clear()


def settle(event_id: int, outcomes: Sequence[tuple[int, int]]) -> Iterator[Change]:
    """Settle outcomes, given with their bet offers."""
    for first in range(0, len(outcomes), _OUTCOMES_PER_SETTLEMENT):
        yield OutcomesSettled(
            event_id=event_id,
            outcomes=tuple(
                {"id": outcome_id, "betOfferId": offer_id, "eventId": event_id, "status": "SETTLED"}
                for outcome_id, offer_id in outcomes[first : first + _OUTCOMES_PER_SETTLEMENT]
            ),
        )


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


def _step(outcome: Outcome, ticks: int, moment: Moment) -> None:
    """Move odds along the ladder; at an end of it the other way: a move has to move something."""
    before = outcome.odds
    if before is None:  # priced again
        outcome.odds = stepped(2_000, ticks)
    else:
        odds = stepped(before, ticks)
        outcome.odds = odds if odds != before else stepped(before, -ticks)
    outcome.changed_ms = moment.now_ms


def _odds_messages(event_id: int, moved: list[tuple[Offer, list[Outcome]]]) -> Iterator[Change]:
    """Gather bet offers of one reach: general channels must not carry what is not theirs."""
    for reach in ("listed", "extended", "event"):
        offers = iter([item for item in moved if item[0].market.reach == reach])
        while batch := list(islice(offers, _OFFERS_PER_MESSAGE)):
            outcomes = tuple(bodies.odds_outcome_json(outcome) for _, changed in batch for outcome in changed)
            yield OddsChanged(event_id=event_id, reach=batch[0][0].market.reach, outcomes=outcomes)


def _odds_changed(offer: Offer, outcomes: Sequence[Outcome]) -> Change:
    return OddsChanged(
        event_id=offer.event_id,
        reach=offer.market.reach,
        outcomes=tuple(bodies.odds_outcome_json(outcome) for outcome in outcomes),
    )


def _status(offer: Offer) -> Change:
    return OfferStatusChanged(
        event_id=offer.event_id,
        reach=offer.market.reach,
        bet_offer_id=offer.id,
        suspended=offer.suspended,
        visible=offer.visible,
    )


def _outcome_status(event: Event, outcomes: Sequence[Outcome]) -> Change:
    return OutcomesStatusChanged(
        event_id=event.id,
        outcomes=tuple(
            {"id": outcome.id, "betOfferId": outcome.offer_id, "status": outcome.status} for outcome in outcomes
        ),
    )
