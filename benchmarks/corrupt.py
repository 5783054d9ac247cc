"""`python -m benchmarks.corrupt`: what one corrupt record in a hundred costs, beside the same road without any.

Rounds alternate, so that whatever else the machine does meets both; the share that counts is that of medians.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from random import Random

from rich.console import Console
from rich.table import Table

from benchmarks import corrupt_cores, machine, rms_approvals, road
from benchmarks.cores import choose
from benchmarks.road_frames import Frame
from tricast.kafka import Cluster

SHARE = 1 / 100
LIMIT = 0.10
"""What it may cost."""

APPROVALS = road.Way(
    name="RMS approvals",
    source="rms.raw",
    processor="rms.approvals",
    outputs=("rms.approvals", "rms.pending", "rms.health", "rms.dead-letters"),
    frames=rms_approvals.frames,
    part=b"RESERVE_BET_",
)
WAYS = (*road.WAYS, APPROVALS)


def _cut(value: bytes, random: Random) -> bytes:
    return value[: random.randrange(1, max(2, len(value)))]


def _noise(value: bytes, random: Random) -> bytes:
    at = random.randrange(len(value) + 1)
    return value[:at] + random.randbytes(20) + value[at + 20 :]


def _other_json(value: bytes, random: Random) -> bytes:
    return random.choice((b"[]", b'{"a":[[1e400,null]]}', b"null", b'2["message","[{}]"]', b'{"type":7}'))


def _deep(value: bytes, random: Random) -> bytes:
    return value[: len(value) // 2] + b"[" * 5_000


SPOILERS: tuple[Callable[[bytes, Random], bytes], ...] = (_cut, _noise, _other_json, _deep)


def spoil(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Yield the same records, :data:`SHARE` of them corrupt."""
    random = Random(2)
    for partition, key, value, headers in frames:
        bad = random.random() < SHARE
        yield partition, key, random.choice(SPOILERS)(value, random) if bad else value, headers


def spoiled(frames: Callable[[int], Iterator[Frame]]) -> Callable[[int], Iterator[Frame]]:
    """Return what makes the same records, some of them corrupt."""
    return lambda count: spoil(frames(count))


@dataclass(frozen=True, slots=True)
class Cost:
    """Both roads of one processor, round by round."""

    name: str
    clean: list[road.RoadRun]
    corrupt: list[road.RoadRun]

    @property
    def lost_share(self) -> float:
        """Share of the throughput that is lost, of medians; below 0 when it is none."""
        return 1 - _rate(self.corrupt) / _rate(self.clean)

    @property
    def more_cpu(self) -> float:
        """Share of processor time that comes on top, of medians: what other work on the machine disturbs less."""
        return _cpu_us(self.corrupt) / _cpu_us(self.clean) - 1


def measure(way: road.Way, bootstrap: str, *, rounds: int, count: int, tell: Callable[[str], None]) -> Cost:
    """Run both roads in turn."""
    cores = choose()
    cost = Cost(way.name, [], [])
    for number in range(1, rounds + 1):
        tell(f"{way.name}, round {number} of {rounds}")
        cost.clean.append(road.run_once(way, bootstrap, cores, count, None))
        cost.corrupt.append(road.run_once(replace(way, frames=spoiled(way.frames)), bootstrap, cores, count, None))
    return cost


def _rate(runs: list[road.RoadRun]) -> float:
    return statistics.median(run.frames_per_second for run in runs)


def _cpu_us(runs: list[road.RoadRun]) -> float:
    return statistics.median(run.report.cpu_seconds / run.report.frames * 1e6 for run in runs)


def main() -> int:
    """Return 1 when a road lost more than :data:`LIMIT`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corrupt", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="rounds of both roads")
    parser.add_argument("--frames", type=int, default=50_000, help="frames of one run")
    parser.add_argument("--road", action="append", choices=[way.name for way in WAYS], help="only this one")
    parser.add_argument("--cores", action="store_true", help="the processors alone: no Kafka, CPU time")
    arguments = parser.parse_args()
    if arguments.cores:
        return _cores(arguments)
    cores = choose()
    if cores.load is not None:
        os.sched_setaffinity(0, {cores.load})
    progress = Console(stderr=True, log_path=False)
    ways = [way for way in WAYS if arguments.road is None or way.name in arguments.road]
    with Cluster(ephemeral=True, brokers=1, cpus=cores.broker_cpus) as kafka:
        costs = [
            measure(way, kafka.bootstrap_servers, rounds=arguments.runs, count=arguments.frames, tell=progress.log)
            for way in ways
        ]
    table = Table("road", title=f"medians of {arguments.runs} runs, {SHARE:.0%} of the records corrupt; {cores}")
    for column in ("clean, records/s", "corrupt", "lost", "CPU µs/record, clean", "corrupt", "more"):
        table.add_column(column, justify="right")
    for cost in costs:
        rates = (f"{_rate(cost.clean):,.0f}", f"{_rate(cost.corrupt):,.0f}", f"{cost.lost_share:.1%}")
        cpu = (f"{_cpu_us(cost.clean):,.0f}", f"{_cpu_us(cost.corrupt):,.0f}", f"{cost.more_cpu:.1%}")
        table.add_row(cost.name, *rates, *cpu)
    console = Console(width=140)
    console.print(table)
    console.print(f"load per core at the end: {machine.load_per_core():.1f}")
    return int(any(cost.lost_share > LIMIT for cost in costs))


def _cores(arguments: argparse.Namespace) -> int:
    title = f"CPU µs per record: least of {arguments.runs} rounds (and medians), {SHARE:.0%} corrupt"
    table = Table("processor", title=title)
    for column in ("clean", "corrupt", "more", "dead letters"):
        table.add_column(column, justify="right")
    most = 0.0
    for way in WAYS:
        if arguments.road is None or way.name in arguments.road:
            cost = corrupt_cores.measure(way, spoil, rounds=arguments.runs, count=arguments.frames)
            runs = (f"{runs.least_us:,.1f} ({runs.median_us:,.1f})" for runs in (cost.clean, cost.corrupt))
            table.add_row(cost.name, *runs, f"{cost.more:.1%} ({cost.more_of_medians:.1%})", f"{cost.dead_letters:,}")
            most = max(most, cost.more)
    Console(width=140).print(table)
    return int(most > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
