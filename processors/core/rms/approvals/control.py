"""What the control records of an RMS line say."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.core.control import ControlReader, Natural, Overflow
from processors.core.rms.approvals.findings import Unreadable
from schemas.rms.codes import Code

_Text = Annotated[str, Meta(max_length=1_000)]


class Opened(msgspec.Struct, frozen=True):
    """Socket.IO's CONNECT was accepted; the room is not joined yet."""

    previous_connection: _Text | None = None
    previous_frame: Natural | None = None


class Closed(msgspec.Struct, frozen=True):
    """A connection of the line ended, or none came about; then ``code`` is the status of the refusal.

    Attributes:
        code: Close code or status.
        reason: The connector's word.
        heard_ns: Until when all that the vendor sent on it was read and recorded, UTC ns.
    """

    code: Annotated[int, Meta(ge=-(2**31), lt=2**31)] | None = None
    reason: _Text | None = None
    heard_ns: Natural | None = None


class Tick(msgspec.Struct, frozen=True):
    """The line's connector lives.

    Attributes:
        open: It has a connection now.
        joined: And that is in the room.
        heard_ns: Until when all that the vendor sent on it was read and recorded, UTC ns.
        token_age_s: Age of the access token, seconds.
        refresh_age_s: Age of the exchange that the refresh token stems from, seconds.
        connects_left: Handshakes it may still make.
        requests_left: HTTP requests it may still make.
        lookups_waiting: Look-ups that wait for their turn.
    """

    open: bool = True
    joined: bool = False
    heard_ns: Natural | None = None
    token_age_s: Natural | None = None
    refresh_age_s: Natural | None = None
    connects_left: Natural | None = None
    requests_left: Natural | None = None
    lookups_waiting: Natural | None = None


Control = Opened | Closed | Overflow | Tick

_READER: Final = ControlReader[Control]({"opened": Opened, "closed": Closed, "overflow": Overflow, "tick": Tick})
KINDS: Final = _READER.kinds


def read_control(kind: str, value: bytes) -> Control | Unreadable:
    """Return what a control record of ``kind`` says."""
    said = _READER.read(kind, value)
    return Unreadable(Code.BAD_CONTROL, said) if isinstance(said, str) else said
