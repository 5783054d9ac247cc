"""What the control records of a FastPath line say."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.core.control import ControlReader, Natural, Overflow
from processors.core.fastpath.findings import Unreadable
from schemas.fastpath.codes import Code

_Text = Annotated[str, Meta(max_length=1_000)]


class Opened(msgspec.Struct, frozen=True):
    """A connection of the line is up and authorisation was sent."""

    start_position: Natural | None = None
    cause: _Text | None = None
    previous_connection: _Text | None = None
    previous_frame: Natural | None = None


class Closed(msgspec.Struct, frozen=True):
    """A connection of the line ended, or none came about; then ``code`` is the HTTP status."""

    code: Annotated[int, Meta(ge=-(2**31), lt=2**31)] | None = None
    reason: _Text | None = None


class Tick(msgspec.Struct, frozen=True):
    """The line's connector lives; ``open``: it has a connection now."""

    open: bool = True


Control = Opened | Closed | Overflow | Tick

_READER: Final = ControlReader[Control]({"opened": Opened, "closed": Closed, "overflow": Overflow, "tick": Tick})
KINDS: Final = _READER.kinds


def read_control(kind: str, value: bytes) -> Control | Unreadable:
    """Return what a control record of ``kind`` says."""
    said = _READER.read(kind, value)
    return Unreadable(Code.BAD_CONTROL, said) if isinstance(said, str) else said
