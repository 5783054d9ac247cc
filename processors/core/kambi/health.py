"""What control records say about the health of their line."""

import msgspec

from processors.core.control import Overflow
from processors.core.kambi.control import Closed, Control, Opened, Tick
from processors.core.processor import Hole
from schemas.kambi.health import LineHealth


def health_of(control: Control, *, line: str, connection: str, received_ns: int) -> list[LineHealth]:
    """Return what ``control`` means for the health of its line, in order."""
    match control:
        case Opened():
            return _opened(control, line, connection, received_ns)
        case Closed():
            return [_closed(control, line, connection, received_ns)]
        case Overflow():
            return _overflow(control, line, connection, received_ns)
        case Tick():
            return []


def read_hole(hole: Hole) -> list[LineHealth]:
    """Return what a hole in a connection's frame numbers means, in order."""
    gap = LineHealth(
        line=hole.line,
        state="gapped",
        reason="hole",
        since_ns=hole.received_ns,
        connection=hole.connection,
        ours=True,
        first_frame=hole.first,
        last_frame=hole.last,
        lost_frames=hole.last - hole.first + 1,
    )
    return [gap, resumed(hole.line, hole.connection, hole.received_ns)]


def resumed(line: str, connection: str, since_ns: int) -> LineHealth:
    """Return that the line goes on as it should."""
    return LineHealth(line=line, state="live", reason="resumed", since_ns=since_ns, connection=connection)


def _opened(opened: Opened, line: str, connection: str, received_ns: int) -> list[LineHealth]:
    if opened.previous_connection is None:
        return [LineHealth(line=line, state="live", reason="opened", since_ns=received_ns, connection=connection)]
    # Kambi numbers nothing: what it sent while no socket was open is lost, and all that can be named is the interval
    # from the last frame of one connection to the opening of the next.
    gap = LineHealth(
        line=line,
        state="gapped",
        reason="reconnected",
        since_ns=received_ns,
        connection=connection,
        ours=False,
        previous_connection=opened.previous_connection,
        previous_frame=msgspec.UNSET if opened.previous_frame is None else opened.previous_frame,
    )
    return [gap, resumed(line, connection, received_ns)]


def _closed(closed: Closed, line: str, connection: str, received_ns: int) -> LineHealth:
    return LineHealth(
        line=line,
        state="down",
        reason="closed",
        since_ns=received_ns,
        connection=connection,
        close_code=msgspec.UNSET if closed.code is None else closed.code,
        close_reason=msgspec.UNSET if closed.reason is None else closed.reason,
    )


def _overflow(overflow: Overflow, line: str, connection: str, received_ns: int) -> list[LineHealth]:
    gap = LineHealth(
        line=line,
        state="gapped",
        reason="overflow",
        since_ns=received_ns,
        connection=connection,
        ours=True,
        first_frame=msgspec.UNSET if overflow.first_frame is None else overflow.first_frame,
        last_frame=msgspec.UNSET if overflow.last_frame is None else overflow.last_frame,
        lost_frames=overflow.lost,
    )
    return [gap, resumed(line, connection, received_ns)]
