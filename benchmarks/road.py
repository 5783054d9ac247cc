"""The whole road of a processor: source records → deduplicated, validated records, with its real core and state."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer, TopicPartition

from benchmarks import fastpath_frames, load, rms_messages, road_frames
from benchmarks.cores import Cores
from benchmarks.peer import Assignment, Report
from benchmarks.throughput import LOG_CHARS, REPORT_START, RUN_TIMEOUT_S
from schemas.topics import TOPICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One processor's road.

    Attributes:
        name: In tables.
        source: Topic that it reads.
        processor: Its name.
        outputs: Topics whose records are counted.
        frames: Makes source records until so many of them are frames.
        part: What stands in a frame once for each of its parts.
    """

    name: str
    source: str
    processor: str
    outputs: Sequence[str]
    frames: Callable[[int], Iterator[road_frames.Frame]]
    part: bytes

    @property
    def changelog(self) -> str:
        return f"changelog.{self.processor}.{self.source}"


WAYS = (
    Way(
        name="Kambi processor",
        source="kambi.raw",
        processor="kambi",
        outputs=("kambi.events", "kambi.offers", "kambi.scores", "kambi.health", "kambi.dead-letters"),
        frames=road_frames.frames,
        part=b'\\"mt\\":',
    ),
    Way(
        name="FastPath audit",
        source="fastpath.raw",
        processor="fastpath.audit",
        outputs=tuple(
            f"fastpath.{topic}"
            for topic in ("actions", "statistics", "sequence", "connections", "commands", "health", "dead-letters")
        ),
        frames=fastpath_frames.frames,
        part=b'eqNum"',
    ),
    Way(
        name="RMS join",
        source="rms.pending",
        processor="rms.join",
        outputs=("rms.decisions", "rms.lookups", "rms.dead-letters"),
        frames=rms_messages.frames,
        part=b'"placed"',
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadRun:
    """One run: the worker's report, and what is in the topics after it, transaction markers included."""

    report: Report
    children: int
    outputs: int
    changelog_records: int

    @property
    def frames_per_second(self) -> float:
        return self.report.frames / self.report.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """All runs of one way, and where a profiled one spent its time.

    Attributes:
        name: Of the way.
        runs: Without profiler.
        costs: Share of the profiled worker's time by module, largest first.
    """

    name: str
    runs: list[RoadRun]
    costs: list[tuple[str, float]]

    @property
    def rates(self) -> list[float]:
        return [run.frames_per_second for run in self.runs]

    @property
    def median_rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cpu_us_per_frame(self) -> float:
        return statistics.median(run.report.cpu_seconds / run.report.frames * 1e6 for run in self.runs)


def measure(way: Way, bootstrap: str, cores: Cores, *, rounds: int, count: int, tell: Callable[[str], None]) -> Road:
    """Run the worker ``rounds`` times, then once under the profiler; every run has topics of its own."""
    runs = []
    for number in range(1, rounds + 1):
        tell(f"{way.name}, round {number} of {rounds}")
        runs.append(run_once(way, bootstrap, cores, count, None))
    tell(f"{way.name}, profiled")
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "costs.json"
        run_once(way, bootstrap, cores, count, profile)
        seconds: dict[str, float] = json.loads(profile.read_text(encoding="utf-8"))
    total = sum(seconds.values())
    shares = sorted(((module, own_s / total) for module, own_s in seconds.items()), key=lambda cost: -cost[1])
    return Road(name=way.name, runs=runs, costs=shares)


def run_once(
    way: Way,
    bootstrap: str,
    cores: Cores,
    count: int,
    profile: Path | None,
    *,
    checkout: Path | None = None,
    addresses: Path | None = None,
) -> RoadRun:
    """Run the worker once.

    Args:
        way: Whose road.
        bootstrap: Kafka's address.
        cores: What runs where.
        count: Frames.
        profile: Where to write what its modules cost, under the profiler.
        checkout: Working tree to run; this one when ``None``.
        addresses: Folder for the address of its endpoints; it has none when ``None``.
    """
    prefix = f"road-{time.time_ns():x}."
    load.create_topics(bootstrap, prefix, TOPICS)
    records, children = _preload(way, bootstrap, prefix, count)
    options: dict[str, bool | int | str] = {"processor": way.processor}
    options |= {} if profile is None else {"profile": str(profile)}
    options |= {} if addresses is None else {"addresses": str(addresses)}
    assignment = Assignment(bootstrap=bootstrap, prefix=prefix, frames=records, core=cores.worker, options=options)
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.road_worker", assignment.to_argument()],
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
        cwd=checkout,
        env=os.environ if checkout is None else {**os.environ, "PYTHONPATH": str(checkout)},
    )
    _, start, report = ended.stdout.rpartition(REPORT_START)
    if not start:
        raise SystemExit(f"the worker ended with {ended.returncode} and no report\n{ended.stderr[-LOG_CHARS:]}")
    outputs = sum(_end(bootstrap, prefix + topic) for topic in way.outputs)
    changelog_records = _end(bootstrap, prefix + way.changelog)
    load.delete_topics(bootstrap, prefix, TOPICS)
    return RoadRun(
        report=Report(**json.JSONDecoder().raw_decode(start + report)[0]),
        children=children,
        outputs=outputs,
        changelog_records=changelog_records,
    )


def _preload(way: Way, bootstrap: str, prefix: str, count: int) -> tuple[int, int]:
    """Write raw records; return how many, and how many children their frames hold."""
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20})
    records = children = 0
    for partition, key, value, headers in way.frames(count):
        while True:
            try:
                producer.produce(f"{prefix}{way.source}", value, key, partition, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
        records += 1
        children += value.count(way.part)
    if left := producer.flush(60):
        raise SystemExit(f"{left} frames could not be written")
    return records, children


def _end(bootstrap: str, topic: str) -> int:
    reader = load.reader(bootstrap)
    try:
        partitions = reader.list_topics(topic, timeout=10).topics[topic].partitions
        return sum(reader.get_watermark_offsets(TopicPartition(topic, part), timeout=10)[1] for part in partitions)
    finally:
        reader.close()
