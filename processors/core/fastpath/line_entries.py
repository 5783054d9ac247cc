"""What is kept of a connector line and of a feed for health."""

from typing import Final

import msgspec

from processors.core.fastpath.collection import Collecting
from processors.core.fastpath.connections import Upstream
from schemas.fastpath.health import FeedState

OLDER_CONNECTIONS: Final = 4
"""Connections of a line that are known beside the newest: frames of one may come after its successor opened."""


class Line(msgspec.Struct, array_like=True, gc=False):
    """A line as its control records tell it.

    Attributes:
        feed: Path of its feed.
        connection: Its newest connection.
        is_open: That connection is open, and heard of.
        is_lost: Not heard of for so long that it counts as down, although it never closed.
        is_silent: Open, and the vendor sends nothing on it while it does on another line of the feed.
        opened_ns: Receipt of ``opened`` of that connection, UTC ns.
        reason: Why it is not open.
        ended_ns: Since when it is not open, UTC ns.
        older: The connections before it, and when they opened, oldest first.
    """

    feed: str
    connection: str
    is_open: bool
    opened_ns: int
    is_lost: bool = False
    is_silent: bool = False
    reason: str = ""
    ended_ns: int = 0
    older: dict[str, int] = {}


class Pulse(msgspec.Struct, array_like=True, gc=False):
    """When a line was heard, in steps of ``PULSE_S``.

    Attributes:
        heard_s: Its last record of any kind, seconds of stream time.
        beat: ``TaskPulse.beats`` at that time.
        frame_s: Its last frame, or the opening of its connection.
        frame_beat: ``TaskPulse.beats`` at that time.
    """

    heard_s: int = 0
    beat: int = 0
    frame_s: int = 0
    frame_beat: int = 0


class TaskPulse(msgspec.Struct, array_like=True, gc=False):
    """How the task's time went on.

    Attributes:
        beats: Seconds of stream time in which a record came; unlike seconds, a jump of the time counts once.
        beat_s: The last of them.
    """

    beats: int = 0
    beat_s: int = 0


class FeedEntry(msgspec.Struct, array_like=True, gc=False):
    """What is known of a feed beside its lines.

    Attributes:
        upstream: State of the vendor's collector.
        parts: On the multiplexer: of the collector of each fixture it told about, the newest last.
        collecting: What the scorer does.
        burst_s: When a packet collected offline last came, seconds of stream time; 0 = none yet.
        state: Its health as last told; ``None`` before the first.
        reason: Why.
    """

    upstream: Upstream = Upstream()
    parts: dict[str, Upstream] = {}
    collecting: Collecting = Collecting()
    burst_s: int = 0
    state: FeedState | None = None
    reason: str = ""
