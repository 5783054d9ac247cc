"""Where a record of a line comes from, and what records and time come to for lines: values that the caller acts on."""

from dataclasses import dataclass

import msgspec

from schemas.fastpath.codes import Count
from schemas.fastpath.health import LineHealth


class LineStamp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where and when a record comes from.

    Attributes:
        feed: Path of the feed.
        line: ``tc-line``.
        connection: ``tc-connection``.
        received_ns: ``tc-received-ns``.
        now_s: Stream time, whole seconds.
    """

    feed: str
    line: str
    connection: str
    received_ns: int
    now_s: int


@dataclass(frozen=True, slots=True)
class Up:
    """A connection came up; the accounts of its feed must know."""

    feed: str
    line: str
    connection: str


@dataclass(frozen=True, slots=True)
class Down:
    """A line went down; the accounts of its feed must know."""

    feed: str
    line: str
    connection: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Frames of a connection are lost by our own fault; the accounts of its feed must know."""

    feed: str
    line: str
    connection: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A line was down for so long that nothing is known of it any more; ``feed``: nor of its feed."""

    line: str
    feed: str | None


Finding = LineHealth | Up | Down | Lost | Forgotten | Count
