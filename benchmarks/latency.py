"""Latency: from the moment a frame is handed to a producer to the moment a `read_committed` reader has its records."""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

from benchmarks import load
from benchmarks.conditions import Conditions
from benchmarks.cores import Cores
from benchmarks.job import CHILDREN, OUT, PARTITIONS
from benchmarks.peer import Assignment
from benchmarks.section import Section, Verdict

WARM_UP_S = 3.0
READER = {"fetch.wait.max.ms": 100, "fetch.min.bytes": 1}
START_TIMEOUT_S = 60.0
TAIL_S = 10.0
"""How long after the feeder's end the reader waits for what is missing."""
FIRST_RATE = 10
RATES = (50, 500, 2_000)
HEAD = ("frames/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "missing")
TARGET_RATE, P50_MS, P99_MS = 2_000, 15.0, 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Latency of the records of all frames but those of the first ``WARM_UP_S`` seconds, milliseconds."""

    rate: int
    frames: int
    missing: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float


def sections(conditions: Conditions) -> Iterator[Section]:
    """Measure at every rate; yield the section."""
    conditions.tell("latency")
    found = measure(conditions.bootstrap, conditions.cores, RATES, conditions.scale.latency_s)
    (at,) = (latency for latency in found if latency.rate == TARGET_RATE)
    settings = ", ".join(f"`{name}={value}`" for name, value in READER.items())
    yield Section(
        title="Latency of the engine, produce to `read_committed` reader",
        notes=(
            f"Every output record counts; the first {WARM_UP_S:g} s of each rate are left out. Reader: confluent-kafka,"
            f" {settings}."
        ),
        head=HEAD,
        rows=[_cells(latency) for latency in found],
        verdicts=[
            Verdict(text=f"aim: {name} ≤ {bound:g} ms at {TARGET_RATE:,} frames/s: {ms:.1f} ms", met=ms <= bound)
            for name, bound, ms in (("p50", P50_MS, at.p50_ms), ("p99", P99_MS, at.p99_ms))
        ],
        is_complete=not any(latency.missing for latency in found),
    )


def measure(bootstrap: str, cores: Cores, rates: Sequence[int], seconds: float) -> list[Latency]:
    """Measure at each of ``rates`` (frames a second), on one worker that stays up."""
    prefix = f"latency-{time.time_ns():x}."
    load.create_topics(bootstrap, prefix)
    assignment = Assignment(bootstrap=bootstrap, prefix=prefix, frames=0, core=cores.worker)
    with running_engine(assignment), contextlib.closing(load.reader(bootstrap, **READER)) as consumer:
        consumer.assign([TopicPartition(prefix + OUT, partition, 0) for partition in range(PARTITIONS)])
        _until_first_output(consumer, assignment, cores)
        results = [_at(consumer, assignment, cores, rate, seconds) for rate in rates]
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
    arrived: list[tuple[int, list[tuple[str, bytes]]]] = []
    expected, deadline = None, 0.0
    while expected is None or (len(arrived) < expected and time.monotonic() < deadline):
        message = consumer.poll(0.1)
        now_ns = time.time_ns()
        if message is not None and message.error() is None:
            arrived.append((now_ns, message.headers()))
        elif expected is None and feeder.poll() is not None:
            expected, deadline = int(feeder.communicate()[0]) * CHILDREN, time.monotonic() + TAIL_S
    sent = [int(dict(headers)["ce_tcreceived"]) for _, headers in arrived]
    warm_ns = min(sent) + int(WARM_UP_S * 1e9)
    waits_ms = [(now - at) / 1e6 for (now, _), at in zip(arrived, sent, strict=True) if at >= warm_ns]
    cuts = statistics.quantiles(waits_ms, n=100)
    return Latency(
        rate=rate,
        frames=expected // CHILDREN,
        missing=expected - len(arrived),
        p50_ms=cuts[49],
        p90_ms=cuts[89],
        p99_ms=cuts[98],
        max_ms=max(waits_ms),
    )


def _cells(latency: Latency) -> tuple[str, ...]:
    milliseconds = (latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.max_ms)
    return (f"{latency.rate:,}", *(f"{value:.1f}" for value in milliseconds), str(latency.missing))
