"""What a line's control records say, and what that says about the line's health."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.core.kambi.findings import Unreadable
from processors.core.processor import Hole
from schemas.kambi.codes import Code
from schemas.kambi.health import LineHealth
from schemas.topics import KAMBI_SHARDS

MAX_KEYS: Final = 10_000
"""Keys that one control record may name; the vendor allows 40 a connection."""

_Keys = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=MAX_KEYS)]
_Shards = Annotated[int, Meta(ge=1, le=KAMBI_SHARDS)]
_Frames = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Opened(msgspec.Struct, frozen=True):
    """A connection of the line is up."""

    previous_connection: str | None = None
    previous_frame: _Frames | None = None
    keys: _Keys = []
    shard: Annotated[int, Meta(ge=0, lt=KAMBI_SHARDS)] | None = None
    shards: _Shards | None = None

    def __post_init__(self) -> None:
        """Refuse a shard that is none of them."""
        if self.shard is not None and self.shard >= (self.shards or KAMBI_SHARDS):
            raise ValueError(f"shard {self.shard} of {self.shards}")


class Closed(msgspec.Struct, frozen=True):
    """A connection of the line ended."""

    code: int | None = None
    reason: str | None = None


class Overflow(msgspec.Struct, frozen=True):
    """The connector had no room for some frames."""

    lost: _Frames
    first_frame: _Frames | None = None
    last_frame: _Frames | None = None


class Tick(msgspec.Struct, frozen=True):
    """The line lives; ``keys`` are all it holds now, given when they changed."""

    keys: _Keys | None = None
    shards: _Shards | None = None


Control = Opened | Closed | Overflow | Tick

_DECODERS: Final[dict[str, msgspec.json.Decoder[Control]]] = {
    "opened": msgspec.json.Decoder(Opened),
    "closed": msgspec.json.Decoder(Closed),
    "overflow": msgspec.json.Decoder(Overflow),
    "tick": msgspec.json.Decoder(Tick),
}
CONTROL_KINDS: Final = frozenset(_DECODERS)


def read_control(kind: str, value: bytes) -> Control | Unreadable:
    """Return what a control record of ``kind`` says."""
    try:
        return _DECODERS[kind].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable(Code.BAD_CONTROL, f"{kind}: {error}")


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
