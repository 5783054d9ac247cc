"""Children of other shards' events, which the general lines bring to every shard: three of four there.

Of such a child a task needs how many indices it takes and where its offers belong; its records would be thrown away.
A glance tells that only of a child that nothing can be wrong with; every other is normalized, by every shard, so that
what is wrong with it is found in the same way wherever it is.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

from processors.core.kambi.normalize.values import LEAST_ODDS, STARTING_PRICE
from processors.core.kambi.shards import Share
from schemas.kambi import wire

Foreign = tuple[int, Collection[int | None]]
"""A child that normalizes without fault to records of another shard's event: the event, and for each candidate, in
order, its offer, or ``None`` where it is about none. A plain tuple: most children of a general line make one."""


def glance(child: wire.Child, share: Share) -> Foreign | None:
    """Return what is to be known of ``child`` if it is plainly none of ``share``; ``None``: normalize it."""
    candidates_of = _GLANCES.get(child.mt)
    if candidates_of is None:
        return None
    element = child.element
    event_id = element.event_id
    # Ids as strings of digits are rare (fact sheet §5), and may be too large: not for a glance.
    if type(event_id) is not int or event_id % share.shards == share.shard:
        return None
    offers = candidates_of(element)
    return (event_id, offers) if offers else None


# Each agrees with its namesake in ``normalize`` where it returns something; nothing: that one has to look.

_NOTHING: Final = ()
_ABOUT_EVENT: Final = (None,)


def _odds_changed(element: wire.OutcomesChanged) -> Collection[int | None]:
    common = element.bet_offer_id
    offers: dict[int | None, None] = {}
    for outcome in element.outcomes:
        offer_id, odds = outcome.bet_offer_id, outcome.odds
        if offer_id is None:
            offer_id = common
        if type(offer_id) is not int or type(outcome.id) is not int:
            return _NOTHING
        if odds is not None and odds < LEAST_ODDS and odds != STARTING_PRICE:
            return _NOTHING
        offers[offer_id] = None
    return offers


def _one_offer(element: wire.BetOfferStatusUpdated | wire.BetOfferRemoved) -> Collection[int | None]:
    offer_id = element.bet_offer_id
    return (offer_id,) if type(offer_id) is int else _NOTHING


def _clock_pushed(element: wire.MatchClockUpdated) -> Collection[int | None]:
    clock = element.match_clock
    return _ABOUT_EVENT if clock.minute is not None and not isinstance(clock.version, str) else _NOTHING


def _score_pushed(element: wire.EventScoreUpdated) -> Collection[int | None]:
    score = element.score
    is_whole = score.home is not None and score.away is not None and not isinstance(score.version, str)
    return _ABOUT_EVENT if is_whole else _NOTHING


def _event_only(_: wire.EventOnly | wire.EventDescriptionUpdated) -> Collection[int | None]:
    return _ABOUT_EVENT


_GLANCES: dict[int, Callable[[Any], Collection[int | None]]] = {
    7: _one_offer,
    8: _one_offer,
    9: _event_only,
    11: _odds_changed,
    12: _event_only,
    15: _clock_pushed,
    16: _score_pushed,
    18: _event_only,
    20: _event_only,
}
