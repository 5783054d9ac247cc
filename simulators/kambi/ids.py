"""Ids of everything, never given twice."""

from typing import Literal

Kind = Literal["event", "offer", "outcome", "incident", "participant"]

_PER_SECOND: dict[Kind, int] = {"event": 1, "offer": 1_000, "outcome": 4_000, "incident": 1_000, "participant": 20}
"""How far a second of the start time moves the first id: a simulator that is started again goes on beyond it."""
_FIRST: dict[Kind, int] = {
    "event": 1_020_000_000,
    "offer": 4_400_000_000,
    "outcome": 4_400_000_000,
    "incident": 410_000_000,
    "participant": 1_004_000_000,
}


class Ids:
    """Give out ids; those of bet offers and outcomes are beyond 32 bits.

    Args:
        start_ms: Epoch milliseconds of the start.
        first: Let all of them start here instead, e.g. beyond 2^53.
    """

    def __init__(self, start_ms: int, *, first: int | None = None) -> None:
        since_s = max(0, start_ms // 1000 - 1_700_000_000)  # 2023-11-14
        self._last = {
            kind: _FIRST[kind] + since_s * per_second if first is None else first - 1
            for kind, per_second in _PER_SECOND.items()
        }

    def event(self) -> int:
        return self._next("event")

    def offer(self) -> int:
        return self._next("offer")

    def outcome(self) -> int:
        return self._next("outcome")

    def incident(self) -> int:
        """Return the id of an occurrence, a visualization or a ticker line."""
        return self._next("incident")

    def participant(self) -> int:
        return self._next("participant")

    def _next(self, kind: Kind) -> int:
        self._last[kind] += 1
        return self._last[kind]
