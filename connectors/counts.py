"""What became of frames, connections and lines, as plain numbers: hot paths count, whoever exports them reads."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from schemas.histogram import Histogram
from schemas.metrics.metric import LATENCY_S

if TYPE_CHECKING:
    from connectors.sink import FrameSink

Ending = Literal["closed", "lost", "silent", "too-large", "refused", "broke", "ours"]
"""Why a connection ended; ``schemas.metrics.connector.ENDS`` says what each means."""
LineState = Literal["live", "open", "connecting", "waiting", "ended", "refused"]
"""How a line stands; ``schemas.metrics.connector.LINE_STATES`` says what each means."""


@dataclass(slots=True)
class LineCounts:
    """What a line's connections came to.

    Attributes:
        attempts: To connect.
        failures: Of them.
        failed: Failures by the code of their error; ``bug``: an exception that is none of ours.
        total: Counts along: over all lines of a sink, those that are gone included.
    """

    attempts: int = 0
    failures: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    total: "LineCounts | None" = None

    def attempt(self) -> None:
        """An attempt begins."""
        self.attempts += 1
        if self.total is not None:
            self.total.attempt()

    def fail(self, code: str) -> None:
        """An attempt, or the connection it made, failed."""
        self.failures += 1
        self.failed[code] += 1
        if self.total is not None:
            self.total.fail(code)


@dataclass(slots=True)
class SinkCounts:
    """What became of the frames of one raw partition, and of the connections they came on."""

    received: int = 0
    received_bytes: int = 0
    pushed: int = 0
    """Those that an earlier process left on disk included."""
    pushed_bytes: int = 0
    spooled: int = 0
    """Frames that went to disk first."""
    dropped: Counter[str] = field(default_factory=Counter)
    """By reason: ``queue-full``, ``spool-full``, ``spool-failed``, ``too-large`` (for Kafka), ``over-limit`` (for us:
    the connection closes with 1009); ``spool-damaged`` (all records)."""
    acknowledged: Histogram = field(default_factory=lambda: Histogram(LATENCY_S))
    """From receipt to the acknowledgement by all replicas, seconds."""
    ended: Counter[Ending] = field(default_factory=Counter)
    """Connections that ended."""
    lines: LineCounts = field(default_factory=LineCounts)
    """Over all lines that write here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """How a connector stands now, beside its counts.

    Attributes:
        lines: How many lines are in which state.
        budgets: What may be attempted at once, by the budget's name.
        token_ages_s: Ages of what tokens there are, by the token's name, seconds.
        requests: HTTP requests by what became of them.
        lookups_waiting: ``None``: the feed has no look-ups.
        events: Events by how much of them is followed.
    """

    lines: Counter[LineState] = field(default_factory=Counter)
    budgets: Mapping[str, int] = field(default_factory=dict)
    token_ages_s: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    lookups_waiting: int | None = None
    events: Mapping[str, int] = field(default_factory=dict)


class ConnectorView:
    """What a connector process lets be looked at: filled by the connector as it starts, read in its event loop.

    Attributes:
        feed: Its feed.
        sinks: By raw partition.
        facts: Returns how it stands now; ``None`` until its lines begin.
    """

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.sinks: Mapping[int, FrameSink] = {}
        self.facts: Callable[[], Facts] | None = None
