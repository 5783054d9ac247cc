"""What the end of a bet's window comes to: expired where nothing can have been missed, else doubt and a look-up."""

from processors.core.rms.join import outcomes
from processors.core.rms.join.case import (
    Case,
    Order,
    Place,
    doubt_from_ns,
    is_bet_gapped,
    is_cleared,
    is_in_doubt,
    is_proven,
    order_of,
)
from processors.core.rms.join.coverage import Gap, overlaps
from processors.core.rms.join.entries import Answer, Bet

_WAIT = ("referred", "unknown")


def reach(case: Case, bet: Bet) -> None:
    """End a bet that is not final, or ask about it, if its time has come."""
    place, now_ns = case.place, case.now_ns
    _fix_need(case, bet)
    if is_cleared(bet) and is_waiting(bet):
        if order_of(bet, bet.cleared_before, place) is not Order.AWAITED:
            outcomes.expire(case, bet, now_ns)
        return
    if now_ns <= bet.deadline_ns:
        return
    if bet.answer is None:
        if now_ns > unanswered_ns(bet, place):
            outcomes.expire(case, bet, now_ns, why="unanswered")
        return
    if not is_waiting(bet):
        return
    assert bet.need is not None
    order = order_of(bet, bet.need, place)
    if order is Order.AWAITED:
        return
    if order is Order.GIVEN_UP or is_in_doubt(bet, place):
        _doubt(case, bet, bet.answer, order)
    elif is_proven(bet, place):
        outcomes.expire(case, bet, now_ns)


def resume(case: Case, bet: Bet, gap: Gap) -> bool:
    """Ask about a bet that is not final, if the gap that ended now may hide its decision; return whether it was."""
    answer = bet.answer
    if answer is None or answer.code is None or not is_waiting(bet) or is_cleared(bet):
        return False
    if not overlaps(gap, doubt_from_ns(bet), bet.deadline_ns):
        return False
    outcomes.look_up(case, bet, answer.code, "gap")
    return True


def is_waiting(bet: Bet) -> bool:
    """Tell whether a trader may have to decide the bet, by place-bet's answer."""
    return bet.answer is not None and bet.answer.disposition in _WAIT


def unanswered_ns(bet: Bet, place: Place) -> int:
    """Return until when place-bet's answer is waited for."""
    return max(bet.start_ns + place.settings.unanswered_ns, bet.patience_ns)


def verified_ns(bet: Bet, place: Place) -> int | None:
    """Return until when a look-up's answer is waited for; ``None``: the window's end was not asked about."""
    return None if bet.asked_ns is None else max(bet.deadline_ns, bet.asked_ns) + place.settings.verify_ns


def settled_ns(bet: Bet, place: Place) -> int:
    """Return how long a bet is kept that no trader has to decide."""
    return bet.patience_ns + place.settings.orphan_ns


def is_settled(bet: Bet, place: Place) -> bool:
    """Tell whether a bet that no trader has to decide can be forgotten: nothing for it is on its way."""
    if bet.answer is None or is_waiting(bet) or bet.final is not None or place.clock.now_ns <= settled_ns(bet, place):
        return False
    return bet.need is None or order_of(bet, bet.need, place) is not Order.AWAITED


def _fix_need(case: Case, bet: Bet) -> None:
    place, clock = case.place, case.place.clock
    if bet.answer is not None and not is_waiting(bet):
        # Nothing ends with its window: only before it is forgotten does it matter what is on its way.
        if bet.need is None and case.now_ns > settled_ns(bet, place):
            bet.need = clock.by_code
        return
    if bet.need is None and case.now_ns > bet.deadline_ns:
        bet.need = clock.by_code
    if not bet.is_need_proven and is_proven(bet, place):
        # What was sent in time may have come after the window's end, but not after its proof.
        bet.need, bet.is_need_proven = clock.by_code, True


def _doubt(case: Case, bet: Bet, answer: Answer, order: Order) -> None:
    now_ns, until_ns = case.now_ns, verified_ns(bet, case.place)
    if answer.code is None:
        outcomes.expire(case, bet, now_ns, why="no-code")
    elif bet.is_missing:
        outcomes.expire(case, bet, now_ns, why="not-found")
    elif until_ns is None:
        bet.asked_ns = now_ns
        outcomes.look_up(case, bet, answer.code, "deadline")
    elif now_ns > until_ns:
        outcomes.expire(case, bet, now_ns, why=_why(case, bet, order))


def _why(case: Case, bet: Bet, order: Order) -> str:
    if bet.has_errors:
        return "no-answer"
    if is_bet_gapped(bet, case.place):
        return "feed-down"
    return "unordered" if order is Order.GIVEN_UP else "unknown-disposition"
