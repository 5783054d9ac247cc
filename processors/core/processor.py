"""What a processor is: a pure function over one source record, its state store and a context to write to.

The words are those of Kafka Streams: processor, state store, stream time, forward. The engine implements
``Context``; tests may, too (``tests/core/driver.py``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from schemas.raw import Header
from schemas.record import KafkaRecord

SourceRecord = KafkaRecord
"""One record of a source topic."""


class Store(Protocol):
    """A key-value store of one stream task, bytes to bytes; every write is in the changelog before it counts."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key`` or ``None``."""

    def put(self, key: bytes, value: bytes) -> None:
        """Set ``key``; an empty value is a value."""

    def delete(self, key: bytes) -> None:
        """Remove ``key``; removing what is not there is no error."""

    def items(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield the entries whose key starts with ``prefix``, in no promised order. Costs a walk of the store."""
        ...


class Context(Protocol):
    """What a processor may do beside computing. All of it commits with the source record or not at all."""

    @property
    def store(self) -> Store:
        """State of this stream task."""
        ...

    @property
    def stream_time_ns(self) -> int:
        """Greatest ``tc-received-ns`` of the task so far, UTC nanoseconds: the only clock a processor has."""
        ...

    @property
    def memory(self) -> dict[str, object]:
        """Scratch of this stream task for what can be rebuilt from the store; in no changelog.

        Empty whenever the store was changed from outside: opened, restored, cleared. Not taken back when a record
        fails, so a processor changes it as the last step of ``process``, after everything that may raise.
        """
        ...

    def count(self, what: str, number: int = 1) -> None:
        """Count what was passed over or dropped on purpose, by its name from a closed list; a metric, no record."""

    def found(self, about: str, kind: str) -> None:
        """Count a finding that is told in a record: ``about`` a line, an event, numbers …, of which ``kind``.

        Both from closed lists; a metric, no record. Not counted if the record that it comes of fails.
        """

    def transit(self, sent_ms: int, received_ms: int, messages: int = 1) -> None:
        """Note the vendor's time of messages that came as they were sent, and of their receipt, UTC ms; a metric."""

    def forward(self, topic: str, key: bytes, value: bytes | None, headers: list[Header]) -> None:
        """Write a record to ``topic`` (its registry name), partitioned by murmur2 of ``key`` like Java's default.

        Without a value it is a tombstone: ``key`` is to vanish from a compacted topic.
        """

    def dead_letter(
        self, value: bytes, code: str, detail: str, index: int | None = None, name: str | None = None
    ) -> None:
        """Keep ``value`` (the part that failed, its bytes) in the feed's dead letters.

        Args:
            value: Bytes that could not be processed.
            code: Reason, stable over releases, e.g. ``kambi.not-json``.
            detail: For people; no secrets, no payload.
            index: Position of the failed part in its record, as in ``ce_id``; ``None`` for the whole record.
            name: What its record calls the part, where the bytes of the part do not say what it is.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Frames of one connection that the connector numbered and this task never saw: our loss, not the vendor's.

    Attributes:
        line: Name of the connector line.
        connection: UUID of the connection.
        first: First missing frame number.
        last: Last missing frame number.
        received_ns: ``tc-received-ns`` of the record that showed the hole.
    """

    line: str
    connection: str
    first: int
    last: int
    received_ns: int


class Processor(Protocol):
    """One deployable unit: one consumer group, one Faust app."""

    @property
    def name(self) -> str:
        """Explicit name: part of group, changelog and transactional ids, so never an import path."""
        ...

    @property
    def feed(self) -> str:
        """Feed whose dead letters it writes, e.g. ``kambi``."""
        ...

    @property
    def sources(self) -> tuple[str, ...]:
        """Registry names of the topics it reads."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Registry names of the topics it may forward to (dead letters are added by the engine)."""
        ...

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one record. Bad vendor data is a dead letter; an exception is a bug and dead-letters the record."""

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Told by the engine before the record that showed it, in stream order."""
