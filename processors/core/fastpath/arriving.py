"""A packet of a match on its way into its account: its record without its place, and what the account judges it by."""

from typing import Final

import msgspec
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


class Arriving(msgspec.Struct, frozen=True, gc=False):
    """A record as it waits (``pending``), and how many fields of its packet had another type than they should."""

    payload: bytes
    odd_fields: int


def arriving(  # each is needed
    packet: Numbered,
    source: Source,
    origin: str,
    *,
    delivery: Delivery,
    connection_state: StateInForce,
    replayed: str = "",
) -> Arriving:
    """Return the record of ``packet``, lacking its place.

    Args:
        packet: From ``classify``.
        source: Where its raw record comes from.
        origin: Position of that.
        delivery: How it was delivered.
        connection_state: State in force.
        replayed: See ``pending.Pending``; what is replayed says nothing of the collection.
    """
    stamps = source.stamps
    latency = latency_ms(delivery, packet.vendor_time_ns, stamps.received_ns)
    normal = normalize(
        packet,
        PacketStamp(
            feed=source.feed.path,
            line=stamps.line,
            connection=stamps.connection,
            received_ns=stamps.received_ns,
            delivery=delivery,
            latency_ms=UNSET if latency is None else latency,
            connection_state=connection_state,
        ),
        _UNPLACED,
    )
    tells = isinstance(packet, ActionPacket) and not replayed
    payload = pending.pack(
        normal.record,
        origin,
        collection=packet.collection if isinstance(packet, ActionPacket) and tells else None,
        summary_collection=packet.summary_collection if isinstance(packet, ActionPacket) and tells else None,
        replayed=replayed,
    )
    return Arriving(payload, normal.odd_fields)


def arrival_of(packet: Numbered, source: Source, payload: bytes) -> Arrival:
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
        payload=payload,
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
