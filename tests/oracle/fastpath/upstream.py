"""State of the upstream collector of one feed, as its rules state it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.oracle.fastpath.said import Said, Upstream

UNKNOWN = "unknown"


@dataclass(slots=True)
class _Told:
    connection: str
    time_ns: int | None


_KNOWN = ("Connected", "Disconnected", "Delayed", "Unstable", "PartiallyDisconnected")


class Collector:
    """What the vendor says of one feed's collector.

    Args:
        feed: Path.
        said: Where what is to be told goes.
        is_open: Tells whether a connection is open.
    """

    def __init__(self, feed: str, said: Said, is_open: Callable[[str], bool]) -> None:
        self._feed, self._said, self._is_open = feed, said, is_open
        self._in_force = UNKNOWN
        self._told: _Told | None = None
        """Who told the state last, if anybody did."""
        self._published = UNKNOWN
        self._disconnected_ns: int | None = None
        """Vendor time of the last Disconnected that was published."""

    @property
    def state(self) -> str:
        return self._in_force

    def status(self, at: int, state: str, time_ns: int | None, received_ns: int, line: str, connection: str) -> None:
        """Take a ``ConnectionStateChanged``."""
        state = next((known for known in _KNOWN if known.lower() == state.lower()), state)
        time_ns = None if time_ns is None else min(time_ns, received_ns)
        told = self._told
        if told is not None and self._in_force != UNKNOWN:
            if self._in_force == state == self._published:
                return
            if told.connection != connection:
                if time_ns is None or told.time_ns is None:
                    if self._is_open(told.connection):
                        return
                elif time_ns <= told.time_ns:
                    return
        self._in_force, self._told = state, _Told(connection, time_ns)
        if state != self._published:
            self._publish(at, state, line, connection, implied=False)
            if state == "Disconnected":
                self._disconnected_ns = received_ns if time_ns is None else time_ns

    def _publish(self, at: int, state: str, line: str, connection: str, *, implied: bool) -> None:
        self._said.upstream.append(Upstream(at, self._feed, state, self._published, line, connection, implied))
        self._published = state

    def alone(self) -> None:
        """Take it that the last open line has closed."""
        self._in_force = UNKNOWN

    def alive(self, at: int, time_ns: int | None, received_ns: int, line: str, connection: str) -> None:
        """Take a new live packet with a number: the collector is connected, whatever was said before."""
        since = self._disconnected_ns
        if self.state not in (UNKNOWN, "Disconnected") or time_ns is None or (since is not None and time_ns <= since):
            return
        self._in_force = "Connected"
        if self._published not in (UNKNOWN, "Connected"):
            self._told = _Told(connection, min(time_ns, received_ns))
            self._publish(at, "Connected", line, connection, implied=True)
