"""Heartbeats of the socket in every documented shape (fact sheet §6); they say nothing about the upstream."""

from datetime import UTC, datetime
from typing import Literal

import orjson

from schemas.fastpath.feed import Feed

Shape = Literal["auto", "message", "event", "event-lower", "multiplexer"]


def heartbeat(feed: Feed, shape: Shape, now_ns: int) -> bytes:
    """Return the heartbeat that ``feed`` sends at ``now_ns``."""
    time = datetime.fromtimestamp(now_ns / 1e9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    match _usual(feed) if shape == "auto" else shape:
        case "message":
            return orjson.dumps({"message": f"Heartbeat sent at {time}", "level": "INFO"})
        case "event":
            return orjson.dumps({"eventElementType": "heartbeat", "timestamp": time, "message": "alive"})
        case "event-lower":  # as the vendor's table prints the name
            return orjson.dumps({"eventelementType": "heartbeat", "timestamp": time, "message": "alive"})
        case "multiplexer":
            beat = {"eventElementType": "heartbeat", "timestamp": time, "message": "alive"}
            envelope = {"sport": feed.sport, "eventId": feed.fixture, "feedType": "rounddetails"}
            return orjson.dumps(envelope | {"dataType": "heartbeats", "message": beat})


def _usual(feed: Feed) -> Literal["message", "event", "multiplexer"]:
    if feed.kind == "mixed":
        return "multiplexer"
    return "event" if feed.sport == "golf" else "message"
