"""A bet slip's task: takes what comes for it, judges, and says when it wants to be looked at again."""

from processors.core.rms.join import deadline, outcomes
from processors.core.rms.join.answers import is_too_old, take_answered, take_placed
from processors.core.rms.join.case import Case, Order, is_cleared, order_ns, order_of
from processors.core.rms.join.coverage import Gap
from processors.core.rms.join.entries import Bet, Item
from processors.core.rms.join.evidence import Kept, take_evident
from processors.core.rms.join.judge import contradict, disagree, judge, judge_later
from processors.core.rms.join.wakes import Wake
from schemas.rms.codes import Code, Count
from schemas.rms.pending import Answered, Evident, Known, Placed


def take(case: Case, message: Placed | Answered | Evident | Known) -> Code | None:
    """Take one message of a slip and judge; return why it is a dead letter, if it is."""
    match message:
        case Placed() | Answered():
            if is_too_old(message, case.entry.bet, case.place):
                return Code.BET_TOO_OLD
            if isinstance(message, Placed):
                take_placed(case, message)
            else:
                take_answered(case, message)
        case Evident():
            item = take_evident(case, message)
            if item is Kept.TOO_MUCH:
                return Code.TOO_MUCH_EVIDENCE
            if item is Kept.REPEAT:
                case.count(Count.REPEAT)
            bet = case.entry.bet
            if bet is not None and bet.final is not None and isinstance(item, Item):
                judge_later(case, bet, item)
        case Known():
            bet = case.entry.bet
            if bet is None or bet.answer is None:
                case.count(Count.NO_BET)
            elif bet.answer.code == message.code:
                bet.answer.is_known = True
    look(case)
    return None


def known(case: Case, message: Placed | Answered) -> str | None:
    """Return what is known of a slip that leaves nothing to a replayed ``message``; ``None``: it adds something."""
    bet = case.entry.bet
    if bet is None:
        return None
    if bet.final is not None:
        return f"it is decided: {bet.final.outcome}"
    before = bet.placement if isinstance(message, Placed) else bet.answer
    return None if before is None else f"{before.position} said so before"


def look(case: Case, gap: Gap | None = None) -> bool:
    """Do what is due. Doing it twice does nothing: memory of when to look is not state.

    Args:
        case: The slip.
        gap: Gap of the customer that ended with this record.

    Returns:
        Whether it was asked about because of ``gap``.
    """
    is_asked, bet = False, case.entry.bet
    if bet is None:
        _tell_orphans(case)
        return is_asked
    if bet.final is None:
        judge(case, bet)
    if bet.final is None:
        asked_ns = bet.asked_ns
        deadline.reach(case, bet)
        if bet.final is not None:
            for item in case.entry.items:  # behind what the window's end had to wait for
                judge_later(case, bet, item)
        elif gap is not None and asked_ns == bet.asked_ns:  # at most one request at a time
            is_asked = deadline.resume(case, bet, gap)
    contradict(case, bet)
    disagree(case, bet)
    return is_asked


def is_over(case: Case) -> bool:
    """Tell whether a slip can be forgotten."""
    entry = case.entry
    if entry.bet is None and not entry.items:
        return True
    if case.now_ns > _forgotten_ns(case) and (entry.bet is None or entry.bet.final is not None):
        return True
    return entry.bet is not None and not entry.items and deadline.is_settled(entry.bet, case.place)


def wake_of(case: Case) -> Wake:
    """Return what a slip waits for, after ``look``."""
    bet = case.entry.bet
    if bet is None or bet.final is not None:
        times = [_forgotten_ns(case)]
        if bet is None:
            times += [_orphaned_ns(case, item) for item in case.entry.items if not item.is_orphan]
        return _wake(case, times)
    return _wake_of_open(case, bet)


def _wake_of_open(case: Case, bet: Bet) -> Wake:
    place = case.place
    times = [bet.deadline_ns, bet.patience_ns, order_ns(bet, place)]
    befores = [item.before for item in case.entry.items]
    if is_cleared(bet):
        befores.append(bet.cleared_before)
    proven_ns = None if bet.is_need_proven else bet.deadline_ns
    if bet.answer is None:
        times.append(deadline.unanswered_ns(bet, place))
    elif not deadline.is_waiting(bet):
        times.append(deadline.settled_ns(bet, place))
        proven_ns = None
    if bet.need is not None and bet.answer is not None:
        befores.append(bet.need)
        if deadline.is_waiting(bet) and order_of(bet, bet.need, place) is not Order.AWAITED:
            verified_ns = deadline.verified_ns(bet, place)
            if verified_ns is not None:
                times.append(verified_ns)
    wake = _wake(case, times)
    passed = min((before for before in befores if before > place.passage.mark), default=None)
    return Wake(at_ns=wake.at_ns, passed=passed, proven_ns=proven_ns)


def _wake(case: Case, times_ns: list[int]) -> Wake:
    # Each is a time that has to be over; those that are over already were acted on.
    return Wake(at_ns=min((time_ns + 1 for time_ns in times_ns if time_ns >= case.now_ns), default=None))


def _forgotten_ns(case: Case) -> int:
    return case.entry.last_ns + case.place.settings.remember_ns


def _orphaned_ns(case: Case, item: Item) -> int:
    return item.received_ns + case.place.settings.orphan_ns


def _tell_orphans(case: Case) -> None:
    for item in case.entry.items:
        if not item.is_orphan and case.now_ns > _orphaned_ns(case, item):
            item.is_orphan = True
            case.tell(outcomes.orphan(case.place, item, case.slip, item.code), item.received_ns)
