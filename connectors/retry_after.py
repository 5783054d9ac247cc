"""The header ``Retry-After`` (RFC 9110 §10.2.3): seconds or a date, and servers that mean neither."""

import email.utils
from datetime import UTC
from typing import Final

LONGEST_S: Final = 900.0
"""A server that sends us away for longer is asked every quarter of an hour all the same."""


def retry_after_s(text: str, *, now_ns: int) -> float:
    """Return seconds from ``now_ns`` (UTC), 0 when ``text`` names no time to come, at most :data:`LONGEST_S`."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        after_s = float(text[:9])
    else:
        try:
            at = email.utils.parsedate_to_datetime(text)
        except (ValueError, OverflowError):  # the latter: a part that no C integer holds
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        after_s = at.timestamp() - now_ns / 1_000_000_000
    return min(max(after_s, 0.0), LONGEST_S)
