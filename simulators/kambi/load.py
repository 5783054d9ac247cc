"""Pacing of load frames: how many are due, and for which event, by turns."""

from collections.abc import Sequence


class LoadPlan:
    """Give out load frames at a rate, event by event."""

    def __init__(self) -> None:
        self._owed = 0.0
        self._turn = 0

    def take(self, elapsed_ms: int, event_ids: Sequence[int], frames_per_s: float) -> list[int]:
        """Return the events whose turn it is after ``elapsed_ms``; nothing piles up while nobody listens.

        Args:
            elapsed_ms: Since the last call.
            event_ids: Who may have a turn.
            frames_per_s: Frames over all events.
        """
        if not event_ids:
            self._owed = 0.0
            return []
        self._owed += frames_per_s / 1000 * elapsed_ms
        frames = int(self._owed)
        self._owed -= frames
        first, self._turn = self._turn, self._turn + frames
        return [event_ids[n % len(event_ids)] for n in range(first, first + frames)]
