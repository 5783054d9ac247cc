"""Turn a child into candidates: normalized records that go out unless their facts are known already."""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from processors.core.kambi.findings import RejectedError, Unreadable
from schemas.kambi import events, wire
from schemas.kambi.codes import Code

LAST_TIME_MS = 253_402_300_799_999
"""The end of the year 9999, the last that RFC 3339 can write."""
STARTING_PRICE = -1
LEAST_ODDS = 1000

Value = TypeVar("Value")
Records = list[events.Normalized]


def vendor_time_ms(t: object) -> int | None:
    """Return ``t`` in milliseconds, or ``None`` when it is missing or no usable time."""
    if isinstance(t, str):
        if not (t.isascii() and t.isdecimal() and len(t) <= 15):
            return None
        t = int(t)
    elif type(t) is not int:
        return None
    return t if 0 <= t <= LAST_TIME_MS else None


def normalize(child: wire.Child, time_ms: int | None) -> Records | Unreadable:
    """Return the candidates of ``child`` in their fixed order, at least one, or why there are none."""
    mt = child.mt
    try:
        return _NORMALIZERS[mt](getattr(child, wire.ELEMENTS[mt][0]), UNSET if time_ms is None else time_ms)
    except RejectedError as rejected:
        return rejected.finding


def _present(value: Value | None) -> Value | UnsetType:
    return UNSET if value is None else value


def _number(value: int | str) -> int:
    if type(value) is int:
        return value  # its bounds were checked when it was read
    number = int(value)
    if number > wire.MAX_ID:  # a string of 19 digits can say that much
        raise RejectedError(Code.BAD_ELEMENT, f"id {number} needs more than 63 bits")
    return number


def _optional(value: int | str | None) -> int | UnsetType:
    return UNSET if value is None else _number(value)


def _event_id(place: int | str | None, other: int | str | None = None) -> int:
    if place is None:
        place, other = other, None
    if place is None:
        raise RejectedError(Code.NO_EVENT_ID, "no event id")
    event_id = _number(place)
    if other is not None and _number(other) != event_id:
        raise RejectedError(Code.ID_CONFLICT, "the message names two events")
    return event_id


def _odds(sent: int | None) -> int | UnsetType:
    if sent is None or sent == STARTING_PRICE:
        return UNSET
    if sent < LEAST_ODDS:
        raise RejectedError(Code.BAD_ODDS, f"odds {sent}")
    return sent


def _odds_only(outcome: wire.Outcome) -> events.OutcomeOdds:
    odds, fractional, american = outcome.odds, outcome.odds_fractional, outcome.odds_american
    return events.OutcomeOdds(
        id=_number(outcome.id),
        odds_thousandths=odds if odds is not None and odds >= LEAST_ODDS else _odds(odds),
        starting_price=True if odds == STARTING_PRICE else UNSET,
        odds_fractional=UNSET if fractional is None else fractional,
        odds_american=UNSET if american is None else american,
    )


def _reference(outcome: wire.Outcome) -> events.OutcomeReference:
    return events.OutcomeReference(id=_number(outcome.id))


def _outcome(outcome: wire.Outcome) -> events.Outcome:
    return events.Outcome(
        id=_number(outcome.id),
        odds_thousandths=_odds(outcome.odds),
        starting_price=True if outcome.odds == STARTING_PRICE else UNSET,
        odds_fractional=_present(outcome.odds_fractional),
        odds_american=_present(outcome.odds_american),
        line_thousandths=_present(outcome.line),
        label=_present(outcome.label),
        english_label=_present(outcome.english_label),
        type=_present(outcome.type),
        status=_present(outcome.status),
        cash_out_status=_present(outcome.cash_out_status),
        changed_at=_present(outcome.changed_date),
        participant=_present(outcome.participant),
        participant_id=_optional(outcome.participant_id),
    )


def _description(event: wire.Event, time: int | UnsetType) -> dict[str, Any]:
    return {
        "event_id": _number(event.id),
        "vendor_time_ms": time,
        "name": _present(event.name),
        "english_name": _present(event.english_name),
        "name_delimiter": _present(event.name_delimiter),
        "home_name": _present(event.home_name),
        "away_name": _present(event.away_name),
        "sport": _present(event.sport),
        "state": _present(event.state),
        "start": _present(event.start),
        "group_name": _present(event.group),
        "group_id": _optional(event.group_id),
        "group_sort_order": _optional(event.group_sort_order),
        "path": UNSET if event.path is None else [_path_step(step) for step in event.path],
        "tags": _present(event.tags),
        "live_offer_count": _present(event.live_bo_count),
        "non_live_offer_count": _present(event.non_live_bo_count),
    }


def _path_step(step: wire.PathStep) -> events.PathStep:
    return events.PathStep(
        id=_optional(step.id),
        name=_present(step.name),
        english_name=_present(step.english_name),
        term_key=_present(step.term_key),
    )


