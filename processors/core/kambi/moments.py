"""The vendor's times of one frame: most of its children were sent at the same few."""

from typing import Any

import msgspec

from processors.core.kambi.late import order_time_ms
from processors.core.kambi.normalize import vendor_time_ms
from processors.core.kambi.state import note_newest
from processors.core.processor import Context
from schemas.kambi.codes import Count

_ENCODER = msgspec.json.Encoder()


class Moment(msgspec.Struct, gc=False):
    """What one ``t`` means.

    Attributes:
        t: As sent.
        time_ms: The same in UTC ms, ``None`` if it is no usable time.
        said_ms: What records say of it, UTC ms: ``time_ms``, or the time of receipt where that is none.
        order: Order time of what was said then, UTC ms.
        children: How many children said it that can be read.
    """

    t: Any
    time_ms: int | None
    said_ms: int
    order: int
    children: int = 0

    @property
    def spelling(self) -> str:
        """Return ``t`` as it stands in the identity of facts."""
        return _ENCODER.encode(self.t).decode() if self.time_ms is None else str(self.time_ms)


class Moments:
    """The moments of one frame.

    Args:
        received_ms: When the frame was received, UTC ms.
    """

    __slots__ = ("_all", "_last", "_received_ms")

    def __init__(self, received_ms: int) -> None:
        self._received_ms = received_ms
        self._all: list[Moment] = []
        self._last: Moment | None = None

    def of(self, t: object) -> Moment:
        """Return the moment of a child that says ``t``; who can read the child counts it there."""
        last = self._last
        if last is not None and type(t) is str and t == last.t:  # else 1 is true, and spelled otherwise
            return last
        time_ms, received_ms = vendor_time_ms(t), self._received_ms
        said_ms = received_ms if time_ms is None else time_ms
        moment = self._last = Moment(t, time_ms, said_ms, order_time_ms(time_ms, received_ms))
        self._all.append(moment)
        return moment

    def note(self, context: Context) -> None:
        """Write the newest plausible one, and count what there is to count of the children."""
        newest_ms = 0
        for moment in self._all:
            children, time_ms = moment.children, moment.time_ms
            if not children:
                continue
            if time_ms is None:
                context.count(Count.NO_VENDOR_TIME, children)
            elif moment.order == time_ms:
                newest_ms = max(newest_ms, time_ms)
                context.transit(time_ms, self._received_ms, children)
            else:
                context.count(Count.VENDOR_TIME_AHEAD, children)
        note_newest(newest_ms, context.store)
