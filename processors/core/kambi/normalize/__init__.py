"""Turn a child into candidates: normalized records that go out unless their facts are known already."""

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET

from processors.core.kambi.findings import RejectedError, Unplaced, Unreadable
from processors.core.kambi.normalize import offering, offers, scores, settlements
from processors.core.kambi.normalize.values import Time
from schemas.kambi import events, wire

FIRST_TIME_MS = 10**12
"""September 2001; below it ``t`` is no time in milliseconds, and most likely one in seconds."""
LAST_TIME_MS = 253_402_300_799_999
"""The end of the year 9999, the last that RFC 3339 can write."""

Candidates = Sequence[events.Normalized | Unplaced]


def vendor_time_ms(t: object) -> int | None:
    """Return ``t`` in milliseconds, or ``None`` when it is missing or no usable time."""
    if isinstance(t, str):
        if not (t.isascii() and t.isdecimal() and len(t) <= 15):
            return None
        t = int(t)
    elif type(t) is not int:
        return None
    return t if FIRST_TIME_MS <= t <= LAST_TIME_MS else None


def normalize(child: wire.Child, time_ms: int | None) -> Candidates | Unreadable:
    """Return the candidates of ``child`` in their fixed order, at least one, or why there are none."""
    try:
        return _NORMALIZERS[child.mt](child.element, UNSET if time_ms is None else time_ms)
    except RejectedError as rejected:
        return rejected.finding


_NORMALIZERS: dict[int, Callable[[Any, Time], Candidates]] = {
    4: offering.event_added,
    5: offering.event_opened,
    6: offers.offer_pushed,
    7: offers.offer_removed,
    8: offers.offer_status_changed,
    9: offers.offers_suspended,
    11: offers.odds_changed,
    12: scores.clock_removed,
    15: scores.clock_pushed,
    16: scores.score_pushed,
    17: scores.statistics_pushed,
    18: offering.event_removed,
    19: scores.ticker_added,
    20: offering.event_description_changed,
    22: offers.outcomes_added,
    23: offers.outcomes_removed,
    24: settlements.outcomes_settled,
    25: scores.occurrence_changed,
    27: scores.visualization_changed,
    28: scores.live_statistic_changed,
    32: offers.outcomes_status_changed,
    34: offering.event_state_changed,
}
