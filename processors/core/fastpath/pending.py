"""A packet's record on its way through the account: all of it but its place in the order.

It waits as bytes, perhaps over a restart, so what the account decides later is joined to what was known at arrival
without reading that again.
"""

from typing import Final

import msgspec
from msgspec import UNSET

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION, rfc3339
from processors.core.fastpath.account.effects import Release
from processors.core.processor import Context
from schemas.codec import encode
from schemas.fastpath.events import Action, EventElement, PacketRecord, Released, Statistics
from schemas.fastpath.fields import MAX_SEQUENCE
from schemas.raw import Header
from schemas.replay import REPLAYED

_MODELS: Final[tuple[type[PacketRecord], ...]] = (Action, EventElement, Statistics)


class Pending(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record without its place.

    Attributes:
        model: Number of its model in ``_MODELS``.
        ce_id: Its id: the raw record it came with, whichever record lets it go.
        line: Its line.
        time: ``ce_time``.
        received_ns: Receipt, UTC ns.
        body: Its value, lacking what the account decides.
        collection: ``collectionStatus`` of an action's metadata.
        summary_collection: ``collectionStatus`` of its summary.
        replayed: Position of the request that it is replayed for; empty: it is not.
    """

    model: int
    ce_id: bytes
    line: str
    time: bytes
    received_ns: int
    body: bytes
    collection: int | str | None = None
    summary_collection: str | None = None
    replayed: str = ""

    @property
    def is_action(self) -> bool:
        """Tell whether it says anything about the collection."""
        return self.model == 0


class Place(msgspec.Struct, omit_defaults=True, frozen=True, gc=False):
    """What the account decides; joined to the end of the value."""

    released: Released
    sequence: int | msgspec.UnsetType = UNSET
    late: bool = False
    repaired: bool = False
    conflict: bool = False


_pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder(Pending).decode
_encode_place = msgspec.json.Encoder().encode


def pack(
    packet: PacketRecord,
    origin: str,
    *,
    collection: int | str | None = None,
    summary_collection: str | None = None,
    replayed: str = "",
) -> bytes:
    """Return ``packet`` as it waits; its place, ``released``, is taken off.

    Args:
        packet: The record.
        origin: ``<topic>/<partition>/<offset>`` of the raw record.
        collection: See ``Pending``.
        summary_collection: See ``Pending``.
        replayed: See ``Pending``.
    """
    packet.released = UNSET  # type: ignore[assignment]  # not yet; ``release`` joins it, and no record goes out without
    time_ns = packet.received_ns if packet.vendor_time_ns is UNSET else packet.vendor_time_ns
    return _pack(
        Pending(
            _MODELS.index(type(packet)),
            f"{origin}/0".encode(),
            packet.line,
            rfc3339(time_ns // 1_000_000),
            packet.received_ns,
            encode(packet),
            collection,
            summary_collection,
            replayed,
        )
    )


def release(pending: Pending, fixture_id: str, place: Place, context: Context) -> None:
    """Write a record, now that its place is known."""
    model = _MODELS[pending.model]
    ce_type, schema = TYPE_HEADERS[model]
    key = fixture_id.encode()
    headers: list[Header] = [
        VERSION,
        ("ce_id", pending.ce_id),
        ("ce_source", f"tricast/fastpath/{pending.line}".encode()),
        ce_type,
        ("ce_time", pending.time),
        ("ce_subject", key),
        CONTENT,
        schema,
        ("ce_tcreceived", b"%d" % pending.received_ns),
    ]
    if place.late:
        context.found("fact", "late")
    if place.repaired:
        context.found("fact", "repaired")
    if pending.replayed:
        headers.append((REPLAYED, pending.replayed.encode()))
    context.forward(model.topic, key, pending.body[:-1] + b"," + _encode_place(place)[1:], headers)


def place_of(effect: Release) -> Place:
    """Return the place that the account gave a packet."""
    return Place(
        Released(why=effect.why, after_ms=effect.after_ms),
        effect.sequence if 0 <= effect.sequence <= MAX_SEQUENCE else UNSET,  # else it is a conflict, and marked
        effect.late,
        effect.repaired,
        effect.conflict,
    )


def unordered() -> Place:
    """Return the place of a packet without number."""
    return Place(Released(why="unordered", after_ms=0))
