"""Raw records: exact bytes of a feed with the headers that say where and when they came from.

Other tools read these headers; their names and meanings are fixed.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["frame", "snapshot", "opened", "closed", "overflow", "tick"]
KINDS: frozenset[str] = frozenset(get_args(Kind))

NUMBERED: frozenset[str] = frozenset({"frame", "snapshot"})
"""Kinds that own their number; a control record carries that of the last frame before it.

Beside these kinds, which connectors write, a raw topic may hold requests to replay (``schemas/replay.py``)."""

Header = tuple[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHeaders:
    """What every raw record carries beside its bytes.

    Attributes:
        feed: ``kambi``, ``fastpath`` or ``rms``.
        line: Name of the connector line (one socket's place, kept over reconnects), e.g. ``kambi-0-general``.
        connection: UUID of one connect of that line.
        frame: Number of this frame in its connection, from 1. Control records carry the number of the last
            frame before them (0 when there was none), so that a loss at the tail shows, too.
        received_ns: When the connector had the whole message, UTC nanoseconds since 1970.
        kind: ``frame`` (vendor bytes), ``snapshot`` (an HTTP answer) or a control record.
        position: Names the request of a snapshot (path and query below the offering) or the position asked for;
            absent elsewhere.
        requested_ns: Of a snapshot: when its request was sent, UTC nanoseconds; it says nothing older than that.
        status: Of a snapshot: the HTTP status.
        after_ns: Of a frame of RMS: the vendor sent it after this, UTC nanoseconds; until then all that had come was
            read. Earlier than ``received_ns`` by as long as the connector stood still.
    """

    feed: str
    line: str
    connection: str
    frame: int
    received_ns: int
    kind: Kind
    position: str | None = None
    requested_ns: int | None = None
    status: int | None = None
    after_ns: int | None = None

    def to_kafka(self) -> list[Header]:
        """Return the headers as Kafka takes them, UTF-8 text."""
        headers = [
            ("tc-feed", self.feed.encode()),
            ("tc-line", self.line.encode()),
            ("tc-connection", self.connection.encode()),
            ("tc-frame", b"%d" % self.frame),
            ("tc-received-ns", b"%d" % self.received_ns),
            ("tc-kind", self.kind.encode()),
        ]
        if self.position is not None:
            headers.append(("tc-position", self.position.encode()))
        if self.requested_ns is not None:
            headers.append(("tc-requested-ns", b"%d" % self.requested_ns))
        if self.status is not None:
            headers.append(("tc-status", b"%d" % self.status))
        if self.after_ns is not None:
            headers.append(("tc-after-ns", b"%d" % self.after_ns))
        return headers
