"""A packet of a match on its way into its account: its record without its place, and what the account judges it by."""

from typing import Final

from msgspec import UNSET

from processors.core.fastpath import pending
from processors.core.fastpath.account.arrival import Arrival
from processors.core.fastpath.connections import Upstream
from processors.core.fastpath.delivery import latency_ms
from processors.core.fastpath.normalize import PacketStamp, normalize
from processors.core.fastpath.packet import ActionPacket, Numbered
from processors.core.fastpath.source import Source
from schemas.fastpath.events import Released, StateInForce
from schemas.fastpath.fields import Delivery

_UNPLACED: Final = Released(why="in_order", after_ms=0)


class Arriving:
    """The record of a packet, lacking its place; made when it is wanted: with two lines half the packets are copies.

    Args:
        packet: From ``classify``.
        source: Where its raw record comes from.
        origin: Position of that.
        delivery: How it was delivered.
        connection_state: State in force.
        replayed: See ``pending.Pending``; what is replayed says nothing of the collection.

    Attributes:
        is_wanted: It goes out, now or later.
        odd_fields: Fields of its packet that had another type than they should; known once it is wanted.
    """

    __slots__ = (
        "_connection_state",
        "_delivery",
        "_origin",
        "_packet",
        "_replayed",
        "_source",
        "is_wanted",
        "odd_fields",
    )

    def __init__(
        self,
        packet: Numbered,
        source: Source,
        origin: str,
        *,
        delivery: Delivery,
        connection_state: StateInForce,
        replayed: str = "",
    ) -> None:
        self._packet, self._source, self._origin = packet, source, origin
        self._delivery: Delivery = delivery
        self._connection_state, self._replayed = connection_state, replayed
        self.is_wanted = False
        self.odd_fields = 0

    def payload(self) -> bytes:
        """Return the record as it waits (``pending``)."""
        packet, stamps = self._packet, self._source.stamps
        latency = latency_ms(self._delivery, packet.vendor_time_ns, stamps.received_ns)
        normal = normalize(
            packet,
            PacketStamp(
                feed=self._source.feed.path,
                line=stamps.line,
                connection=stamps.connection,
                received_ns=stamps.received_ns,
                delivery=self._delivery,
                latency_ms=UNSET if latency is None else latency,
                connection_state=self._connection_state,
            ),
            _UNPLACED,
        )
        self.is_wanted, self.odd_fields = True, normal.odd_fields
        tells = isinstance(packet, ActionPacket) and not self._replayed
        return pending.pack(
            normal.record,
            self._origin,
            collection=packet.collection if isinstance(packet, ActionPacket) and tells else None,
            summary_collection=packet.summary_collection if isinstance(packet, ActionPacket) and tells else None,
            replayed=self._replayed,
        )


def arrival_of(packet: Numbered, source: Source, arriving: Arriving) -> Arrival:
    """Return what the account takes of a ``packet`` that has a number."""
    stamps, number = source.stamps, packet.number
    assert number is not None
    return Arrival(
        kind=packet.series,
        line=stamps.line,
        connection=stamps.connection,
        frame=stamps.frame,
        position=source.position,
        number=number,
        key=packet.key,
        body=packet.body,
        received_ns=stamps.received_ns,
        payload=arriving.payload,
        finished=packet.finished,
        is_named=packet.is_named,
    )


def in_force(state: Upstream) -> StateInForce:
    """Return ``state`` as a record has it."""
    return StateInForce(
        state=state.state,
        since_ns=state.since_ns or UNSET,
        vendor_time=UNSET if state.vendor_time is None else state.vendor_time,
    )
