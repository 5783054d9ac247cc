"""`python -m benchmarks`: throughput beside the peers, the whole road, latency; writes docs/benchmarks.md."""

import argparse
import json
import os
import sys
from pathlib import Path

from rich.console import Console

from benchmarks import latency, machine, report, road, throughput
from benchmarks.cores import choose
from tricast.kafka import Cluster

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
FRAMES, QUICK_FRAMES = 100_000, 30_000
RATES, QUICK_RATES = [50, 500, 2_000], [500]
LATENCY_S = 15.0


def main() -> int:
    """Return 0 when every run's outputs were complete, met targets or not: those are for people to judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=None, help="interleaved rounds (5; 2 with --quick)")
    parser.add_argument("--quick", action="store_true", help="fewer frames, one rate; does not write the page")
    parser.add_argument("--frames", type=int, default=None, help="frames of one run (100,000; 30,000 with --quick)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    arguments = parser.parse_args()
    rounds = arguments.runs or (2 if arguments.quick else 5)
    frames = arguments.frames or (QUICK_FRAMES if arguments.quick else FRAMES)
    rates = QUICK_RATES if arguments.quick else RATES

    cores = choose()
    if cores.load is not None:
        os.sched_setaffinity(0, {cores.load})
    progress = Console(stderr=True, log_path=False)
    with Cluster(ephemeral=True, brokers=1, cpus=cores.broker_cpus) as kafka:
        before = machine.load_per_core()
        runs = throughput.measure(kafka.bootstrap_servers, cores, rounds=rounds, frames=frames, tell=progress.log)
        roads = [
            road.measure(way, kafka.bootstrap_servers, cores, rounds=rounds, count=frames, tell=progress.log)
            for way in road.WAYS
        ]
        progress.log("latency")
        latencies = latency.measure(kafka.bootstrap_servers, cores, rates, LATENCY_S)
    results = report.Results(
        command=" ".join(["python -m benchmarks", *sys.argv[1:]]),
        machine=machine.facts(),
        cores=str(cores),
        load_per_core=(before, machine.load_per_core()),
        rounds=rounds,
        frames=frames,
        rows=throughput.rows(runs),
        roads=roads,
        latencies=latencies,
    )
    if arguments.json:
        print(json.dumps(results.to_json()))
    else:
        console = Console()
        console = Console(width=max(console.width, report.WIDTH))  # also where there is no terminal
        for table in report.tables(results):
            console.print(table)
    if not arguments.quick:
        PAGE.write_text(report.page(results), encoding="utf-8")
    return 0 if all(run.is_complete for run in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
