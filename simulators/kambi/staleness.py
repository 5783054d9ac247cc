"""The offering as it was a while ago: what a cache in front of the HTTP API would still show."""

import pickle
from collections import deque
from dataclasses import dataclass

from simulators.kambi.config import FaultSwitch
from simulators.kambi.offering import Offering


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What answers show; ``age_s`` as a cache states it, whole seconds, absent when none is in front."""

    offering: Offering
    age_s: int | None = None


class Staleness:
    """Keep copies of the offering while the fault ``http_stale_ms`` is on; there are two or three at a time.

    Args:
        faults: How old answers are to be.
        offering: The one that lives on.
    """

    def __init__(self, faults: FaultSwitch, offering: Offering) -> None:
        self._faults = faults
        self._offering = offering
        self._copies: deque[tuple[int, bytes]] = deque()
        self._loaded: tuple[int, Offering] | None = None
        self._now_ms = 0

    def keep(self, now_ms: int) -> None:
        """Take a copy when it is time for one; called often."""
        self._now_ms = now_ms
        stale_ms = self._faults.current.http_stale_ms
        if stale_ms == 0:
            self._copies.clear()
            return
        if not self._copies or now_ms - self._copies[-1][0] >= stale_ms:
            self._copies.append((now_ms, pickle.dumps(self._offering)))
        while len(self._copies) > 1 and now_ms - self._copies[1][0] >= stale_ms:
            self._copies.popleft()

    def shown(self) -> Shown:
        """Return what HTTP answers show: the offering itself when the fault is off."""
        if self._faults.current.http_stale_ms == 0 or not self._copies:
            return Shown(offering=self._offering)
        taken_ms, copy = self._copies[0]
        if self._loaded is None or self._loaded[0] != taken_ms:
            self._loaded = (taken_ms, pickle.loads(copy))  # noqa: S301 - our own bytes of a moment ago
        return Shown(offering=self._loaded[1], age_s=(self._now_ms - taken_ms) // 1000)
