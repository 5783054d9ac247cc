"""`python -m benchmarks.shares`: how much of the engine's time in the throughput table is the job's own.

Every Python peer has to do the job, so this bounds how many times as fast as a peer any engine can be.
"""

import statistics
import sys
import time
from collections.abc import Iterator

from benchmarks import load
from benchmarks.alone import alone
from benchmarks.conditions import Conditions
from benchmarks.job import CHILDREN
from benchmarks.peer import Assignment, Report
from benchmarks.road import work
from benchmarks.section import Section
from benchmarks.throughput import FRAMES_TIMES, MANY_CHILDREN

WARM_UP_SHARE = 0.1
HEAD = ("children a frame", "CPU µs/frame", "the job", "encoding outputs", "the rest", "the job's share")
NOTES = """\
Medians of runs like those of the throughput tables, with a clock of the thread's processor time around two parts; the
clock itself costs about 1 µs a frame. The job: `benchmarks/job.py` and what it asks of the store, which every
peer has to do and Python peers do in the same code. Encoding: finding each output's partition and adding it to a record
batch in aiokafka's C code. The rest: receiving and decoding the source, the engine's own checks of every record, state
for the changelog, sending, the transaction. A peer's CPU µs/frame over that of the job is how many times as fast as it
an engine would be that costs nothing."""


def sections(conditions: Conditions) -> Iterator[Section]:
    """Measure with few and with many children a frame; yield the section."""
    rows = []
    for children in (CHILDREN, MANY_CHILDREN):
        reports = []
        for number in range(1, conditions.scale.rounds + 1):
            conditions.tell(f"shares, {children} children, round {number} of {conditions.scale.rounds}")
            reports.append(_run(conditions, children))
        rows.append(cells(children, reports))
    yield Section(title="How much of the engine's time is the job's own", notes=NOTES, head=HEAD, rows=rows)


def _run(conditions: Conditions, children: int) -> Report:
    bootstrap, prefix = conditions.bootstrap, f"shares-{time.time_ns():x}."
    measured = FRAMES_TIMES * conditions.scale.frames * CHILDREN // children
    warm_up = int(measured * WARM_UP_SHARE)
    load.create_topics(bootstrap, prefix)
    load.preload(bootstrap, prefix, warm_up + measured, children)
    core = conditions.cores.worker
    assignment = Assignment(bootstrap=bootstrap, prefix=prefix, frames=warm_up + measured, warm_up=warm_up, core=core)
    report = work("benchmarks.shares_worker", assignment)
    load.delete_topics(bootstrap, prefix)
    return report


def cells(children: int, reports: list[Report]) -> tuple[str, ...]:
    """Return the row of a table: medians, microseconds a frame."""

    def us(seconds: list[float]) -> float:
        return statistics.median(took / report.frames for took, report in zip(seconds, reports, strict=True)) * 1e6

    whole = us([report.cpu_seconds for report in reports])
    job, encoding = (us([int(report.settings[name]) / 1e9 for report in reports]) for name in ("job_ns", "encoding_ns"))
    rest = whole - job - encoding
    return str(children), f"{whole:.1f}", f"{job:.1f}", f"{encoding:.1f}", f"{rest:.1f}", f"{job / whole:.0%}"


if __name__ == "__main__":
    sys.exit(alone(sections, __doc__))
