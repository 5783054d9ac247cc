"""What a worker tells of itself, and when it is ready: joined, its tasks open, and committing while there is work."""

from collections.abc import Callable, Iterator
from typing import Final, Protocol

from processors.engine.counts import Counts, CycleCounts, WorkerFacts
from schemas.kambi.codes import Count
from schemas.metrics import Part
from schemas.metrics.worker import FACTS
from tricast.observe.exporter import Sample
from tricast.observe.standing import Fault

REBALANCE_S: Final = 5.0
"""What a rebalance, and opening tasks without much state, may take."""
BEHIND_S: Final = 60.0
"""Age of what a worker commits from which on it is behind."""
FAILURES_TOLD_S: Final = 60.0
"""How long an exception of a core makes the worker degraded."""
_SNAPSHOTS: Final = {
    Count.LATE: "late",
    Count.SNAPSHOT_BASELINE: "baseline",
    Count.SNAPSHOT_REPAIRED: "repaired",
    Count.SNAPSHOT_PUSH_MISSED: "push-missed",
}
"""What Kambi's core counts of facts."""


class Counted(Protocol):
    """An engine, as far as it is looked at."""

    counts: CycleCounts
    task_counts: Counts


class WorkerSubject:
    """See :class:`tricast.observe.beat.Subject`.

    Args:
        processor: Its name.
        outputs: Registry names of all topics that it may write to.
        facts: Returns how the worker stands.
        engine: Returns its engine; ``None`` before there is one.
        stuck_s: For how long there may be work and nothing be committed, seconds.

    Attributes:
        stalled_s: For how long that has been so.
    """

    part: Part = "worker"

    def __init__(
        self,
        processor: str,
        *,
        outputs: tuple[str, ...],
        facts: Callable[[], WorkerFacts],
        engine: Callable[[], Counted | None],
        stuck_s: float,
    ) -> None:
        self._processor = processor
        self._outputs = outputs
        self._facts = facts
        self._engine = engine
        self._stuck_s = stuck_s
        self._moved: tuple[int, int, int] | None = None
        self._moved_at_s = 0.0
        self._failures = 0
        self._failed_at_s: float | None = None
        self.stalled_s = 0.0

    # -- readiness ---------------------------------------------------------------------------------------------------

    def faults(self, now_s: float) -> Iterator[Fault]:
        """Return what is not as it should be."""
        facts, engine = self._facts(), self._engine()
        self._watch_progress(facts, engine, now_s)
        if facts.ending:
            yield Fault(code="ending", text="it is about to end", severity="unready")
        if not facts.joined:
            text = "the group has not given it its tasks yet"
            yield Fault(code="not-joined", text=text, severity="unready", patience_s=REBALANCE_S)
        elif facts.open < facts.assigned:
            text = f"{facts.open} of {facts.assigned} tasks are open; state is read from their changelogs"
            yield Fault(code="opening", text=text, severity="unready", patience_s=REBALANCE_S)
        if facts.kafka_away:
            text = "Kafka does not answer: the group's coordinator is looked for"
            yield Fault(code="kafka-away", text=text, severity="unready", patience_s=REBALANCE_S)
        if self.stalled_s >= self._stuck_s:
            text = f"{facts.lag} offsets lie before it, and nothing was committed for {self.stalled_s:.0f} s"
            yield Fault(code="stalled", text=text, severity="unready")
        if engine is not None:
            yield from self._degrading(engine, facts, now_s)

    def _watch_progress(self, facts: WorkerFacts, engine: Counted | None, now_s: float) -> None:
        # Tasks that open or move away are progress, too: what was stuck in them is somebody else's or begins anew.
        moved = (facts.committed, facts.open, 0 if engine is None else engine.counts.cycles)
        # While Kafka is away nobody knows what there is to do, and no restart would bring it back: an orchestrator that
        # kills by /livez would have every worker restore its state in the moment in which Kafka comes back.
        if moved != self._moved or not facts.lag or facts.kafka_away:
            self._moved, self._moved_at_s = moved, now_s
        self.stalled_s = now_s - self._moved_at_s

    def _degrading(self, engine: Counted, facts: WorkerFacts, now_s: float) -> Iterator[Fault]:
        if facts.lag and engine.counts.oldest_s >= BEHIND_S:
            text = f"it is behind: what it committed last was {engine.counts.oldest_s:.0f} s old"
            yield Fault(code="behind", text=text, severity="degraded", patience_s=REBALANCE_S)
        failures = engine.task_counts.failures
        if failures > self._failures:
            self._failures, self._failed_at_s = failures, now_s
        if self._failed_at_s is not None and now_s - self._failed_at_s < FAILURES_TOLD_S:
            text = f"its core raised exceptions within the last {FAILURES_TOLD_S:.0f} s, {failures} since the start"
            yield Fault(code="core-failures", text=text, severity="degraded")

    # -- metrics -----------------------------------------------------------------------------------------------------

    def samples(self) -> Iterator[Sample]:
        """Return all metrics of a worker."""
        facts, engine = self._facts(), self._engine()
        yield self._sample("tasks_assigned", facts.assigned)
        yield self._sample("tasks_open", facts.open)
        yield self._sample("state_entries", facts.state_entries)
        yield self._sample("records_pending", facts.pending)
        yield self._sample("lag_records", facts.lag)
        yield self._sample("stalled_seconds", self.stalled_s)
        cycles = CycleCounts() if engine is None else engine.counts
        yield from self._of_cycles(cycles)
        yield from self._of_tasks(Counts() if engine is None else engine.task_counts)

    def _of_cycles(self, cycles: CycleCounts) -> Iterator[Sample]:
        yield self._sample("cycles_total", cycles.cycles)
        yield self._sample("records_total", cycles.records)
        yield self._sample("tasks_restored_total", cycles.opened)
        yield self._sample("tasks_kept_total", cycles.kept)
        yield self._sample("restored_entries_total", cycles.restored_entries)
        for name, histogram in (
            ("commit_seconds", cycles.commit),
            ("restore_seconds", cycles.restore),
            ("received_to_readable_seconds", cycles.readable),
        ):
            yield Sample(f"tricast_worker_{name}", (self._processor,), histogram.copy())
        for topic in self._outputs:
            yield self._sample("outputs_total", cycles.outputs[topic], topic)

    def _of_tasks(self, tasks: Counts) -> Iterator[Sample]:
        yield self._sample("repeats_total", tasks.repeats)
        yield self._sample("missing_frames_total", tasks.missing_frames)
        yield self._sample("failures_total", tasks.failures)
        yield self._sample("replays_total", tasks.replays)
        yield Sample("tricast_worker_vendor_to_received_seconds", (self._processor,), tasks.transit.copy())
        for code, number in tasks.codes.items():
            yield self._sample("dead_letters_total", number, str(code))
        facts: dict[str, int] = dict.fromkeys(FACTS, 0)
        for reason, number in tasks.passed_over.items():
            if reason in _SNAPSHOTS:
                facts[_SNAPSHOTS[Count(reason)]] += number
            else:
                yield self._sample("passed_over_total", number, str(reason))
        for (about, kind), number in tasks.found.items():
            if about == "fact":
                facts[kind] += number
            else:
                yield self._sample("findings_total", number, about, kind)
        for kind, number in facts.items():
            yield self._sample("facts_total", number, kind)

    def _sample(self, name: str, value: float, *labels: str) -> Sample:
        return Sample(f"tricast_worker_{name}", (self._processor, *labels), value)
