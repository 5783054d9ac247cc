"""What the control records of a FastPath line say."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.core.fastpath.findings import Unreadable
from schemas.fastpath.codes import Code

_Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Text = Annotated[str, Meta(max_length=1_000)]


class Opened(msgspec.Struct, frozen=True):
    """A connection of the line is up and authorisation was sent."""

    start_position: _Count | None = None
    cause: _Text | None = None
    previous_connection: _Text | None = None
    previous_frame: _Count | None = None


class Closed(msgspec.Struct, frozen=True):
    """A connection of the line ended, or none came about; then ``code`` is the HTTP status."""

    code: Annotated[int, Meta(ge=-(2**31), lt=2**31)] | None = None
    reason: _Text | None = None


class Overflow(msgspec.Struct, frozen=True):
    """The connector had no room for some frames."""

    lost: _Count
    first_frame: _Count | None = None
    last_frame: _Count | None = None


class Tick(msgspec.Struct, frozen=True):
    """The line's connector lives; ``open``: it has a connection now."""

    open: bool = True


Control = Opened | Closed | Overflow | Tick

_DECODERS: Final[dict[str, msgspec.json.Decoder[Control]]] = {
    "opened": msgspec.json.Decoder(Opened),
    "closed": msgspec.json.Decoder(Closed),
    "overflow": msgspec.json.Decoder(Overflow),
    "tick": msgspec.json.Decoder(Tick),
}
KINDS: Final = frozenset(_DECODERS)


def read_control(kind: str, value: bytes) -> Control | Unreadable:
    """Return what a control record of ``kind`` says."""
    try:
        return _DECODERS[kind].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unreadable(Code.BAD_CONTROL, f"{kind}: {error}")
