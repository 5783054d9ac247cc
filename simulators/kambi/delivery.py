"""What happens to a frame between the channel and one connection: lost, late, or out of turn on purpose."""

import heapq
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from simulators.kambi.config import FaultSwitch
from simulators.kambi.frames import Frame

_OUT_OF_TURN_MS = 300
"""How much later than its followers a reordered frame is delivered: well beyond a bulk window."""


class Outbox:
    """Frames that one connection has still to get; in order but for those that are reordered on purpose.

    Args:
        number: Which connection of the simulator's life this is, from 1.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._waiting: list[tuple[int, int, Frame]] = []
        self._sequence = count()
        self._in_order_until_ms = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, frame: Frame, now_ms: int, *, delay_ms: int, reordered: bool) -> None:
        """Keep ``frame`` until it is due."""
        due_ms = max(now_ms + delay_ms, self._in_order_until_ms)  # a delay that ends must not let later ones overtake
        if due_ms > now_ms:
            frame = _with_fault(frame, "delayed")
        if reordered:
            frame = _with_fault(frame, "reordered")
            due_ms += _OUT_OF_TURN_MS
        else:
            self._in_order_until_ms = due_ms
        heapq.heappush(self._waiting, (due_ms, next(self._sequence), frame))

    def due(self, now_ms: int) -> Iterator[Frame]:
        """Take and yield the frames whose time has come."""
        while self._waiting and self._waiting[0][0] <= now_ms:
            yield heapq.heappop(self._waiting)[2]

    def is_every(self, nth: int) -> bool:
        """Whether this is the n-th connection, or a multiple; none is when ``nth`` is 0."""
        return nth > 0 and self._number % nth == 0


class Delivery:
    """Decide over each delivery of a frame to a connection; counts them, so it is repeatable.

    Args:
        faults: What is lost and late, how often.
    """

    def __init__(self, faults: FaultSwitch) -> None:
        self._faults = faults
        self._deliveries = 0

    def put(self, frame: Frame, outbox: Outbox, now_ms: int, *, stalled: bool) -> Frame | None:
        """Put ``frame`` into ``outbox``; return it, with the fault named, if one takes it."""
        faults = self._faults.current
        self._deliveries += 1
        if stalled:
            return _with_fault(frame, "stalled")
        if outbox.is_every(faults.never_deliver_every):
            return _with_fault(frame, "never-delivers")
        if self._strikes(faults.drop_message_every):
            return _with_fault(frame, "dropped")
        delayed = faults.delay_ms > 0 and outbox.is_every(faults.delay_every_line)
        outbox.put(
            frame,
            now_ms,
            delay_ms=faults.delay_ms if delayed else 0,
            reordered=self._strikes(faults.reorder_every),
        )
        return None

    def _strikes(self, every: int) -> bool:
        return every > 0 and self._deliveries % every == 0


def _with_fault(frame: Frame, fault: str) -> Frame:
    return replace(frame, faults=(*frame.faults, fault))
