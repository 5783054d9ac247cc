"""Bulking: messages to one routing key within a window leave as one JSON array (sheet, section 5)."""

from dataclasses import dataclass

from simulators.kambi.copies import Copy


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """Messages that leave together on one routing key, in the order they were published."""

    key: str
    messages: tuple[Copy, ...]


class Bulker:
    """One buffer per routing key; nothing is merged, nothing crosses keys.

    Args:
        window_ms: How long a buffer waits from its first message on; 0 sends each message alone.
        most: Messages after which a buffer leaves at once.
    """

    def __init__(self, *, window_ms: int, most: int) -> None:
        self._window_ms = window_ms
        self._most = most if window_ms > 0 else 1
        self._buffers: dict[str, list[Copy]] = {}
        self._due_ms: dict[str, int] = {}  # insertion order is due order: the window is the same for all

    def add(self, key: str, message: Copy, now_ms: int) -> Bulk | None:
        """Buffer ``message`` for ``key``; return the bulk if this filled it."""
        if key not in self._buffers:
            self._buffers[key] = []
            self._due_ms[key] = now_ms + self._window_ms
        self._buffers[key].append(message)
        return self._take(key) if len(self._buffers[key]) >= self._most else None

    def due(self, now_ms: int) -> list[Bulk]:
        """Return the bulks whose window has ended."""
        ended = []
        for key, due_ms in self._due_ms.items():
            if due_ms > now_ms:
                break
            ended.append(key)
        return [self._take(key) for key in ended]

    def flush(self, key: str) -> Bulk | None:
        """Return what waits for ``key`` before its window has ended, so that something may follow it in order."""
        return self._take(key) if key in self._buffers else None

    def _take(self, key: str) -> Bulk:
        del self._due_ms[key]
        return Bulk(key=key, messages=tuple(self._buffers.pop(key)))
