"""What both readers share: what is asked for, which records wait, and what of them is done."""

import time
from collections import deque
from collections.abc import Collection, Mapping
from typing import Literal

from schemas.errors import MissingRight
from schemas.kafka import KafkaSettings
from tricast.consumer.event import Event, Place
from tricast.consumer.progress import Progress
from tricast.consumer.verdict import PREFIX


class Reading:
    """What a reader was asked for, and how far it is.

    Args:
        kafka: How to reach it.
        topics: Names in the registry, e.g. ``kambi.offers``.
        prefix: Of topic names (``TRICAST_TOPIC_PREFIX``).
        group: Consumer group.
        positions: Next offset of each partition, for a reader without group.
        start: Where to begin what neither group nor positions know.
        commit_interval_s: How often a group's progress is committed; ``None``: only by ``commit``.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        *topics: str,
        prefix: str = PREFIX,
        group: str | None = None,
        positions: Mapping[Place, int] | None = None,
        start: Literal["earliest", "latest"] = "earliest",
        commit_interval_s: float | None = 5.0,
    ) -> None:
        if not topics or (group is not None and positions is not None):
            raise ValueError("name a topic at least, and either a group or positions")
        self._kafka, self._prefix, self._names = kafka, prefix, [prefix + topic for topic in topics]
        self._group, self._positions, self._start = group, dict(positions or {}), start
        self._commit_interval_s = commit_interval_s
        self._committed_s = time.monotonic()
        self._waiting: deque[Event] = deque()
        self._progress = Progress()

    @property
    def has_waiting(self) -> bool:
        """Whether the next record is there already."""
        return bool(self._waiting)

    def _hand_out(self) -> Event:
        event = self._waiting.popleft()
        self._progress.hand_out(event)
        return event

    def _lose(self, places: Collection[Place]) -> None:
        """Somebody else reads these partitions now."""
        self._progress.lose(places)
        self._waiting = deque(event for event in self._waiting if event.place not in places)

    def _commit_is_due(self) -> bool:
        interval_s = self._commit_interval_s
        return interval_s is not None and time.monotonic() - self._committed_s >= interval_s

    def _to_commit(self) -> dict[Place, int]:
        """Return what the group has done since the last call; whoever cannot commit it puts it back."""
        self._committed_s = time.monotonic()
        return {} if self._group is None else self._progress.take()

    def _place(self, topic: str, partition: int) -> Place:
        return Place(topic.removeprefix(self._prefix), partition)

    def _lacks(self, right: str) -> MissingRight:
        return MissingRight(right, self._kafka.sasl_username)
