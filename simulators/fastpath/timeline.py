"""``timelineSequence``: period, seconds and number in one fraction, as lossy as the vendor's (fact sheet §5.3, §15)."""

from decimal import Decimal
from typing import Final

import msgspec

_SECOND: Final = Decimal("1e-9")
_NUMBER: Final = Decimal("1e-16")


def timeline_sequence(period: int, elapsed_s: int, number: int, *, exact: bool) -> msgspec.Raw:
    """Return the JSON number.

    Args:
        period: Period id; 0 for status actions.
        elapsed_s: Seconds elapsed in the period.
        number: ``fixtureSeqNum``.
        exact: All decimals in plain notation, 3.0000000000000687; else through a double and in its shortest form,
            3.000000000000069, and 9.1e-15 where a plain writer has 0.0000000000000091.
    """
    value = period + elapsed_s * _SECOND + number * _NUMBER
    return msgspec.Raw(f"{value:f}".encode() if exact else msgspec.json.encode(float(value)))
