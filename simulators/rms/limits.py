"""How often one address may come: a sliding window. Pure."""

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one try.

    Attributes:
        used: Tries in the window, with this one if it counts.
        allowed: Whether this one is.
        retry_ns: How long until there is room again, if nobody tries before; 0 when this one is allowed.
    """

    used: int
    allowed: bool
    retry_ns: int = 0


class SlidingWindow:
    """At most ``limit`` tries in any ``window_ns``, by key.

    Args:
        limit: How many.
        window_ns: Length; what is exactly as old does not count any more.
        refused_count: Whether refused tries count, too.
    """

    def __init__(self, limit: int, window_ns: int, *, refused_count: bool) -> None:
        self._limit = limit
        self._window_ns = window_ns
        self._refused_count = refused_count
        self._tries: dict[str, deque[int]] = {}

    def take(self, key: str, now_ns: int) -> Taken:
        """Try once."""
        tries = self._tries.setdefault(key, deque())
        self._forget(tries, now_ns)
        allowed = len(tries) < self._limit
        if allowed or self._refused_count:
            tries.append(now_ns)
        if allowed:
            return Taken(used=len(tries), allowed=True)
        return Taken(used=len(tries), allowed=False, retry_ns=tries[-self._limit] + self._window_ns - now_ns)

    def used(self, now_ns: int) -> dict[str, int]:
        """Return how many tries each key has in the window; those with none are forgotten."""
        for key, tries in list(self._tries.items()):
            self._forget(tries, now_ns)
            if not tries:
                del self._tries[key]
        return {key: len(tries) for key, tries in self._tries.items()}

    def _forget(self, tries: deque[int], now_ns: int) -> None:
        while tries and now_ns - tries[0] >= self._window_ns:
            tries.popleft()
