"""Stakes and odds, exactly."""

import re
from decimal import Decimal
from typing import Any, Final

from msgspec import Raw

# Bounds keep what is written without exponent short: a few letters may else stand for a gigabyte of zeros.
_AMOUNT: Final = re.compile(r"[+-]?([0-9]{1,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?", re.ASCII)


def amount(value: Any) -> Decimal | None:
    """Return the decimal in ``value``, not below 0; ``None`` if it is none.

    Args:
        value: As :func:`processors.core.exact.read_object` gives it: a whole number, a fraction's text, or text.
    """
    match value:
        case bool():
            return None
        case int():
            text = str(value) if abs(value) < 10**40 else ""
        case Raw():
            text = bytes(value).decode()
        case str():
            text = value
        case _:
            return None
    if _AMOUNT.fullmatch(text) is None:
        return None
    exact = Decimal(format(Decimal(text), "f"))
    return None if exact < 0 else exact.copy_abs()  # abs() would round
