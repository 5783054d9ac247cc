"""A raw partition of FastPath as connectors write it, and a stream task that is played it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from processors.core.fastpath.processor import FastpathProcessor
from processors.core.repeats import RepeatFilter
from schemas.raw import Kind, RawHeaders
from tests.core.driver import Output, RawTask, Record

SECOND = 1_000_000_000
START_S = 1_790_000_000
START_NS = START_S * SECOND
TOPIC = "tricast.fastpath.raw"
FIXTURE = "11111111-2222-4333-8444-555555555555"
FEED = f"soccer/fixtures/{FIXTURE}/actions"
STATISTICS = f"soccer/fixtures/{FIXTURE}/statistics"
TENNIS = "tennis/events/2026-0415-MS009/stream"
GOLF = "golf/tournaments/901/round/1/team/21"


@dataclass
class Partition:
    """A raw partition in the making; ``now_s`` is the connectors' clock, seconds since the start."""

    records: list[Record] = field(default_factory=list)
    now_s: float = 0.0

    def at(self, now_s: float) -> "Partition":
        self.now_s = now_s
        return self

    def line(self, feed: str = FEED, replica: str = "") -> "Line":
        return Line(self, feed, f"{feed}@{replica}" if replica else feed)

    def write(self, key: bytes | None, value: bytes | None, headers: Any) -> None:
        self.records.append(
            Record(
                offset=len(self.records),
                value=value,
                headers=headers,
                topic=TOPIC,
                timestamp=(START_NS + ns(self.now_s)) // 1_000_000,
                key=key,
            )
        )


@dataclass
class Line:
    """One line of a feed: one socket after the other."""

    partition: Partition
    feed: str
    name: str
    connects: int = 0
    number: int = 0
    position: int | None = None

    @property
    def connection(self) -> str:
        return f"{self.name}-{self.connects}"

    def open(self, position: int | None = 0, cause: str = "start") -> None:
        previous = {"previous_connection": None, "previous_frame": None}
        if self.connects:
            previous = {"previous_connection": self.connection, "previous_frame": self.number}
        self.connects += 1
        self.number = 0
        self.position = position
        self.control("opened", {"feed": self.feed, "start_position": position, "events": 0, "cause": cause} | previous)

    def say(self, *packets: bytes | str | dict[str, Any]) -> None:
        """Receive frames."""
        for packet in packets:
            self.number += 1
            self.write("frame", packet if isinstance(packet, bytes) else text(packet))

    def lose(self, frames: int = 1) -> None:
        """Frames that the connector numbered and Kafka never got."""
        self.number += frames

    def close(self, reason: str = "closed", code: int = 1006) -> None:
        self.control("closed", {"code": code, "reason": reason, "frames": self.number})

    def refuse(self, reason: str, code: int) -> None:
        """A connect that comes to nothing."""
        self.connects += 1
        self.number = 0
        self.control("closed", {"code": code, "reason": reason, "frames": 0})

    def tick(self, *, is_open: bool = True) -> None:
        self.control("tick", {"open": is_open, "events": 0})

    def overflow(self, lost: int) -> None:
        first = self.number + 1
        self.number += lost
        self.control("overflow", {"lost": lost, "first_frame": first, "last_frame": self.number})

    def control(self, kind: Kind, value: Any) -> None:
        self.write(kind, json.dumps(value).encode())

    def write(self, kind: Kind, value: bytes) -> None:
        stamps = RawHeaders(
            feed="fastpath",
            line=self.name,
            connection=self.connection,
            frame=self.number,
            received_ns=START_NS + ns(self.partition.now_s),
            kind=kind,
            position=None if self.position is None else str(self.position),
        )
        self.partition.write(self.feed.encode(), value, stamps.to_kafka())


class Task(RawTask):
    """A stream task of the audit."""

    def __init__(
        self,
        *,
        store: dict[bytes, bytes] | None = None,
        stream_time_ns: int = 0,
        repeats: RepeatFilter | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(FastpathProcessor(**settings), store=store, stream_time_ns=stream_time_ns, repeats=repeats)


def ns(seconds: float) -> int:
    return round(seconds * 1_000_000) * 1000


def text(value: str | dict[str, Any]) -> bytes:
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


def time(seconds: float) -> str:
    """Return the vendor's way to write a time, seconds since the start."""
    whole, micros = divmod(round((START_S + seconds) * 1_000_000), 1_000_000)
    days, rest = divmod(whole - 1_789_948_800, 86_400)  # 2026-09-21T00:00:00Z
    assert days == 0
    return f"2026-09-21T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{micros:06}Z"


def action(
    number: Any, at: float = 0.0, *, fixture: str = FIXTURE, identity: str | None = None, **fields: Any
) -> dict[str, Any]:
    """Return an action; ``at``: vendor time, seconds since the start."""
    summary = fields.pop("summary", {"homeTeamScore": 0, "awayTeamScore": 1, "collectionStatus": "CollectingLive"})
    return {
        "traceId": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "version": 3,
        "finished": False,
        "fixtureAction": {
            "fixtureId": fixture,
            "actionId": identity or f"action-{number}",
            "fixtureSeqNum": number,
            "fixtureActionType": "Attack",
            "fixtureActionTypeId": 30,
            "sendType": "Confirmed",
            "sendTypeId": 5,
            "period": 1,
            "clockTime": "08:32",
            "timestamp": time(at),
        }
        | fields,
        "fixtureSummary": summary,
    }


def collection(number: int, status: int, at: float = 0.0) -> dict[str, Any]:
    """Return "Status Updated"."""
    return action(
        number, at, fixtureActionType="Status Updated", fixtureActionTypeId=22, metadata={"collectionStatus": status}
    )


def element(number: int, at: float = 0.0, kind: str = "PointScored", **fields: Any) -> dict[str, Any]:
    return {"seqNum": number, "eventElementType": kind, "timestamp": time(at)} | fields


def statistics(number: int, at: float = 0.0, **fields: Any) -> dict[str, Any]:
    packet = {"seqNum": number, "version": 2, "finished": False, "fixtureId": FIXTURE, "timestamp": time(at)}
    return packet | {"teamActionAggregates": []} | fields


def status(state: str, at: float = 0.0) -> dict[str, Any]:
    return {"eventElementType": "ConnectionStateChanged", "state": state, "timestamp": time(at)}


def heartbeat(at: float = 0.0) -> dict[str, Any]:
    return {"message": f"Heartbeat sent at {time(at)}", "level": "INFO"}


# Reading what came out.


def values(outputs: Iterable[Output], topic: str) -> list[dict[str, Any]]:
    return [json.loads(output.value) for output in outputs if output.topic == f"fastpath.{topic}"]


def numbers(outputs: Iterable[Output]) -> list[int]:
    """Return the vendor's numbers of the actions, in the order in which they went out."""
    return [value["vendor_sequence"] for value in values(outputs, "actions")]


def findings(outputs: Iterable[Output]) -> list[str]:
    return [value["finding"] for value in values(outputs, "sequence")]


def states(outputs: Iterable[Output]) -> list[str]:
    return [value["state"] for value in values(outputs, "connections")]


def healths(outputs: Iterable[Output]) -> list[tuple[str, str]]:
    """Return the states of feeds and why."""
    return [(value["state"], value["reason"]) for value in values(outputs, "health") if "fixture_id" in value]


def line_healths(outputs: Iterable[Output]) -> list[tuple[str, str]]:
    return [(value["state"], value["reason"]) for value in values(outputs, "health") if "fixture_id" not in value]
