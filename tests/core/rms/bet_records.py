"""Records of ``rms.bets`` for tests, and a task of the router."""

import json
from typing import Any

from processors.core.rms.bets.processor import RmsBets
from schemas.rms.pending import AnyMessage, decode
from tests.core.driver import Driver, Output, Record

TOPIC = "tricast.rms.bets"
LOGGED_MS = 1_790_000_000_000
"""Kafka timestamp of every record here; 2026-09-21T14:13:20Z."""
LOGGED_NS = LOGGED_MS * 1_000_000
SLIP = "7d5f3c1a-0b2e-4c6d-9a8f-1f2e3d4c5b6a"
PLACED: dict[str, Any] = {
    "type": "placed",
    "customer": "90210",
    "bet_slip_id": SLIP,
    "placed_at": "2026-09-21T14:13:19.250Z",
    "platform_id": 4021,
    "context": "prematch",
    "bet_type": "single",
    "stake": 250,
    "selections": [
        {"event_id": "5120033471", "market_id": "1900455120", "line": "1.5", "outcome_id": "6017722934", "odds": 1.95}
    ],
    "user_id": "88017",
}
ANSWERED: dict[str, Any] = {
    "type": "answered",
    "customer": "90210",
    "bet_slip_id": SLIP,
    "answered_at": "2026-09-21T14:13:19.900Z",
    "bet_code": "k3v9q7a1z-m4n8p2x6c0",
    "short_code": "7306",
    "result": True,
    "disposition": "referred",
}


def task(remember_s: int = 21_600) -> Driver:
    """Return a task of the router."""
    return Driver(RmsBets(remember_s=remember_s))


def feed(router: Driver, value: Any, key: str | bytes | None = None, timestamp: int = LOGGED_MS) -> None:
    """Give ``value`` to ``router``; all but bytes and ``None`` as JSON."""
    if value is not None and not isinstance(value, bytes):
        value = json.dumps(value).encode()
    key = key.encode() if isinstance(key, str) else key
    router.feed_record(
        Record(offset=router.offset, value=value, headers=(), topic=TOPIC, partition=2, timestamp=timestamp, key=key)
    )


def messages(router: Driver) -> list[AnyMessage]:
    """Return what went to the join."""
    return [decode(output.value) for output in router.outputs]


def outputs_of(value: Any, key: str | bytes | None = None) -> list[Output]:
    """Return what one record becomes; it must be no dead letter."""
    router = task()
    feed(router, value, key)
    assert not router.dead_letters
    return router.outputs


def message_of(value: Any) -> AnyMessage:
    """Return the first message that one record becomes."""
    return decode(outputs_of(value)[0].value)
