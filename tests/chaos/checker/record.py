"""A record as a reader saw it, and where it says that it comes from."""

from dataclasses import dataclass
from typing import NamedTuple

WHOLE = -1
"""Part of what is about a whole source record."""


class Origin(NamedTuple):
    """Position of a source record, topic by its physical name, and part of it; ``WHOLE`` where there is none."""

    topic: str
    partition: int
    offset: int
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record; ``topic`` is without prefix, ``headers`` are those that have a value."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def place(self) -> str:
        """Return topic, partition and offset as text."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def header(self, name: str) -> str:
        """Return a header as text; empty if it is not there."""
        return self.headers.get(name, b"").decode(errors="replace")

    @property
    def number(self) -> int:
        """Return ``tc-frame``; -1 if it is none."""
        text = self.headers.get("tc-frame", b"")
        return int(text) if text.isdigit() else -1

    @property
    def received_ns(self) -> int:
        """Return ``tc-received-ns``; 0 if it is none."""
        text = self.headers.get("tc-received-ns", b"")
        return int(text) if text.isdigit() else 0

    @property
    def origin(self) -> Origin | None:
        """Return what ``ce_id``, of a dead letter ``tc-source``, says; ``None`` if it names no record."""
        return origin_of(self.header("ce_id") or self.header("tc-source"))


def origin_of(text: str) -> Origin | None:
    """Return the position in ``<topic>/<partition>/<offset>[/<index>]``; what is below an index has its place."""
    parts = text.split("/")
    if len(parts) not in {3, 4, 5} or not all(part.isdigit() for part in parts[1:]):
        return None
    topic, partition, offset = parts[:3]
    return Origin(topic, int(partition), int(offset), int(parts[3]) if len(parts) > 3 else WHOLE)
