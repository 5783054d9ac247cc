"""What evidence comes to: the first in the order of ``rms.raw`` decides, the rest is late, a repeat or a conflict."""

from processors.core.rms.join import outcomes
from processors.core.rms.join.case import Case, Order, is_cleared, is_in_doubt, is_proven, may_be_in_time, order_of
from processors.core.rms.join.entries import Bet, Ended, Item
from schemas.rms.codes import Count

_MEANS = {"accepted": "accept", "rejected": "reject"}


def judge(case: Case, bet: Bet) -> None:
    """Decide a bet that is not final, if its evidence does."""
    winner = first_order = None
    is_in_doubt_now = is_in_doubt(bet, case.place)
    for item in case.entry.items:
        order = order_of(bet, item.before, case.place)
        if order is Order.AWAITED:
            break  # whatever comes after it in raw must not overtake it
        first_order = first_order or order
        if may_be_in_time(item, bet) or _is_answered(bet) or (is_in_doubt_now and order is Order.HERE):
            winner = item
            break
    if winner is not None:
        outcomes.decide(case, bet, winner)
        contradict(case, bet)
    elif first_order is Order.HERE and (is_proven(bet, case.place) or is_cleared(bet)):
        # It was sent after the window's end, on a socket that had missed nothing before.
        outcomes.expire(case, bet, max(case.now_ns, case.entry.items[0].received_ns))
    else:
        return
    for item in case.entry.items:
        if item is not winner:
            judge_later(case, bet, item)


def judge_later(case: Case, bet: Bet, item: Item) -> None:
    """Judge evidence for a bet that is final."""
    final = bet.final
    assert final is not None
    if final.said is None:
        outcomes.late(case, bet, item, final.outcome)
        bet.final = Ended(final.outcome, item.said, item.raw)
    elif final.said == item.said:
        case.count(Count.DUPLICATE)
    else:
        assert final.raw is not None
        outcomes.conflict(
            case,
            "opposite",
            time_ns=item.received_ns,
            raw=case.place.position(item.raw),
            earlier_raw=case.place.position(final.raw),
            code=item.code,
            said=item.said,
        )


def contradict(case: Case, bet: Bet) -> None:
    """Tell, once, that the vendor decided the opposite of what place-bet had answered; whichever came last."""
    final, answer = bet.final, bet.answer
    if bet.contradicts or final is None or answer is None or final.raw is None or final.outcome not in _MEANS:
        return
    means = _MEANS.get(answer.disposition)
    if means is None or means == final.said:
        return
    bet.contradicts = True
    item = next(one for one in case.entry.items if one.raw == final.raw)
    outcomes.conflict(
        case,
        "answer-contradicts",
        time_ns=item.received_ns,
        raw=case.place.position(final.raw),
        earlier_raw=answer.position,
        said=final.said,
    )


def disagree(case: Case, bet: Bet) -> None:
    """Tell, once, that evidence names this slip and another bet's code; the slip holds."""
    answer = bet.answer
    if bet.disagrees or answer is None or answer.code is None:
        return
    for item in case.entry.items:
        if item.code is not None and item.code != answer.code:
            bet.disagrees = True
            outcomes.conflict(
                case,
                "ids-disagree",
                time_ns=item.received_ns,
                raw=case.place.position(item.raw),
                earlier_raw=answer.position,
                said=item.said,
            )
            return


def _is_answered(bet: Bet) -> bool:
    """Tell whether place-bet's answer was final: nobody waits, so there is no expiry that could come before."""
    return bet.answer is not None and bet.answer.disposition in _MEANS
