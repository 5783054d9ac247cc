"""Sequence numbers and ids as they come: numbers, or numbers in quotes (fact sheet §4)."""

from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import Raw

from processors.core.fastpath.findings import RejectedError
from schemas.fastpath.codes import Code
from schemas.fastpath.fields import MAX_SEQUENCE


def sequence_number(value: Any) -> int:
    """Return the sequence number that ``value`` is: an integer, digits in quotes, or a fraction like ``41.0``.

    Raises:
        RejectedError: It is none from 0 to 2^63 - 1.
    """
    if type(value) is int:
        number: int | None = value
    elif type(value) is str:
        number = int(value) if value.isascii() and value.isdecimal() and len(value) <= 400 else None
    elif type(value) is Raw:
        number = _whole(bytes(value).decode())
    else:
        number = None
    if number is None or not 0 <= number <= MAX_SEQUENCE:
        raise RejectedError(Code.BAD_SEQUENCE, f"{type(value).__name__} {_shown(value)}"[:80])
    return number


def decimal_text(value: Any) -> str | None:
    """Return the decimal number ``value`` as the text it was sent as; ``None`` if it is no such number."""
    if type(value) is Raw:
        return bytes(value).decode()
    if type(value) is int:
        return str(value)
    if type(value) is not str:
        return None
    try:
        return value if Decimal(value).is_finite() else None
    except InvalidOperation:
        return None


def _whole(text: str) -> int | None:
    try:
        number = Decimal(text)
    except InvalidOperation:  # an exponent beyond all measure
        return None
    if not 0 <= number <= MAX_SEQUENCE or number != number.to_integral_value():
        return None
    return int(number)


def _shown(value: Any) -> str:
    return bytes(value).decode() if type(value) is Raw else str(value)[:60]
