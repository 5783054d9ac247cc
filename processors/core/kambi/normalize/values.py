"""Single values of wire models, made exact and checked; what cannot be is rejected with its reason."""

from decimal import Decimal
from typing import TypeVar

from msgspec import UNSET, UnsetType

from processors.core.kambi.findings import RejectedError
from schemas.kambi import wire
from schemas.kambi.codes import Code

STARTING_PRICE = -1
"""Odds of an outcome that is settled at the starting price (fact sheet §9)."""
LEAST_ODDS = 1000
_MOST_DIGITS = 18
"""Of a coordinate, before the point or behind it; an exponent in JSON could else write a number of gigabytes."""

Value = TypeVar("Value")
Time = int | UnsetType
"""The vendor's time of a message, UTC milliseconds, if it is usable."""


def present(value: Value | None) -> Value | UnsetType:
    """Return ``value``, with ``None`` as absent."""
    return UNSET if value is None else value


def number(value: int | str) -> int:
    """Return an id, sent as a number or as digits."""
    if type(value) is int:
        return value  # its bounds were checked when it was read
    exact = int(value)
    if exact > wire.MAX_ID:  # a string of 19 digits can say that much
        raise RejectedError(Code.BAD_ELEMENT, f"id {exact} needs more than 63 bits")
    return exact


def optional(value: int | str | None) -> int | UnsetType:
    """Return an id that may be absent."""
    return UNSET if value is None else number(value)


def name(value: int | str | None) -> str | UnsetType:
    """Return a name that some clients see as a number."""
    return UNSET if value is None else str(value)


def event_id(place: int | str | None, other: int | str | None = None) -> int:
    """Return the event id that stands in one of two places, or in both if they agree."""
    if place is None:
        place, other = other, None
    if place is None:
        raise RejectedError(Code.NO_EVENT_ID, "no event id")
    found = number(place)
    if other is not None and number(other) != found:
        raise RejectedError(Code.ID_CONFLICT, "the message names two events")
    return found


def odds(sent: int | None) -> int | UnsetType:
    """Return odds in thousandths; absent and starting price are both no odds."""
    if sent is None or sent == STARTING_PRICE:
        return UNSET
    if sent < LEAST_ODDS:
        raise RejectedError(Code.BAD_ODDS, f"odds {sent}")
    return sent


def coordinate(sent: Decimal | None) -> int | str | UnsetType:
    """Return a coordinate digit by digit: an integer, or a decimal fraction as text."""
    if sent is None:
        return UNSET
    if not sent.is_finite() or abs(sent.adjusted()) > _MOST_DIGITS or len(sent.as_tuple().digits) > _MOST_DIGITS:
        raise RejectedError(Code.BAD_ELEMENT, "a coordinate that is no number of usual length")
    whole = int(sent)
    return whole if whole == sent else f"{sent:f}".rstrip("0")
