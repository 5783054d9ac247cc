"""The vendor's times of one frame: most of its children were sent at the same few."""

from typing import Any

import msgspec

from processors.core.kambi.late import order_time_ms
from processors.core.kambi.normalize import vendor_time_ms
from processors.core.kambi.state import NewestTime
from processors.core.processor import Context
from schemas.kambi.codes import Count

_ENCODER = msgspec.json.Encoder()


class Moment(msgspec.Struct, gc=False):
    """What one ``t`` means.

    Attributes:
        t: As sent.
        time_ms: The same in UTC ms, ``None`` if it is no usable time.
        order: Order time of what was said then, UTC ms.
        children: How many children said it that can be read.
    """

    t: Any
    time_ms: int | None
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

    __slots__ = ("_all", "_by_text", "_received_ms")

    def __init__(self, received_ms: int) -> None:
        self._received_ms = received_ms
        self._all: list[Moment] = []
        self._by_text: dict[str, Moment] = {}

    def of(self, t: object) -> Moment:
        """Return the moment of a child that says ``t``; who can read the child counts it there."""
        moment = self._by_text.get(t) if type(t) is str else None
        if moment is None:
            time_ms = vendor_time_ms(t)
            moment = Moment(t, time_ms, order_time_ms(time_ms, self._received_ms))
            self._all.append(moment)
            if type(t) is str:
                self._by_text[t] = moment
        return moment

    def note(self, context: Context) -> None:
        """Write the newest plausible one, and count what there is to count of the children."""
        newest = NewestTime(context.store)
        for moment in self._all:
            children, time_ms = moment.children, moment.time_ms
            if not children:
                continue
            if time_ms is None:
                context.count(Count.NO_VENDOR_TIME, children)
            elif moment.order == time_ms:
                newest.see(time_ms)
                context.transit(time_ms, self._received_ms, children)
            else:
                context.count(Count.VENDOR_TIME_AHEAD, children)
        newest.write()
