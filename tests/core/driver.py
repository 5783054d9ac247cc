"""A stream task in memory: runs a processor over records without engine and Kafka, and keeps what it wrote."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from processors.core.processor import Hole, Processor
from processors.core.repeats import RepeatFilter
from schemas.raw import NUMBERED, Header, Kind, RawHeaders


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A source record; satisfies ``SourceRecord``."""

    offset: int
    value: bytes | None
    headers: Sequence[Header]
    topic: str = "tricast.kambi.raw"
    partition: int = 0
    timestamp: int = 1_790_000_000_000
    key: bytes | None = b"0"


@dataclass(frozen=True, slots=True)
class Output:
    topic: str
    key: bytes
    value: bytes
    headers: tuple[Header, ...]

    def header(self, name: str) -> str:
        return dict(self.headers)[name].decode()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    value: bytes
    code: str
    index: int | None
    source: str


class DictStore:
    """A store without journal."""

    def __init__(self) -> None:
        self.entries: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.entries.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.entries[key] = value

    def delete(self, key: bytes) -> None:
        self.entries.pop(key, None)

    def items(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        return iter([(key, value) for key, value in self.entries.items() if key.startswith(prefix)])


class FullStore(DictStore):
    """Takes what it has room for."""

    room = 100_000

    def put(self, key: bytes, value: bytes) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError("no room")
        super().put(key, value)


@dataclass
class Driver:
    """One stream task of ``processor``; is the processor's context."""

    processor: Processor
    store: DictStore = field(default_factory=DictStore)
    memory: dict[str, object] = field(default_factory=dict)
    stream_time_ns: int = 0
    outputs: list[Output] = field(default_factory=list)
    tombstones: list[tuple[str, bytes]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    findings: Counter[tuple[str, str]] = field(default_factory=Counter)
    transits_ms: list[int] = field(default_factory=list)
    offset: int = 0
    _source: str = ""

    # Feeding it.

    def feed(
        self,
        value: bytes,
        *,
        kind: Kind = "frame",
        line: str = "kambi-0-general",
        connection: str = "c-1",
        at_ns: int | None = None,
        partition: int = 0,
        position: str | None = None,
        requested_ns: int | None = None,
        status: int | None = None,
    ) -> None:
        """Process one record received at ``at_ns`` (default: now)."""
        at_ns = self.stream_time_ns if at_ns is None else at_ns
        stamps = RawHeaders(
            feed="kambi",
            line=line,
            connection=connection,
            frame=self.offset + 1,
            received_ns=at_ns,
            kind=kind,
            position=position,
            requested_ns=requested_ns,
            status=status,
        )
        self.feed_record(Record(offset=self.offset, value=value, headers=stamps.to_kafka(), partition=partition))

    def feed_record(self, record: Record) -> None:
        stamp = dict(record.headers).get("tc-received-ns", b"0")
        self.stream_time_ns = max(self.stream_time_ns, int(stamp) if stamp.isdigit() else 0)
        self._source = f"{record.topic}/{record.partition}/{record.offset}"
        self.processor.process(record, self)
        self.offset = record.offset + 1

    def hole(self, hole: Hole) -> None:
        self.processor.on_hole(hole, self)

    def reopen(self) -> None:
        """Lose all memory but the store, as a restart or a rebalance does."""
        self.memory.clear()

    # The context.

    def forward(self, topic: str, key: bytes, value: bytes | None, headers: list[Header]) -> None:
        assert topic in self.processor.outputs
        if value is None:
            self.tombstones.append((topic, key))
            return
        self.outputs.append(Output(topic, key, value, tuple(headers)))

    def dead_letter(
        self, value: bytes, code: str, detail: str, index: int | None = None, name: str | None = None
    ) -> None:
        assert detail
        self.dead_letters.append(DeadLetter(value, str(code), index, self._source))

    def count(self, what: str, number: int = 1) -> None:
        self.counts[str(what)] += number

    def found(self, about: str, kind: str) -> None:
        self.findings[about, kind] += 1

    def transit(self, sent_ms: int, received_ms: int, messages: int = 1) -> None:
        self.transits_ms += [received_ms - sent_ms] * messages


class RawTask(Driver):
    """A stream task of a raw topic, told of repeats and holes as the engine does it.

    Args:
        processor: Whose task.
        store: What an earlier life of it left there.
        stream_time_ns: As it left it.
        repeats: Likewise.
    """

    def __init__(
        self,
        processor: Processor,
        *,
        store: dict[bytes, bytes] | None = None,
        stream_time_ns: int = 0,
        repeats: RepeatFilter | None = None,
    ) -> None:
        super().__init__(processor, stream_time_ns=stream_time_ns)
        self.store.entries = store or {}
        self.repeats = repeats or RepeatFilter()

    def play(self, records: Iterable[Record]) -> list[Output]:
        """Process records; return what they caused."""
        before = len(self.outputs)
        for record in records:
            self._one(record)
        return self.outputs[before:]

    def _one(self, record: Record) -> None:
        stamps = dict(record.headers)
        received, frame = stamps.get("tc-received-ns"), stamps.get("tc-frame")
        if received is not None and received.isdigit() and len(received) <= 19:
            self.stream_time_ns = max(self.stream_time_ns, int(received))
        connection = stamps.get("tc-connection")
        if connection is not None and frame is not None and frame.isdigit() and len(frame) <= 19:
            line = (stamps.get("tc-line") or b"").decode(errors="replace")
            identity = connection.decode(errors="replace")
            numbered = stamps.get("tc-kind") in {kind.encode() for kind in NUMBERED}
            seen = self.repeats.observe(line, identity, int(frame), numbered=numbered)
            if seen.verdict == "repeat":
                return
            if seen.missing is not None:
                first, last = seen.missing
                self.hole(Hole(line=line, connection=identity, first=first, last=last, received_ns=self.stream_time_ns))
        self._source = f"{record.topic}/{record.partition}/{record.offset}"
        self.processor.process(record, self)
