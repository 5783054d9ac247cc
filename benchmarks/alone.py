"""One workload by itself, as ``python -m benchmarks.NAME`` runs it: a broker of its own, progress, its sections."""

import argparse
import os
from collections.abc import Callable, Iterable

from rich.console import Console

from benchmarks.conditions import FULL, Conditions, Scale
from benchmarks.cores import choose
from benchmarks.section import Section
from tricast.kafka import Cluster


def alone(sections: Callable[[Conditions], Iterable[Section]], about: str | None) -> int:
    """Print what ``sections`` found, as the page would have it; return 0 when all of it is complete."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=FULL.rounds)
    parser.add_argument("--frames", type=int, default=FULL.frames, help="measured frames of one run of a worker")
    parser.add_argument("--seconds", type=float, default=FULL.latency_s, help="of each rate, where latency is measured")
    arguments = parser.parse_args()
    cores = choose()
    if cores.load is not None:
        os.sched_setaffinity(0, {cores.load})
    is_complete = True
    with Cluster(ephemeral=True, brokers=1, cpus=cores.broker_cpus) as kafka:
        conditions = Conditions(
            bootstrap=kafka.bootstrap_servers,
            cores=cores,
            scale=Scale(rounds=arguments.rounds, frames=arguments.frames, latency_s=arguments.seconds),
            tell=Console(stderr=True, log_path=False).log,
        )
        for section in sections(conditions):
            is_complete &= section.is_complete
            print("\n".join(section.markdown()))
            for verdict in section.verdicts:
                print("met:" if verdict.met else "NOT MET:", verdict.text)
    return 0 if is_complete else 1
