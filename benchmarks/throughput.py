"""Throughput: every peer empties a topic of frames, one after the other, in rounds.

Rounds are interleaved because machines are not quiet: what disturbs one peer disturbs its neighbours of the same
round, so ratios are taken within a round and medians over rounds.
"""

import json
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks import check, load
from benchmarks.conditions import Conditions
from benchmarks.contenders import (
    BYTEWAX,
    CONFLUENT_AT_LEAST_ONCE,
    CONFLUENT_CHANGELOG,
    ENGINE,
    FAUST,
    PEERS,
    QUIX_EXACTLY_ONCE,
    Peer,
)
from benchmarks.environments import NotMade
from benchmarks.job import CHILDREN
from benchmarks.peer import Assignment, Report
from benchmarks.section import Section, Verdict

RUN_TIMEOUT_S = 180.0
LOG_CHARS = 3_000
REPORT_START = '{"frames"'
MANY_CHILDREN = 40
FRAMES_TIMES = 4
"""How many times the frames of the benchmark's scale. librdkafka fetches up to 10,000 messages of each partition while
a worker warms up; a run of that length would show what it had beforehand."""
FLOOR, AIM = "floor", "aim"
TARGETS = (
    (FLOOR, CONFLUENT_CHANGELOG, 1.0),
    (FLOOR, QUIX_EXACTLY_ONCE, 1.5),
    (FLOOR, FAUST, 15.0),
    (AIM, CONFLUENT_CHANGELOG, 1.4),
    (AIM, BYTEWAX, 1.2),
    (AIM, CONFLUENT_AT_LEAST_ONCE, 1.0),
)
"""The engine has to be so many times as fast as this peer."""
HEAD = (
    "same job",
    "frames/s",
    "min to max",
    "CPU µs/frame",
    "core wait",
    "RSS MiB",
    "changelog/frame",
    "engine/this",
    "best/best",
    "by CPU",
    "repeats",
    "right",
)
NOTES = """\
Medians of the rounds. CPU: all threads of the worker. Core wait: time its threads were ready and had no core, as a
share of the run; where it is more than its own threads explain, others disturbed the run. Changelog: records written
there. Engine/this: how many times as fast the engine was in the same round. Best/best: the same for the best run of
each; by CPU: the same by processor time; where the three disagree the machine was disturbed and these two are nearer
to the truth. Repeats: outputs that were there before; who promises exactly once may have none, at least once allows
them, and without a crash there is no reason for any. Right: for each key the number of its updates and a digest of all
its records, in their order, are what the job gives; JSON may be written in another way. Slower peers get fewer frames.
The clock starts after a warm-up of a tenth of the frames, for Java of as many as are measured: its compilers work on
the same core, and what is left for them to do after that is in its figures. Before the first round one run of the
engine that does not count warms the broker up."""


