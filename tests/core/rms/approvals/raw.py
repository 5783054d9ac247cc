"""A raw partition of RMS as connectors write it, and a stream task that is played it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from processors.core.rms.approvals.processor import RmsApprovals
from schemas.raw import Kind, RawHeaders
from schemas.rms import pending
from tests.core.driver import Output, RawTask, Record

SECOND = 1_000_000_000
START_S = 1_790_000_000
START_NS = START_S * SECOND
TOPIC = "tricast.rms.raw"
CUSTOMER = "90210"
NUMBERS = {"token_age_s": 7, "refresh_age_s": 8, "connects_left": 5, "requests_left": 90, "lookups_waiting": 0}


@dataclass
class Partition:
    """A raw partition in the making; ``now_s`` is the connectors' clock, seconds since the start."""

    records: list[Record] = field(default_factory=list)
    now_s: float = 0.0

    def at(self, now_s: float) -> "Partition":
        self.now_s = now_s
        return self

    def line(self, customer: str = CUSTOMER, suffix: str = "") -> "Line":
        return Line(self, customer, f"rms-{customer}{suffix}")

    def write(self, key: bytes | None, value: bytes | None, headers: Any) -> None:
        self.records.append(
            Record(
                offset=len(self.records),
                value=value,
                headers=headers,
                topic=TOPIC,
                timestamp=at_ns(self.now_s) // 1_000_000,
                key=key,
            )
        )


@dataclass
class Line:
    """One line of a customer: one socket after the other."""

    partition: Partition
    customer: str
    name: str
    connects: int = 0
    number: int = 0
    is_open: bool = False
    is_joined: bool = False
    after_s: float | None = None
    """What is received now was sent after this."""

    @property
    def connection(self) -> str:
        return f"{self.name}-{self.connects}"

    def open(self, *, join: bool = True) -> "Line":
        previous = {"previous_connection": None, "previous_frame": None}
        if self.connects:
            previous = {"previous_connection": self.connection, "previous_frame": self.number}
        self.connects += 1
        self.number = 0
        self.is_open, self.is_joined = True, False
        self.control("opened", {"customer": self.customer, "url": "wss://rms.example"} | previous)
        self.say('0{"sid":"s1"}')
        if join:
            self.join()
        return self

    def join(self) -> None:
        self.is_joined = True
        self.say('30[{"status":"ok"}]')

    def say(self, *packets: bytes | str) -> None:
        """Receive frames."""
        for packet in packets:
            self.number += 1
            self.write("frame", packet if isinstance(packet, bytes) else packet.encode())

    def tell(self, said: str, *arguments: Any) -> None:
        """Receive an approval."""
        self.say("2" + json.dumps([f"RESERVE_BET_{said.upper()}", *arguments]))

    def lose(self, frames: int = 1) -> None:
        """Frames that the connector numbered and Kafka never got."""
        self.number += frames

    def close(self, reason: str = "closed", code: int = 1006, heard_s: float | None = None) -> None:
        heard = None if heard_s is None else at_ns(heard_s)
        self.is_open = self.is_joined = False
        self.control("closed", {"code": code, "reason": reason, "frames": self.number, "heard_ns": heard})

    def refuse(self, reason: str, code: int) -> None:
        """A connect that comes to nothing."""
        self.connects += 1
        self.number = 0
        self.control("closed", {"code": code, "reason": reason, "frames": 0, "heard_ns": None})

    def tick(self, heard_s: float | None = None, **fields: Any) -> None:
        """Tick; heard of just now, unless told otherwise."""
        heard = at_ns(self.partition.now_s if heard_s is None else heard_s) if self.is_open else None
        standing = {"open": self.is_open, "joined": self.is_joined, "heard_ns": heard}
        self.control("tick", standing | NUMBERS | fields)

    def overflow(self, lost: int) -> None:
        first = self.number + 1
        self.number += lost
        self.control("overflow", {"lost": lost, "first_frame": first, "last_frame": self.number})

    def control(self, kind: Kind, value: Any) -> None:
        self.write(kind, json.dumps(value).encode())

    def look_up(  # what an answer has
        self,
        body: Any,
        *,
        code: str = "code-1",
        slip: str = "slip-1",
        status: int = 200,
        requested_s: float | None = None,
        position: str | None = None,
    ) -> None:
        """Receive the answer to a look-up, on a line of its own."""
        self.connects = self.connects or 1
        self.number += 1
        stamps = RawHeaders(
            feed="rms",
            line=self.name,
            connection=self.connection,
            frame=self.number,
            received_ns=at_ns(self.partition.now_s),
            kind="snapshot",
            position=f"bet/detail?{urlencode({'code': code, 'slip': slip})}" if position is None else position,
            requested_ns=at_ns(self.partition.now_s if requested_s is None else requested_s),
            status=status,
        )
        value = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.partition.write(self.customer.encode(), value, stamps.to_kafka())

    def write(self, kind: Kind, value: bytes) -> None:
        stamps = RawHeaders(
            feed="rms",
            line=self.name,
            connection=self.connection,
            frame=self.number,
            received_ns=at_ns(self.partition.now_s),
            kind=kind,
            after_ns=None if self.after_s is None or kind != "frame" else at_ns(self.after_s),
        )
        self.partition.write(self.customer.encode(), value, stamps.to_kafka())


class Task(RawTask):
    """A stream task of ``rms.approvals``."""

    def __init__(self, *, remember_s: int = 21_600, **before: Any) -> None:
        super().__init__(RmsApprovals(remember_s=remember_s), **before)


def played(partition: Partition, **settings: Any) -> Task:
    task = Task(**settings)
    task.play(partition.records)
    return task


def at_ns(seconds: float) -> int:
    return START_NS + round(seconds * 1_000_000) * 1000


# Reading what came out.


def approvals(outputs: Iterable[Output]) -> list[dict[str, Any]]:
    return [json.loads(output.value) for output in outputs if output.topic == "rms.approvals"]


def evidence(outputs: Iterable[Output]) -> list[pending.Evident]:
    return [message for message in messages(outputs) if isinstance(message, pending.Evident)]


def times(outputs: Iterable[Output]) -> list[tuple[float, float | None, float | None]]:
    """Return (now, since, proven) in seconds since the start, of one task of the join."""
    told = [message for message in messages(outputs) if isinstance(message, pending.Time)]
    return [(_s(time.now_ns) or 0.0, _s(time.since_ns), _s(time.proven_ns)) for time in told[::4]]


def messages(outputs: Iterable[Output]) -> list[pending.AnyMessage]:
    return [pending.decode(output.value) for output in outputs if output.topic == "rms.pending"]


def healths(outputs: Iterable[Output]) -> list[tuple[str, str]]:
    return [(value["state"], value["reason"]) for value in health_records(outputs)]


def health_records(outputs: Iterable[Output]) -> list[dict[str, Any]]:
    return [json.loads(output.value) for output in outputs if output.topic == "rms.health"]


def _s(time_ns: int | None) -> float | None:
    return None if time_ns is None else (time_ns - START_NS) / SECOND
