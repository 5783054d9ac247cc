"""One audit of RMS: wait for the processors, read every topic up to a settled end, judge each bet."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from aiokafka import TopicPartition

from schemas.record import KafkaRecord
from schemas.rms.fields import APPROVALS, BETS, DECISIONS, HEALTH, PENDING
from schemas.topics.topic import DAY_MS
from tricast.audit.carried import Range, RmsCarried, RmsStep
from tricast.audit.ledger import Ledger
from tricast.audit.report import Report
from tricast.audit.rms.books import Books
from tricast.audit.rms.cabinet import Cabinet
from tricast.audit.rms.case import Windows
from tricast.audit.rms.common import RAW, Desk
from tricast.audit.rms.judge import HealthRecord, judge_case, judge_gaps
from tricast.audit.rms.truth import RmsLedger, truths
from tricast.audit.scratch import scratch_database
from tricast.audit.spans import Isolation, Kafka, Span
from tricast.audit.warm_up import removed_note, whole_from_ms
from tricast.progress import Progress

_LETTERS = "rms.dead-letters"
_PRODUCTS = (DECISIONS, _LETTERS, APPROVALS)
_MARKERS = 10
"""Offsets of transactions' ends that may stand before the first record of a partition that has lost its beginning."""
_HOPS = 3
"""The join sends on to itself twice: what a code's task knows to the slip's, and that it knows it."""
_MS_NS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RmsScope:
    """What is audited.

    Attributes:
        prefix: Of all topics and groups.
        windows: Settings of the processors.
        since_ms: Judge what came from this time on; from the beginning when ``None``.
        ledger: What the simulator says it sent and decided, when that is to be compared.
        kept_ms: How long Kafka keeps what is made of it.
    """

    prefix: str
    windows: Windows
    since_ms: int | None = None
    ledger: Path | None = None
    kept_ms: int = 7 * DAY_MS


async def audit(kafka: Kafka, scope: RmsScope, progress: Progress) -> Report:
    """Audit and return the report.

    Raises:
        EnvironmentFault: Kafka is not there, a topic is missing, or readers are held back.
    """
    with scratch_database() as database:
        ledger = Ledger(scope.ledger, RmsLedger(), database) if scope.ledger is not None else None
        return await _Audit(kafka, scope, progress, Cabinet(database), ledger).run()


async def go_on(kafka: Kafka, scope: RmsScope, progress: Progress, carried: RmsCarried | None) -> RmsStep:
    """Audit what came since ``carried``, and again what was not over then; or all there is without one.

    A bet is over when the join has forgotten it. Until then anything may still be said about it, so each audit judges
    the bets of the last hours (the windows, all together) again.

    Raises:
        EnvironmentFault: As :func:`audit`.
    """
    with scratch_database() as database:
        since_ms = carried.since_ms if carried is not None else None
        scope = replace(scope, since_ms=since_ms)
        return await _Audit(kafka, scope, progress, Cabinet(database), None).step()