class RunFailed(SystemExit):
    """A peer's process did not end well; it ends the workload where the peer is the engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one peer, and what the independent reader found after it."""

    peer: Peer
    round: int
    report: Report
    found: check.Found

    @property
    def frames_per_second(self) -> float:
        return self.report.frames / self.report.seconds

    @property
    def cpu_us_per_frame(self) -> float:
        return self.report.cpu_seconds / self.report.frames * 1e6

    @property
    def is_right(self) -> bool:
        return self.found.is_right(exactly_once=self.peer.exactly_once)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """All runs with frames of ``children`` children, and which peers have none, or not all, and why."""

    children: int
    frames: int
    rounds: int
    runs: list[Run] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def of(self, peer: Peer) -> list[Run]:
        """Return the runs of ``peer``, in the order of the rounds."""
        return [run for run in self.runs if run.peer is peer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratios:
    """How many times as fast the engine was as a peer.

    Attributes:
        same_round: Median over the rounds of frames/s in the same round.
        best: Best run of each: nearest to what a quiet machine would show.
        cpu: Median over the rounds of this peer's processor time a frame over the engine's: what disturbs least.
    """

    same_round: float
    best: float
    cpu: float


def sections(conditions: Conditions) -> Iterable[Section]:
    """Measure with few and with many children a frame; yield a section of each."""
    for children in (CHILDREN, MANY_CHILDREN):
        yield section(measure(conditions, children))


def measure(conditions: Conditions, children: int) -> Throughput:
    """Run every peer once a round; every run has topics, group and state of its own."""
    scale, tell = conditions.scale, conditions.tell
    frames = FRAMES_TIMES * scale.frames * CHILDREN // children
    result = Throughput(children=children, frames=frames, rounds=scale.rounds)
    commands: dict[Peer, Callable[[Assignment], Sequence[str]]] = {}
    for peer in PEERS:
        try:
            commands[peer] = peer.prepare(tell)
        except NotMade as error:
            tell(f"{peer.name} is left out: {error}")
            result.missing[peer.name] = str(error)
    if ENGINE in commands:
        tell(f"{children} children: a run to warm the broker up")
        _run(conditions, ENGINE, commands[ENGINE], 0, result)
    for number in range(1, scale.rounds + 1):
        for peer, command in list(commands.items()):
            tell(f"{children} children, round {number} of {scale.rounds}: {peer.name}")
            try:
                result.runs.append(_run(conditions, peer, command, number, result))
            except RunFailed as error:
                if peer is ENGINE:
                    raise
                tell(f"{peer.name} is left out from now on: {error}")
                result.missing[peer.name] = f"failed in round {number}"
                del commands[peer]
    return result


def _run(
    conditions: Conditions,
    peer: Peer,
    command: Callable[[Assignment], Sequence[str]],
    number: int,
    result: Throughput,
) -> Run:
    bootstrap, prefix = conditions.bootstrap, f"bench-{time.time_ns():x}."
    measured = int(result.frames * peer.share)
    warm_up = int(measured * peer.warm_up)
    frames = warm_up + measured
    load.create_topics(bootstrap, prefix)
    load.preload(bootstrap, prefix, frames, result.children)
    assignment = Assignment(
        bootstrap=bootstrap,
        prefix=prefix,
        frames=frames,
        warm_up=warm_up,
        outputs=frames * result.children,
        core=conditions.cores.worker,
        options=dict(peer.options),
    )
    try:
        ended = subprocess.run(
            command(assignment),
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        log = (error.stderr or b"").decode(errors="replace")[-LOG_CHARS:]
        raise RunFailed(f"{peer.name} did not finish {frames} frames within {RUN_TIMEOUT_S:.0f} s\n{log}") from error
    # Faust's worker leaves terminal codes around the report.
    _, start, report = ended.stdout.rpartition(REPORT_START)
    if not start:
        raise RunFailed(f"{peer.name} ended with {ended.returncode} and no report\n{ended.stderr[-LOG_CHARS:]}")
    found = check.look(bootstrap, prefix, frames, result.children)
    load.delete_topics_of(bootstrap, prefix)
    return Run(peer=peer, round=number, report=Report(**json.JSONDecoder().raw_decode(start + report)[0]), found=found)


def ratios(result: Throughput, peer: Peer) -> Ratios:
    """Return how many times as fast the engine was as ``peer``, which has runs."""
    engine = {run.round: run for run in result.of(ENGINE)}
    runs = result.of(peer)
    return Ratios(
        same_round=statistics.median(engine[run.round].frames_per_second / run.frames_per_second for run in runs),
        best=max(run.frames_per_second for run in engine.values()) / max(run.frames_per_second for run in runs),
        cpu=statistics.median(run.cpu_us_per_frame / engine[run.round].cpu_us_per_frame for run in runs),
    )


def section(result: Throughput) -> Section:
    """Return the part of the report."""
    present = [peer for peer in PEERS if result.of(peer)]
    return Section(
        title=(
            f"Throughput with {result.children} children a frame, "
            f"{result.rounds} interleaved rounds of {result.frames} frames"
        ),
        notes="\n".join(_notes(result, present)),
        head=HEAD,
        rows=[_cells(result, peer) for peer in present],
        verdicts=[_verdict(result, *target) for target in TARGETS],
        is_complete=not result.missing and all(run.is_right for run in result.runs),
    )


def _verdict(result: Throughput, kind: str, peer: Peer, target: float) -> Verdict:
    asked = f"{kind}: engine at least {target:g} times {peer.name}, {result.children} children a frame"
    if not result.of(peer):
        return Verdict(text=f"{asked}: not measured", met=False)
    found = ratios(result, peer)
    measured = f"{found.same_round:.2f} times ({found.best:.2f} best/best, {found.cpu:.2f} by CPU)"
    return Verdict(text=f"{asked}: {measured}", met=found.same_round >= target)


def _cells(result: Throughput, peer: Peer) -> tuple[str, ...]:
    runs = result.of(peer)
    rates = [run.frames_per_second for run in runs]
    found = ratios(result, peer)
    return (
        peer.name,
        f"{statistics.median(rates):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{statistics.median(run.cpu_us_per_frame for run in runs):.1f}",
        f"{statistics.median(run.report.core_wait_seconds / run.report.seconds for run in runs):.0%}",
        f"{statistics.median(run.report.rss_mib for run in runs):.0f}",
        f"{statistics.median(run.found.changelog_records / run.report.frames for run in runs):.2f}",
        *(("", "", "") if peer is ENGINE else (f"{found.same_round:.2f}", f"{found.best:.2f}", f"{found.cpu:.2f}")),
        str(sum(run.found.repeats for run in runs)),
        "yes" if all(run.is_right for run in runs) else "NO",
    )


def _notes(result: Throughput, present: Iterable[Peer]) -> Iterable[str]:
    if result.children == CHILDREN:
        yield NOTES
        yield ""
    for name, reason in result.missing.items():
        yield f"- {name}: **not measured, or not in all rounds**: {reason}"
    if result.children != CHILDREN:
        yield "Columns and settings are as above; ten times the children in a tenth of the frames."
        return
    for peer in present:
        settings = result.of(peer)[-1].report.settings
        shown = ", ".join(f"`{name}={text}`" for name, text in settings.items() if name != "cycles")
        yield f"- {peer.name}. After a crash: {peer.restart}. Settings: {shown}"
