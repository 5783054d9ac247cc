"""Turn a packet of a match into its normalized record.

Nothing of a packet is a reason to lose it once its number can be read: a field of another type than it should have
stays in ``details`` under the vendor's name, as everything does that is not named here.
"""

from typing import Any, assert_never

import msgspec
from msgspec import UNSET, UnsetType

from processors.core.exact import spelling
from processors.core.fastpath.packet import ActionPacket, ElementPacket, Numbered, StatisticsPacket
from processors.core.fastpath.tables import ACTION, AROUND, ELEMENT, PERIOD, STATISTICS, SUMMARY, TEAM, Reader
from schemas.fastpath.actions import Action, EventElement, Period, Summary, Team
from schemas.fastpath.fields import Delivery, Released, StateInForce
from schemas.fastpath.statistics import Statistics


class PacketStamp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of a packet from elsewhere than its bytes, when it arrives.

    Attributes:
        feed: Feed path.
        line: ``tc-line``.
        connection: ``tc-connection``.
        received_ns: ``tc-received-ns``.
        delivery: Live, replayed or in a late burst.
        latency_ms: Receipt minus vendor time, if that says anything.
        connection_state: State in force.
    """

    feed: str
    line: str
    connection: str
    received_ns: int
    delivery: Delivery
    latency_ms: int | UnsetType
    connection_state: StateInForce


class Normal(msgspec.Struct, frozen=True, gc=False):
    """A normalized record, and how many fields of its packet had another type than they should."""

    record: Action | EventElement | Statistics
    odd_fields: int


def normalize(packet: Numbered, stamp: PacketStamp, released: Released, sequence: int | UnsetType = UNSET) -> Normal:
    """Return the record of ``packet``; ``sequence``, ``released`` and the marks may be set again when it goes out.

    Args:
        packet: From ``classify``.
        stamp: What is known beside it.
        released: Why it goes out.
        sequence: Its account number, if it has one.
    """
    common: dict[str, Any] = {
        "feed": stamp.feed,
        "fixture_id": packet.fixture_id,
        "sequence": sequence,
        "vendor_sequence": UNSET if packet.number is None else packet.number,
        "line": stamp.line,
        "connection": stamp.connection,
        "vendor_time_ns": UNSET if packet.vendor_time_ns is None else packet.vendor_time_ns,
        "vendor_time": UNSET if packet.vendor_time is None else packet.vendor_time,
        "received_ns": stamp.received_ns,
        "delivery": stamp.delivery,
        "latency_ms": stamp.latency_ms,
        "connection_state": stamp.connection_state,
        "released": released,
    }
    match packet:
        case ActionPacket():
            return _action(packet, common)
        case ElementPacket():
            return _element(packet, common)
        case StatisticsPacket():
            return _statistics(packet, common)
        case _:
            assert_never(packet)


def _action(packet: ActionPacket, common: dict[str, Any]) -> Normal:
    reader = Reader()
    named, details = reader.split(packet.tree["fixtureAction"], ACTION)
    around, envelope = reader.split(packet.tree, AROUND)
    del envelope["fixtureAction"]
    _drop(details, packet, "fixtureSeqNum")
    if packet.delay_status is not None:
        named["delay_status"] = packet.delay_status
    if "team" in named:
        named["team"] = Team(**reader.whole(named["team"], TEAM))
    if "summary" in around:
        around["summary"] = _summary(around["summary"], reader)
    if envelope:
        around["envelope"] = envelope
    return Normal(Action(**common, **around, **named, details=details), reader.odd)


def _summary(tree: dict[str, Any], reader: Reader) -> Summary:
    named = reader.whole(tree, SUMMARY)
    if "periods" in named:
        named["periods"] = [Period(**reader.whole(period, PERIOD)) for period in named["periods"]]
    return Summary(**named)


def _element(packet: ElementPacket, common: dict[str, Any]) -> Normal:
    reader = Reader()
    named, details = reader.split(packet.tree, ELEMENT)
    _drop(details, packet, "seqNum")
    if packet.element_type is not None:
        named["element_type"] = packet.element_type
        details.pop(spelling(details, "eventElementType") or "")
    if packet.delay_status is not None:
        named["delay_status"] = packet.delay_status
    return Normal(EventElement(**common, **named, details=details), reader.odd)


def _statistics(packet: StatisticsPacket, common: dict[str, Any]) -> Normal:
    reader = Reader()
    named, details = reader.split(packet.tree, STATISTICS)
    _drop(details, packet, "seqNum")
    return Normal(Statistics(**common, **named, details=details), reader.odd)


def _drop(details: dict[str, Any], packet: Numbered, number: str) -> None:
    """Take out of ``details`` what every record says of its packet; what could not be used stays."""
    if packet.number is not None:
        del details[spelling(details, number) or number]
    if packet.vendor_time is not None:
        details.pop("timestamp", None)
    fixture_id = details.get("fixtureId")
    if type(fixture_id) is str and fixture_id.casefold() == packet.fixture_id.casefold():
        del details["fixtureId"]
