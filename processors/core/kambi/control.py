"""What the control records of a Kambi line say."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from processors.core.control import ControlReader, Natural, Overflow
from processors.core.kambi.findings import Unreadable
from schemas.kambi.codes import Code
from schemas.topics import KAMBI_SHARDS, MOST_KAMBI_SHARDS

MAX_KEYS: Final = 10_000
"""Keys that one control record may name; the vendor allows 40 a connection."""

_Keys = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=MAX_KEYS)]
_Shards = Annotated[int, Meta(ge=1, le=MOST_KAMBI_SHARDS)]


class Opened(msgspec.Struct, frozen=True):
    """A connection of the line is up."""

    previous_connection: str | None = None
    previous_frame: Natural | None = None
    keys: _Keys = []
    shard: Annotated[int, Meta(ge=0, lt=MOST_KAMBI_SHARDS)] | None = None
    shards: _Shards | None = None

    def __post_init__(self) -> None:
        """Refuse a shard that is none of them."""
        if self.shard is not None and self.shard >= (self.shards or KAMBI_SHARDS):
            raise ValueError(f"shard {self.shard} of {self.shards}")


class Closed(msgspec.Struct, frozen=True):
    """A connection of the line ended."""

    code: int | None = None
    reason: str | None = None


class Tick(msgspec.Struct, frozen=True):
    """The line lives; ``keys`` are all it holds now, given when they changed."""

    keys: _Keys | None = None
    shards: _Shards | None = None


Control = Opened | Closed | Overflow | Tick

_READER: Final = ControlReader[Control]({"opened": Opened, "closed": Closed, "overflow": Overflow, "tick": Tick})
KINDS: Final = _READER.kinds


def read_control(kind: str, value: bytes) -> Control | Unreadable:
    """Return what a control record of ``kind`` says."""
    said = _READER.read(kind, value)
    return Unreadable(Code.BAD_CONTROL, said) if isinstance(said, str) else said
