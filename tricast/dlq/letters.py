"""A dead letter as it lies in its topic, and which of them are meant."""

from dataclasses import dataclass
from typing import Final

from schemas.record import KafkaRecord
from schemas.replay import ATTEMPT, ID, PART, REQUEST, SOURCE, STAMPS, Position
from schemas.topics import TOPICS

SUFFIX: Final = ".dead-letters"
_DIGITS: Final = 19
FEEDS: Final = tuple(sorted(name.removesuffix(SUFFIX) for name in TOPICS if name.endswith(SUFFIX)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A dead letter.

    Attributes:
        position: Where it lies.
        timestamp_ms: Kafka timestamp, that of its source record.
        key: Key of its source record.
        value: The bytes that failed.
        code: Why.
        detail: The same for people.
        source: Where the bytes were, with the index of the part if it is one.
        version: Version of the code that could not process them.
        part: What the part is called in its record, if that was needed.
        stamps: ``tc-`` headers of the source record.
        truncated: How many bytes there were, if the letter has fewer.
        attempt: How often it was replayed before.
        request: The replay that led to it.
        replay_of: The letter that was replayed.
    """

    position: Position
    timestamp_ms: int
    key: bytes | None
    value: bytes
    code: str
    detail: str
    source: Position
    version: str
    part: str | None
    stamps: tuple[tuple[str, bytes], ...]
    truncated: int | None = None
    attempt: int = 0
    request: str | None = None
    replay_of: str | None = None

    @property
    def kind(self) -> str | None:
        """``tc-kind`` of the source record."""
        return next((value.decode(errors="replace") for name, value in self.stamps if name == "tc-kind"), None)


def read_letter(record: KafkaRecord) -> Letter | None:
    """Return the dead letter in ``record``, or ``None`` if it is none of ours."""
    headers = {name: value for name, value in record.headers if value is not None}
    texts = {name: value.decode(errors="replace") for name, value in headers.items()}
    try:
        source = Position.read(texts[SOURCE])
        code = texts["tc-code"]
    except (KeyError, ValueError):
        return None
    attempt, truncated = texts.get(ATTEMPT, "0"), texts.get("tc-truncated", "")
    return Letter(
        position=Position(record.topic, record.partition, record.offset),
        timestamp_ms=record.timestamp,
        key=record.key,
        value=record.value or b"",
        code=code,
        detail=texts.get("tc-detail", ""),
        source=source,
        version=texts.get("tc-version", ""),
        part=texts.get(PART),
        stamps=tuple((name, value) for name, value in headers.items() if name in STAMPS),
        truncated=_number(truncated),
        attempt=_number(attempt) or 0,
        request=texts.get(REQUEST),
        replay_of=texts.get(ID),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) <= _DIGITS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which dead letters are meant; whatever is not said, is all.

    Attributes:
        codes: Their codes.
        since_ms: Not older than this, by the time of their source records.
        until_ms: Older than this.
        key: Key of their source records.
        positions: These letters alone.
    """

    codes: frozenset[str] = frozenset()
    since_ms: int | None = None
    until_ms: int | None = None
    key: bytes | None = None
    positions: frozenset[Position] = frozenset()

    def takes(self, letter: Letter) -> bool:
        """Tell whether ``letter`` is meant."""
        return (
            (not self.codes or letter.code in self.codes)
            and (self.since_ms is None or letter.timestamp_ms >= self.since_ms)
            and (self.until_ms is None or letter.timestamp_ms < self.until_ms)
            and (self.key is None or letter.key == self.key)
            and (not self.positions or letter.position in self.positions)
        )
