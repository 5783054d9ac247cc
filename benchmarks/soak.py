"""`python -m benchmarks.soak`: memory of connector and worker under steady load; it has to be flat.

The real chain on this machine: simulated vendor in load mode, connector, Kafka, the Kambi processor. Matches end and
new ones open all the time. The processor remembers facts for a window of stream time (`processors.core.kambi.dedupe`),
so the worker grows until that window is full and is judged from then on; the connector is judged from the first mark.
"""

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from confluent_kafka import TopicPartition
from rich.console import Console
from rich.table import Table

from benchmarks import load
from benchmarks.cores import Cores, choose
from processors.core.kambi.dedupe import WINDOW_S
from schemas.topics import TOPICS
from tricast.kafka import Cluster

PREFIX = "soak."
CONNECTOR, WORKER = WATCHED = ("connect", "work-one")
READ, WRITTEN = ("kambi.raw",), ("kambi.events", "kambi.offers")
MARKS_MIN = (1, 5, 10, 12, 15, 20)
SETTLED_MIN = {CONNECTOR: 1, WORKER: WINDOW_S / 60 + 2}
"""From here on memory must stand still; two minutes are for starting and for one round of housekeeping."""
FLAT_SHARE = 0.10
"""From there to the end memory may grow by this share: allocators never stand quite still."""
MATCH_DURATION_S = 40
"""Short, so that every event of the first minute is gone by the third."""
EVENTS_LIVE = 40
LOOPBACK = "127.0.0.1"
GRACE_S = 30.0
WIDTH = 110
LOG_CHARS = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One moment: memory (MiB) and processor seconds by process, and how many records were read and written."""

    minute: float
    rss_mib: Mapping[str, float]
    cpu_seconds: Mapping[str, float]
    raw_records: int
    normalized_records: int


def soak(bootstrap: str, cores: Cores, *, rate: int, minutes: float) -> list[Sample]:
    """Run the chain at ``rate`` load frames a second and sample it at the marks and at the end."""
    with socket.create_server((LOOPBACK, 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "TRICAST_TOPIC_PREFIX": PREFIX,
        "TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "TRICAST_KAMBI__PUSH_URL": f"ws://{LOOPBACK}:{port}",
        "TRICAST_KAMBI__OFFERING_URL": f"http://{LOOPBACK}:{port}",
        "TRICAST_SIMULATOR__KAMBI__HOST": LOOPBACK,
        "TRICAST_SIMULATOR__KAMBI__PORT": str(port),
        "TRICAST_SIMULATOR__KAMBI__EVENTS_LIVE": str(EVENTS_LIVE),
        "TRICAST_SIMULATOR__KAMBI__MATCH_DURATION_S": str(MATCH_DURATION_S),
        "TRICAST_SIMULATOR__KAMBI__LOAD_FRAMES_PER_S": str(rate),
    }
    load.create_topics(bootstrap, PREFIX, TOPICS)
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def start(command: str, core: int | None) -> psutil.Process:
            log = directory / command
            return stack.enter_context(_running(command, {**os.environ, **environment}, log, core))

        start("simulate", cores.load)
        processes = {
            "work-one": start("work-one", cores.worker),
            "connect": start("connect", cores.load),
        }
        began = time.monotonic()
        return [
            _sample(bootstrap, processes, minute)
            for minute in sorted({mark for mark in MARKS_MIN if mark < minutes} | {minutes})
            if _sleep_until(began + minute * 60)
        ]


def verdict(samples: list[Sample], name: str) -> bool | None:
    """Return whether memory of process ``name`` stood still once settled; ``None`` when the run was too short."""
    settled = [sample.rss_mib[name] for sample in samples if sample.minute >= SETTLED_MIN[name]]
    return settled[-1] <= settled[0] * (1 + FLAT_SHARE) if len(settled) > 1 else None


@contextlib.contextmanager
def _running(command: str, environment: Mapping[str, str], log: Path, core: int | None) -> Iterator[psutil.Process]:
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "tricast", command, "kambi"], env=dict(environment), stdout=sink, stderr=sink
        )
    watched = psutil.Process(process.pid)
    if core is not None:
        watched.cpu_affinity([core])
    try:
        yield watched
    finally:
        ended = process.poll()
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
        if ended is not None:
            tail = log.read_text(errors="replace")[-LOG_CHARS:]
            raise SystemExit(f"tricast {command} kambi ended with {ended}\n{tail}")


def _sleep_until(moment: float) -> bool:
    time.sleep(max(0.0, moment - time.monotonic()))
    return True


def _sample(bootstrap: str, processes: Mapping[str, psutil.Process], minute: float) -> Sample:
    times = {name: process.cpu_times() for name, process in processes.items()}
    return Sample(
        minute=minute,
        rss_mib={name: process.memory_info().rss / 2**20 for name, process in processes.items()},
        cpu_seconds={name: time.user + time.system for name, time in times.items()},
        raw_records=_end_offsets(bootstrap, READ),
        normalized_records=_end_offsets(bootstrap, WRITTEN),
    )


def _end_offsets(bootstrap: str, topics: tuple[str, ...]) -> int:
    with contextlib.closing(load.reader(bootstrap)) as consumer:
        return sum(
            consumer.get_watermark_offsets(TopicPartition(PREFIX + name, partition))[1]
            for name in topics
            for partition in range(TOPICS[name].partitions)
        )


def _table(samples: list[Sample], rate: int) -> Table:
    table = Table(title=f"Memory at {rate} load frames/s, {EVENTS_LIVE} events live", title_justify="left")
    columns: dict[str, Callable[[Sample], str]] = {"minute": lambda sample: f"{sample.minute:g}"}
    for name in WATCHED:
        columns[f"{name} RSS MiB"] = lambda sample, name=name: f"{sample.rss_mib[name]:.1f}"
        columns[f"{name} CPU s"] = lambda sample, name=name: f"{sample.cpu_seconds[name]:.0f}"
    columns["raw offsets"] = lambda sample: f"{sample.raw_records:,}"
    columns["normalized offsets"] = lambda sample: f"{sample.normalized_records:,}"
    for name in columns:
        table.add_column(name, justify="right")
    for sample in samples:
        table.add_row(*(cell(sample) for cell in columns.values()))
    return table


def main() -> int:
    """Return 0 when memory was flat, 1 when it grew or the run was too short to tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rate", type=int, default=300, help="load frames a second, beside the offering's own")
    arguments = parser.parse_args()
    cores = choose()
    with Cluster(ephemeral=True, brokers=1, cpus=cores.broker_cpus) as kafka:
        samples = soak(kafka.bootstrap_servers, cores, rate=arguments.rate, minutes=arguments.minutes)
    Console(width=WIDTH).print(_table(samples, arguments.rate))
    verdicts = {name: verdict(samples, name) for name in WATCHED}
    for name, flat in verdicts.items():
        text = {True: "flat", False: f"NOT FLAT: grew by more than {FLAT_SHARE:.0%}", None: "too short to tell"}[flat]
        print(f"{name}: {text} (judged from minute {SETTLED_MIN[name]:g} on)")
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
