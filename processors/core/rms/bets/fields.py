"""Fields of a bet record: ids, decimals and times, exactly as they were written; ``None`` for what is none."""

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from processors.core.vendor_time import vendor_time_ns

ID_LETTERS: Final = 200

_CUSTOMER = re.compile(r"[0-9]{1,20}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
"""Two digits of exponent: written out, no amount is longer than a line."""
_MILLISECONDS = re.compile(r"[0-9]{1,15}")
_OFFSET = re.compile(r".+:\d\d.*(?:[Zz]|[+-]\d\d:?\d\d)", re.ASCII)
"""What an instant ends with."""
_MS_NS: Final = 1_000_000


def text(value: Any, most: int) -> str | None:
    """Return a text of 1 to ``most`` letters without control characters, or the digits of a whole number."""
    written = _written(value)
    if written is None or not 0 < len(written) <= most or _CONTROL.search(written):
        return None
    return written


def customer_id(value: Any) -> str | None:
    """Return a customer id: digits, as text or as a number."""
    written = _written(value)
    return written if written is not None and _CUSTOMER.fullmatch(written) else None


def amount(value: Any) -> str | None:
    """Return a decimal above 0, written out without needless zeros, so that equal amounts are equal texts."""
    written = bytes(value).decode() if type(value) is msgspec.Raw else _written(value)
    if written is None or not _DECIMAL.fullmatch(written):
        return None
    number = Decimal(written)
    if number <= 0:
        return None
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def time_ns(value: Any) -> int | None:
    """Return UTC nanoseconds of an RFC 3339 time with offset, or of milliseconds since 1970 (number or digits).

    Without an offset it might be anybody's local time, so it is none.
    """
    written = _written(value)
    if written is None:
        return None
    if _MILLISECONDS.fullmatch(written):
        return int(written) * _MS_NS
    return vendor_time_ns(written) if _OFFSET.fullmatch(written) else None


def _written(value: Any) -> str | None:
    """Return a text as it is, and a whole number by its digits; ``processors.core.exact`` keeps them all."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else None
