"""Replay requests: what `tricast dlq replay` writes into the source topic of a dead letter, and how it is read.

A request is a record of kind ``replay`` with the dead letter's key and bytes. What the original record said of itself
stands under names of its own (``tc-line`` as ``tc-replay-line``), so that nothing that follows lines, connections and
frame numbers takes the request for a record of a connector.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from schemas.raw import Header

REPLAY: Final = "replay"
"""``tc-kind`` of a request."""
REPLAYED: Final = "ce_replayed"
"""CloudEvents extension of a record that came out by a replay: ``<topic>/<partition>/<offset>`` of the request."""
MAX_ATTEMPTS: Final = 3
"""Replays of one part after which it is left alone: a loop is no repair."""

SOURCE: Final = "tc-source"
PART: Final = "tc-part"
"""Of a dead letter: what its part is called in its record, where its bytes alone do not say it."""
REQUEST: Final = "tc-replay-request"
"""Of a dead letter that a replay led to: position of the request."""
OF: Final = "tc-replay-of"
ID: Final = "tc-replay-id"
ATTEMPT: Final = "tc-replay-attempt"
_CODE: Final = "tc-replay-code"
_TIMESTAMP: Final = "tc-replay-timestamp-ms"

STAMPS: Final = frozenset(
    {
        "tc-feed",
        "tc-line",
        "tc-connection",
        "tc-frame",
        "tc-received-ns",
        "tc-kind",
        "tc-position",
        "tc-requested-ns",
        "tc-status",
        "tc-after-ns",
    }
)
"""Headers of a raw record that its dead letter keeps."""
_CARRIED: Final = tuple(sorted({*STAMPS, PART}))
_DIGITS: Final = 19


class Position(NamedTuple):
    """A record, or with ``part`` (the index of its dead letter) a part of it; physical topic name."""

    topic: str
    partition: int
    offset: int
    part: int | None = None

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the position in ``text``, ``<topic>/<partition>/<offset>[/<index>]``.

        Raises:
            ValueError: It is none.
        """
        topic, *numbers = text.split("/")
        if not topic or len(numbers) not in {2, 3} or not all(map(_is_number, numbers)):
            raise ValueError(f"{text[:200]!r} is no <topic>/<partition>/<offset>[/<index>]")
        return cls(topic, *map(int, numbers))

    @property
    def record(self) -> "Position":
        """The whole record."""
        return self._replace(part=None)

    def __str__(self) -> str:
        return "/".join(str(name) for name in self if name is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What a request says in its headers.

    Attributes:
        of: What is to be processed again: the dead letter's ``tc-source``.
        letter: Position of the dead letter; a second request of the same is refused.
        attempt: How often this part will have been replayed, from 1.
        code: Of the dead letter.
        timestamp_ms: Kafka timestamp of the original record.
        stamps: Its ``tc-`` headers, as it had them, and the dead letter's ``tc-part``.
    """

    of: Position
    letter: Position
    attempt: int
    code: str
    timestamp_ms: int
    stamps: tuple[Header, ...] = ()

    def to_kafka(self) -> list[Header]:
        """Return the headers of the request."""
        return [
            ("tc-kind", REPLAY.encode()),
            (OF, str(self.of).encode()),
            (ID, str(self.letter).encode()),
            (ATTEMPT, b"%d" % self.attempt),
            (_CODE, self.code.encode()),
            (_TIMESTAMP, b"%d" % self.timestamp_ms),
            *((_carried(name), value) for name, value in self.stamps if name in _CARRIED),
        ]

    @classmethod
    def read(cls, headers: Sequence[tuple[str, bytes | None]]) -> Self:
        """Return what the headers of a request say.

        Raises:
            ValueError: They are none of ours.
        """
        said = {name: value for name, value in headers if value is not None}
        attempt = _text(said, ATTEMPT)
        if not _is_number(attempt) or int(attempt) < 1:
            raise ValueError(f"{ATTEMPT} {attempt[:40]!r}")
        timestamp = _text(said, _TIMESTAMP)
        if not _is_number(timestamp):
            raise ValueError(f"{_TIMESTAMP} {timestamp[:40]!r}")
        return cls(
            of=Position.read(_text(said, OF)),
            letter=Position.read(_text(said, ID)).record,
            attempt=int(attempt),
            code=_text(said, _CODE),
            timestamp_ms=int(timestamp),
            stamps=tuple((name, said[_carried(name)]) for name in _CARRIED if _carried(name) in said),
        )


def _carried(name: str) -> str:
    return f"tc-replay-{name.removeprefix('tc-')}"


def _text(headers: Mapping[str, bytes], name: str) -> str:
    value = headers.get(name)
    if value is None:
        raise ValueError(f"there is no {name}")
    return value.decode()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
