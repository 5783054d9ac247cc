"""Metrics of workers: from the raw record to the commit of what was made of it."""

from typing import Final

from schemas.metrics.metric import LATENCY_S, Metric

FACTS: Final = ("late", "baseline", "repaired", "push-missed")
"""``late``: older than what was known, went out marked; the others came from a snapshot (Kambi) or a replay (FastPath):
the first of an event; what a gap had lost; what was lost without a gap."""
FINDINGS: Final = ("line", "event", "feed", "sequence", "decision", "conflict", "late", "orphan")
"""What a finding is about: the health of a line, an event or a feed; the numbers of a fixture; bets."""

_OF: Final = ("processor",)


def _counter(name: str, unit: str, meaning: str, *labels: str, **values: tuple[str, ...]) -> Metric:
    return Metric(
        name=f"tricast_worker_{name}_total",
        part="worker",
        kind="counter",
        labels=(*_OF, *labels),
        unit=unit,
        meaning=meaning,
        values=values,
    )


def _gauge(name: str, unit: str, meaning: str) -> Metric:
    return Metric(name=f"tricast_worker_{name}", part="worker", kind="gauge", labels=_OF, unit=unit, meaning=meaning)


def _seconds(name: str, meaning: str, buckets: tuple[float, ...]) -> Metric:
    return Metric(
        name=f"tricast_worker_{name}_seconds",
        part="worker",
        kind="histogram",
        labels=_OF,
        unit="seconds",
        meaning=meaning,
        buckets=buckets,
    )


METRICS: Final = (
    _counter("cycles", "transactions", "Cycles that were committed."),
    _counter("records", "records", "Source records that were taken into a cycle."),
    _seconds(
        "commit",
        "From the begin of a cycle's transaction to its commit.",
        (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    _seconds(
        "vendor_to_received",
        "From the time that the vendor stamped a message with to its receipt, as the vendor's clock has it; messages"
        " without a usable time, and those a vendor sent again, are left out.",
        LATENCY_S,
    ),
    _seconds(
        "received_to_readable",
        "From the receipt of a record by a connector to the commit of the cycle that it was processed in: what came of"
        " it is readable then. Hops keep the time of the first record; of `rms.bets` it is that of its producer.",
        LATENCY_S,
    ),
    _counter(
        "outputs", "records", "Records that were committed, by topic of the registry, dead letters included.", "topic"
    ),
    _counter("dead_letters", "records", "Dead letters that were made, by code.", "code"),
    _counter(
        "findings",
        "records",
        "Findings that were told in records: `finding` is what about, `kind` what.",
        "finding",
        "kind",
        finding=FINDINGS,
    ),
    _counter("facts", "records", "Records that are late, or that tell what had been lost.", "kind", kind=FACTS),
    _counter(
        "passed_over",
        "parts",
        "What yields no record on purpose, or is worth counting beside one, by reason.",
        "reason",
    ),
    _counter("repeats", "records", "Raw records that were there before, by connection and frame; dropped."),
    _counter("missing_frames", "frames", "Frames that a connector numbered and this worker never saw: our loss."),
    _counter("failures", "records", "Records that a core raised an exception for: a bug; each is a dead letter."),
    _counter("replays", "records", "Requests of `tricast dlq replay` that were taken."),
    _counter("tasks_restored", "tasks", "Tasks whose state was read from its changelog."),
    _counter("tasks_kept", "tasks", "Tasks that a rebalance gave back to the worker that had them."),
    _counter("restored_entries", "records", "Changelog records that were read to restore state."),
    _seconds(
        "restore",
        "How long it took to open the tasks of one assignment that had to be restored.",
        (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
    ),
    _gauge("tasks_assigned", "tasks", "Tasks that the group gave this worker."),
    _gauge("tasks_open", "tasks", "Tasks of them that are open: state restored, being fetched."),
    _gauge("state_entries", "entries", "Entries in the state of the open tasks."),
    _gauge("records_pending", "records", "Source records that are fetched and wait for a cycle."),
    _gauge(
        "lag_records",
        "records",
        "Offsets between what is committed and what Kafka told last that readers may read, over the open tasks.",
    ),
    _gauge(
        "stalled_seconds", "seconds", "For how long there has been work and nothing was committed; 0 while all is well."
    ),
)
