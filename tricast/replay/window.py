"""Which source records of a partition are processed, and which of them are compared."""

from dataclasses import dataclass

from processors.engine.task import Partition
from schemas.replay import Position

ALWAYS_MS = -1
FOREVER_MS = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of one source partition, by offset and, for records that name no offset, by time.

    Attributes:
        processor: Whose source it is.
        begin: First record that is processed: the first that Kafka still has.
        start: First record that is compared.
        end: The one after the last.
        played: Up to here more is processed: what records write that name no source is known by that.
        start_ms: Kafka timestamp from which on records that name no source are compared.
        end_ms: Likewise; from here on they are of records that come later.
        checkpoint: Offset up to which the processor's committed state goes; ``None`` when it never ran.
    """

    processor: str
    partition: Partition
    begin: int
    start: int
    end: int
    played: int
    start_ms: int
    end_ms: int
    checkpoint: int | None

    @property
    def is_cold(self) -> bool:
        """Whether records before the first are gone, so that state begins empty where the processor's did not."""
        return self.begin > 0

    @property
    def has_final_state(self) -> bool:
        """Whether the state after all that is processed is to be that of the changelog."""
        return self.checkpoint == self.played and not self.is_cold


class Windows:
    """Those of all partitions of all processors of a feed."""

    def __init__(self, windows: list[Window]) -> None:
        self._by_partition = {(window.partition.topic, window.partition.partition): window for window in windows}
        judged = [window for window in windows if window.start < window.end]
        # Whose unnamed records are which is not told; what lies within all windows is of one of them.
        self._start_ms = max((window.start_ms for window in judged), default=FOREVER_MS)
        self._end_ms = min((window.end_ms for window in windows), default=ALWAYS_MS)

    def holds(self, position: Position | None, timestamp: int) -> bool:
        """Return whether what came from ``position``, or (not named) at ``timestamp``, is compared."""
        if position is None:
            return self._start_ms <= timestamp < self._end_ms
        window = self._by_partition.get((position.topic, position.partition))
        return window is not None and window.start <= position.offset < window.end
