"""An audit that goes on where the one before has ended.

Nothing is read twice but the end of raw whose outputs may still come: what judges have learnt is carried over. So two
audits in a row find what one over everything finds; each report is of its part, and only the last open one counts.
"""

from aiokafka import TopicPartition

from schemas.errors import ConfigurationError
from tricast.audit.carried import Carried, Range, Step, place_of
from tricast.audit.order import Order
from tricast.audit.records import Output
from tricast.audit.report import Report
from tricast.audit.run import Audit, BySource, Judge, Scope
from tricast.audit.scratch import scratch_database
from tricast.audit.shelf import Shelf
from tricast.audit.spans import Kafka, Span
from tricast.audit.warm_up import WarmUp
from tricast.progress import Progress


async def go_on(kafka: Kafka, scope: Scope, progress: Progress, carried: Carried | None) -> Step:
    """Audit what came since ``carried``, or all there is without one; return what was found and what to carry on.

    Raises:
        EnvironmentFault: As :func:`audit`.
        ConfigurationError: A topic ends before what was audited already: it was made anew.
    """
    with scratch_database() as database:
        return await _GoingOn(kafka, scope, progress, Shelf(database), carried or Carried()).step()


class _GoingOn(Audit):
    def __init__(self, kafka: Kafka, scope: Scope, progress: Progress, shelf: Shelf, carried: Carried) -> None:
        super().__init__(kafka, scope, progress, shelf, None)
        self._open = Report()
        self._carried, self._next = carried, Carried()
        self._ranges: list[Range] = []

    async def step(self) -> Step:
        """Audit, and return what the next one needs."""
        await self.run()
        return Step(settled=self._report, open=self._open, carried=self._next, ranges=self._ranges)

    @property
    def _passing(self) -> Report:
        return self._open

    def _removed(self, spans: dict[TopicPartition, Span]) -> set[TopicPartition]:
        if not self._carried.read:
            return super()._removed(spans)
        removed = set()
        for tp, (begin, _) in spans.items():
            read = self._carried.read.get(place_of(tp), 0)
            if read < begin:
                removed.add(tp)
                text = f"{tp.topic}/{tp.partition}: {read} to {begin} were removed before any audit"
                self._report.find("unjudged", text, begin - read)
        return removed

    def _to_read(self, spans: dict[TopicPartition, Span], order: Order) -> dict[TopicPartition, Span]:
        if self._carried.order:
            order.load(self._carried.order)
        self._shelf.put(self._carried.outputs)
        unread: dict[TopicPartition, Span] = {}
        for tp, (begin, end) in spans.items():
            first = max(begin, self._carried.read.get(place_of(tp), 0))
            if first > end:
                raise _made_anew(tp, first, end)
            unread[tp] = (first, end)
            self._next.read[place_of(tp)] = end
            self._ranges.append(Range(tp.topic, tp.partition, first, end))
        return unread

    def _read_all(self, order: Order) -> None:
        self._next.order = order.save()

    def _is_again(self, output: Output) -> bool:
        """Report what comes from a raw record that an audit before has accounted for to the last."""
        if output.source_offset >= self._carried.cuts.get(output.source_partition, 0):
            return False
        source = f"{self._scope.raw_topic}/{output.source_partition}/{output.source_offset}/{output.index}"
        self._report.find("duplicated", f"{output.place}: {output.kind} from {source}, which was accounted for before")
        return True

    async def _walk(self, tp: TopicPartition, span: Span) -> None:
        """Judge one raw partition from where the audit before has ended, and leave the end of it open."""
        begin, until = span
        judge = self._judge(tp, self._report, from_start=begin == 0)
        cut, saved = self._carried.cuts.get(tp.partition, begin), self._carried.judges.get(tp.partition)
        if cut > until and saved is not None:
            raise _made_anew(tp, cut, until)
        if cut < begin:
            self._report.find(
                "unjudged", f"{tp.topic}/{tp.partition}: {cut} to {begin} were removed before any audit", begin - cut
            )
        elif saved is not None:
            judge.load(saved)
            begin = cut
        outputs = BySource(self._shelf.of_partition(tp.partition))
        outputs.skip_to(begin)
        next_cut = max(begin, await self._settled(tp, (begin, until)))
        is_open = False
        copies_ms = self._scope.warm_up_ms if begin > 0 and saved is None else 0
        warm_up = WarmUp(copies_ms=copies_ms, whole_from_ms=self._whole_from_ms)
        async for raw in self._raw_records(tp, (begin, until)):
            self._progress(f"judging {tp.topic}/{tp.partition}", raw.offset - begin + 1, until - begin)
            if raw.offset >= next_cut and not is_open:
                judge, is_open = self._cut(tp, judge, outputs, next_cut), True
            if warm_up.takes(raw):
                outputs.skip_to(raw.offset + 1)
                judge.warm_up(raw)
                continue
            for stray in outputs.before(raw.offset):
                judge.beyond(stray)
            judge.judge(raw, outputs.of(raw.offset))
        if not is_open:
            judge = self._cut(tp, judge, outputs, next_cut)
        for stray in outputs.before(until):
            judge.beyond(stray)
        judge.finish()
        self._next.cuts[tp.partition] = next_cut
        self._next.outputs += self._shelf.from_offset(tp.partition, next_cut)
        self._ranges.append(Range(tp.topic, tp.partition, begin, until, next_cut))

    def _cut(self, tp: TopicPartition, judge: Judge, outputs: "BySource", cut: int) -> Judge:
        """Keep what ``judge`` has learnt, and return one that goes on with it; what that finds is not settled."""
        for stray in outputs.before(cut):
            judge.beyond(stray)
        saved = self._next.judges[tp.partition] = judge.save()
        another = self._judge(tp, self._open, from_start=True)
        another.load(saved)
        return another

    async def _settled(self, tp: TopicPartition, span: Span) -> int:
        """Return up to where nothing will be written any more that comes from there."""
        begin, until = span
        if not self._scope.settle_ms or begin == until:
            return until
        last_ms = 0
        async for batch in self._kafka.read({tp: (until - 1, until)}, "read_uncommitted"):
            last_ms = batch[-1].timestamp
        found = await self._kafka.since(tp, max(0, last_ms - self._scope.settle_ms))
        return until if found is None else min(until, found)


def _made_anew(tp: TopicPartition, audited: int, end: int) -> ConfigurationError:
    return ConfigurationError(
        f"{tp.topic}/{tp.partition} ends at {end}, and was audited up to {audited} before: it is another topic now",
        action="begin a new certificate",
    )
