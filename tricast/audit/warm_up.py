"""Which raw records an audit cannot judge, because retention took what came before them or what came of them."""

import time
from collections.abc import Iterable

from aiokafka import TopicPartition

from tricast.audit.records import Raw

_MS_NS = 1_000_000
BEHIND_MS = 60_000
"""Outputs stand in the order in which tasks wrote them: one may be so much behind another."""


def whole_from_ms(firsts_ms: Iterable[int], kept_ms: int) -> int:
    """Return from when on every output is there that raw records came to.

    Args:
        firsts_ms: Time of the first record of each partition of outputs that has lost its beginning.
        kept_ms: How long Kafka keeps outputs.
    """
    return max(time.time_ns() // _MS_NS - kept_ms, *(first_ms + BEHIND_MS for first_ms in firsts_ms), 0)


def removed_note(removed: Iterable[TopicPartition]) -> str:
    """Return what is said to people of partitions of outputs that have lost their beginning."""
    topics = ", ".join(sorted({tp.topic for tp in removed}))
    return f"retention took the beginning of {topics}: what is older in raw is not judged"


class WarmUp:
    """Tells the raw records of a partition that are too old to be judged; fed with them in order.

    Args:
        copies_ms: How far back copies of a record may lie, where what came before the first one is not read; else 0.
        whole_from_ms: As of :func:`whole_from_ms`; 0 where all outputs are there.
    """

    def __init__(self, *, copies_ms: int, whole_from_ms: int) -> None:
        self._copies_ns = copies_ms * _MS_NS
        self._until_ns = whole_from_ms * _MS_NS
        self._began = self._copies_ns == 0
        self._is_over = self._began and self._until_ns == 0

    def takes(self, raw: Raw) -> bool:
        """Return whether ``raw`` is only learnt from."""
        if raw.is_sound and not self._is_over:
            if not self._began:
                self._until_ns = max(self._until_ns, raw.received_ns + self._copies_ns)
                self._began = True
            self._is_over = raw.received_ns >= self._until_ns
        return not self._is_over
