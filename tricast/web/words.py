"""Numbers and times as people read them; all of one kind have the same width, so that nothing jumps."""

from datetime import UTC, datetime

UNKNOWN = "\u2013"
_DAY_MS = 86_400_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def count(number: int | None) -> str:
    """Return a whole number."""
    return UNKNOWN if number is None else f"{number:,}"


def rate(per_s: float | None) -> str:
    """Return records a second: one decimal below a hundred."""
    if per_s is None:
        return UNKNOWN
    return f"{per_s:.1f}" if per_s < 99.95 else f"{per_s:,.0f}"


def span(seconds: float | None) -> str:
    """Return a length of time in its two largest units."""
    if seconds is None:
        return UNKNOWN
    if seconds < 9.95:
        return f"{seconds:.1f} s" if seconds else "0 s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S:02} h"


def size(number: float | None) -> str:
    """Return bytes in the unit of their size, powers of ten."""
    if number is None:
        return UNKNOWN
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1_000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1_000
    return f"{number:,.1f} TB"


def clock(at_ms: int, now_ms: int) -> str:
    """Return a time of day, UTC; with its date when that is not today's."""
    if at_ms // _DAY_MS == now_ms // _DAY_MS:
        return _utc(at_ms).strftime("%H:%M:%S")
    return _utc(at_ms).strftime("%b %d %H:%M")


def iso(at_ms: int) -> str:
    """Return a time for machines, and for those who want all of it."""
    return _utc(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(at_ms: int) -> datetime:
    # A record may carry any number as its time; what no calendar has is shown as its nearest end.
    return datetime.fromtimestamp(min(max(at_ms, 0), 253_402_300_799_000) / 1000, UTC)
