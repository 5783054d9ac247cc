"""What the vendor's limits are about, by the simulator's ledger: how often one address came, counted anew."""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

from simulators.rms.ledger import read_ledger

MINUTE_NS = 60_000_000_000
QUARTER_HOUR_NS = 15 * MINUTE_NS
_SOCKET = "/rms-socket/"


def most_within(times_ns: Iterable[int], window_ns: int) -> int:
    """Return how many of these times lie in any interval shorter than the window."""
    within: deque[int] = deque()
    most = 0
    for at_ns in sorted(times_ns):
        within.append(at_ns)
        while at_ns - within[0] >= window_ns:
            within.popleft()
        most = max(most, len(within))
    return most


def handshakes(ledger: Path) -> list[int]:
    """Return when handshakes came, refused ones too, UTC ns."""
    return [line.at_ns for line in read_ledger(ledger) if line.kind in ("connect", "refused")]


def requests(ledger: Path, *, all_paths: bool = False) -> list[int]:
    """Return when HTTP requests came, UTC ns: those for the socket, or all."""
    return [
        line.at_ns
        for line in read_ledger(ledger)
        if line.kind == "http" and (all_paths or (line.path or "").startswith(_SOCKET))
    ]
