"""Times as the vendor and bet platforms write them: text with or without zone, or milliseconds since 1970."""

from typing import Any, Final

from processors.core.vendor_time import FIRST_NS, LAST_NS, vendor_time_ns

_MILLISECOND_NS: Final = 1_000_000
_MOST_DIGITS: Final = 19


def time_ns(value: Any) -> int | None:
    """Return UTC nanoseconds since 1970, or ``None`` when ``value`` is no usable time (before September 2001 neither).

    Args:
        value: As :func:`processors.core.exact.read_object` gives it. Text of digits alone is milliseconds, too.
    """
    if type(value) is str:
        if not (value.isascii() and value.isdecimal() and len(value) <= _MOST_DIGITS):
            return vendor_time_ns(value)
        value = int(value)
    if type(value) is not int:
        return None
    since_ns = value * _MILLISECOND_NS
    return since_ns if FIRST_NS <= since_ns <= LAST_NS else None
