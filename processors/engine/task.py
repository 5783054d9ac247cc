"""A stream task: one source partition with its state, its position and what its records wrote in this cycle.

Pure: no Kafka, no clock. The cycle (``cycle.py``) hands it batches and takes its writes into a transaction.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from processors.core.processor import Context, Hole, Processor, SourceRecord
from processors.core.repeats import RepeatFilter
from processors.core.replay import Replay, Replayable, is_replayed, open_request, remember
from processors.engine.changelog import Checkpoint
from processors.engine.counts import Counts
from processors.engine.store import MemoryStore
from schemas.dead_letter import EngineCode, why_final
from schemas.errors import ContractError, EngineError, TooManyDeadLetters
from schemas.raw import NUMBERED, Header
from schemas.replay import ATTEMPT, ID, PART, REPLAY, REQUEST, STAMPS
from schemas.topics import Topic

RECORD_OVERHEAD_BYTES = 64 * 1024
"""Room left below ``max.message.bytes`` for key, headers and batch framing."""
DETAIL_CHARS = 500
NAME_BYTES = 4096
"""Longest key and stamp that is taken over into dead letters and state; they count for what a topic takes, too."""
_NUMBERED = frozenset(kind.encode() for kind in NUMBERED)
_DIGITS = 19
"""Digits of the largest 64-bit number; longer text in a stamp is not ours."""
AHEAD_MS = 3_600_000
"""How far ``tc-received-ns`` may be ahead of the Kafka timestamp of its record. A connector stamps both with one time,
and Kafka takes none that is more than an hour ahead of its own clock (``message.timestamp.after.max.ms``; older brokers
than 4.0 have to be told). So no single record can carry stream time away, from where it never comes back."""
_REPLAY = REPLAY.encode()


def _number(text: bytes | None) -> int | None:
    return int(text) if text is not None and text.isdigit() and len(text) <= _DIGITS else None


class Partition(NamedTuple):
    """A source partition by physical topic name; equals Kafka clients' own topic-partition tuples."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition and the offsets they cover, ``start`` to ``end`` exclusive.

    Offsets between records that are not there (transaction markers, compaction) are covered, not missing.
    ``seek`` numbers the seek after which it was fetched; a task that was closed since has another one.
    """

    seek: int
    start: int
    end: int
    records: Sequence[SourceRecord]

    def parts(self, size: int) -> Iterator[tuple["Batch", int]]:
        """Yield the batch in pieces that cover the same offsets, each with the bytes of its values.

        A piece ends with the record that makes it ``size`` bytes or more.
        """
        start, first, held = self.start, 0, 0
        for following, record in enumerate(self.records, 1):
            held += len(record.value or b"")
            if held >= size and following < len(self.records):
                end = self.records[following].offset
                yield Batch(self.seek, start, end, self.records[first:following]), held
                start, first, held = end, following, 0
        yield Batch(self.seek, start, self.end, self.records[first:]), held


Output = tuple[str, bytes | None, bytes | None, list[Header], int]
"""A record to write: registry name of the topic, key, value (none: a tombstone), headers, timestamp (ms). A plain
tuple, because every child of every frame makes one."""


class StreamTask:
    """Runs a processor over one source partition; is its context and owns its store.

    Args:
        partition: Source partition, physical name.
        processor: The pure core.
        topics: Registry entries of the outputs by registry name, dead letters included.
        version: Code version for dead letters.
        stop_ratio: Share of the last ``window`` records that may fail by exception.
        window: See ``stop_ratio``.
        counts: Shared by the tasks of a worker.
    """

    def __init__(
        self,
        partition: Partition,
        processor: Processor,
        *,
        topics: dict[str, Topic],
        version: str,
        stop_ratio: float,
        window: int,
        counts: Counts | None = None,
    ) -> None:
        self.partition = partition
        self.store = MemoryStore()
        self.repeats = RepeatFilter()
        self.position = 0
        self.foreign: dict[bytes, str] = {}
        """Changelog records that are not ours, by key; a task with any does not open."""
        self.changelog_end = 0
        """Next changelog offset this task has not applied; a restore reads on from here."""
        self.checkpoint: Checkpoint | None = None
        """The last one committed or restored; ``None`` before the first."""
        self.stream_time_ns = 0
        self.outputs: list[Output] = []
        self.memory: dict[str, object] = {}
        """The processor's scratch, rebuildable from the store; a restore empties it."""
        self.counts = Counts() if counts is None else counts
        self._found: list[tuple[str, str]] = []
        self._processor = processor
        self._process: Callable[[SourceRecord, Context], None] = processor.process
        self._limits = {name: topic.max_message_bytes - RECORD_OVERHEAD_BYTES for name, topic in topics.items()}
        self._dead_letters = f"{processor.feed}.dead-letters"
        self._bad_headers = f"{processor.feed}.bad-headers"
        self._version = version.encode()
        self._stop_ratio, self._window = stop_ratio, window
        self._failed_at: deque[int] = deque()
        self._record: SourceRecord | None = None
        self._replay: Replay | None = None

    # Fed by the cycle.

    def process(self, batch: Batch) -> int:
        """Process the records of ``batch`` that are not processed yet; return how many those were.

        Raises:
            EngineError: The batch begins behind the task's position: records between would be lost.
            TooManyDeadLetters: More records failed than the stop ratio allows.
        """
        if batch.start > self.position:
            raise EngineError(
                f"{self.partition}: batch begins at offset {batch.start}, the task stands at {self.position}"
            )
        done = 0
        for record in batch.records:
            if record.offset < self.position:
                continue
            self._one(record)
            self.position = record.offset + 1
            done += 1
        self.position = max(self.position, batch.end)
        self.counts.records += done
        return done

    def take_outputs(self) -> list[Output]:
        """Return what the records of this cycle wrote, in order, and forget it."""
        outputs, self.outputs = self.outputs, []
        self.counts.outputs += len(outputs)
        return outputs

    def clear(self) -> None:
        """Forget all state, for a restore from the changelog's beginning."""
        self.store.clear()
        self.repeats.clear()
        self.position = self.changelog_end = self.stream_time_ns = 0
        self.checkpoint = None
        self.foreign.clear()
        self.outputs.clear()
        self.memory.clear()

    # The context of the processor.

    def count(self, what: str, number: int = 1) -> None:
        """Count what the processor passed over on purpose."""
        self.counts.passed_over[what] += number

    def found(self, about: str, kind: str) -> None:
        """Count a finding that is told in a record."""
        self._found.append((about, kind))

    def transit(self, sent_ms: int, received_ms: int, messages: int = 1) -> None:
        """Note how long messages took from the vendor to us."""
        self.counts.transit.observe((received_ms - sent_ms) / 1000, messages)

    def forward(self, topic: str, key: bytes, value: bytes | None, headers: list[Header]) -> None:
        """Write a record to ``topic`` when the cycle commits.

        Raises:
            ContractError: ``topic`` is no declared output.
        """
        limit = self._limits.get(topic)
        if limit is None:
            raise ContractError(f"processor {self._processor.name} has no output {topic}")
        record = self._record
        assert record is not None
        if value is not None and len(value) > limit:  # alone: its siblings fit and stay
            detail = f"record of {len(value)} bytes is larger than {topic} takes ({limit})"
            self.dead_letter(record.value or b"", EngineCode.OUTPUT_TOO_LARGE, detail)
            return
        self.outputs.append((topic, key, value, headers, record.timestamp))

    def dead_letter(
        self, value: bytes, code: str, detail: str, index: int | None = None, name: str | None = None
    ) -> None:
        """Keep ``value`` in the feed's dead letters, with where it came from and why."""
        record = self._record
        assert record is not None
        source = f"{record.topic}/{record.partition}/{record.offset}"
        headers: list[Header] = [
            ("tc-code", code.encode()),
            ("tc-detail", detail[:DETAIL_CHARS].encode(errors="replace")),
            ("tc-source", (source if index is None else f"{source}/{index}").encode()),
            ("tc-version", self._version),
            *(
                (stamp, content)
                for stamp, content in record.headers
                if stamp in STAMPS and content is not None and len(content) <= NAME_BYTES
            ),
        ]
        if name is not None:
            headers.append((PART, name.encode(errors="replace")))
        replay = self._replay
        if replay is not None:
            headers += [
                (REQUEST, replay.request.encode()),
                (ID, replay.letter.encode()),
                (ATTEMPT, b"%d" % replay.attempt),
            ]
        limit = self._limits[self._dead_letters]
        if len(value) > limit:  # compressed, a source record may have been larger; raw has all of it
            headers.append(("tc-truncated", b"%d" % len(value)))
            value = value[:limit]
        key = record.key if record.key is None else record.key[:NAME_BYTES]
        self.outputs.append((self._dead_letters, key, value, headers, record.timestamp))
        self.counts.dead_letters += 1
        self.counts.codes[str(code)] += 1

    # One record.

    def _one(self, record: SourceRecord) -> None:
        self._record = record
        stamps = dict(record.headers)
        kind = stamps.get("tc-kind")
        if kind == _REPLAY:
            self._again(record)
            return
        hole = None
        received = _number(stamps.get("tc-received-ns"))
        is_ahead = received is not None and received > (record.timestamp + AHEAD_MS) * 1_000_000
        if received is not None and received > self.stream_time_ns and not is_ahead:
            self.stream_time_ns = received
        connection, frame = stamps.get("tc-connection"), _number(stamps.get("tc-frame"))
        name = stamps.get("tc-line") or b""
        if connection is not None and frame is not None and len(connection) <= NAME_BYTES >= len(name):
            line = name.decode(errors="replace")
            identity = connection.decode(errors="replace")
            seen = self.repeats.observe(line, identity, frame, numbered=kind in _NUMBERED)
            if seen.verdict == "repeat":
                self.counts.repeats += 1
                return
            if seen.missing is not None:
                first, last = seen.missing
                hole = Hole(line=line, connection=identity, first=first, last=last, received_ns=self.stream_time_ns)
                self.counts.holes += 1
                self.counts.missing_frames += last - first + 1
        if hole is not None:
            # On its own: what a hole says stands, whatever becomes of the record that showed it.
            self._attempt(self._processor.on_hole, hole, record, EngineCode.HOLE_ERROR)
        if is_ahead:
            detail = f"tc-received-ns {received} is over an hour after the record's own time, {record.timestamp} ms"
            self.dead_letter(record.value or b"", self._bad_headers, detail)
            return
        self._attempt(self._process, record, record, EngineCode.PROCESSOR_ERROR)

    def _attempt(
        self,
        process: Callable[[Any, Context], None],
        subject: Hole | SourceRecord,
        record: SourceRecord,
        code: EngineCode,
    ) -> None:
        """Process ``subject`` with all it writes, or write nothing of it but a dead letter of ``record``."""
        written = len(self.outputs)
        try:
            process(subject, self)
        except Exception as error:
            self._take_back(written)
            self.dead_letter(record.value or b"", code, f"{type(error).__name__}: {error}")
            self._count_failure(error)
        else:
            self._keep()

    def _keep(self) -> None:
        self.store.keep()
        if self._found:
            self.counts.found.update(self._found)
            self._found.clear()

    def _take_back(self, written: int) -> None:
        self.store.rollback()
        self._found.clear()
        for topic, _, _, headers, _ in self.outputs[written:]:
            if topic == self._dead_letters:
                self.counts.dead_letters -= 1
                self.counts.codes[headers[0][1].decode()] -= 1
        del self.outputs[written:]

    def _again(self, record: SourceRecord) -> None:
        """Do what a request asks for: the part alone, once, as if nothing else of its record were there."""
        replay = open_request(record)
        if isinstance(replay, str):
            self.dead_letter(record.value or b"", f"{self._processor.feed}.bad-replay", replay)
            return
        self.counts.replays += 1
        self._record, self._replay = replay.record, replay
        try:
            self._take_again(replay)
        finally:
            self._replay = None

    def _take_again(self, replay: Replay) -> None:
        processor = self._processor
        if not isinstance(processor, Replayable):
            self._refuse(replay, f"{processor.name} takes no replays")
            return
        kind = dict(replay.record.headers).get("tc-kind")
        final = why_final(replay.code, None if kind is None else kind.decode(errors="replace"))
        if final is not None:
            self._refuse(replay, final)
            return
        if is_replayed(replay, self.store):
            self._refuse(replay, f"{replay.letter} was replayed before")
            return
        written, counted = len(self.outputs), self.counts.passed_over.copy()
        remember(replay, self.store)
        try:
            if not processor.replay(replay, self) and len(self.outputs) == written:
                why = ", ".join(sorted(self.counts.passed_over - counted)) or "there is nothing in it for a record"
                self._refuse(replay, f"nothing comes of it: {why}")
        except Exception as error:
            # It failed once and was counted then; what a person asks for again stops no worker.
            self._take_back(written)
            remember(replay, self.store)
            detail = f"{type(error).__name__}: {error}"
            self.dead_letter(replay.record.value or b"", EngineCode.PROCESSOR_ERROR, detail, replay.index, replay.name)
        self._keep()

    def _refuse(self, replay: Replay, why: str) -> None:
        code = f"{self._processor.feed}.replay-refused"
        self.dead_letter(replay.record.value or b"", code, why, replay.index, replay.name)

    def _count_failure(self, error: Exception) -> None:
        self.counts.failures += 1
        position = self._record.offset if self._record is not None else 0
        self._failed_at.append(position)
        while self._failed_at[0] <= position - self._window:
            self._failed_at.popleft()
        if len(self._failed_at) > self._stop_ratio * self._window:
            raise TooManyDeadLetters(
                f"{self.partition}: {len(self._failed_at)} of the last {self._window} records failed;"
                f" last: {type(error).__name__}: {error}",
                action="mend the processor (or raise engine.dead_letter_stop_ratio); this cycle is not committed",
            ) from error
