"""How far one connection has come with ``join``. Pure; times are monotonic seconds."""

from typing import Final, Literal

_LONGEST_WAIT_S: Final = 60.0
"""``join`` is sent again no less often: until the server hears it nothing comes."""

Step = Literal["alarm", "again", "healthy"]


class Joining:
    """Told when ``join`` showed; says what is due.

    Args:
        timeout_s: How long the acknowledgement may take; that of each further ``join`` twice as long.
        healthy_s: How long to be joined to count as healthy.
        sent_s: When ``join`` was sent.

    Attributes:
        is_overdue: Whether the acknowledgement is.
    """

    def __init__(self, timeout_s: float, *, healthy_s: float, sent_s: float) -> None:
        self._wait_s = timeout_s
        self._healthy_s = healthy_s
        self._due_s = sent_s + timeout_s
        self._joined_s: float | None = None
        self._healthy = False
        self.is_overdue = False

    def joined(self, *, now_s: float) -> None:
        """It was acknowledged, or an approval came."""
        self._joined_s = now_s
        self.is_overdue = False

    def step(self, *, now_s: float) -> Step | None:
        """Return what is due now, each thing once: an alarm and another ``join``, another one, or that all is well."""
        if self._joined_s is not None:
            if self._healthy or now_s - self._joined_s < self._healthy_s:
                return None
            self._healthy = True
            return "healthy"
        if now_s < self._due_s:
            return None
        self._wait_s = max(self._wait_s, min(2 * self._wait_s, _LONGEST_WAIT_S))
        self._due_s = now_s + self._wait_s
        first, self.is_overdue = not self.is_overdue, True
        return "alarm" if first else "again"
