"""`python -m benchmarks.observe --against REVISION`: what metrics cost, beside the code as it was before them.

Both trees run in turns, so that other work on the machine meets both; processor time is what is compared. What looking
and scraping cost is by the second and not by the frame, so on a busy machine `--served` says more about that machine.
`--cores` leaves Kafka away: other work makes CPU time longer, never shorter, so of each 200 records the least of all
rounds counts, and differences show that the whole road hides.
"""

import argparse
import contextlib
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import load, road
from benchmarks.cores import Cores, choose
from benchmarks.corrupt_cores import Runs
from benchmarks.throughput import RUN_TIMEOUT_S
from schemas.topics import TOPICS
from tricast.kafka import Cluster

ROOT = Path(__file__).parents[1]
SCRAPE_S = 1.0
MOST_PERCENT = 3.0
RECORDING = "Recording (connector)"
_PLAY = """
import dataclasses, json, pickle, sys
from benchmarks import corrupt_cores, road
(way,) = (way for way in road.WAYS if way.name == sys.argv[1])
frames = pickle.load(open(sys.argv[2], "rb"))
cost = corrupt_cores.measure(dataclasses.replace(way, frames=lambda _: frames), list, rounds=1, count=0)
print(json.dumps(cost.clean.rounds + cost.corrupt.rounds))
"""


def main() -> int:
    """Return 0 when the median of what metrics cost is below the bound on every road."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.observe", description=__doc__)
    parser.add_argument("--against", required=True, help="revision without metrics")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=30_000)
    parser.add_argument("--cores", action="store_true", help="the processors alone: no Kafka")
    parser.add_argument("--served", action="store_true", help="with endpoints, scraped once a second")
    parser.add_argument("--bootstrap", help="a Kafka that runs; one of its own without")
    arguments = parser.parse_args()
    cores, progress = choose(), Console(stderr=True)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        before = _checkout(arguments.against, folder / "before")
        if arguments.cores:
            return _cores(before, folder / "frames", arguments.rounds, arguments.frames)
        bootstrap = arguments.bootstrap
        if bootstrap is None:
            broker = stack.enter_context(Cluster(ephemeral=True, brokers=1, cpus=cores.broker_cpus))
            bootstrap = broker.bootstrap_servers
        addresses = folder / "addresses" if arguments.served else None
        if addresses is not None:
            stack.enter_context(_scraping(addresses))
        roads: dict[str, Callable[[bool], float]] = {
            RECORDING: partial(_recording, bootstrap, arguments.frames * 5, before)
        }
        for way in road.WAYS:
            roads[way.name] = partial(_worker, way, bootstrap, cores, arguments.frames, before, addresses)
        costs = {name: _measured(name, run, arguments.rounds, progress) for name, run in roads.items()}
    Console().print(_table(costs))
    return 0 if all(_extra(pairs) < MOST_PERCENT for pairs in costs.values()) else 1


def _cores(before: Path, kept: Path, rounds: int, count: int) -> int:
    table = Table("processor", "CPU µs a record before", "with metrics", "more", title="Cost, without Kafka")
    costs = []
    for way in road.WAYS:
        frames = list(way.frames(count))
        kept.write_bytes(pickle.dumps(frames))
        sides = (Runs(len(frames)), Runs(len(frames)))
        for number in range(rounds):
            for new in (bool(number % 2), not number % 2):
                sides[new].rounds += _played(way.name, kept, ROOT if new else before)
        old_us, new_us = sides[False].least_us, sides[True].least_us
        costs.append((new_us / old_us - 1) * 100)
        table.add_row(way.name, f"{old_us:.2f}", f"{new_us:.2f}", f"{costs[-1]:+.1f} %")
    Console().print(table)
    return 0 if max(costs) < MOST_PERCENT else 1


def _played(road_name: str, kept: Path, checkout: Path) -> list[list[float]]:
    """Return CPU seconds of each stretch of the records in ``kept``, of two rounds in one process."""
    ended = subprocess.run(
        [sys.executable, "-c", _PLAY, road_name, str(kept)],
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
    )
    if ended.returncode:
        raise SystemExit(ended.stderr[-3000:])
    found: list[list[float]] = json.loads(ended.stdout)
    return found


def _measured(name: str, run: Callable[[bool], float], rounds: int, progress: Console) -> list[tuple[float, float]]:
    """Return microseconds a frame of each round, before and with metrics; who begins changes from round to round."""
    pairs = []
    for number in range(rounds):
        new_first = bool(number % 2)
        one, other = run(new_first), run(not new_first)
        pairs.append((other, one) if new_first else (one, other))
        progress.log(f"{name}, round {number + 1} of {rounds}: {pairs[-1][0]:.1f} and {pairs[-1][1]:.1f} µs a frame")
    return pairs


def _extra(pairs: list[tuple[float, float]]) -> float:
    before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
    return (after / before - 1) * 100


def _table(costs: Mapping[str, list[tuple[float, float]]]) -> Table:
    table = Table("road", "CPU µs a frame before", "with metrics", "more (medians)", "each round, %", title="Cost")
    for name, pairs in costs.items():
        before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
        rounds = " ".join(f"{(new / old - 1) * 100:+.1f}" for old, new in pairs)
        table.add_row(name, f"{before:.2f}", f"{after:.2f}", f"{_extra(pairs):+.1f} %", rounds)
    return table


def _worker(
    way: road.Way, bootstrap: str, cores: Cores, frames: int, before: Path, addresses: Path | None, new: bool
) -> float:
    checkout, served = (None, addresses) if new else (before, None)
    run = road.run_once(way, bootstrap, cores, frames, None, checkout=checkout, addresses=served)
    return run.report.cpu_seconds / run.report.frames * 1e6


def _recording(bootstrap: str, frames: int, before: Path, new: bool) -> float:
    prefix = f"recording-{time.time_ns():x}."
    load.create_topics(bootstrap, prefix, TOPICS)
    script = Path(__file__).with_name("recording_worker.py")
    ended = subprocess.run(
        [sys.executable, str(script), bootstrap, f"{prefix}kambi.raw", str(frames)],
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT if new else before)},
    )
    if ended.returncode:
        raise SystemExit(ended.stderr[-3000:])
    load.delete_topics(bootstrap, prefix, TOPICS)
    return float(json.loads(ended.stdout)["cpu_seconds"]) / frames * 1e6


def _checkout(revision: str, folder: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", "--shared", str(ROOT), str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "checkout", "--quiet", revision], check=True)
    return folder


@contextlib.contextmanager
def _scraping(addresses: Path) -> Iterator[None]:
    """Ask whoever has an address for its metrics, as Prometheus would, and more often."""
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(SCRAPE_S):
            for path in addresses.glob("*.json"):
                with contextlib.suppress(OSError, ValueError):
                    url = json.loads(path.read_text(encoding="utf-8"))["url"]
                    urllib.request.urlopen(f"{url}/metrics", timeout=5).read()

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    sys.exit(main())
