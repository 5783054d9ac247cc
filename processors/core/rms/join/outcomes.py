"""The records of ``rms.decisions`` and ``rms.lookups``, made of what is known."""

from decimal import Decimal, InvalidOperation
from typing import Literal, TypeVar

from msgspec import UNSET, UnsetType

from processors.core.rms.join.case import Case, Place
from processors.core.rms.join.entries import Bet, Ended, Item, Placement, Raw
from schemas.rms.decisions import Amended, Conflict, Decision, Late, Latency, Orphan, Positions
from schemas.rms.fields import Evidence, Outcome, Said
from schemas.rms.lookups import LookUp

_T = TypeVar("_T")
_MS_NS = 1_000_000


def decide(case: Case, bet: Bet, item: Item) -> None:
    """Tell what the vendor decided."""
    outcome: Outcome = "accepted" if item.said == "accept" else "rejected"
    bet.final = Ended(outcome, item.said, item.raw)
    record = _decision(case, bet, outcome, item.evidence, item=item, raw=item.raw)
    case.tell(record, item.received_ns)


def expire(case: Case, bet: Bet, time_ns: int, *, why: str | None = None) -> None:
    """Tell that nobody decided in time, or, with ``why``, that this could not be verified."""
    if why is not None:
        bet.final = Ended("expired_unverified")
        case.tell(_decision(case, bet, "expired_unverified", "deadline", why=why), time_ns)
        return
    bet.final = Ended("expired")
    is_looked_up = bet.cleared_ns is not None and bet.cleared_ns >= bet.deadline_ns
    evidence: Evidence = "looked_up" if is_looked_up else "deadline"
    raw = bet.cleared_raw if is_looked_up else None
    case.tell(_decision(case, bet, "expired", evidence, raw=raw), time_ns)


def late(case: Case, bet: Bet, item: Item, earlier: Outcome) -> None:
    """Tell a decision that came after the bet had expired."""
    record = Late(
        customer=case.place.customer,
        bet_slip_id=case.slip,
        bet_code=_code(bet, item),
        said=item.said,
        evidence=item.evidence,
        earlier=earlier,
        received_ns=item.received_ns,
        after_deadline_ms=(item.received_ns - bet.deadline_ns) // _MS_NS,
        raw=case.place.position(item.raw),
    )
    case.tell(record, item.received_ns)


def conflict(
    case: Case,
    why: str,
    *,
    time_ns: int,
    raw: str,
    earlier_raw: str,
    code: str | None = None,
    said: Said | None = None,
) -> None:
    """Tell two records of a bet that cannot both be right."""
    bet = case.entry.bet
    known = None if bet is None or bet.answer is None else bet.answer.code
    record = Conflict(
        customer=case.place.customer,
        bet_slip_id=case.slip,
        bet_code=_set(known or code),
        why=why,
        stands="" if bet is None or bet.final is None else bet.final.outcome,
        said=_set(said),
        earlier_raw=earlier_raw,
        raw=raw,
    )
    case.tell(record, time_ns)


def look_up(case: Case, bet: Bet, code: str, why: Literal["gap", "deadline"]) -> None:
    """Ask what has become of a bet."""
    record = LookUp(
        customer=case.place.customer,
        bet_slip_id=case.slip,
        bet_code=code,
        why=why,
        asked_ns=case.now_ns,
        until_ns=max(bet.deadline_ns, case.now_ns) + case.place.settings.verify_ns,
    )
    case.tell(record, case.now_ns)


def orphan(place: Place, item: Item, slip: str | None, code: str | None) -> Orphan:
    """Return the record of a decision whose bet has not come."""
    return Orphan(
        customer=place.customer,
        bet_slip_id=_set(slip),
        bet_code=_set(code),
        said=item.said,
        received_ns=item.received_ns,
        raw=place.position(item.raw),
    )


def _decision(
    case: Case,
    bet: Bet,
    outcome: Outcome,
    evidence: Evidence,
    *,
    why: str | None = None,
    item: Item | None = None,
    raw: Raw | None = None,
) -> Decision:
    placement, answer = bet.placement, bet.answer
    return Decision(
        customer=case.place.customer,
        bet_slip_id=case.slip,
        bet_code=_code(bet, item),
        short_code=UNSET if answer is None else _set(answer.short_code),
        platform_id=UNSET if placement is None else _set(placement.platform),
        outcome=outcome,
        evidence=evidence,
        why=_set(why),
        reason=UNSET if item is None else _set(item.reason),
        context=UNSET if placement is None else placement.context,
        disposition=UNSET if answer is None else answer.disposition,
        stake=UNSET if placement is None else _set(_amount(placement.stake)),
        amended=UNSET if placement is None or item is None else _amended(placement, item),
        placed_ns=UNSET if placement is None else placement.placed_ns,
        answered_ns=UNSET if answer is None else answer.answered_ns,
        decided_ns=UNSET if item is None else _set(item.decided_ns),
        received_ns=UNSET if item is None else item.received_ns,
        deadline_ns=bet.deadline_ns,
        latency=_latency(bet, item),
        positions=Positions(
            placed=UNSET if placement is None else placement.position,
            answered=UNSET if answer is None else answer.position,
            decided=UNSET if raw is None else case.place.position(raw),
        ),
        after_orphan=True if item is not None and item.is_orphan else UNSET,
    )


def _latency(bet: Bet, item: Item | None) -> Latency:
    placed_ns = None if bet.placement is None else bet.placement.placed_ns
    answered_ns = None if bet.answer is None else bet.answer.answered_ns
    decided_ns = None if item is None else item.decided_ns
    received_ns = None if item is None else item.received_ns
    return Latency(
        placed_to_answered_ms=_span(placed_ns, answered_ns),
        answered_to_decided_ms=_span(answered_ns, decided_ns),
        decided_to_received_ms=_span(decided_ns, received_ns),
        placed_to_received_ms=_span(placed_ns, received_ns),
    )


def _span(first_ns: int | None, last_ns: int | None) -> int | UnsetType:
    return UNSET if first_ns is None or last_ns is None else (last_ns - first_ns) // _MS_NS


def _amended(placement: Placement, item: Item) -> Amended | UnsetType:
    stake, odds = _amount(item.stake), _amount(item.odds)
    if stake == _amount(placement.stake):
        stake = None
    # The odds of a multiple are a product that nobody told us how to round.
    if len(placement.odds) != 1 or odds == _amount(placement.odds[0]):
        odds = None
    return UNSET if stake is None and odds is None else Amended(stake=_set(stake), odds=_set(odds))


def _amount(text: str | None) -> Decimal | None:
    try:
        amount = None if text is None else Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def _code(bet: Bet, item: Item | None) -> str | UnsetType:
    if bet.answer is not None and bet.answer.code is not None:
        return bet.answer.code
    return UNSET if item is None else _set(item.code)


def _set(value: _T | None) -> _T | UnsetType:
    return UNSET if value is None else value
