"""One record as a reader gets it: a CloudEvent with its place in Kafka and its typed value. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from schemas.codec import MODELS
from schemas.normalized import Normalized
from tricast.consumer import lenient


class Place(NamedTuple):
    """A partition.

    Attributes:
        topic: Name in the registry, without prefix.
        partition: Its number.
    """

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """Stands for a value that has no model here; the bytes are in ``Event.value``.

    Attributes:
        why: ``tombstone``: the key was taken out of a compacted topic. ``no-type``: the record is no CloudEvent (raw
            bytes, a dead letter). ``unknown-type``: a type or version that this tricast does not know, to be passed
            over. ``unreadable``: the value is not what its type promises.
        detail: For a person.
    """

    why: Literal["tombstone", "no-type", "unknown-type", "unreadable"]
    detail: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A record.

    Attributes:
        topic: Name in the registry, without prefix.
        partition: Its number.
        offset: Position in the partition; transactions leave holes between them.
        key: As text; what it is says docs/topics.md.
        id: ``ce_id``; with ``source`` the record's identity. Of a record without one its position.
        type: ``ce_type``: type and version; empty when the record is no CloudEvent.
        subject: ``ce_subject``: what it is about; likewise.
        source: ``ce_source``: which line said it; likewise.
        time: ``ce_time``: when it happened.
        received_ns: ``ce_tcreceived``: when tricast received what it rests on, UTC ns.
        replayed: ``ce_replayed``: position of the request, when it came out by a replay.
        headers: All of them, as bytes.
        value: The bytes.
        data: The value by its model, or why there is none.
    """

    topic: str
    partition: int
    offset: int
    key: str | None
    id: str
    type: str
    subject: str
    source: str
    time: datetime | None
    received_ns: int | None
    replayed: str | None
    headers: dict[str, bytes]
    value: bytes | None
    data: Normalized | Unread

    @property
    def place(self) -> Place:
        """Its partition."""
        return Place(self.topic, self.partition)


def event_of(
    place: Place,
    offset: int,
    *,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
) -> Event:
    """Return the event in a record of Kafka; whatever it holds, this does not fail."""
    said = {name: content for name, content in headers if content is not None}
    ce_type = _text(said, "ce_type")
    return Event(
        topic=place.topic,
        partition=place.partition,
        offset=offset,
        key=None if key is None else key.decode(errors="replace"),
        id=_text(said, "ce_id") or f"{place}/{offset}",
        type=ce_type,
        subject=_text(said, "ce_subject"),
        source=_text(said, "ce_source"),
        time=_time(_text(said, "ce_time")),
        received_ns=_number(_text(said, "ce_tcreceived")),
        replayed=_text(said, "ce_replayed") or None,
        headers=said,
        value=value,
        data=_data(ce_type, value),
    )


def _data(ce_type: str, value: bytes | None) -> Normalized | Unread:
    if value is None:
        return Unread(why="tombstone")
    if not ce_type:
        return Unread(why="no-type")
    if ce_type not in MODELS:
        return Unread(why="unknown-type", detail=ce_type)
    try:
        return lenient.decode(ce_type, value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Unread(why="unreadable", detail=f"{ce_type}: {error}")


def _text(said: dict[str, bytes], name: str) -> str:
    return said.get(name, b"").decode(errors="replace")


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 21 else None
