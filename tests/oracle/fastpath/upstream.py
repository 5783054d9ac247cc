"""State of the upstream collector of one feed, as its rules state it."""

from dataclasses import dataclass

from tests.oracle.fastpath.said import Said, Upstream

UNKNOWN = "unknown"


@dataclass(slots=True)
class _Told:
    state: str
    line: str | None
    time_ns: int | None


class Collector:
    """What the vendor says of one feed's collector.

    Args:
        feed: Path.
        said: Where what is to be told goes.
    """

    def __init__(self, feed: str, said: Said) -> None:
        self._feed, self._said = feed, said
        self._told: _Told | None = None
        """Who told the state in force; ``None``: unknown."""
        self._published = UNKNOWN
        self._disconnected_ns: int | None = None
        """Vendor time of the last Disconnected that was published."""

    @property
    def state(self) -> str:
        return UNKNOWN if self._told is None else self._told.state

    def status(self, at: int, state: str, time_ns: int | None, received_ns: int, line: str, connection: str) -> None:
        """Take a ``ConnectionStateChanged``."""
        told = self._told
        if told is not None:
            if told.state == state:
                return
            if told.line not in (None, line) and (time_ns is None or (told.time_ns is not None and time_ns <= told.time_ns)):
                return
        self._told = _Told(state, line, time_ns)
        if state != self._published:
            self._publish(at, state, line, connection, implied=False)
            if state == "Disconnected":
                self._disconnected_ns = received_ns if time_ns is None else time_ns

    def _publish(self, at: int, state: str, line: str, connection: str, *, implied: bool) -> None:
        self._said.upstream.append(Upstream(at, self._feed, state, self._published, line, connection, implied))
        self._published = state

    def alone(self) -> None:
        """Take it that the last open line has closed."""
        self._told = None

    def alive(self, at: int, time_ns: int | None, line: str, connection: str) -> None:
        """Take a new live packet with a number: the collector is connected, whatever was said before."""
        since = self._disconnected_ns
        if self.state not in (UNKNOWN, "Disconnected") or (since is not None and (time_ns is None or time_ns <= since)):
            return
        self._told = _Told("Connected", None, None)
        if self._published not in (UNKNOWN, "Connected"):
            self._told = _Told("Connected", line, time_ns)
            self._publish(at, "Connected", line, connection, implied=True)
