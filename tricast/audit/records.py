"""What the audit takes from a Kafka record: raw ones, and outputs (normalized or dead-lettered) with their source."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from schemas.record import KafkaRecord

REQUEST = "replay"
"""Kind of a raw record that asks for another one, or a part of it, to be processed again."""
ENDS = {"tricast.kambi.event.removed.v1": ("tricast.kambi.offers.removed.v1", "tricast.kambi.scores.removed.v1")}
"""Records that are told with another one, for those who read their topic alone: by its type and their number below it.
Before they were told nothing was below anything, so that they are not there proves nothing."""
_TOLD_WITH = frozenset(kind for kinds in ENDS.values() for kind in kinds)
WHOLE_RECORD = -1
"""Index of a dead letter that stands for its whole source record."""
MOST_LETTERS = 1_000
"""Of a raw record's line and connection together."""
MOST_BYTES = 4096
"""Of either, so that frames of it are counted at all."""
MOST_AHEAD_NS = 3600 * 10**9
"""How far a raw record's time of receipt may be after its time in Kafka."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A raw record.

    Attributes:
        is_sound: Its headers are what every raw record has; if not, what of them cannot be read is empty or -1.
        asked: Of a request to process something again: what, ``<offset>[/<index>]`` of the same partition. Line and
            connection are then those of what is asked for, and the time is Kafka's of the request.
        after_ns: The vendor sent it after this, if its headers say so; -1 if they say what cannot be read.
    """

    partition: int
    offset: int
    kind: str
    line: str
    connection: str
    frame: int
    received_ns: int
    value: bytes
    key: str = ""
    is_sound: bool = True
    asked: str = ""
    after_ns: int | None = None


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
        said: Of a record of a feed with numbers: what it says of its place in the sequence, as JSON.
        replayed: Of what came of a request: what it says it came from, as in ``Raw.asked``; its source is the request.
        below: Of what is told with another record of the same index: its number below that; else -1.
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
    said: str = ""
    replayed: str = ""
    below: int = -1

    @property
    def place(self) -> str:
        """Position for people, e.g. ``tricast.kambi.offers/2/1041``."""
        return f"{self.topic}/{self.partition}/{self.offset}"


class Malformed(ValueError):
    """A record lacks what every record of its topic has."""


def to_raw(record: KafkaRecord) -> Raw:
    """Return a raw record, whatever its headers are."""
    headers = dict(record.headers)
    if headers.get("tc-kind") == REQUEST.encode():
        return _request(record, headers)
    names = [_text(headers.get(name)) for name in ("tc-kind", "tc-line", "tc-connection")]
    numbers = [_number(headers.get(name)) for name in ("tc-frame", "tc-received-ns")]
    kind, line, connection = (name or "" for name in names)
    frame, received_ns = (-1 if number is None else number for number in numbers)
    after_ns = _number(headers["tc-after-ns"]) if "tc-after-ns" in headers else None
    after_ns = -1 if after_ns is None and "tc-after-ns" in headers else after_ns
    is_ahead = received_ns - record.timestamp * 1_000_000 > MOST_AHEAD_NS
    return Raw(
        partition=record.partition,
        offset=record.offset,
        kind=kind,
        line=line,
        connection=connection,
        frame=frame,
        received_ns=-1 if is_ahead else received_ns,
        value=record.value or b"",
        key=(record.key or b"").decode(errors="replace"),
        is_sound=None not in names
        and None not in numbers
        and received_ns < 2**63
        and not is_ahead
        and len(line) + len(connection) <= MOST_LETTERS,
        after_ns=after_ns,
    )


def _request(record: KafkaRecord, headers: dict[str, bytes]) -> Raw:
    asked, line, connection = (
        _text(headers.get(name)) or "" for name in ("tc-replay-of", "tc-replay-line", "tc-replay-connection")
    )
    return Raw(
        partition=record.partition,
        offset=record.offset,
        kind=REQUEST,
        line=line,
        connection=connection,
        frame=-1,
        received_ns=record.timestamp * 1_000_000,
        value=record.value or b"",
        key=(record.key or b"").decode(errors="replace"),
        is_sound=False,
        asked=asked.removeprefix(f"{record.topic}/{record.partition}/"),
    )


def _text(header: bytes | None) -> str | None:
    try:
        return None if header is None else header.decode()
    except UnicodeDecodeError:
        return None


def _number(header: bytes | None) -> int | None:
    return int(header) if header is not None and header.isdigit() and len(header) <= 19 else None


def to_output(record: KafkaRecord, raw_topic: str, *, dead: bool) -> Output:
    """Return an output; raises :class:`Malformed` when it does not name a source in ``raw_topic``."""
    headers = dict(record.headers)
    name = "tc-source" if dead else "ce_id"
    try:
        text = headers[name].decode()
        kind = headers["tc-code" if dead else "ce_type"].decode()
    except (KeyError, UnicodeDecodeError, AttributeError) as error:  # Kafka allows null headers, too
        raise Malformed(f"no {error}") from error
    mark = headers.get("tc-replay-request" if dead else "ce_replayed")
    topic, slash, rest = text.partition("/")
    numbers = rest.split("/")
    is_below = not dead and kind in _TOLD_WITH
    wanted = (2, 3) if dead else (4,) if is_below else (3,) if mark is None else (3, 4)
    if topic != raw_topic or not slash or len(numbers) not in wanted or not all(n.isdecimal() for n in numbers):
        raise Malformed(f"{name} {text!r} names no candidate of {raw_topic}")
    source, replayed = (int(numbers[0]), int(numbers[1])), ""
    if mark is not None:
        source, replayed = _source_of_mark(mark, raw_topic), "/".join(numbers[1:])
    value = record.value or b""
    said = {} if dead else _said(value)
    return Output(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        source_partition=source[0],
        source_offset=source[1],
        index=int(numbers[2]) if len(numbers) >= 3 else WHOLE_RECORD,
        kind=kind,
        dead=dead,
        outcomes=_outcomes(said),
        snapshot=said.get("source") == "snapshot",
        offer=str(said.get("offer_id", "")),
        digest=digest_of(value) if dead else b"",
        said=_sequence_of(said),
        replayed=replayed,
        below=int(numbers[3]) if is_below else -1,
    )


def _source_of_mark(mark: bytes, raw_topic: str) -> tuple[int, int]:
    topic, slash, rest = mark.decode(errors="replace").partition("/")
    numbers = rest.split("/")
    if topic != raw_topic or not slash or len(numbers) != 2 or not all(n.isdecimal() for n in numbers):
        raise Malformed(f"replayed by {mark!r}, which is no request in {raw_topic}")
    return int(numbers[0]), int(numbers[1])


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


_SEQUENCE_FIELDS = frozenset(
    {
        "feed",
        "fixture_id",
        "series",
        "sequence",
        "vendor_sequence",
        "late",
        "repaired",
        "conflict",
        "finding",
        "missing",
    }
)


def _sequence_of(said: dict[str, Any]) -> str:
    if "feed" not in said:
        return ""
    return json.dumps({name: said[name] for name in sorted(_SEQUENCE_FIELDS & said.keys())})


def _outcomes(said: dict[str, Any]) -> tuple[str, ...]:
    try:
        return tuple(str(outcome["id"]) for outcome in said.get("outcomes", ()))
    except (AttributeError, TypeError, KeyError):
        return ()
