"""What a line's control records say about its health."""

import msgspec

from processors.core.kambi.findings import Unreadable
from processors.core.processor import Hole
from schemas.kambi.codes import Code
from schemas.kambi.events import LineHealth


class _Opened(msgspec.Struct):
    previous_connection: str | None = None
    previous_frame: int | None = None


class _Closed(msgspec.Struct):
    code: int | None = None
    reason: str | None = None


class _Overflow(msgspec.Struct):
    lost: int
    first_frame: int | None = None
    last_frame: int | None = None


_OPENED = msgspec.json.Decoder(_Opened)
_CLOSED = msgspec.json.Decoder(_Closed)
_OVERFLOW = msgspec.json.Decoder(_Overflow)


def read_control(
    kind: str, value: bytes, *, line: str, connection: str, received_ns: int
) -> list[LineHealth] | Unreadable:
    """Return what a control record of ``kind`` ``opened``, ``closed`` or ``overflow`` means, in order."""
    try:
        match kind:
            case "opened":
                return _opened(_OPENED.decode(value), line, connection, received_ns)
            case "closed":
                return _closed(_CLOSED.decode(value), line, connection, received_ns)
            case _:
                return _overflow(_OVERFLOW.decode(value), line, connection, received_ns)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable(Code.BAD_CONTROL, f"{kind}: {error}")


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
    return [gap, _resumed(hole.line, hole.connection, hole.received_ns)]


def _resumed(line: str, connection: str, received_ns: int) -> LineHealth:
    return LineHealth(line=line, state="live", reason="resumed", since_ns=received_ns, connection=connection)


def _opened(opened: _Opened, line: str, connection: str, received_ns: int) -> list[LineHealth]:
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
    return [gap, _resumed(line, connection, received_ns)]


def _closed(closed: _Closed, line: str, connection: str, received_ns: int) -> list[LineHealth]:
    return [
        LineHealth(
            line=line,
            state="down",
            reason="closed",
            since_ns=received_ns,
            connection=connection,
            close_code=msgspec.UNSET if closed.code is None else closed.code,
            close_reason=msgspec.UNSET if closed.reason is None else closed.reason,
        )
    ]


def _overflow(overflow: _Overflow, line: str, connection: str, received_ns: int) -> list[LineHealth]:
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
    return [gap, _resumed(line, connection, received_ns)]
