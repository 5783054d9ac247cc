"""What happens to packets between a feed's list and one connection: lost, late, twice or odd on purpose.

Pure: time, chance and faults are told. Which packets are struck is drawn by the seed, the feed and how many
connections the feed had before, so a run repeats, and a replay is not struck where the connection before it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from simulators.fastpath.channel import Channel, EventPacket, Numbering, Packet, Scope, StatusPacket
from simulators.fastpath.config import FastpathFaultSettings, FaultSwitch
from simulators.fastpath.faults import JUNK, conflicting, odd, oversized
from simulators.fastpath.ledger import Sort
from simulators.fastpath.upstream import CONNECTED

_SLIP_NS: Final = 500_000_000
"""A packet that waits for followers goes out by then, should none come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message for one connection.

    Attributes:
        payload: Exact bytes.
        sort: What it is.
        index: Of an event packet: its place in the feed's list.
        number: Of an event packet: its number on this connection.
        binary: Whether it travels in a binary frame.
        faults: What makes it other than the vendor would send it.
        lost: Whether it is kept from the connection; then it is only written down.
    """

    payload: bytes
    sort: Sort
    index: int | None = None
    number: int | None = None
    binary: bool = False
    faults: tuple[str, ...] = ()
    lost: bool = False


@dataclass(slots=True)
class _Waiting:
    """A frame that lets ``packets`` others go first, until ``due_ns``."""

    frame: Frame
    packets: int
    due_ns: int


class Delivery:
    """Decide over each packet of one connection.

    Args:
        channel: Its feed.
        scope: Who counts.
        faults: What goes wrong, how often.
        random: The connection's own chance.
        ordinal: The how-manieth connection of its feed it is, from 1.
    """

    def __init__(self, channel: Channel, *, scope: Scope, faults: FaultSwitch, random: Random, ordinal: int) -> None:
        self._path = channel.feed.path
        self._numbers = Numbering(channel, scope)
        self._faults = faults
        self._random = random
        self._ordinal = ordinal
        self._waiting: list[_Waiting] = []
        self._hole_left = 0
        self._odd = 0
        self._junk = 0

    @property
    def waiting(self) -> int:
        """Frames that are still to go out."""
        return len(self._waiting)

    def put(self, packet: Packet, now_ns: int, *, kept_by: str | None = None) -> Iterator[Frame]:
        """Yield what becomes of ``packet``, frames to send and lost ones, and what waited for it.

        Args:
            packet: Event or status packet, in the order of the feed.
            now_ns: UTC ns.
            kept_by: What keeps everything from the connection just now.
        """
        faults = self._faults.of(self._path)
        if isinstance(packet, StatusPacket):
            yield from self._status(packet, faults, now_ns, kept_by)
            return
        frame = self._numbered(packet, faults)
        kept_by = kept_by or self._hole(packet, faults)
        if kept_by is not None:
            yield marked(frame, kept_by, lost=True)
            return
        yield from self._let_through(packet, frame, faults, now_ns)
        yield from self._passed()

    def due(self, now_ns: int) -> Iterator[Frame]:
        """Yield what has waited long enough."""
        ready = [waiting for waiting in self._waiting if waiting.due_ns <= now_ns]
        for waiting in ready:
            self._waiting.remove(waiting)
            yield waiting.frame

    def left(self) -> Iterator[Frame]:
        """Yield, as lost, what still waits when the connection ends."""
        for waiting in self._waiting:
            yield replace(waiting.frame, lost=True)
        self._waiting.clear()

    def _numbered(self, packet: EventPacket, faults: FastpathFaultSettings) -> Frame:
        marks: tuple[str, ...] = ()
        if self._strikes(faults.reset_every):
            self._numbers.restart()
            marks = ("reset",)
        number = self._numbers.next(packet)
        if self._strikes(faults.odd_number_every):
            self._odd += 1
            payload = odd(packet, number, self._odd - 1)
            marks = (*marks, "odd-number")
        else:
            payload = packet.text(number)
        if self._strikes(faults.binary_every):
            return Frame(
                payload=payload, sort="event", index=packet.index, number=number, binary=True, faults=(*marks, "binary")
            )
        return Frame(payload=payload, sort="event", index=packet.index, number=number, faults=marks)

    def _hole(self, packet: EventPacket, faults: FastpathFaultSettings) -> str | None:
        if self._hole_left > 0:
            self._hole_left -= 1
            return "hole"
        if self._strikes(faults.hole_every):
            self._hole_left = faults.hole_run - 1
            return "hole"
        scripted = faults.hole_connections == 0 or self._ordinal <= faults.hole_connections
        return "hole" if scripted and packet.number in faults.hole_numbers else None

    def _let_through(
        self, packet: EventPacket, frame: Frame, faults: FastpathFaultSettings, now_ns: int
    ) -> Iterator[Frame]:
        if self._strikes(faults.swap_every):
            self._wait(marked(frame, "swapped"), self._random.randint(1, faults.swap_within) + 1, now_ns)
        else:
            yield frame
        if self._strikes(faults.duplicate_every):
            again = marked(frame, "duplicate")
            later = self._random.randint(0, faults.swap_within)
            if later:
                self._wait(again, later + 1, now_ns)
            else:
                yield again
        if self._strikes(faults.conflict_every) and frame.number is not None:
            yield marked(replace(frame, payload=conflicting(packet, frame.number)), "conflict")
        if self._strikes(faults.junk_every):
            self._junk += 1
            yield Frame(payload=JUNK[(self._junk - 1) % len(JUNK)], sort="other", faults=("junk",))
        if self._strikes(faults.oversized_every):
            yield Frame(payload=oversized(faults.oversized_bytes), sort="other", faults=("oversized",))

    def _status(
        self, packet: StatusPacket, faults: FastpathFaultSettings, now_ns: int, kept_by: str | None
    ) -> Iterator[Frame]:
        frame = Frame(payload=packet.packet, sort="status")
        if kept_by is not None:
            yield marked(frame, kept_by, lost=True)
        elif faults.late_connected and packet.state == CONNECTED:
            self._wait(marked(frame, "late"), faults.late_connected, now_ns)
        else:
            yield frame
            if self._strikes(faults.repeat_status_every):
                yield marked(frame, "duplicate")

    def _wait(self, frame: Frame, packets: int, now_ns: int) -> None:
        self._waiting.append(_Waiting(frame, packets, now_ns + _SLIP_NS))

    def _passed(self) -> Iterator[Frame]:
        """One packet has gone by: yield what waited for no more than that."""
        if not self._waiting:
            return
        for waiting in self._waiting:
            waiting.packets -= 1
        ready = [waiting for waiting in self._waiting if waiting.packets <= 0]
        self._waiting = [waiting for waiting in self._waiting if waiting.packets > 0]
        for waiting in ready:
            yield waiting.frame

    def _strikes(self, every: int) -> bool:
        return every > 0 and self._random.random() * every < 1


def marked(frame: Frame, fault: str, *, lost: bool = False) -> Frame:
    """Return ``frame`` with ``fault`` named."""
    return replace(frame, faults=(*frame.faults, fault), lost=lost)
