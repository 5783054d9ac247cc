"""Which ``startPosition`` to ask for. Pure.

Family A: how many events of this feed to skip, so what counts is how many came; one reading of the vendor's sentence is
off by one from the other, hence an overlap of two. Family B: the number of the first packet wanted; the last one that
came is asked for again. Everything that comes twice is dropped by the processor (fact sheet §8).
"""

from typing import Final

from connectors.fastpath.protocol import Event
from schemas.fastpath.feed import Feed

_OVERLAP: Final = 2
_WINDOW: Final = 2048  # a repeat is known within this many numbers; farther back nothing counts, which is the safe side
_LARGEST_JUMP: Final = 10_000  # as in the account: beyond it a number is a slip, and must not decide where to go on
_MOST_STREAMS: Final = 16  # one feed holds one fixture; ids made of rubbish must not fill memory


class Resume:
    """Counts the events of one feed over its connections.

    Args:
        feed: What its path tells.
        events: Where it stood before this process; ``None``: unknown, so everything is asked for again.
    """

    def __init__(self, feed: Feed, *, events: int | None = None) -> None:
        self._counts_by = feed.position
        self._first = feed.first_number
        self._next = 0 if events is None else self._after(events)
        self._asked: int | None = None
        self._repair: int | None = None
        self._received = 0
        self._streams: dict[tuple[str, str], _Distinct] = {}
        self._stuck_at: int | None = None
        self.events = events or 0
        """As ``opened`` and ``tick`` say it: the position asked for plus the distinct events since; by sequence, the
        number of the last event."""

    @property
    def position(self) -> int | None:
        """What the next connection is to ask for; ``None``: the feed takes no position."""
        if self._counts_by is None:
            return None
        return self._next if self._repair is None else min(self._repair, self._next)

    def repair(self, position: int) -> bool:
        """Have the next connection ask for ``position``, or an earlier one; return whether this feed takes any."""
        if self._counts_by is None:
            return False
        self._repair = position if self._repair is None else min(self._repair, position)
        return True

    def start_over(self) -> bool:
        """The server does not take the position: ask for everything; return whether that is another position."""
        other = bool(self.position)
        self._next, self._repair = 0, None
        return other

    def too_large(self) -> bool:
        """The next event is larger than we can keep; return whether it is passed by, the second time it comes there.

        Whichever way the server counts, it is behind us after one or two such steps, and nothing else is left out.
        """
        again, self._stuck_at = self._stuck_at == self.events, self.events
        if again and self._counts_by is not None:
            self._next = self.events + 1
        return again and self._counts_by is not None

    def opened(self, asked: int | None) -> None:
        """A connection was made that asked for ``asked``: what :attr:`position` was when it was dialled."""
        if self._repair is not None and (asked is None or asked <= self._repair):
            self._repair = None
        self._asked = asked
        self._next = asked or 0  # as long as nothing comes the same is asked for again
        self._received = 0
        self._streams = {}
        self.events = asked or 0

    def event(self, event: Event) -> None:
        """An event was recorded."""
        stream = self._streams.get(event.stream)
        if stream is None:
            if len(self._streams) == _MOST_STREAMS:
                return
            stream = self._streams[event.stream] = _Distinct()
        if stream.begins_again(event.number, self._first):
            # The list that positions count in may have begun again, too; if it has not, more than needed comes twice.
            self._asked, self._received, self._streams = 0, 0, {event.stream: (stream := _Distinct())}
        # By sequence even the first number of a connection can be judged: it was asked for.
        asked = (self._asked or 0) if self._counts_by == "sequence" else None
        if not stream.is_plausible(event.number, asked):
            return
        new = stream.add(event.number)
        if self._counts_by == "sequence":
            self.events = event.number
        elif new:
            self._received += 1
            self.events = (self._asked or 0) + self._received
        self._next = self._after(self.events)

    def _after(self, events: int) -> int:
        if self._counts_by == "sequence":
            return events if events > self._first else 0  # 0: the processor then knows that nothing came before
        return max(0, events - _OVERLAP)


class _Distinct:
    """Numbers of one stream on one connection."""

    def __init__(self) -> None:
        self._highest = -1
        self._recent: set[int] = set()

    def begins_again(self, number: int, first: int) -> bool:
        return number == first < self._highest

    def is_plausible(self, number: int, asked: int | None) -> bool:
        base = self._highest if self._highest >= 0 else asked
        return base is None or number <= base + _LARGEST_JUMP

    def add(self, number: int) -> bool:
        """Return whether ``number`` is new, as far as is known: in doubt it is not."""
        if number in self._recent or number <= self._highest - _WINDOW:
            return False
        self._highest = max(self._highest, number)
        self._recent.add(number)
        if len(self._recent) > 2 * _WINDOW:
            self._recent = {one for one in self._recent if one > self._highest - _WINDOW}
        return True
