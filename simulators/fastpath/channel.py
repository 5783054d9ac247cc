"""A channel: one feed path, the vendor's append-only list of its event packets, and who listens to it.

How a connection uses it, in one step without an ``await`` in between, so that nothing is missed or doubled::

    numbers = Numbering(channel, scope)
    for packet in channel.replay(position, reading):  # what was
        send(packet.text(numbers.next(packet)))
    leave = channel.subscribe(listener)               # what comes: event packets and status packets, in order

Heartbeats and answers to the auth frame are the connection's own business.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final, Literal

import msgspec

from schemas.fastpath.feed import Feed, feed_of

Replay = Literal["all", "latest", "none"]
Reading = Literal["skip", "start_at"]
"""The two readings of ``startPosition`` (fact sheet §8): skip N packets (family B: what follows number N), or start at
the N-th (family B: at number N)."""
Scope = Literal["fixture", "connection"]
"""Who counts ``fixtureSeqNum`` and family A's ``seqNum`` (fact sheet §5.2)."""

_SLOT: Final = b"\x00"
NUMBER: Final = msgspec.Raw(_SLOT)
"""Stands for the sequence number while a packet is encoded; JSON text never holds this byte otherwise."""


class EventPacket(msgspec.Struct, frozen=True, kw_only=True):
    """One packet of the list.

    Attributes:
        index: Its place in the list, from 0; ``startPosition`` of family A counts over it.
        number: The fixture's own sequence number; see ``Numbering`` for what a connection sends.
        published_ns: When it came into the list, UTC ns; the timestamp inside may be older.
        before: JSON text up to the number.
        after: JSON text behind it.
    """

    index: int
    number: int
    published_ns: int
    before: bytes
    after: bytes

    def text(self, number: int) -> bytes:
        """Return the packet as sent with ``number``."""
        return b"%b%d%b" % (self.before, number, self.after)


class StatusPacket(msgspec.Struct, frozen=True, kw_only=True):
    """One ``ConnectionStateChanged``: no number, in no list, never replayed (fact sheet §13, 8).

    Attributes:
        state: E.g. ``Disconnected``.
        told_ns: When, UTC ns.
        packet: As sent.
    """

    state: str
    told_ns: int
    packet: bytes


Packet = EventPacket | StatusPacket
Listener = Callable[[Packet], None]


class Channel:
    """One feed path.

    Args:
        path: Without leading slash; a query only where it is part of the subscription (multiplexer).
        replay: What a connect brings: everything from the position on, the newest packet, or nothing.

    Attributes:
        feed: What the path tells.
        started: False before the match; in tennis a handshake may then be answered with 204.
        finished_ns: When its last packet of play came, UTC ns; corrections may still follow.
        status: The last status packet; a client that comes during an outage may be told it (fact sheet §13, 5).
    """

    def __init__(self, path: str, *, replay: Replay = "all") -> None:
        self.feed: Feed = feed_of(path)
        self.started = False
        self.finished_ns: int | None = None
        self.status: StatusPacket | None = None
        self._replay: Replay = replay
        self._events: list[EventPacket] = []
        self._next_number = self.feed.first_number
        self._restarted = False
        self._twins: list[Channel] = []
        self._listeners: dict[int, Listener] = {}
        self._listener_ids = 0

    @property
    def events(self) -> Sequence[EventPacket]:
        """The list; only read it."""
        return self._events

    @property
    def next_number(self) -> int:
        """The fixture's number of the packet to come."""
        return self._next_number

    def replay(self, position: int | None, reading: Reading) -> Sequence[EventPacket]:
        """Return what a client that asked for ``position`` (``None``: none given) gets at once."""
        match self._replay:
            case "none":
                return []
            case "latest":
                return self._events[-1:]
            case "all":
                return self._events[self._start(position or 0, reading) :]

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tell ``listener`` each packet from now on; the function returned ends that."""
        self._listener_ids += 1
        key = self._listener_ids
        self._listeners[key] = listener

        def leave() -> None:
            self._listeners.pop(key, None)

        return leave

    def publish(self, text: bytes, now_ns: int, *, number: int | None = None) -> EventPacket:
        """Append a packet whose number is still ``NUMBER``, and tell it.

        Args:
            text: JSON text.
            now_ns: UTC ns.
            number: Of a multiplexed packet: the one it has in its own feed.
        """
        before, _, after = text.partition(_SLOT)
        packet = EventPacket(
            index=len(self._events),
            number=self._next_number if number is None else number,
            published_ns=now_ns,
            before=before,
            after=after,
        )
        self._next_number = packet.number + 1
        self._events.append(packet)
        self._tell(packet)
        return packet

    def tell(self, status: StatusPacket) -> None:
        """Tell a status packet."""
        for channel in (self, *self._twins):
            channel.status = status
        self._tell(status)

    def twin(self, path: str, *, replay: Replay | None = None) -> "Channel":
        """Return a channel under another path that has the same list and is told the same, e.g. the media form."""
        twin = Channel(path, replay=replay or self._replay)
        twin.started, twin.finished_ns, twin.status = self.started, self.finished_ns, self.status
        twin._events, twin._restarted = self._events, self._restarted
        self._twins.append(twin)
        return twin

    def start(self) -> None:
        """Let the match begin."""
        for channel in (self, *self._twins):
            channel.started = True

    def finish(self, now_ns: int) -> None:
        """Let the match be over."""
        for channel in (self, *self._twins):
            channel.finished_ns = now_ns

    def skip(self, count: int = 1) -> range:
        """Let numbers go unused, as a reduced licence may; return them."""
        skipped = range(self._next_number, self._next_number + count)
        self._next_number += count
        return skipped

    def restart(self) -> None:
        """Let the fixture's numbers begin anew with the next packet; the list goes on."""
        self._next_number = self.feed.first_number
        for channel in (self, *self._twins):
            channel._restarted = True

    def _start(self, position: int, reading: Reading) -> int:
        if position <= 0 or self.feed.position is None:
            return 0
        if self.feed.position == "events":
            return position if reading == "skip" else position - 1
        first = position + 1 if reading == "skip" else position
        if self._restarted:  # the newest of this number, for numbers may be there twice
            return next((packet.index for packet in reversed(self._events) if packet.number == first), 0)
        return bisect_left(self._events, first, key=attrgetter("number"))

    def _tell(self, packet: Packet) -> None:
        for channel in (self, *self._twins):
            for listener in tuple(channel._listeners.values()):
                listener(packet)


class Numbering:
    """The numbers that one connection sends.

    Args:
        channel: What it is subscribed to.
        scope: ``connection`` lets family A count on each connection from 1. Family B's documents name the number as
            the fixture's own, so there it is the same on every connection.
    """

    def __init__(self, channel: Channel, scope: Scope) -> None:
        self._own = scope == "connection" and channel.feed.family == "a"
        self._first = channel.feed.first_number
        self._next = self._first
        self._shift: int | None = 0

    def next(self, packet: EventPacket) -> int:
        """Return the number of ``packet``; ask once for each that is sent or lost on purpose, in order."""
        if self._own:
            self._next += 1
            return self._next - 1
        if self._shift is None:
            self._shift = self._first - packet.number
        return packet.number + self._shift

    def restart(self) -> None:
        """Let the numbers of this connection begin anew with the next packet."""
        self._next = self._first
        self._shift = None
