"""The whole road of a processor: source records → deduplicated, validated records, with its real core and state."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Producer, TopicPartition

from benchmarks import facts, fastpath_frames, load, rms_messages, road_frames
from benchmarks.conditions import Conditions
from benchmarks.cores import Cores
from benchmarks.peer import Assignment, Report
from benchmarks.section import Section, Verdict
from benchmarks.throughput import LOG_CHARS, REPORT_START, RUN_TIMEOUT_S
from schemas.topics import TOPICS

NOTES = """\
The processors themselves, exactly once, with all their state in the changelog. Kambi: a simulated offering
(`benchmarks/road_frames.py`), every sport and message type, bulked and routed as the vendor does, on the general and
event lines of four shards; frames are taken apart, normalized, deduplicated over lines and checked against the book of
what consumers know. FastPath: simulated matches on two lines a feed that each lose and swap some packets
(`benchmarks/fastpath_frames.py`), so that accounts, hold-back, copies, gaps and repairs are at work. RMS: the join
alone, with the messages between it and its routers for frames (`benchmarks/rms_messages.py`) and thousands of bets that
wait. States: the folding of what the Kambi processor and the audit wrote (`benchmarks/facts.py`), a frame is one fact.
Parts: messages in a Kambi frame, those of other shards included; numbered packets of FastPath; bets of RMS."""
HEAD = (
    "whole road",
    "frames/s",
    "min to max",
    "parts/s",
    "CPU µs/frame",
    "RSS MiB",
    "outputs/frame",
    "changelog/frame",
)
COST_NOTES = """\
Shares of one more run of each under cProfile, by module; compiled code counts to the module that called it."""
COST_HEAD = ("where the time goes", "share of the worker's time")
SHOWN_COSTS = 8
KAMBI_TARGETS = (("floor", 4_000), ("aim", 8_000))
"""Frames/s on one core."""


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
    Way(
        name="Kambi state",
        source="kambi.offers",
        processor="kambi.state",
        outputs=("kambi.state", "kambi.dead-letters"),
        frames=facts.OFFERS,
        part=b'"event_id"',
    ),
    Way(
        name="FastPath state",
        source="fastpath.actions",
        processor="fastpath.state",
        outputs=("fastpath.state", "fastpath.dead-letters"),
        frames=facts.ACTIONS,
        part=b'"fixture_id"',
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


def sections(conditions: Conditions) -> Iterable[Section]:
    """Measure every way; yield what they do, and where their time goes."""
    scale = conditions.scale
    roads = [
        measure(
            way,
            conditions.bootstrap,
            conditions.cores,
            rounds=scale.rounds,
            count=scale.frames,
            tell=conditions.tell,
        )
        for way in WAYS
    ]
    kambi = roads[0].median_rate
    yield Section(
        title=f"The whole road, {scale.rounds} rounds of {scale.frames} frames",
        notes=NOTES,
        head=HEAD,
        rows=[_cells(road) for road in roads],
        verdicts=[
            Verdict(
                text=f"{kind}: the whole Kambi road at least {target:,} frames/s: {kambi:,.0f}", met=kambi >= target
            )
            for kind, target in KAMBI_TARGETS
        ],
    )
    yield Section(
        title="Where the time of the whole road goes",
        notes=COST_NOTES,
        head=COST_HEAD,
        rows=[
            (f"{road.name}: {module}", f"{share:.0%}") for road in roads for module, share in road.costs[:SHOWN_COSTS]
        ],
    )


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
    records, children = preload(way, bootstrap, prefix, count)
    options: dict[str, bool | int | str] = {"processor": way.processor}
    options |= {} if profile is None else {"profile": str(profile)}
    options |= {} if addresses is None else {"addresses": str(addresses)}
    assignment = Assignment(bootstrap=bootstrap, prefix=prefix, frames=records, core=cores.worker, options=options)
    report = work("benchmarks.road_worker", assignment, checkout)
    outputs = sum(_end(bootstrap, prefix + topic) for topic in way.outputs)
    changelog_records = _end(bootstrap, prefix + way.changelog)
    load.delete_topics(bootstrap, prefix, TOPICS)
    return RoadRun(
        report=report,
        children=children,
        outputs=outputs,
        changelog_records=changelog_records,
    )


def work(module: str, assignment: Assignment, checkout: Path | None = None) -> Report:
    """Run a worker's process to its end; return what it reported."""
    ended = subprocess.run(
        [sys.executable, "-m", module, assignment.to_argument()],
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
    return Report(**json.JSONDecoder().raw_decode(start + report)[0])


def preload(way: Way, bootstrap: str, prefix: str, count: int) -> tuple[int, int]:
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


def _cells(road: Road) -> tuple[str, ...]:
    run = road.runs[-1]
    return (
        road.name,
        f"{road.median_rate:,.0f}",
        f"{min(road.rates):,.0f} to {max(road.rates):,.0f}",
        f"{road.median_rate * run.children / run.report.frames:,.0f}",
        f"{road.cpu_us_per_frame:.1f}",
        f"{run.report.rss_mib:.0f}",
        f"{run.outputs / run.report.frames:.2f}",
        f"{run.changelog_records / run.report.frames:.2f}",
    )
