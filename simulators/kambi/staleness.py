"""The offering as it was a while ago: what a cache in front of the HTTP API would still show."""

import pickle
from collections import deque

from simulators.kambi.config import FaultSwitch
from simulators.kambi.offering import Offering


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
        self._shown: tuple[int, Offering] | None = None

    def keep(self, now_ms: int) -> None:
        """Take a copy when it is time for one; called often."""
        stale_ms = self._faults.current.http_stale_ms
        if stale_ms == 0:
            self._copies.clear()
            return
        if not self._copies or now_ms - self._copies[-1][0] >= stale_ms:
            self._copies.append((now_ms, pickle.dumps(self._offering)))
        while len(self._copies) > 1 and now_ms - self._copies[1][0] >= stale_ms:
            self._copies.popleft()

    def shown(self) -> Offering:
        """Return what HTTP answers show: the offering itself when the fault is off."""
        if self._faults.current.http_stale_ms == 0 or not self._copies:
            return self._offering
        taken_ms, copy = self._copies[0]
        if self._shown is None or self._shown[0] != taken_ms:
            self._shown = (taken_ms, pickle.loads(copy))  # noqa: S301 - our own bytes of a moment ago
        return self._shown[1]
