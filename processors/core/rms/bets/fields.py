"""Fields of a bet record, narrower than what the vendor may send; ``None`` for what is none."""

import re
from typing import Any, Final

from processors.core.rms import amounts, times
from processors.core.rms.ids import id_text

_OFFSET: Final = re.compile(r".+:\d\d.*(?:[Zz]|[+-]\d\d:?\d\d)", re.ASCII)
"""What an instant ends with."""


def text(value: Any, most: int) -> str | None:
    """Return a text of 1 to ``most`` letters without control characters, or the digits of a whole number."""
    written = id_text(value)
    return written if written is not None and len(written) <= most else None


def amount(value: Any) -> str | None:
    """Return a decimal above 0, written out without needless zeros, so that equal amounts are equal texts."""
    number = amounts.amount(value)
    if not number:
        return None
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def time_ns(value: Any) -> int | None:
    """Return UTC nanoseconds of an RFC 3339 time with offset, or of milliseconds since 1970 (number or digits).

    Without an offset it might be anybody's local time, so it is none.
    """
    is_local = type(value) is str and not value.isdecimal() and _OFFSET.fullmatch(value) is None
    return None if is_local else times.time_ns(value)
