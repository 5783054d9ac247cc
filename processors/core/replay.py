"""A dead letter that is processed again, alone and at its own place: what it was, and that it happens once.

The request is a record of the source partition, so the task that dead-lettered the part replays it, in order and
exactly once. It has nothing to do with the record's line: no repeat filter, hole, stream time, coverage, status or
health sees it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol, runtime_checkable

from processors.core.processor import Context, SourceRecord, Store
from schemas.raw import Header
from schemas.replay import PART, REPLAYED, ReplayRequest

MAX_REPLAYS: Final = 100_000
"""Replays of one task that are remembered, about 6 MB; a request that comes again after more than that is judged by
what is out alone."""
_PREFIX: Final = b"z"
"""First byte of the store keys, in every processor's store; no core has it."""
_BY_LETTER: Final = _PREFIX + b"l"
_BY_SLOT: Final = _PREFIX + b"s"
_COUNT: Final = _PREFIX + b"n"
_HASH_BYTES: Final = 16
_NUMBER_BYTES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The record that the dead letter came from, as far as the letter keeps it; a ``SourceRecord``.

    Attributes:
        topic: Where it was, with ``partition`` and ``offset``.
        timestamp: Its Kafka timestamp, ms.
        key: Its key.
        value: The bytes of the letter: the record's, or those of the part that failed.
        headers: Its ``tc-`` headers.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One part to be processed again.

    Attributes:
        record: Where it came from.
        index: Of the part in its record; ``None``: the whole record.
        name: What the record calls the part, where its bytes do not say it.
        code: Why it failed.
        request: Position of the request.
        letter: Position of the dead letter.
        attempt: How often the part will have been replayed.
        requested_ms: Kafka timestamp of the request: what is old by then.
    """

    record: Original
    index: int | None
    name: str | None
    code: str
    request: str
    letter: str
    attempt: int
    requested_ms: int

    @property
    def mark(self) -> Header:
        """The header of everything that comes out."""
        return REPLAYED, self.request.encode()


@runtime_checkable
class Replayable(Protocol):
    """A processor whose dead letters may be replayed."""

    def replay(self, replay: Replay, context: Context) -> bool:
        """Process one part again; tell whether something will come of it later, where nothing did yet.

        It has the original's id and times and carries ``replay.mark``. What is older than what is out of the same key,
        or out already, is never written as current: it is refused, by a dead letter that says what is newer. Lines,
        coverage, statuses and health stay as they are. An exception takes all of it back.
        """
        ...


def open_request(record: SourceRecord) -> Replay | str:
    """Return what the request in ``record`` asks for, or why it is none."""
    here = f"{record.topic}/{record.partition}/{record.offset}"
    try:
        request = ReplayRequest.read(record.headers)
    except ValueError as error:
        return str(error)
    of = request.of
    if (of.topic, of.partition) != (record.topic, record.partition):
        return f"asks for {of}, which is of another partition than {here}"
    if of.offset >= record.offset:
        return f"asks for {of}, which does not come before {here}"
    name = next((value for name, value in request.stamps if name == PART), None)
    return Replay(
        record=Original(
            topic=of.topic,
            partition=of.partition,
            offset=of.offset,
            timestamp=request.timestamp_ms,
            key=record.key,
            value=record.value,
            headers=[stamp for stamp in request.stamps if stamp[0] != PART],
        ),
        index=of.part,
        name=None if name is None else name.decode(errors="replace"),
        code=request.code,
        request=here,
        letter=str(request.letter),
        attempt=request.attempt,
        requested_ms=record.timestamp,
    )


def is_replayed(replay: Replay, store: Store) -> bool:
    """Tell whether the same letter was asked for before."""
    return store.get(_letter_key(replay)) is not None


def remember(replay: Replay, store: Store, most: int = MAX_REPLAYS) -> None:
    """Note that the letter was asked for; beyond ``most`` the oldest is forgotten."""
    counted = store.get(_COUNT)
    count = 0 if counted is None else int.from_bytes(counted, "big")
    key, slot = _letter_key(replay), _BY_SLOT + (count % most).to_bytes(_NUMBER_BYTES, "big")
    oldest = store.get(slot)
    if oldest is not None:
        store.delete(oldest)
    store.put(slot, key)
    store.put(key, b"")
    store.put(_COUNT, (count + 1).to_bytes(_NUMBER_BYTES, "big"))


def _letter_key(replay: Replay) -> bytes:
    # With the source: a topic of dead letters that was made anew counts its offsets from the beginning.
    record = replay.record
    name = f"{replay.letter}|{record.topic}/{record.partition}/{record.offset}/{replay.index}"
    return _BY_LETTER + blake2b(name.encode(errors="replace"), digest_size=_HASH_BYTES).digest()
