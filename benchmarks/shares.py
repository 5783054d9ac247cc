"""`python -m benchmarks.shares`: how much of the engine's time in the throughput tables is the job's own.

Every Python peer has to do the job, so what it takes by itself bounds how many times as fast as a peer any engine can
be.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks import check, load
from benchmarks.alone import alone
from benchmarks.conditions import Conditions
from benchmarks.contenders import ENGINE
from benchmarks.frames import Frames
from benchmarks.job import CHILDREN, PARTITIONS, RAW, transform
from benchmarks.peer import Assignment, Report
from benchmarks.road import work
from benchmarks.section import Section
from benchmarks.throughput import FRAMES_TIMES, MANY_CHILDREN

ALONE_CHILDREN = 40_000
"""Children in the frames of the job by itself."""
HEAD = (
    "CPU µs a frame",
    "engine",
    "the job in it",
    "encoding",
    "the rest",
    "the job's share",
    "the job alone",
    "right",
)
NOTES = """\
Medians of runs like those of the throughput tables, with clocks of the thread's processor time around two parts of the
engine; what the clocks themselves cost is measured after each run and taken off. The job in it: `benchmarks/job.py` and
what it asks of the engine's store. Encoding: finding each output's partition and adding it to a record batch in
aiokafka's C code. The rest: receiving and decoding the source, the engine's own checks of every record, state for the
changelog, sending, the transaction. The job alone: the same frames in a loop, state in a dict, and nothing else, on
another core. A peer's CPU µs/frame over that is how many times as fast as it an engine would be that costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the engine, and of the job alone right after it; microseconds a frame."""

    engine_us: float
    job_us: float
    encoding_us: float
    alone_us: float
    is_right: bool

    @classmethod
    def of(cls, report: Report, alone_us: float, *, is_right: bool) -> "Run":
        """Return the run that ``report`` is of."""
        job_us, encoding_us, clocks_us = (
            report.parts_s[name] / report.frames * 1e6 for name in ("job", "encoding", "clocks")
        )
        return cls(
            engine_us=report.cpu_seconds / report.frames * 1e6 - clocks_us,
            job_us=job_us,
            encoding_us=encoding_us,
            alone_us=alone_us,
            is_right=is_right,
        )

    @property
    def rest_us(self) -> float:
        """What is neither the job nor encoding."""
        return self.engine_us - self.job_us - self.encoding_us


def sections(conditions: Conditions) -> Iterator[Section]:
    """Measure with few and with many children a frame; yield the section."""
    found = {children: _measured(conditions, children) for children in (CHILDREN, MANY_CHILDREN)}
    yield Section(
        title="How much of the engine's time is the job's own",
        notes=NOTES,
        head=HEAD,
        rows=[cells(children, runs) for children, runs in found.items()],
        is_complete=all(run.is_right for runs in found.values() for run in runs),
    )


def _measured(conditions: Conditions, children: int) -> list[Run]:
    runs = []
    for number in range(1, conditions.scale.rounds + 1):
        conditions.tell(f"shares, {children} children, round {number} of {conditions.scale.rounds}")
        runs.append(_run(conditions, children))
    return runs


def _run(conditions: Conditions, children: int) -> Run:
    bootstrap, prefix = conditions.bootstrap, f"shares-{time.time_ns():x}."
    measured = FRAMES_TIMES * conditions.scale.frames * CHILDREN // children
    warm_up = int(measured * ENGINE.warm_up)
    frames, core = warm_up + measured, conditions.cores.worker
    load.create_topics(bootstrap, prefix)
    load.preload(bootstrap, prefix, frames, children)
    assignment = Assignment(bootstrap=bootstrap, prefix=prefix, frames=frames, warm_up=warm_up, core=core)
    report = work("benchmarks.shares_worker", assignment)
    found = check.look(bootstrap, prefix, frames, children)
    load.delete_topics(bootstrap, prefix)
    return Run.of(report, _alone_us(children), is_right=found.is_right(exactly_once=True))


def _alone_us(children: int) -> float:
    frames, state = ALONE_CHILDREN // children, dict[bytes, bytes]()
    made = Frames(children)
    given = [made.frame(number, load.preloaded_ns(number)) for number in range(frames)]
    began_s = time.thread_time()
    for number, (partition, value, headers) in enumerate(given):
        transform(RAW, partition, number // PARTITIONS, value, headers, state.get, state.__setitem__)
    return (time.thread_time() - began_s) / frames * 1e6


def cells(children: int, runs: list[Run]) -> tuple[str, ...]:
    """Return the row of a table: medians."""

    def median(values: list[float]) -> str:
        return f"{statistics.median(values):.1f}"

    return (
        f"{children} children",
        median([run.engine_us for run in runs]),
        median([run.job_us for run in runs]),
        median([run.encoding_us for run in runs]),
        median([run.rest_us for run in runs]),
        f"{statistics.median(run.job_us / run.engine_us for run in runs):.0%}",
        median([run.alone_us for run in runs]),
        "yes" if all(run.is_right for run in runs) else "NO",
    )


if __name__ == "__main__":
    sys.exit(alone(sections, __doc__))
