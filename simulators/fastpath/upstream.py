"""When a feed's upstream collector counts as gone and as back (fact sheet §7): time is told, nothing is awaited.

Only packets and heartbeats of the *upstream* keep a feed alive; the heartbeats that the server itself sends to its
clients do not count, or the rule could never fire.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CONNECTED: Final = "Connected"
DISCONNECTED: Final = "Disconnected"

_S: Final = 1_000_000_000
TICK_NS: Final = 10 * _S
SILENCE_NS: Final = 30 * _S


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A feed has another state: what a status packet tells."""

    feed: str
    state: str
    at_ns: int


@dataclass(slots=True)
class _Known:
    heard_ns: int
    state: str


class Collectors:
    """All feeds of a server, checked on one grid.

    Call ``advance`` up to a moment before anything of that moment is ``heard``.

    Args:
        start_ns: Where the grid begins: checks are at multiples of ``tick_ns`` after it.
        tick_ns: How far the checks are apart.
        silence_ns: How long a feed has to be silent at a check to count as gone.
    """

    def __init__(self, *, start_ns: int, tick_ns: int = TICK_NS, silence_ns: int = SILENCE_NS) -> None:
        self._next_check_ns = start_ns + tick_ns
        self._tick_ns = tick_ns
        self._silence_ns = silence_ns
        self._known: dict[str, _Known] = {}

    @property
    def next_check_ns(self) -> int:
        """When the next check is due."""
        return self._next_check_ns

    def state(self, feed: str) -> str | None:
        """Return the state in force; ``None`` while the feed is not known."""
        known = self._known.get(feed)
        return None if known is None else known.state

    def heard(self, feed: str, now_ns: int) -> Change | None:
        """Note data or an upstream heartbeat; return what is to be told *before* it."""
        known = self._known.get(feed)
        if known is None:  # the first packet tells nothing: there was no Disconnected before it
            self._known[feed] = _Known(now_ns, CONNECTED)
            return None
        known.heard_ns = now_ns
        return self._change(feed, known, CONNECTED, now_ns) if known.state == DISCONNECTED else None

    def tell(self, feed: str, state: str, now_ns: int) -> Change | None:
        """Let the upstream itself name a state, e.g. ``Delayed``; an equal one is told only once."""
        known = self._known.setdefault(feed, _Known(now_ns, CONNECTED))
        return self._change(feed, known, state, now_ns)

    def forget(self, feed: str) -> None:
        """Let go of a feed that has ended: its silence means nothing."""
        self._known.pop(feed, None)

    def advance(self, now_ns: int) -> Iterator[Change]:
        """Make the checks that are due up to ``now_ns``, each at its place on the grid."""
        while self._next_check_ns <= now_ns:
            check_ns = self._next_check_ns
            self._next_check_ns += self._tick_ns
            for feed, known in self._known.items():
                if check_ns - known.heard_ns >= self._silence_ns and (
                    change := self._change(feed, known, DISCONNECTED, check_ns)
                ):
                    yield change

    def _change(self, feed: str, known: _Known, state: str, now_ns: int) -> Change | None:
        if known.state == state:
            return None
        known.state = state
        return Change(feed=feed, state=state, at_ns=now_ns)
