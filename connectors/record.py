"""What goes into a raw topic, and where a line stood: shared by recorder, sink, spool and producer."""

from dataclasses import dataclass

from schemas.raw import RawHeaders


@dataclass(frozen=True, slots=True)
class RawRecord:
    """One record of a raw topic: headers and exact bytes."""

    headers: RawHeaders
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LastFrame:
    """Where a line stood: its connection and the number of the last frame received on it (0: none)."""

    connection: str
    frame: int
