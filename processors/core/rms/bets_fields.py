"""Fields of a bet record: ids, decimals and times, exactly as they were written; ``None`` for what is none."""

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final


class Whole(str):
    """A whole number of a JSON text, by its digits."""

    __slots__ = ()


class Fraction(str):
    """A number of a JSON text with a fraction or an exponent, by its letters."""

    __slots__ = ()


ID_LETTERS: Final = 200

_CUSTOMER = re.compile(r"[0-9]{1,20}")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which UTF-8 cannot write."""
_DECIMAL = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
"""Two digits of exponent: written out, no amount is longer than a line."""
_MILLISECONDS = re.compile(r"[0-9]{1,15}")
_RFC_3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d|60)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SECOND_NS: Final = 1_000_000_000
_MS_NS: Final = 1_000_000


def text(value: Any, most: int) -> str | None:
    """Return a text of 1 to ``most`` printable letters, or the digits of a whole number."""
    if type(value) not in (str, Whole) or not 0 < len(value) <= most or _UNPRINTABLE.search(value):
        return None
    return str(value)


def customer_id(value: Any) -> str | None:
    """Return a customer id: digits, as text or as a number."""
    return str(value) if type(value) in (str, Whole) and _CUSTOMER.fullmatch(value) else None


def amount(value: Any) -> str | None:
    """Return a decimal above 0, written out without needless zeros, so that equal amounts are equal texts."""
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return None
    number = Decimal(value)
    if number <= 0:
        return None
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def time_ns(value: Any) -> int | None:
    """Return UTC nanoseconds of an RFC 3339 time with offset, or of milliseconds since 1970 (number or digits).

    Without an offset it might be anybody's local time, so it is none. A tenth decimal and more are cut off; a leap
    second counts as the one after it.
    """
    if type(value) not in (str, Whole):
        return None
    if _MILLISECONDS.fullmatch(value):
        return int(value) * _MS_NS
    found = _RFC_3339.fullmatch(value)
    if found is None:
        return None
    day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = found.groups()
    try:
        days = date.fromisoformat(day).toordinal() - _EPOCH
    except ValueError:
        return None
    offset_s = int(offset_hours or 0) * 3600 + int(offset_minutes or 0) * 60
    time_s = days * 86_400 + int(hour) * 3600 + int(minute) * 60 + int(second)
    time_s += offset_s if sign == "-" else -offset_s
    return max(0, time_s * _SECOND_NS + int((fraction or "0")[:9].ljust(9, "0")))
