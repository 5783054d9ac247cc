"""What the audit takes from a Kafka record: raw ones, and outputs (normalized or dead-lettered) with their source."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

WHOLE_RECORD = -1
"""Index of a dead letter that stands for its whole source record."""


class KafkaRecord(Protocol):
    """The part of aiokafka's ``ConsumerRecord`` that is used here."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A raw record."""

    partition: int
    offset: int
    kind: str
    line: str
    connection: str
    frame: int
    received_ns: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A record that a processor wrote.

    Attributes:
        topic: Where it is (physical name), with ``partition`` and ``offset``.
        source_partition: Of the raw record it came from, with ``source_offset``.
        index: Candidate of that record, or ``WHOLE_RECORD``.
        kind: ``ce_type``; the code for a dead letter.
        dead: Whether it is a dead letter.
        outcomes: Ids of the outcomes it states, when it states any.
        snapshot: Whether it says that it comes from a snapshot.
        offer: Bet offer it is about, if it names one.
        digest: Of a dead letter's bytes, read as JSON where they are.
    """

    topic: str
    partition: int
    offset: int
    key: bytes
    source_partition: int
    source_offset: int
    index: int
    kind: str
    dead: bool
    outcomes: tuple[str, ...] = ()
    snapshot: bool = False
    offer: str = ""
    digest: bytes = b""

    @property
    def place(self) -> str:
        """Position for people, e.g. ``tricast.kambi.offers/2/1041``."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Malformed(ValueError):
    """A record lacks what every record of its topic has."""


def to_raw(record: KafkaRecord) -> Raw:
    """Return a raw record; raises :class:`Malformed` when its headers are not those of one."""
    headers = dict(record.headers)
    try:
        return Raw(
            partition=record.partition,
            offset=record.offset,
            kind=headers["tc-kind"].decode(),
            line=headers["tc-line"].decode(),
            connection=headers["tc-connection"].decode(),
            frame=int(headers["tc-frame"]),
            received_ns=int(headers["tc-received-ns"]),
            value=record.value or b"",
        )
    except (KeyError, ValueError) as error:
        raise Malformed(f"raw record without proper headers: {error!r}") from error


def to_output(record: KafkaRecord, raw_topic: str, *, dead: bool) -> Output:
    """Return an output; raises :class:`Malformed` when it does not name a source in ``raw_topic``."""
    headers = dict(record.headers)
    name = "tc-source" if dead else "ce_id"
    try:
        text = headers[name].decode()
        kind = headers["tc-code" if dead else "ce_type"].decode()
    except (KeyError, UnicodeDecodeError) as error:
        raise Malformed(f"no {error}") from error
    topic, slash, rest = text.partition("/")
    numbers = rest.split("/")
    wanted = (2, 3) if dead else (3,)
    if topic != raw_topic or not slash or len(numbers) not in wanted or not all(n.isdecimal() for n in numbers):
        raise Malformed(f"{name} {text!r} names no candidate of {raw_topic}")
    value = record.value or b""
    said = {} if dead else _said(value)
    return Output(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        source_partition=int(numbers[0]),
        source_offset=int(numbers[1]),
        index=int(numbers[2]) if len(numbers) == 3 else WHOLE_RECORD,
        kind=kind,
        dead=dead,
        outcomes=_outcomes(said),
        snapshot=said.get("source") == "snapshot",
        offer=str(said.get("offer_id", "")),
        digest=digest_of(value) if dead else b"",
    )


def digest_of(value: bytes | Any) -> bytes:
    """Return a digest of JSON by what it says, not how it is written; of the bytes when they are no JSON."""
    if isinstance(value, bytes):
        try:
            value = json.loads(value.decode("utf-8", "surrogateescape"))
        except (ValueError, RecursionError):
            return hashlib.blake2b(value, digest_size=12).digest()
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).digest()


def _said(value: bytes) -> dict[str, Any]:
    try:
        said = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _outcomes(said: dict[str, Any]) -> tuple[str, ...]:
    try:
        return tuple(str(outcome["id"]) for outcome in said.get("outcomes", ()))
    except (AttributeError, TypeError, KeyError):
        return ()