def _offer(offer: wire.BetOffer, event_id: int, time: int | UnsetType) -> events.OfferAdded:
    kind, criterion = offer.bet_offer_type, offer.criterion
    if not isinstance(kind, wire.BetOfferType):
        kind = None if kind is None else wire.BetOfferType(id=kind)  # one client sees the bare id (fact sheet §6)
    return events.OfferAdded(
        event_id=event_id,
        offer_id=_number(offer.id),
        vendor_time_ms=time,
        criterion=UNSET
        if criterion is None
        else events.Criterion(
            id=_optional(criterion.id),
            label=_present(criterion.label),
            english_label=_present(criterion.english_label),
            occurrence_type=_present(criterion.occurrence_type),
            lifetime=_present(criterion.lifetime),
        ),
        type_id=UNSET if kind is None else _number(kind.id),
        type_name=UNSET if kind is None else _present(kind.name),
        english_type_name=UNSET if kind is None else _present(kind.english_name),
        suspended=bool(offer.suspended),
        closed_at=_present(offer.closed),
        cash_out_status=_present(offer.cash_out_status),
        tags=_present(offer.tags),
        outcomes=[_outcome(outcome) for outcome in offer.outcomes or ()],
    )


def _event_added(element: wire.EventAdded, time: int | UnsetType) -> Records:
    return [events.EventAdded(**_description(element.event, time))]


def _event_opened(element: wire.LiveEventOpened, time: int | UnsetType) -> Records:
    records: Records = [events.EventOpened(**_description(element.event, time))]
    if element.main_bet_offer is not None:
        event_id = _event_id(element.event.id, element.main_bet_offer.event_id)
        records.append(_offer(element.main_bet_offer, event_id, time))
    return records


def _event_removed(element: wire.EventRemoved, time: int | UnsetType) -> Records:
    return [events.EventRemoved(event_id=_event_id(element.event_id), vendor_time_ms=time)]


def _event_state_changed(element: wire.EventStateUpdated, time: int | UnsetType) -> Records:
    event_id = _event_id(element.id, element.event_id)
    return [events.EventStateChanged(event_id=event_id, vendor_time_ms=time, state=element.state)]


def _offer_added(element: wire.BetOfferAdded, time: int | UnsetType) -> Records:
    event_id = _event_id(element.event_id, element.bet_offer.event_id)
    return [_offer(element.bet_offer, event_id, time)]


def _offer_removed(element: wire.BetOfferRemoved, time: int | UnsetType) -> Records:
    event_id, offer_id = _event_id(element.event_id), _number(element.bet_offer_id)
    return [events.OfferRemoved(event_id=event_id, offer_id=offer_id, vendor_time_ms=time)]


def _offer_status_changed(element: wire.BetOfferStatusUpdated, time: int | UnsetType) -> Records:
    return [
        events.OfferStatusChanged(
            event_id=_event_id(element.event_id),
            offer_id=_number(element.bet_offer_id),
            vendor_time_ms=time,
            suspended=bool(element.suspended),
            visible=element.visible is not False,
            cash_out_status=_present(element.cash_out_status),
        )
    ]


def _per_offer(
    model: Callable[..., events.Normalized], convert: Callable[[wire.Outcome], Any]
) -> Callable[[wire.OutcomesChanged, int | UnsetType], Records]:
    """Return a normalizer that makes one record per bet offer, in the order in which the offers first appear."""

    def normalizer(element: wire.OutcomesChanged, time: int | UnsetType) -> Records:
        event_id = _event_id(element.event_id)
        common = element.bet_offer_id
        by_offer: dict[int, list[Any]] = {}
        for outcome in element.outcomes:
            sent = outcome.bet_offer_id
            if sent is None:
                sent = common
                if sent is None:
                    raise RejectedError(Code.NO_OFFER_ID, "an outcome names no bet offer")
            offer_id = _number(sent)
            if offer_id in by_offer:
                by_offer[offer_id].append(convert(outcome))
            else:
                by_offer[offer_id] = [convert(outcome)]
        if not by_offer:
            raise RejectedError(Code.NO_OUTCOMES, "the list of outcomes is empty")
        return [
            model(event_id=event_id, offer_id=offer_id, vendor_time_ms=time, outcomes=outcomes)
            for offer_id, outcomes in by_offer.items()
        ]

    return normalizer


_NORMALIZERS: dict[int, Callable[[Any, int | UnsetType], Records]] = {
    4: _event_added,
    5: _event_opened,
    6: _offer_added,
    7: _offer_removed,
    8: _offer_status_changed,
    11: _per_offer(events.OddsChanged, _odds_only),
    18: _event_removed,
    22: _per_offer(events.OutcomesAdded, _outcome),
    23: _per_offer(events.OutcomesRemoved, _reference),
    34: _event_state_changed,
}
