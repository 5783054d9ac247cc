"""Recorded Kambi frames of one line, and processors that break a rule."""

import json
from dataclasses import dataclass
from typing import Any

from processors.core.kambi.processor import KambiProcessor
from schemas.raw import RawHeaders

START_MS = 1_790_000_000_000
EVENTS = (1020000001, 1020000002, 1020000003)


@dataclass(frozen=True)
class Row:
    """A record of a topic, as a consumer gives it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple


def odds(at_ms, event, price, offer=2500000001):
    outcomes = [{"id": offer + 1, "betOfferId": offer, "odds": price}]
    return {"t": str(at_ms), "mt": 11, "boou": {"eventId": event, "outcomes": outcomes}}


def frames(number, *, topic="tricast.kambi.raw", start_ms=START_MS):
    """Yield raw records: opened, then frames of odds of three events in turn, one of them broken, a repeat, a hole."""
    opened = _raw(topic, 0, start_ms, "opened", 0, b'{"shards":1,"shard":0}')
    yield opened
    for n in range(1, number):
        at_ms = start_ms + n * 100
        children = [odds(at_ms, event, 1500 + 10 * n + place) for place, event in enumerate(EVENTS)]
        if n % 7 == 3:
            children.insert(1, {"t": str(at_ms), "mt": 11, "boou": 7})
        frame = n - 1 if n == 5 else n + 2 if n > number // 2 else n
        yield _raw(topic, n, at_ms, "frame", frame, f'2["message",{json.dumps(json.dumps(children))}]'.encode())


def _raw(topic, offset, at_ms, kind, frame, value):
    headers = RawHeaders(
        feed="kambi", line="kambi-0-general", connection="c-1", frame=frame, received_ns=at_ms * 1_000_000, kind=kind
    ).to_kafka()
    return Row(topic, 0, offset, at_ms, b"0", value, tuple(headers))


class Careless(KambiProcessor):
    """Doubles every price, forgets an event, and says nothing of broken parts: each breaks a rule of the core."""

    def process(self, record, context):
        careless: Any = _CarelessContext(context)
        super().process(record, careless)


class _CarelessContext:
    def __init__(self, context):
        self._context = context

    def __getattr__(self, name):
        return getattr(self._context, name)

    def forward(self, topic, key, value, headers):
        if key == str(EVENTS[0]).encode():
            value = value.replace(b'"odds_thousandths":', b'"odds_thousandths":9')
        if key != str(EVENTS[1]).encode():
            self._context.forward(topic, key, value, headers)

    def dead_letter(self, *_, **__):
        pass
