"""`python -m benchmarks.soak`: memory of a worker under steady load; it has to be flat.

Keys are bounded as they are in a real offering, so state stops growing within the first seconds.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import load
from benchmarks.cores import choose
from benchmarks.latency import running_engine
from benchmarks.peer import Assignment
from tricast.kafka import Cluster

MARKS_MIN = (1, 5, 10)
FLAT_SHARE = 0.10
"""From the first mark to the last, memory may grow by this share: allocators never stand quite still."""
START_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Memory and processor time of one process at one moment."""

    minute: float
    rss_mib: float
    cpu_seconds: float


def soak(bootstrap: str, assignment: Assignment, *, rate: int, minutes: float, load_core: int | None) -> list[Sample]:
    """Feed a worker at ``rate`` frames a second and sample it at the marks and at the end."""
    marks = sorted({mark for mark in MARKS_MIN if mark < minutes} | {minutes})
    samples = []
    with running_engine(assignment) as worker:
        process = psutil.Process(worker.pid)
        feeder = load.start_feeder(bootstrap, assignment.prefix, rate, minutes * 60 + START_S, load_core)
        began = time.monotonic() + START_S
        for minute in marks:
            time.sleep(max(0.0, began + minute * 60 - time.monotonic()))
            if worker.poll() is not None:
                break
            times = process.cpu_times()
            samples.append(
                Sample(
                    minute=minute,
                    rss_mib=process.memory_info().rss / 2**20,
                    cpu_seconds=times.user + times.system,
                )
            )
        feeder.wait()
    return samples


def is_flat(samples: list[Sample]) -> bool:
    """Return whether memory at the end is what it was at the first mark."""
    return samples[-1].rss_mib <= samples[0].rss_mib * (1 + FLAT_SHARE)


def main() -> int:
    """Return 0 when memory was flat, 1 when it grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=500, help="frames a second")
    arguments = parser.parse_args()
    cores = choose()
    with Cluster(ephemeral=True, brokers=1, cpus=cores.broker_cpus) as kafka:
        prefix = f"soak-{os.getpid()}."
        load.create_topics(kafka.bootstrap_servers, prefix)
        assignment = Assignment(bootstrap=kafka.bootstrap_servers, prefix=prefix, frames=0, core=cores.worker)
        samples = soak(
            kafka.bootstrap_servers,
            assignment,
            rate=arguments.rate,
            minutes=arguments.minutes,
            load_core=cores.load,
        )
    table = Table("minute", "worker RSS MiB", "worker CPU s", title=f"Memory at {arguments.rate} frames/s")
    for sample in samples:
        table.add_row(f"{sample.minute:g}", f"{sample.rss_mib:.1f}", f"{sample.cpu_seconds:.1f}")
    Console().print(table)
    print("flat" if is_flat(samples) else f"NOT FLAT: more than {FLAT_SHARE:.0%} from the first mark to the last")
    return 0 if is_flat(samples) else 1


if __name__ == "__main__":
    sys.exit(main())
