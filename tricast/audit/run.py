"""One audit: take positions, sort the outputs by source, walk raw beside them."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from aiokafka import TopicPartition

from schemas.record import KafkaRecord
from schemas.topics.topic import DAY_MS
from tricast.audit.fastpath.judge import Judge as FastpathJudge
from tricast.audit.fastpath.ledger import FastpathLedger
from tricast.audit.first_seen import WINDOW_S
from tricast.audit.judge import Judge as KambiJudge
from tricast.audit.kambi_ledger import KambiLedger
from tricast.audit.ledger import Ledger, LedgerForm
from tricast.audit.order import Order, SequenceOrder, SourceOrder
from tricast.audit.records import Malformed, Output, Raw, to_output, to_raw
from tricast.audit.report import Report
from tricast.audit.scratch import scratch_database
from tricast.audit.shelf import Shelf
from tricast.audit.spans import Kafka, Span
from tricast.audit.warm_up import WarmUp, removed_note, whole_from_ms
from tricast.progress import Progress

_SETTLE_MS = 60_000
"""Beside the hold-back: it is over with the next record of its line, and ticks come each second."""
_REPLAY_MS = 6 * 3_600_000
"""A reconnect may replay a match from its beginning; older copies are taken for what they look like."""


class Judge(Protocol):
    """Accounts for one raw partition; fed with its records in order."""

    def warm_up(self, raw: Raw) -> None:
        """Learn from a record that is too old to be judged."""

    def judge(self, raw: Raw, outputs: list[Output]) -> None:
        """Account for one record and its outputs."""

    def beyond(self, output: Output) -> None:
        """Name an output whose raw record does not exist."""

    def finish(self) -> None:
        """Account for what only the end can tell."""

    def save(self) -> bytes:
        """Return all that was learnt, for an audit that goes on later."""
        ...

    def load(self, saved: bytes) -> None:
        """Go on from what another one had learnt."""


class JudgeOf(Protocol):
    """Makes a judge."""

    def __call__(
        self, raw_topic: str, partition: int, report: Report, /, *, from_start: bool, ledger: Ledger | None
    ) -> Judge:
        """Return the judge of one raw partition."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is audited.

    Attributes:
        raw_topic: Physical name.
        normalized_topics: Physical names.
        dead_letter_topic: Physical name.
        group: Consumer group of the processor: raw before its committed offsets is judged.
        since_ms: Judge raw records from this time on; from the beginning when ``None``.
        ledger: What the simulator says it sent, when raw is to be compared with it.
        ledger_form: How that is written.
        judge: Makes the judge of one raw partition.
        order: Makes what the order of records is judged by.
        warm_up_ms: How far back before ``since_ms`` to read, so that copies of what came before are known.
        kept_ms: How long Kafka keeps what is made of it.
        settle_ms: How much later than a raw record what is made of it may be written; an audit that goes on later
            judges so much of the end again.
    """

    raw_topic: str
    normalized_topics: tuple[str, ...]
    dead_letter_topic: str
    group: str
    since_ms: int | None = None
    ledger: Path | None = None
    ledger_form: LedgerForm
    judge: JudgeOf
    order: Callable[[Report], Order] = SourceOrder
    warm_up_ms: int = WINDOW_S * 1000
    kept_ms: int = 7 * DAY_MS
    settle_ms: int = 0


def kambi(prefix: str, *, since_ms: int | None = None, ledger: Path | None = None, copy_skew_ms: int = 0) -> Scope:
    """Return the scope of the Kambi feed."""
    return Scope(
        raw_topic=f"{prefix}kambi.raw",
        normalized_topics=tuple(f"{prefix}kambi.{name}" for name in ("events", "offers", "scores", "settlements")),
        dead_letter_topic=f"{prefix}kambi.dead-letters",
        group=f"{prefix}kambi",
        since_ms=since_ms,
        ledger=ledger,
        ledger_form=KambiLedger(),
        judge=partial(KambiJudge, copy_skew_ms=copy_skew_ms),
    )


def fastpath(prefix: str, *, hold_ms: int, since_ms: int | None = None, ledger: Path | None = None) -> Scope:
    """Return the scope of the FastPath feed.

    Args:
        prefix: Topic prefix.
        hold_ms: How long the processor may hold a packet back, as it is told.
        since_ms: As in :class:`Scope`.
        ledger: As in :class:`Scope`.
    """
    return Scope(
        raw_topic=f"{prefix}fastpath.raw",
        normalized_topics=tuple(f"{prefix}fastpath.{name}" for name in ("actions", "statistics", "sequence")),
        dead_letter_topic=f"{prefix}fastpath.dead-letters",
        group=f"{prefix}fastpath.audit",
        since_ms=since_ms,
        ledger=ledger,
        ledger_form=FastpathLedger(),
        judge=partial(FastpathJudge, hold_ms=hold_ms),
        order=SequenceOrder,
        warm_up_ms=_REPLAY_MS,
        settle_ms=hold_ms + _SETTLE_MS,
    )


async def audit(kafka: Kafka, scope: Scope, progress: Progress) -> Report:
    """Audit and return the report.

    Raises:
        EnvironmentFault: Kafka is not there, a topic is missing, or readers are held back.
    """
    with scratch_database() as database:
        ledger = Ledger(scope.ledger, scope.ledger_form, database) if scope.ledger is not None else None
        return await Audit(kafka, scope, progress, Shelf(database), ledger).run()


class Audit:
    """One audit of a feed whose raw records are judged in order, each partition by itself."""

    def __init__(
        self,
        kafka: Kafka,
        scope: Scope,
        progress: Progress,
        shelf: Shelf,
        ledger: Ledger | None,
    ) -> None:
        self._kafka = kafka
        self._scope = scope
        self._progress = progress
        self._shelf = shelf
        self._ledger = ledger
        self._report = Report()
        self._whole_from_ms = 0
        """From when on every output is there that raw records came to."""

    async def run(self) -> Report:
        raw = await self._kafka.partitions_of(self._scope.raw_topic)
        spans = await self._kafka.spans(raw)
        self._progress("waiting for the processor", 0, 1)
        ends = {tp: end for tp, (begin, end) in spans.items() if end > begin}
        reached = await self._kafka.wait_committed(self._scope.group, ends)
        # Committed offsets may be readable a moment before the records of their transaction: the spans of the outputs
        # go up to the high watermark, and a read_committed reader passes it only when those transactions have ended.
        await self._collect()
        for tp in raw:
            begin, end = spans[tp]
            until = max(begin, reached.get(tp, 0))
            if until < end:
                self._passing.find(
                    "unjudged",
                    f"{tp.topic}/{tp.partition}: judged up to {until} of {end}, where the processor has committed",
                    end - until,
                )
            await self._walk(tp, (begin, until))
        for output in self._shelf.elsewhere(tp.partition for tp in raw):
            self._report.find("unexpected", f"{output.place}: raw partition {output.source_partition} does not exist")
        if self._ledger is not None:
            self._ledger.finish(self._report)
        return self._report

    async def _collect(self) -> None:
        """Put every output on the shelf, checking the order of each key on the way."""
        spans: dict[TopicPartition, Span] = {}
        for topic in (*self._scope.normalized_topics, self._scope.dead_letter_topic):
            spans |= await self._kafka.spans(await self._kafka.partitions_of(topic))
        order, done = self._scope.order(self._report), 0
        removed = self._removed(spans)
        firsts_ms: dict[TopicPartition, int] = {}
        spans = self._to_read(spans, order)
        total = sum(end - begin for begin, end in spans.values())
        async for batch in self._kafka.read(spans, "read_committed"):
            firsts_ms.setdefault(TopicPartition(batch[0].topic, batch[0].partition), batch[0].timestamp)
            outputs = [output for record in batch if (output := self._output(record)) is not None]
            for output in outputs:
                if not output.dead:
                    order.observe(output)
            self._shelf.put(output for output in outputs if not self._is_again(output))
            done += len(batch)
            self._progress("reading outputs", done, total)
        if removed:
            self._whole_from_ms = whole_from_ms(
                (firsts_ms[tp] for tp in removed & firsts_ms.keys()), self._scope.kept_ms
            )
        self._shelf.sort()
        for first, again in self._shelf.twice():
            self._report.find("duplicated", f"{again.place}: replayed, and {first.place} has the same id")
        self._read_all(order)

    # -- what an audit that goes on does otherwise -------------------------------------------------------------------

    @property
    def _passing(self) -> Report:
        """Where findings go that the next audit may take back."""
        return self._report

    def _removed(self, spans: dict[TopicPartition, Span]) -> set[TopicPartition]:
        """Return the partitions of outputs of which retention took what was not read yet, and say so."""
        removed = {tp for tp, (begin, _) in spans.items() if begin > 0}
        if removed:
            self._report.notes.append(removed_note(removed))
        return removed

    def _to_read(self, spans: dict[TopicPartition, Span], order: Order) -> dict[TopicPartition, Span]:
        """Return what of the outputs is to be read."""
        return spans

    def _is_again(self, output: Output) -> bool:
        """Return whether an output is none of those that raw records are judged by."""
        return False

    def _read_all(self, order: Order) -> None:
        """Told when all outputs were read."""

    async def _walk(self, tp: TopicPartition, span: Span) -> None:
        """Judge one raw partition beside its outputs, both in source order."""
        begin, judge_from = await self._begin(tp, span[0])
        judge = self._judge(tp, self._report, from_start=begin == 0)
        outputs = BySource(self._shelf.of_partition(tp.partition))
        outputs.skip_to(begin)
        # What came before is not read, so copies of it cannot be told from facts that are lost.
        copies_ms = self._scope.warm_up_ms if begin > 0 else 0
        warm_up = WarmUp(copies_ms=copies_ms, whole_from_ms=self._whole_from_ms)
        async for raw in self._raw_records(tp, (begin, span[1])):
            self._progress(f"judging {tp.topic}/{tp.partition}", raw.offset - begin + 1, span[1] - begin)
            if warm_up.takes(raw) or raw.offset < judge_from:
                outputs.skip_to(raw.offset + 1)
                judge.warm_up(raw)
                continue
            for stray in outputs.before(raw.offset):
                judge.beyond(stray)
            judge.judge(raw, outputs.of(raw.offset))
        for stray in outputs.before(span[1]):
            judge.beyond(stray)
        judge.finish()

    def _judge(self, tp: TopicPartition, report: Report, *, from_start: bool) -> Judge:
        return self._scope.judge(
            self._scope.raw_topic, tp.partition, report, from_start=from_start, ledger=self._ledger
        )

    async def _begin(self, tp: TopicPartition, first: int) -> tuple[int, int]:
        """Return where to begin reading and where to begin judging."""
        if self._scope.since_ms is None:
            return first, first
        end = (await self._kafka.spans([tp]))[tp][1]
        judge = await self._kafka.since(tp, self._scope.since_ms)
        read = await self._kafka.since(tp, max(0, self._scope.since_ms - self._scope.warm_up_ms))
        return (end if read is None else read), (end if judge is None else judge)

    async def _raw_records(self, tp: TopicPartition, span: Span) -> AsyncIterator[Raw]:
        async for batch in self._kafka.read({tp: span}, "read_uncommitted"):
            for record in batch:
                yield to_raw(record)

    def _output(self, record: KafkaRecord) -> Output | None:
        if record.topic == self._scope.dead_letter_topic and self._is_of_states(record):
            self._report.dead_letters["of latest states"] += 1
            return None
        try:
            return to_output(record, self._scope.raw_topic, dead=record.topic == self._scope.dead_letter_topic)
        except Malformed as error:
            self._report.find("unexpected", f"{record.topic}/{record.partition}/{record.offset}: {error}")
            return None

    def _is_of_states(self, record: KafkaRecord) -> bool:
        """Tell whether a dead letter comes of a normalized record: what is made of those is not audited here."""
        source = dict(record.headers).get("tc-source") or b""
        return source.partition(b"/")[0].decode(errors="replace") in self._scope.normalized_topics


class BySource:
    """Outputs in source order, taken by raw offset; offsets asked for must rise."""

    def __init__(self, outputs: Iterator[Output]) -> None:
        self._outputs = outputs
        self._next = next(outputs, None)

    def before(self, offset: int) -> Iterator[Output]:
        """Yield what is left of smaller offsets."""
        while self._next is not None and self._next.source_offset < offset:
            output, self._next = self._next, next(self._outputs, None)
            yield output

    def skip_to(self, offset: int) -> None:
        """Drop what is left of smaller offsets."""
        for _ in self.before(offset):
            pass

    def of(self, offset: int) -> list[Output]:
        """Return the outputs of one raw record."""
        return list(self.before(offset + 1))
