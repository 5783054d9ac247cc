"""Throughput: every peer empties a topic of frames, one after the other, in rounds.

Rounds are interleaved because machines are not quiet: what disturbs one peer disturbs its neighbours of the same
round, so ratios are taken within a round and medians over rounds.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks import load
from benchmarks.cores import Cores
from benchmarks.peer import Assignment, Report

RUN_TIMEOUT_S = 180.0
LOG_CHARS = 3_000
REPORT_START = '{"frames"'


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peer:
    """One row: a worker program with its options. ``share`` of the frames keeps slow peers' runs as long as ours."""

    name: str
    module: str
    options: dict[str, bool | int | str] = field(default_factory=dict)
    share: float = 1.0


ENGINE = Peer(name="tricast engine", module="benchmarks.engine_worker")
CONFLUENT = Peer(name="confluent-kafka loop", module="benchmarks.confluent_worker")
CONFLUENT_CHANGELOG = Peer(
    name="confluent-kafka loop, changelog", module="benchmarks.confluent_worker", options={"changelog": True}
)
FAUST = Peer(name="stock Faust agent", module="benchmarks.stock_faust_worker", share=0.1)
FAUST_TUNED = Peer(
    name="Faust agent, tuned settings", module="benchmarks.stock_faust_worker", options={"tuned": True}, share=0.2
)
PEERS = (ENGINE, CONFLUENT, CONFLUENT_CHANGELOG, FAUST, FAUST_TUNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one peer, and what the independent reader found after it."""

    peer: Peer
    round: int
    report: Report
    found: load.Found

    @property
    def frames_per_second(self) -> float:
        return self.report.frames / self.report.seconds

    @property
    def cpu_us_per_frame(self) -> float:
        return self.report.cpu_seconds / self.report.frames * 1e6

    @property
    def is_complete(self) -> bool:
        return self.found.is_complete(self.report.frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All runs of one peer."""

    peer: Peer
    runs: list[Run]
    ratio: float
    """Median over the rounds of: engine's frames/s over this peer's in the same round."""
    best_ratio: float
    """Engine's best run over this peer's best: nearest to what a quiet machine would show."""
    cpu_ratio: float
    """This peer's processor time a frame over the engine's: what disturbs least."""

    @property
    def rates(self) -> list[float]:
        return [run.frames_per_second for run in self.runs]

    @property
    def median_rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cpu_us_per_frame(self) -> float:
        return statistics.median(run.cpu_us_per_frame for run in self.runs)

    @property
    def core_wait_share(self) -> float:
        """Of the run's time, how much the worker's threads waited for their core."""
        return statistics.median(run.report.core_wait_seconds / run.report.seconds for run in self.runs)

    @property
    def rss_mib(self) -> float:
        return statistics.median(run.report.rss_mib for run in self.runs)

    @property
    def changelog_per_frame(self) -> float:
        return statistics.median(run.found.changelog_records / run.report.frames for run in self.runs)

    @property
    def complete(self) -> bool:
        return all(run.is_complete for run in self.runs)


def measure(bootstrap: str, cores: Cores, *, rounds: int, frames: int, tell: Callable[[str], None]) -> list[Run]:
    """Run every peer once a round; every run has topics, group and state of its own."""
    runs = []
    for number in range(1, rounds + 1):
        for peer in PEERS:
            tell(f"round {number} of {rounds}: {peer.name}")
            runs.append(_run(bootstrap, cores, peer, number, int(frames * peer.share)))
    return runs


def rows(runs: list[Run]) -> list[Row]:
    """Return one row a peer."""
    ours = [run for run in runs if run.peer is ENGINE]
    rate = {run.round: run.frames_per_second for run in ours}
    cpu_us = {run.round: run.cpu_us_per_frame for run in ours}
    found = []
    for peer in PEERS:
        of_peer = [run for run in runs if run.peer is peer]
        found.append(
            Row(
                peer=peer,
                runs=of_peer,
                ratio=statistics.median(rate[run.round] / run.frames_per_second for run in of_peer),
                best_ratio=max(rate.values()) / max(run.frames_per_second for run in of_peer),
                cpu_ratio=statistics.median(run.cpu_us_per_frame / cpu_us[run.round] for run in of_peer),
            )
        )
    return found


def _run(bootstrap: str, cores: Cores, peer: Peer, number: int, frames: int) -> Run:
    prefix = f"bench-{time.time_ns():x}."
    load.create_topics(bootstrap, prefix)
    load.preload(bootstrap, prefix, frames)
    assignment = Assignment(
        bootstrap=bootstrap, prefix=prefix, frames=frames, core=cores.worker, options=dict(peer.options)
    )
    try:
        ended = subprocess.run(
            [sys.executable, "-m", peer.module, assignment.to_argument()],
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        log = (error.stderr or b"").decode(errors="replace")[-LOG_CHARS:]
        raise SystemExit(f"{peer.name} did not finish {frames} frames within {RUN_TIMEOUT_S:.0f} s\n{log}") from error
    # Faust's worker leaves terminal codes around the report.
    _, start, report = ended.stdout.rpartition(REPORT_START)
    if not start:
        raise SystemExit(f"{peer.name} ended with {ended.returncode} and no report\n{ended.stderr[-LOG_CHARS:]}")
    found = load.look(bootstrap, prefix)
    load.delete_topics(bootstrap, prefix)
    return Run(peer=peer, round=number, report=Report(**json.JSONDecoder().raw_decode(start + report)[0]), found=found)
