"""A packet and its record as the golden files show them."""

import json
from typing import Any

from processors.core.fastpath.classify import classify
from processors.core.fastpath.findings import Unreadable
from processors.core.fastpath.normalize import PacketStamp, normalize
from processors.core.fastpath.packet import (
    ActionPacket,
    ElementPacket,
    Heartbeat,
    Message,
    StatisticsPacket,
    StatusPacket,
)
from schemas.codec import encode
from schemas.fastpath.feed import feed_of
from schemas.fastpath.fields import Released, StateInForce

RECEIVED_NS = 1_795_200_000_123_456_789
STATE = StateInForce(state="Connected", since_ns=1_795_190_000_000_000_000)
RELEASED = Released(why="in_order", after_ms=0)


def stamp(feed: str) -> PacketStamp:
    return PacketStamp(
        feed=feed,
        line=feed,
        connection="c-1",
        received_ns=RECEIVED_NS,
        delivery="live",
        latency_ms=7,
        connection_state=STATE,
    )


def shown(frame: bytes, feed: str) -> dict[str, Any]:
    """Return what ``frame`` is: its packet, and its record or dead letter if it has one."""
    packet = classify(frame, feed_of(feed))
    match packet:
        case ActionPacket() | ElementPacket() | StatisticsPacket():
            said: dict[str, Any] = {
                "series": packet.series,
                "fixture_id": packet.fixture_id,
                "number": packet.number,
                "key": packet.key.hex(),
                "body": packet.body.hex(),
                "vendor_time_ns": packet.vendor_time_ns,
                "delay_status": packet.delay_status,
                "finished": packet.finished,
            }
            if isinstance(packet, ActionPacket):
                said |= {"collection": packet.collection, "summary_collection": packet.summary_collection}
            normal = normalize(packet, stamp(feed), RELEASED)
            said |= {"counts": [str(count) for count in packet.counts], "odd_fields": normal.odd_fields}
            value = json.loads(encode(normal.record))
            return {"packet": {type(packet).__name__: said}, "ce_type": normal.record.ce_type, "record": value}
        case StatusPacket():
            said = {"state": packet.state, "vendor_time": packet.vendor_time, "fixture_id": packet.fixture_id}
            return {"packet": {"StatusPacket": said | {"vendor_time_ns": packet.vendor_time_ns}}}
        case Heartbeat():
            return {"packet": {"Heartbeat": {}}}
        case Message():
            said = {"text": packet.text, "level": packet.level, "status": packet.status}
            return {"packet": {"Message": said}}
        case Unreadable():
            return {"packet": {"Unreadable": {"code": str(packet.code)}}}
