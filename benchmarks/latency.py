"""Latency: from the moment a frame is handed to a producer to the moment a `read_committed` reader has its records."""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

from benchmarks import growth, load
from benchmarks.alone import alone
from benchmarks.conditions import Conditions
from benchmarks.cores import Cores, CoreUse
from benchmarks.job import CHILDREN, OUT, PARTITIONS
from benchmarks.peer import Assignment
from benchmarks.section import Section, Verdict

WARM_UP_S = 3.0
BROKER_WARM_UP_RATE, BROKER_WARM_UP_S = 2_000, 60.0
"""p50 at that rate fell for so long on a new broker, from 70 to 13 ms: its own compilers were at work."""
READER = {"fetch.wait.max.ms": 100, "fetch.min.bytes": 1}
START_TIMEOUT_S = 60.0
TAIL_S = 10.0
"""How long after the feeder's end the reader waits for what is missing."""
FIRST_RATE = 10
RATES = (50, 500, 2_000, 5_000)
SHARES = (0.3, 0.8)
TARGETS = (("floor", 500, 30.0, 120.0), ("aim", 2_000, 15.0, 50.0))
"""Frames per second, p50 and p99 in milliseconds."""
HEAD = (
    *("frames/s", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"),
    *("worker's core", "broker's core", "reader", "missing"),
)
NOTES = """\
From the moment when a frame is due to be sent to the moment when a reader in Python has each of its records; every
record counts, the first {warm_up_s:g} s of each rate are left out. The feeder has one producer for all partitions,
without linger and with one request on its way; what waits becomes the next. With a producer a partition, as connectors
have, there are more requests than a broker answers that has feeder and reader on its core. One worker stays up over all
rates. Before them it got {warm_rate:,} frames/s for {warm_s:g} s, because a broker's own compilers take that long.
Capacity: what the same worker did without a pause just before, {capacity:,.0f} frames/s. Placement: {cores}.
Cores: how much of them was neither idle nor waiting for a disk over the whole rate, whoever used it; on a machine of
two, feeder and reader stand on the broker's. A frame waits for the transaction before its own and for its own, each of
at least five requests one after the other: where the broker's core has no time left, every one of them queues. Reader:
its share of a core; confluent-kafka, {settings}."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Latency of the records of all frames but those of the first ``WARM_UP_S`` seconds, milliseconds.

    Attributes:
        rate: Frames per second wanted.
        missing: Records that did not come within ``TAIL_S``.
        reader_share: Of its core, what the reader used: it shares that with broker and feeder on a machine of two.
        worker_core: Share of the worker's core that was in use; ``None`` where that is not known.
        broker_core: The same of the broker's.
    """

    rate: int
    missing: int
    reader_share: float
    worker_core: float | None
    broker_core: float | None
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


def sections(conditions: Conditions) -> Iterator[Section]:
    """Measure at each rate, and at shares of what the engine can take; yield the section."""
    bootstrap, cores = conditions.bootstrap, conditions.cores
    conditions.tell("latency: what the engine can take")
    capacity = growth.measure(growth.BASE, conditions).frames_per_second
    names = {rate: f"{rate:,}" for rate in RATES}
    names |= {int(capacity * share): f"{share:.0%} of capacity ({capacity * share:,.0f})" for share in SHARES}
    found = measure(bootstrap, cores, list(names), conditions.scale.latency_s, conditions.tell)
    settings = ", ".join(f"`{name}={value}`" for name, value in READER.items())
    yield Section(
        title="Latency of the engine, produce to `read_committed` reader",
        notes=NOTES.format(
            warm_up_s=WARM_UP_S,
            warm_rate=BROKER_WARM_UP_RATE,
            warm_s=BROKER_WARM_UP_S,
            capacity=capacity,
            settings=settings,
            cores=cores,
        ),
        head=HEAD,
        rows=[(names[latency.rate], *_cells(latency)) for latency in found],
        verdicts=list(_verdicts(found)),
        is_complete=not any(latency.missing for latency in found),
    )


def measure(
    bootstrap: str,
    cores: Cores,
    rates: Sequence[int],
    seconds: float,
    tell: Callable[[str], None] = lambda _: None,
) -> list[Latency]:
    """Measure at each of ``rates`` (frames a second), on one worker that stays up."""
    prefix = f"latency-{time.time_ns():x}."
    load.create_topics(bootstrap, prefix)
    assignment = Assignment(bootstrap=bootstrap, prefix=prefix, frames=0, core=cores.worker)
    results = []
    with running_engine(assignment), contextlib.closing(load.reader(bootstrap, **READER)) as consumer:
        consumer.assign([TopicPartition(prefix + OUT, partition, 0) for partition in range(PARTITIONS)])
        _until_first_output(consumer, assignment, cores)
        tell(f"latency: {BROKER_WARM_UP_S:.0f} s to warm the broker up")
        _at(consumer, assignment, cores, BROKER_WARM_UP_RATE, BROKER_WARM_UP_S)
        for rate in rates:
            results.append(latency := _at(consumer, assignment, cores, rate, seconds))
            tell(f"latency at {rate:,} frames/s: p50 {latency.p50_ms:.1f} ms, p99 {latency.p99_ms:.1f} ms")
    load.delete_topics(bootstrap, prefix)
    return results


@contextlib.contextmanager
def running_engine(assignment: Assignment) -> "Iterator[subprocess.Popen[bytes]]":
    """Run an engine worker until the end of the block; raise with the end of its log when it ended before."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.engine_worker", assignment.to_argument()], stdout=log, stderr=log
        )
        try:
            yield process
            if process.poll() is not None:
                log.seek(0)
                raise SystemExit(f"the worker ended with {process.returncode}\n{log.read().decode()[-3000:]}")
        finally:
            process.terminate()
            process.wait(30)


def _until_first_output(consumer: Consumer, assignment: Assignment, cores: Cores) -> None:
    feeder = load.start_feeder(assignment.bootstrap, assignment.prefix, FIRST_RATE, 1.0, cores.load)
    frames, read, deadline = None, 0, time.monotonic() + START_TIMEOUT_S
    while frames is None or read < frames * CHILDREN:
        if time.monotonic() > deadline:
            raise SystemExit("no output of the worker: it did not start")
        message = consumer.poll(0.2)
        read += message is not None and message.error() is None
        if frames is None and feeder.poll() is not None:
            frames = int(feeder.communicate()[0])


def _at(consumer: Consumer, assignment: Assignment, cores: Cores, rate: int, seconds: float) -> Latency:
    feeder = load.start_feeder(assignment.bootstrap, assignment.prefix, rate, WARM_UP_S + seconds, cores.load)
    sent_ns, arrived_ns = array("q"), array("q")
    expected, deadline = None, 0.0
    began_s, cpu_s = time.monotonic(), time.process_time()
    worker_core, broker_core = CoreUse(cores.worker), CoreUse(cores.broker)
    while expected is None or (len(sent_ns) < expected and time.monotonic() < deadline):
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            arrived_ns.append(time.time_ns())
            sent_ns.append(int(message.headers()[-1][1]))  # ce_tcreceived
        elif expected is None and feeder.poll() is not None:
            expected, deadline = int(feeder.communicate()[0]) * CHILDREN, time.monotonic() + TAIL_S
    reader_share = (time.process_time() - cpu_s) / (time.monotonic() - began_s)
    first_ns = min(sent_ns)
    warm_ns = first_ns + int(WARM_UP_S * 1e9)
    waits_ms = [(now - at) / 1e6 for now, at in zip(arrived_ns, sent_ns, strict=True) if at >= warm_ns]
    cuts = statistics.quantiles(waits_ms, n=1_000)
    return Latency(
        rate=rate,
        missing=expected - len(sent_ns),
        reader_share=reader_share,
        worker_core=worker_core.share(),
        broker_core=broker_core.share(),
        p50_ms=cuts[499],
        p90_ms=cuts[899],
        p99_ms=cuts[989],
        p999_ms=cuts[998],
        max_ms=max(waits_ms),
    )


def _verdicts(found: Sequence[Latency]) -> Iterator[Verdict]:
    for kind, rate, p50_ms, p99_ms in TARGETS:
        for at in found:
            if at.rate == rate:
                for name, bound, ms in (("p50", p50_ms, at.p50_ms), ("p99", p99_ms, at.p99_ms)):
                    text = f"{kind}: {name} ≤ {bound:g} ms at {rate:,} frames/s: {ms:.1f} ms"
                    yield Verdict(text=text, met=ms <= bound)


def _cells(latency: Latency) -> tuple[str, ...]:
    milliseconds = (latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.p999_ms, latency.max_ms)
    return (
        *(f"{value:.1f}" for value in milliseconds),
        *("" if share is None else f"{share:.0%}" for share in (latency.worker_core, latency.broker_core)),
        f"{latency.reader_share:.0%}",
        str(latency.missing),
    )


if __name__ == "__main__":
    sys.exit(alone(sections, __doc__))
