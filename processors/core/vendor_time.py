"""Timestamps as the vendor writes them: 0 to 9 decimals, with zone or without (then UTC)."""

import re
from datetime import date
from functools import lru_cache
from typing import Final

FIRST_NS: Final = 10**18
"""September 2001: what lies before is no time of a match but a placeholder, such as tennis' 1970."""
LAST_NS: Final = 253_402_300_799_999_999_999
"""The end of the year 9999, the last that RFC 3339 can write."""

_EPOCH: Final = date(1970, 1, 1).toordinal()
_SECOND_NS: Final = 1_000_000_000
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)? ?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?", re.ASCII
)


@lru_cache(maxsize=64)
def _day_s(text: str) -> int | None:
    try:
        return (date.fromisoformat(text).toordinal() - _EPOCH) * 86_400
    except ValueError:
        return None


def vendor_time_ns(text: str) -> int | None:
    """Return UTC nanoseconds since 1970, or ``None`` when ``text`` is no usable time.

    A tenth decimal and more are cut off. A leap second counts as the one after it.
    """
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = found.groups()
    day_s = _day_s(day)
    if day_s is None or int(hour) > 23 or int(minute) > 59 or int(second or 0) > 60:
        return None
    time_s = day_s + int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes or 0) > 59:
            return None
        offset_s = int(offset_hours) * 3600 + int(offset_minutes or 0) * 60
        time_s += offset_s if sign == "-" else -offset_s
    time_ns = time_s * _SECOND_NS + (int(fraction[:9].ljust(9, "0")) if fraction else 0)
    return time_ns if FIRST_NS <= time_ns <= LAST_NS else None
