"""Delays between connection attempts (fact sheet §6)."""

import math
from random import Random


class JoinedBackoff:
    """Steps with full jitter above a floor, which start again once a connection was joined for long enough.

    To the runner no connection holds long enough: being open is not being joined. The line tells (:meth:`healthy`).

    Args:
        steps_s: Upper bounds of the delays after 1, 2, … failures in a row, seconds; the last one goes on.
        floor_s: Added to each of them, so that the jitter stays where a step is as short as the floor, seconds.
    """

    def __init__(self, steps_s: tuple[float, ...], *, floor_s: float) -> None:
        self._steps_s = steps_s
        self._floor_s = floor_s
        self._failures = 0

    @property
    def healthy_s(self) -> float:
        """Never, see above."""
        return math.inf

    def healthy(self) -> None:
        """The delays start again."""
        self._failures = 0

    def delay_s(self, failures: int, random: Random) -> float:
        """Return how long to wait after one more failure."""
        self._failures += 1
        return self._floor_s + random.uniform(0, self._steps_s[min(self._failures, len(self._steps_s)) - 1])