class _Audit:
    def __init__(
        self, kafka: Kafka, scope: RmsScope, progress: Progress, cabinet: Cabinet, ledger: Ledger | None
    ) -> None:
        self._kafka = kafka
        self._scope = scope
        self._progress = progress
        self._cabinet = cabinet
        self._ledger = ledger
        self._report = Report()
        self._settled: dict[TopicPartition, int] = {}
        self._is_join_settled = True
        self._newest_ms: dict[TopicPartition, int] = {}
        self._ranges: list[Range] = []

    async def step(self) -> RmsStep:
        """Audit, and return what the next one needs."""
        report = await self.run()
        # Everything of a customer happens by the time of his lines, so the one who is furthest behind counts.
        newest_ms = min((ms for tp, ms in self._newest_ms.items() if tp.topic.endswith(RAW)), default=0)
        since_ms = max(self._scope.since_ms or 0, newest_ms - self._warm_up_ns // _MS_NS)
        return RmsStep(report=report, carried=RmsCarried(since_ms=since_ms), ranges=self._ranges)

    async def run(self) -> Report:
        self._progress("waiting for the processors", 0, 1)
        await self._settle(RAW, "rms.approvals")
        await self._settle(BETS, "rms.bets")
        for _ in range(_HOPS):
            self._is_join_settled = await self._settle(PENDING, "rms.join")
        begins = {topic: await self._begins(topic) for topic in (RAW, BETS, PENDING)}
        desk = Desk(
            cabinet=self._cabinet,
            report=self._report,
            prefix=self._scope.prefix,
            windows=self._scope.windows,
            horizon_ns=await self._horizon(begins),
            has_all_pending=all(offset == 0 for offset in begins[PENDING].values()) and self._scope.since_ms is None,
        )
        books = Books(desk, self._ledger)
        await self._read(books, begins)
        books.leftovers(
            lambda topic, partition: begins[topic].get(TopicPartition(self._scope.prefix + topic, partition), 0)
        )
        if self._scope.ledger is not None:
            for customer, slip, truth in truths(self._scope.ledger):
                books.put_truth(customer, slip, truth)
        for case in books.cases():
            if case.began_ns >= desk.horizon_ns:
                judge_case(case, self._report, is_settled=self._is_join_settled)
            else:
                self._report.bets["before what is judged"] += 1
        if self._ledger is not None:
            self._ledger.finish(self._report)
        return self._report

    async def _settle(self, topic: str, group: str) -> bool:
        """Wait until a processor has committed what is there now; say how far it came."""
        partitions = await self._kafka.partitions_of(self._scope.prefix + topic)
        spans = await self._kafka.spans(partitions)
        ends = {tp: end for tp, (begin, end) in spans.items() if end > begin}
        reached = await self._kafka.wait_committed(self._scope.prefix + group, ends)
        behind = {tp: (reached[tp], end) for tp, end in ends.items() if reached[tp] < end}
        self._settled |= reached
        for tp, (at, end) in behind.items() if topic != PENDING or self._is_join_settled else ():
            text = f"{tp.topic}/{tp.partition}: judged up to {at} of {end}, where {group} has committed"
            self._report.find("unjudged", text, end - at)
        return not behind and (topic != PENDING or self._is_join_settled)

    async def _begins(self, topic: str) -> dict[TopicPartition, int]:
        """Return where to begin reading."""
        partitions = await self._kafka.partitions_of(self._scope.prefix + topic)
        begins = {tp: begin for tp, (begin, _) in (await self._kafka.spans(partitions)).items()}
        if self._scope.since_ms is None:
            return begins
        read_ms = max(0, self._scope.since_ms - self._warm_up_ns // _MS_NS)
        for tp, begin in begins.items():
            first = await self._kafka.since(tp, read_ms)
            begins[tp] = max(begin, first) if first is not None else (await self._kafka.spans([tp]))[tp][1]
        return begins

    @property
    def _warm_up_ns(self) -> int:
        windows = self._scope.windows
        return windows.remember_ns + windows.unanswered_ns + windows.verify_ns

    async def _horizon(self, begins: dict[str, dict[TopicPartition, int]]) -> int:
        """Return from when on enough is known to judge."""
        horizon_ns = (self._scope.since_ms or 0) * _MS_NS
        for topic in (RAW, BETS):
            for tp, begin in begins[topic].items():
                if begin > 0 and self._scope.since_ms is None:
                    first_ns = await self._time_of(tp, begin)
                    horizon_ns = max(horizon_ns, first_ns + self._warm_up_ns if first_ns else 0)
        return max(horizon_ns, await self._whole_from_ms() * _MS_NS)

    async def _whole_from_ms(self) -> int:
        """Return from when on every product is there that what is judged came to."""
        products = [tp for topic in _PRODUCTS for tp in await self._kafka.partitions_of(self._scope.prefix + topic)]
        removed = {tp: begin for tp, (begin, _) in (await self._kafka.spans(products)).items() if begin > 0}
        if not removed:
            return 0
        self._report.notes.append(removed_note(removed))
        firsts_ns = [await self._time_of(tp, begin) for tp, begin in removed.items()]
        return whole_from_ms((ns // _MS_NS for ns in firsts_ns if ns is not None), self._scope.kept_ms)

    async def _read_from_ns(self, begins: dict[str, dict[TopicPartition, int]]) -> int:
        """Return from when on all that connectors wrote is read."""
        firsts = [await self._time_of(tp, begin) for tp, begin in begins[RAW].items() if begin > 0]
        return max((first for first in firsts if first is not None), default=0)

    async def _time_of(self, tp: TopicPartition, offset: int) -> int | None:
        end = (await self._kafka.spans([tp]))[tp][1]
        first = await self._kafka.first(tp, (offset, min(offset + _MARKERS, end)), "read_uncommitted")
        return None if first is None else first.timestamp * _MS_NS

    async def _read(self, books: Books, begins: dict[str, dict[TopicPartition, int]]) -> None:
        # Against the stream, so that what a record rests on is there when it is read.
        products = {topic: await self._begins(topic) for topic in _PRODUCTS}
        async for record in self._records(DECISIONS, products[DECISIONS]):
            books.products.take_decision(record)
        async for record in self._records(_LETTERS, products[_LETTERS]):
            books.products.take_letter(record)
        async for record in self._records(APPROVALS, products[APPROVALS]):
            books.products.take_approval(record)
        health = [
            HealthRecord(f"{r.topic}/{r.partition}/{r.offset}", (r.key or b"").decode(errors="replace"), r.value)
            async for r in self._records(HEALTH)
            if r.value is not None
        ]
        async for record in self._records(PENDING, begins[PENDING]):
            books.take_pending(record)
        async for record in self._records(RAW, begins[RAW]):
            tp = TopicPartition(record.topic, record.partition)
            books.vendor.take_raw(
                record, is_settled=record.offset < self._settled.get(tp, 0), from_start=begins[RAW][tp] == 0
            )
        async for record in self._records(BETS, begins[BETS]):
            books.platform.take_bet(record, is_settled=self._is_settled(record))
        judge_gaps(health, books.coverage, self._report, from_ns=await self._read_from_ns(begins))

    def _is_settled(self, record: KafkaRecord) -> bool:
        return record.offset < self._settled.get(TopicPartition(record.topic, record.partition), 0)

    async def _records(self, topic: str, begins: dict[TopicPartition, int] | None = None) -> AsyncIterator[KafkaRecord]:
        partitions = await self._kafka.partitions_of(self._scope.prefix + topic)
        spans: dict[TopicPartition, Span] = {
            tp: (max(begin, (begins or {}).get(tp, 0)), end)
            for tp, (begin, end) in (await self._kafka.spans(partitions)).items()
        }
        self._ranges += [Range(topic, tp.partition, begin, end) for tp, (begin, end) in spans.items()]
        total, done = sum(max(0, end - begin) for begin, end in spans.values()), 0
        isolation: Isolation = "read_uncommitted" if topic == RAW else "read_committed"
        async for batch in self._kafka.read(spans, isolation):
            for record in batch:
                yield record
            newest = batch[-1]
            self._newest_ms[TopicPartition(newest.topic, newest.partition)] = newest.timestamp
            done += len(batch)
            self._progress(f"reading {topic}", done, total)
