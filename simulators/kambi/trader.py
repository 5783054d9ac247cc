"""The trader of one event: moves odds, suspends and opens, hides and shows, settles. Pure."""

from collections.abc import Iterator, Sequence
from math import inf
from random import Random

from simulators.kambi import bodies
from simulators.kambi.book import Incident
from simulators.kambi.changes import (
    Change,
    OddsChanged,
    OfferStatusChanged,
    OutcomesRemoved,
    OutcomesSettled,
    OutcomesStatusChanged,
)
from simulators.kambi.entities import Event, Moment, Offer, Outcome
from simulators.kambi.prices import stepped

_OUTCOMES_PER_SETTLEMENT = 50
_TICKS = (1, 1, 1, 2, 3)


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


def _step(outcome: Outcome, ticks: int, moment: Moment) -> None:
    """Move odds along the ladder; at an end of it the other way: a move has to move something."""
    before = outcome.odds
    if before is None:  # priced again
        outcome.odds = stepped(2_000, ticks)
    else:
        odds = stepped(before, ticks)
        outcome.odds = odds if odds != before else stepped(before, -ticks)
    outcome.changed_ms = moment.now_ms


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
