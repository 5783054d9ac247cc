"""`python -m benchmarks`: the engine beside its peers and every other workload; writes docs/benchmarks.md."""

import argparse
import json
import os
import shlex
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import growth, ingest, latency, machine, report, restore, road, shares, throughput
from benchmarks.conditions import FULL, QUICK, USUAL, Conditions, Scale
from benchmarks.cores import choose
from benchmarks.section import Section
from tricast.kafka import Cluster

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
DATA = PAGE.with_suffix(".json")
"""What the page is made of, so that one workload can be measured anew."""
WORKLOADS: dict[str, Callable[[Conditions], Iterable[Section]]] = {
    "throughput": throughput.sections,
    "shares": shares.sections,
    "road": road.sections,
    "ingest": ingest.sections,
    "restore": restore.sections,
    "growth": growth.sections,
    "latency": latency.sections,
}


def main() -> int:
    """Return 0 when every run's outputs were right, met targets or not: those are for people to judge."""
    arguments = _arguments()
    scale = _scale(arguments)
    names = arguments.only or list(WORKLOADS)
    cores = choose()
    if cores.load is not None:
        os.sched_setaffinity(0, {cores.load})
    console = Console(stderr=True, log_path=False)
    out = Console(width=max(console.width, report.WIDTH))  # also where there is no terminal
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    command = shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]])
    results = report.Results(machine=machine.facts(), cores=str(cores), measured=())
    if arguments.update:  # now, and not when all is measured
        _updated(results)
    measured: list[report.Measured] = []
    with (
        Progress(*columns, console=console, transient=True) as progress,
        Cluster(ephemeral=True, brokers=1, cpus=cores.broker_cpus) as kafka,
    ):
        conditions = Conditions(bootstrap=kafka.bootstrap_servers, cores=cores, scale=scale, tell=console.log)
        task = progress.add_task("workloads", total=len(names))
        for name in names:
            progress.update(task, description=name)
            began, before = time.monotonic(), machine.load_per_core()
            sections: list[Section] = []
            for section in _sections(name, conditions):
                sections.append(section)
                if not arguments.json:  # at once: a run that is ended later has shown this
                    out.print(report.table(section))
            measured.append(
                report.Measured(
                    workload=name,
                    command=command,
                    at=machine.now(),
                    minutes=(time.monotonic() - began) / 60,
                    load_per_core=(before, machine.load_per_core()),
                    sections=sections,
                )
            )
            progress.advance(task)
    results = replace(results, measured=measured)
    if arguments.json:
        print(json.dumps(results.to_json()))
    else:
        out.print(report.targets(results))
    if arguments.update:
        results = _updated(results)
    if arguments.update or not (arguments.quick or arguments.only):
        DATA.write_text(json.dumps(results.to_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        PAGE.write_text(report.page(results), encoding="utf-8")
    return 0 if all(section.is_complete for each in measured for section in each.sections) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="one short round; does not write the page")
    size.add_argument("--full", action="store_true", help=f"{FULL.rounds} rounds")
    parser.add_argument("--rounds", type=int, help="how many, whatever the size")
    parser.add_argument("--only", action="append", choices=WORKLOADS, help="this workload; does not write the page")
    parser.add_argument(
        "--update", action="store_true", help="write the page all the same: its part of these workloads"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def _updated(results: report.Results) -> report.Results:
    kept = report.Results.from_json(json.loads(DATA.read_text(encoding="utf-8")))
    try:
        return kept.updated(results)
    except ValueError as error:
        raise SystemExit(f"{error}; `python -m benchmarks --full` measures all of it anew") from error


def _scale(arguments: argparse.Namespace) -> Scale:
    scale = QUICK if arguments.quick else FULL if arguments.full else USUAL
    return scale if arguments.rounds is None else replace(scale, rounds=arguments.rounds)


def _sections(name: str, conditions: Conditions) -> Iterable[Section]:
    """Yield what a workload found; where it stops, say so in its place: the others' hours are not to be lost."""
    try:
        yield from WORKLOADS[name](conditions)
    except (Exception, SystemExit) as error:
        said = "".join(traceback.format_exception_only(error)).strip()
        conditions.tell(f"{name} stopped: {said}")
        notes = f"What it said:\n\n```\n{said}\n```"
        yield Section(title=f"{name}: stopped", notes=notes, head=("nothing measured",), rows=(), is_complete=False)


if __name__ == "__main__":
    sys.exit(main())
