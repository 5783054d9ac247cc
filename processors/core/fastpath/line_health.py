"""Health of lines: what their control records and holes come to."""

import re
from typing import Final

from msgspec import UNSET

from processors.core.control import Overflow
from processors.core.fastpath.control import Closed, Opened
from processors.core.processor import Hole
from schemas.fastpath.health import LineHealth

_REASON: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_REASON: Final = 40


def opened(line: str, feed: str, connection: str, since_ns: int, said: Opened, *, is_first: bool) -> LineHealth:
    """Return that a connection is up; what was missed before it, the sequence numbers tell."""
    return LineHealth(
        line=line,
        feed=feed,
        state="live",
        reason="opened" if is_first and said.previous_connection is None else "reconnected",
        since_ns=since_ns,
        connection=connection,
        previous_connection=UNSET if said.previous_connection is None else said.previous_connection,
        previous_frame=UNSET if said.previous_frame is None else said.previous_frame,
    )


def closed(line: str, feed: str, connection: str, since_ns: int, said: Closed) -> LineHealth:
    """Return that the line is down."""
    return LineHealth(
        line=line,
        feed=feed,
        state="down",
        reason=reason_of(said),
        since_ns=since_ns,
        connection=connection,
        close_code=UNSET if said.code is None else said.code,
        close_reason=UNSET if said.reason is None else said.reason,
    )


def reason_of(said: Closed) -> str:
    """Return the connector's word for the end; a server's free text is no such word."""
    reason = said.reason or ""
    return reason if len(reason) <= _LONGEST_REASON and _REASON.fullmatch(reason) else "closed"


def down(line: str, feed: str, connection: str, since_ns: int, reason: str) -> LineHealth:
    """Return that the line is down, although nothing said so."""
    return LineHealth(line=line, feed=feed, state="down", reason=reason, since_ns=since_ns, connection=connection)


def silent(line: str, feed: str, connection: str, since_ns: int) -> LineHealth:
    """Return that the vendor sends on another line of the feed, and nothing on this one."""
    return LineHealth(line=line, feed=feed, state="suspect", reason="silent", since_ns=since_ns, connection=connection)


def resumed(line: str, feed: str, connection: str, since_ns: int) -> LineHealth:
    """Return that the line goes on as it should."""
    return LineHealth(line=line, feed=feed, state="live", reason="resumed", since_ns=since_ns, connection=connection)


def overflowed(line: str, feed: str, connection: str, since_ns: int, said: Overflow) -> LineHealth:
    """Return that the connector had no room for some frames."""
    return LineHealth(
        line=line,
        feed=feed,
        state="gapped",
        reason="overflow",
        since_ns=since_ns,
        connection=connection,
        ours=True,
        first_frame=UNSET if said.first_frame is None else said.first_frame,
        last_frame=UNSET if said.last_frame is None else said.last_frame,
        lost_frames=said.lost,
    )


def holed(hole: Hole, feed: str) -> LineHealth:
    """Return that frames of the line never reached the raw topic."""
    return LineHealth(
        line=hole.line,
        feed=feed,
        state="gapped",
        reason="hole",
        since_ns=hole.received_ns,
        connection=hole.connection,
        ours=True,
        first_frame=hole.first,
        last_frame=hole.last,
        lost_frames=hole.last - hole.first + 1,
    )
