"""Settled outcomes."""

from msgspec import UNSET

from processors.core.kambi.findings import RejectedError
from processors.core.kambi.normalize.values import Time, event_id, number, optional, present
from schemas.kambi import events, wire
from schemas.kambi.codes import Code

Item = wire.SettledOutcome | int | str


def outcomes_settled(element: wire.OutcomesSettled | list[Item], time: Time) -> list[events.Normalized]:
    """Return the candidates of ``os``, one an outcome, in the order in which they are named; no event id is needed."""
    message = wire.OutcomesSettled(outcomes=element) if isinstance(element, list) else element
    items = {number(_outcome(item).id): _outcome(item) for item in message.outcome_ids or ()}
    # What stands in both lists is one outcome, and the object says more than the bare id.
    listed = [_outcome(item) for item in message.outcomes or ()]
    for item in listed:
        items.pop(number(item.id), None)
    outcomes = [*listed, *items.values()]
    if not outcomes:
        raise RejectedError(Code.NO_OUTCOMES, "no outcomes to settle")
    return [
        events.OutcomeSettled(
            event_id=UNSET
            if outcome.event_id is None and message.event_id is None
            else event_id(outcome.event_id, message.event_id),
            vendor_time_ms=time,
            offer_id=optional(message.bet_offer_id if outcome.bet_offer_id is None else outcome.bet_offer_id),
            outcome_id=number(outcome.id),
            status=present(outcome.status),
        )
        for outcome in outcomes
    ]


def _outcome(item: Item) -> wire.SettledOutcome:
    return item if isinstance(item, wire.SettledOutcome) else wire.SettledOutcome(id=item)
