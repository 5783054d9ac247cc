"""What the bet platform says: a bet was placed, and what place-bet answered. The first of each stands."""

from processors.core.rms.join import outcomes
from processors.core.rms.join.case import Case, Place
from processors.core.rms.join.entries import Answer, Bet, Placement
from schemas.rms.codes import Count
from schemas.rms.pending import Answered, Placed

PREMATCH = "prematch"


def is_too_old(message: Placed | Answered, bet: Bet | None, place: Place) -> bool:
    """Tell whether a bet must not be opened: it may have had its outcome, which is forgotten."""
    if bet is not None or place.clock.now_ns == 0:
        return False
    said_ns = message.placed_ns if isinstance(message, Placed) else message.answered_ns
    return place.clock.now_ns - min(message.logged_ns, said_ns) > place.settings.remember_ns


def take_placed(case: Case, message: Placed) -> None:
    """Take a placed bet."""
    prematch = message.context == PREMATCH
    bet = _open(case, message, prematch=prematch)
    case.heard(message.logged_ns, message.placed_ns)
    first = bet.placement
    if first is None:
        bet.placement = Placement(
            message.context,
            message.stake,
            message.odds,
            message.platform,
            message.placed_ns,
            message.content,
            message.position,
        )
    elif first.content == message.content:
        case.count(Count.REPEAT)
    else:
        outcomes.conflict(
            case, "placed-differs", time_ns=message.logged_ns, raw=message.position, earlier_raw=first.position
        )


def take_answered(case: Case, message: Answered) -> None:
    """Take place-bet's answer."""
    bet = _open(case, message, prematch=True)
    case.heard(message.logged_ns, message.answered_ns)
    held = bet.answer
    if held is None:
        bet.answer = Answer(
            message.disposition, message.code, message.short_code, message.answered_ns, message.position
        )
        return
    first_position = held.position
    differs = changed = False
    if message.disposition != held.disposition:
        if held.disposition == "unknown":
            held.disposition, held.answered_ns, held.position = (
                message.disposition,
                message.answered_ns,
                message.position,
            )
            held.short_code = message.short_code or held.short_code
            changed = True
        else:
            differs = True
    if message.code is not None and message.code != held.code:
        if held.code is None:
            held.code, held.short_code = message.code, message.short_code or held.short_code
            changed = True
        else:
            differs = True
    if differs:
        outcomes.conflict(
            case, "answer-differs", time_ns=message.logged_ns, raw=message.position, earlier_raw=first_position
        )
    elif not changed:
        case.count(Count.REPEAT)


def _open(case: Case, message: Placed | Answered, *, prematch: bool) -> Bet:
    bet = case.entry.bet
    if bet is None:
        settings = case.place.settings
        window_ns = settings.window_prematch_ns if prematch else settings.window_live_ns
        bet = case.entry.bet = Bet(message.logged_ns, window_ns, case.now_ns)
    return bet
