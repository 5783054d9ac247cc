"""What trails behind the end of an event: a last clock, odds of an offer that is gone. It comes as current, and nobody
ever takes it away again; so it goes by itself.

Who really comes back is said whole within a minute, by push or by a snapshot.
"""

from collections.abc import Iterator
from typing import Final

from processors.core.latest import Json
from processors.core.processor import Store

TRAILING_NS: Final = 24 * 3_600_000_000_000
"""How long after the end of its event it stays, or of play after it was said last."""
_PREFIX: Final = b"x"
"""First byte of the store keys; an event id follows."""


def note_end(event_id: int, now_ns: int, store: Store) -> None:
    """Take note that an event ended."""
    store.put(_PREFIX + b"%d" % event_id, b"%d" % now_ns)


def ended_before(now_ns: int, store: Store) -> Iterator[int]:
    """Yield, in order, the events that ended longer ago than anything may trail behind, and forget them."""
    old = [key for key, value in store.items(_PREFIX) if int(value) < now_ns - TRAILING_NS]
    for key in sorted(old):
        store.delete(key)
        yield int(key[1:])


def is_trailing(state: Json, now_ns: int) -> bool:
    """Tell whether a state of such an event is left over: nobody said it whole since, or for as long again."""
    parts = [state[name] for name in ("clock", "score", "statistics") if name in state]
    if parts or "live_statistics" in state:
        return all(part["received_ns"] < now_ns - TRAILING_NS for part in parts)
    return "partial" in state
