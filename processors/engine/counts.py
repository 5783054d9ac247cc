"""What a worker did, as plain numbers: the cycle counts, whoever exports them reads."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from schemas.histogram import Histogram
from schemas.metrics import METRICS
from schemas.metrics.metric import LATENCY_S

_COMMIT_S: Final = METRICS["tricast_worker_commit_seconds"].buckets
_RESTORE_S: Final = METRICS["tricast_worker_restore_seconds"].buckets


@dataclass(slots=True)
class CycleCounts:
    """What this worker's cycles did."""

    cycles: int = 0
    """Those that were committed."""
    records: int = 0
    opened: int = 0
    """Tasks whose state was restored."""
    kept: int = 0
    outputs: Counter[str] = field(default_factory=Counter)
    """Committed records by registry name of their topic."""
    restored_entries: int = 0
    """Changelog records that were read."""
    commit: Histogram = field(default_factory=lambda: Histogram(_COMMIT_S))
    """From the begin of a transaction to its commit, seconds."""
    restore: Histogram = field(default_factory=lambda: Histogram(_RESTORE_S))
    """Opening the tasks of an assignment that had to be restored, seconds."""
    readable: Histogram = field(default_factory=lambda: Histogram(LATENCY_S))
    """From the receipt of a record to the commit of its cycle, seconds."""
    oldest_s: float = 0.0
    """Of the last cycle: age of its oldest record when it was committed."""


@dataclass(slots=True)
class Counts:
    """What tasks did; those of one worker share it, so that it goes on when a task moves away."""

    records: int = 0
    repeats: int = 0
    holes: int = 0
    missing_frames: int = 0
    outputs: int = 0
    dead_letters: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    """Dead letters by code."""
    failures: int = 0
    replays: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    """What the processor dropped on purpose, by reason."""
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What it told in records: about what, and what."""
    transit: Histogram = field(default_factory=lambda: Histogram(LATENCY_S))
    """From the vendor's time of a message to its receipt, seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """How a worker stands now.

    Attributes:
        joined: Whether the group has given it its tasks, be they none.
        ending: It has failed or is told to end.
        assigned: Tasks that the group gave it.
        open: Tasks of them that are open.
        state_entries: In their stores.
        pending: Records that are fetched and wait for a cycle.
        committed: Where it stands, summed over the open tasks.
        lag: Offsets from there to what Kafka last said that readers may read; while it is above 0 there is work.
        kafka_away: The group's coordinator does not answer; then nothing can move, whatever this worker does.
    """

    joined: bool = False
    ending: bool = False
    assigned: int = 0
    open: int = 0
    state_entries: int = 0
    pending: int = 0
    committed: int = 0
    lag: int = 0
    kafka_away: bool = False


class Fetched(NamedTuple):
    """How far the fetch of one partition is.

    Attributes:
        handed_over: Where the last batch that the engine was given ends.
        position: Where the fetch goes on; beyond ``handed_over`` by what holds no records, as markers do.
        readable: End of what may be read, as Kafka said with the last answer.
    """

    handed_over: int
    position: int
    readable: int

    def lag(self, committed: int) -> int:
        """Return how many offsets a task has before it that stands at ``committed``."""
        return max(0, self.readable - (committed if committed < self.handed_over else max(committed, self.position)))
