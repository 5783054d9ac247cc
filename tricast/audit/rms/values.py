"""Ids, times and amounts as vendor and bet platforms write them; ``None`` for what is none. The audit's own reading."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_LETTERS = 200

_CUSTOMER = re.compile(r"[0-9]{1,20}")
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[Tt ](?P<time>\d\d:\d\d:\d\d)(?:\.(?P<part>\d+))?(?P<zone>[Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of letters, which UTF-8 cannot write."""
_DIGITS = re.compile(r"[0-9]{1,15}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Whole(str):
    """A whole number of a JSON text, by its digits."""

    __slots__ = ()


class Broken(str):
    """A number with a fraction or an exponent, by its letters."""

    __slots__ = ()


def load(text: str | bytes) -> Any:
    """Return what a JSON text says, numbers by their letters.

    Raises:
        ValueError: It is none, or deeper than anybody writes.
    """
    try:
        return json.loads(text, parse_int=Whole, parse_float=Broken, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("too deep") from error


def _no_number(name: str) -> Any:
    raise ValueError(name)


def identifier(value: Any) -> str | None:
    """Return an id: text or a whole number."""
    if type(value) not in (str, Whole) or not 0 < len(value) <= MOST_LETTERS or _CONTROL.search(value):
        return None
    return str(value)


def customer(value: Any) -> str | None:
    """Return a customer id: digits."""
    return str(value) if type(value) in (str, Whole) and _CUSTOMER.fullmatch(value) else None


def amount(value: Any) -> str | None:
    """Return a decimal above 0, equal ones as equal texts."""
    if not isinstance(value, str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or number <= 0 or abs(number.adjusted()) > 200:
        return None
    return plain(number)


def plain(number: Decimal) -> str:
    """Return a decimal without needless zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_ns(value: Any, *, zone_needed: bool) -> int | None:
    """Return UTC nanoseconds of an ISO 8601 time, or of milliseconds since 1970."""
    if type(value) not in (str, Whole):
        return None
    if _DIGITS.fullmatch(value):
        return int(value) * 1_000_000
    found = _TIME.fullmatch(value)
    if found is None or (zone_needed and not found["zone"]):
        return None
    zone = found["zone"] or "Z"
    offset = timedelta()
    if zone not in "Zz":
        hours, minutes = int(zone[1:3]), int(zone[-2:])
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    try:
        at = datetime.fromisoformat(f"{found['day']}T{found['time']}+00:00") - offset
    except (ValueError, OverflowError):
        return None
    seconds = (at - _EPOCH) // timedelta(seconds=1)
    return seconds * 10**9 + int((found["part"] or "0")[:9].ljust(9, "0"))
