"""Reads back what a connector wrote and says what is wrong with it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition


@dataclass
class Verdict:
    """What is in Kafka: every connection's frames have to be there, in order, whatever was repeated."""

    records: int = 0
    frames: int = 0
    repeats: int = 0
    lost: int = 0
    """As overflow records tell."""
    holes: list[str] = field(default_factory=list)
    """Frames that neither came nor were told lost; more generally: what must not be."""
    kinds: dict[str, int] = field(default_factory=dict)


class Judge:
    """Follows one partition by connection and frame number, as processors do."""

    def __init__(self) -> None:
        self.verdict = Verdict()
        self.values: list[bytes] = []
        self._last: dict[str, int] = {}

    def take(self, headers: dict[str, str], value: bytes) -> None:
        verdict = self.verdict
        kind, connection, number = headers["tc-kind"], headers["tc-connection"], int(headers["tc-frame"])
        verdict.records += 1
        verdict.kinds[kind] = verdict.kinds.get(kind, 0) + 1
        last = self._last.get(connection, 0)
        if kind == "overflow":
            lost = number - last
            verdict.lost += max(0, lost)
            if lost > 0 and f'"lost":{lost},'.encode() not in value:
                verdict.holes.append(f"{connection}: overflow {value!r} after frame {last}")
            self._last[connection] = max(last, number)
        elif kind == "frame":
            if number <= last:
                verdict.repeats += 1
                return
            if number != last + 1:
                verdict.holes.append(f"{connection}: frame {number} after {last}")
            verdict.frames += 1
            self._last[connection] = number
            self.values.append(value)
        elif number > last:
            verdict.holes.append(f"{connection}: {kind} names frame {number}, {last} was the last")


def follow(bootstrap: str, topic: str, judge: Judge, done: Callable[[Judge], bool], *, patience_s: float) -> None:
    """Feed partition 0 to ``judge`` until ``done`` or until nothing has come for ``patience_s``."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "unused",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 9_000_000,
        }
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    heard = time.monotonic()
    try:
        while not done(judge):
            for message in consumer.consume(1000, 0.2):
                if message.error() is None:
                    headers = {name: bytes(text or b"").decode() for name, text in message.headers() or ()}  # pyright: ignore[reportArgumentType]
                    judge.take(headers, bytes(message.value() or b""))
                    heard = time.monotonic()
            if time.monotonic() - heard > patience_s:
                judge.verdict.holes.append(f"nothing came for {patience_s:g} s")
                return
    finally:
        consumer.close()
