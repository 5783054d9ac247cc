"""`python -m benchmarks.restore`: a worker comes back, and reads all that its processor ever wrote into its changelog.

The processor itself makes the state first, from the frames of the road; then its worker starts again and again over it.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.alone import alone
from benchmarks.conditions import Conditions
from benchmarks.cores import Cores
from benchmarks.peer import Assignment
from benchmarks.road import WAYS, Way, preload, work
from benchmarks.section import Section, Verdict
from processors.engine.changelog import STATE_PREFIX
from schemas.topics import TOPICS, Topic

FRAMES_SHARE = 8
"""So many times the frames of the road, as each leaves one or two records."""
TARGETS = (("floor", 50_000), ("aim", 100_000))
"""Changelog records a second of the Kambi processor."""
RESTORED = ("Kambi processor", "RMS join")
SHOWN_COSTS = 12
HEAD = ("restore", "records", "records/s", "min to max", "CPU µs/record", "entries", "MiB/100,000 entries", "complete")
COST_HEAD = ("where the time of a restore goes", "share")
NOTES = """\
Medians of the rounds. Records: of the changelog, never compacted, checkpoints and frame numbers among them, as the
processor wrote them over the frames of the road. Records per second: by the time that the engine needs to open its
tasks, from the first request to the agreed position. Entries: state that they come to; memory: what the process holds
more than one with an empty changelog. Complete: as many records, and as many entries, as a reader that shares no code
with the engine finds in the changelog."""
COST_NOTES = """\
One more restore under cProfile, by module; compiled code counts to the module that called it, waiting for the broker to
the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One restore."""

    records: int
    seconds: float
    cpu_seconds: float
    entries: int
    rss_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """All restores of one processor; ``empty_mib`` is its memory with nothing to restore."""

    runs: list[Run]
    empty_mib: float
    costs: Mapping[str, float]
    is_complete: bool


def sections(conditions: Conditions) -> Iterator[Section]:
    """Restore each processor; yield how fast, and what the time goes into."""
    found = {way.name: _restored(way, conditions) for way in WAYS if way.name in RESTORED}
    rate = _rate(found[RESTORED[0]])
    yield Section(
        title="Restore from an uncompacted changelog",
        notes=NOTES,
        head=HEAD,
        rows=[_cells(name, restored) for name, restored in found.items()],
        verdicts=[
            Verdict(text=f"{kind}: restore ≥ {target:,} records/s: {rate:,.0f}", met=rate >= target)
            for kind, target in TARGETS
        ],
        is_complete=all(restored.is_complete for restored in found.values()),
    )
    yield Section(
        title="Where the time of a restore goes",
        notes=COST_NOTES,
        head=COST_HEAD,
        rows=[
            (f"{name}: {module}", f"{seconds / sum(restored.costs.values()):.0%}")
            for name, restored in found.items()
            for module, seconds in sorted(restored.costs.items(), key=lambda cost: -cost[1])[:SHOWN_COSTS]
        ],
    )


def _restored(way: Way, conditions: Conditions) -> Restored:
    bootstrap, cores, rounds = conditions.bootstrap, conditions.cores, conditions.scale.rounds
    prefix = f"restore-{time.time_ns():x}."
    topics = _never_compacted(way)
    load.create_topics(bootstrap, prefix, topics)
    empty = _run(way, bootstrap, prefix, cores)
    conditions.tell(f"restore: {way.name} makes its state")
    frames, _ = preload(way, bootstrap, prefix, conditions.scale.frames * FRAMES_SHARE)
    options: dict[str, bool | int | str] = {"processor": way.processor}
    made = Assignment(bootstrap=bootstrap, prefix=prefix, frames=frames, core=cores.worker, options=options)
    work("benchmarks.road_worker", made)
    runs = []
    for number in range(1, rounds + 1):
        runs.append(run := _run(way, bootstrap, prefix, cores))
        rate = f"{run.records / run.seconds:,.0f} records/s"
        conditions.tell(f"restore, round {number} of {rounds}: {way.name}, {rate}")
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "costs.json"
        _run(way, bootstrap, prefix, cores, profile)
        costs: dict[str, float] = json.loads(profile.read_text(encoding="utf-8"))
    held = _held(bootstrap, prefix, way)
    load.delete_topics(bootstrap, prefix, topics)
    is_complete = all((run.records, run.entries) == held for run in runs)
    return Restored(runs=runs, empty_mib=empty.rss_mib, costs=costs, is_complete=is_complete)


def _never_compacted(way: Way) -> dict[str, Topic]:
    changelog = TOPICS[way.changelog]
    return {**TOPICS, way.changelog: changelog.model_copy(update={"cleanup": "delete"})}


def _run(way: Way, bootstrap: str, prefix: str, cores: Cores, profile: Path | None = None) -> Run:
    options: dict[str, bool | int | str] = {"processor": way.processor}
    options |= {} if profile is None else {"profile": str(profile)}
    assignment = Assignment(bootstrap=bootstrap, prefix=prefix, frames=0, core=cores.worker, options=options)
    report = work("benchmarks.restore_worker", assignment)
    return Run(
        records=report.frames,
        seconds=report.seconds,
        cpu_seconds=report.cpu_seconds,
        entries=int(report.settings["entries"]),
        rss_mib=report.rss_mib,
    )


def _held(bootstrap: str, prefix: str, way: Way) -> tuple[int, int]:
    """Return how many records there are in the changelog, and how many keys of state have a value at its end."""
    records = 0
    live: set[tuple[int | None, bytes]] = set()
    for message in load.messages(bootstrap, prefix + way.changelog, TOPICS[way.changelog].partitions):
        records += 1
        key = message.key() or b""
        if key.startswith(STATE_PREFIX):
            place = (message.partition(), key)
            live.discard(place) if message.value() is None else live.add(place)
    return records, len(live)


def _rate(restored: Restored) -> float:
    return statistics.median(run.records / run.seconds for run in restored.runs)


def _cells(name: str, restored: Restored) -> tuple[str, ...]:
    rates = [run.records / run.seconds for run in restored.runs]
    run = restored.runs[-1]
    memory = statistics.median(run.rss_mib for run in restored.runs) - restored.empty_mib
    return (
        name,
        f"{run.records:,}",
        f"{_rate(restored):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{statistics.median(run.cpu_seconds / run.records for run in restored.runs) * 1e6:.1f}",
        f"{run.entries:,}",
        f"{memory / run.entries * 100_000:.0f}",
        "yes" if restored.is_complete else "NO",
    )


if __name__ == "__main__":
    sys.exit(alone(sections, __doc__))
