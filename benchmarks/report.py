"""What was measured, as tables for people, as a page for the documentation and as JSON for scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from benchmarks.latency import READER, WARM_UP_S, Latency
from benchmarks.road import Road
from benchmarks.throughput import CONFLUENT, ENGINE, FAUST, Row

RATE_TARGETS = ((CONFLUENT, 0.9), (FAUST, 12.0))
"""The engine has to be at least so many times as fast as this peer."""
WIDTH = 150
"""Columns that the widest table takes."""
LATENCY_RATE, P50_MS, P99_MS = 500, 30.0, 120.0

INTRODUCTION = """\
The same job (`benchmarks/job.py`) on every peer: Kambi-shaped frames of about 1.4 kB and 4 children from a topic of 4
partitions, each child one keyed output with CloudEvents headers; the number of updates and the last digest of each of
1,000 events are state. The engine and the second confluent-kafka row keep that state in Kafka; they and the first
confluent-kafka row are exactly once, Faust is not. Every run has its own topics and group. The clock runs from the
first frame in the worker's hands to the last commit; then an independent `read_committed` reader counts the outputs."""
BUSY_ADVICE = "well above 1 others were at work on the machine, and ratios and CPU µs say more than frames/s"

THROUGHPUT_NOTES = """\
Medians of the rounds. CPU: all threads of the worker. Core wait: time its threads were ready and had no core, as a
share of the run; much of it means that others disturbed the run. Changelog: records written there. Engine/this: how
many times as fast the engine was in the same round. Best/best: the same for the best run of each, by CPU: the same
by processor time; where the three disagree the machine was disturbed and these two are nearer to the truth. Complete:
every output there, once. Slower peers get fewer frames."""

THROUGHPUT_HEAD = (
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
    "complete",
)
ROAD_NOTES = """\
The processors themselves, exactly once, with all their state in the changelog. Kambi: a simulated offering
(`benchmarks/road_frames.py`), every sport and message type, bulked and routed as the vendor does, on the general and
event lines of four shards; frames are taken apart, normalized, deduplicated over lines and checked against the book of
what consumers know. FastPath: simulated matches on two lines a feed that each lose and swap some packets
(`benchmarks/fastpath_frames.py`), so that accounts, hold-back, copies, gaps and repairs are at work. RMS: the join
alone, with the messages between it and its routers for frames (`benchmarks/rms_messages.py`) and thousands of bets that
wait. Parts: messages in a Kambi frame, those of other shards included; numbered packets of FastPath; bets of RMS. The
costs are those of one more run under cProfile, by module; compiled code counts to the module that called it."""
ROAD_HEAD = (
    "whole road",
    "frames/s",
    "min to max",
    "parts/s",
    "CPU µs/frame",
    "RSS MiB",
    "outputs/frame",
    "changelog/frame",
)
COST_HEAD = ("largest costs", "share of the worker's time")
SHOWN_COSTS = 8

LATENCY_HEAD = ("frames/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything one call of the benchmark found."""

    command: str
    machine: dict[str, str]
    cores: str
    load_per_core: tuple[float, float]
    """Before and after, processes that want a core per core."""
    rounds: int
    frames: int
    rows: list[Row]
    roads: list[Road]
    latencies: list[Latency]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self) | {"verdicts": list(verdicts(self))}


def verdicts(results: Results) -> Iterable[tuple[str, bool]]:
    """Yield each target with whether it is met."""
    for row in results.rows:
        for peer, target in RATE_TARGETS:
            if row.peer is peer:
                measured = f"{row.ratio:.2f} times ({row.best_ratio:.2f} best/best, {row.cpu_ratio:.2f} by CPU)"
                yield f"engine at least {target:g} times {peer.name}: {measured}", row.ratio >= target
    for latency in results.latencies:
        if latency.rate == LATENCY_RATE:
            yield f"p50 ≤ {P50_MS:g} ms at {LATENCY_RATE} frames/s: {latency.p50_ms:.1f} ms", latency.p50_ms <= P50_MS
            yield f"p99 ≤ {P99_MS:g} ms at {LATENCY_RATE} frames/s: {latency.p99_ms:.1f} ms", latency.p99_ms <= P99_MS
    yield "every output of every run there, once", all(row.complete for row in results.rows)


def tables(results: Results) -> Iterable[Table]:
    """Yield the tables for a terminal."""
    yield _table(f"Throughput, {results.rounds} interleaved rounds", THROUGHPUT_HEAD, map(_cells, results.rows))
    yield _table("The whole road", ROAD_HEAD, map(_road_cells, results.roads))
    for road in results.roads:
        yield _table(f"Where the time of the {road.name} goes", COST_HEAD, _cost_cells(road))
    yield _table("Latency of the engine", LATENCY_HEAD, map(_latency_cells, results.latencies))
    marks = [("met" if met else "NOT MET", text) for text, met in verdicts(results)]
    yield _table("Targets", ("", "target"), marks)


def page(results: Results) -> str:
    """Return the documentation page."""
    before, after = results.load_per_core
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{results.command}`.\n\n{INTRODUCTION}",
        "",
        *(f"- {name}: {text}" for name, text in results.machine.items()),
        f"- placement: {results.cores}",
        f"- load average per core: {before:.1f} before, {after:.1f} after; {BUSY_ADVICE}",
        "",
        f"## Throughput, {results.rounds} interleaved rounds of {results.frames} frames",
        "",
        *_markdown(THROUGHPUT_HEAD, map(_cells, results.rows)),
        "",
        THROUGHPUT_NOTES,
        "",
        "## The whole road",
        "",
        *_markdown(ROAD_HEAD, map(_road_cells, results.roads)),
        "",
        ROAD_NOTES,
        "",
        *(text for road in results.roads for text in _costs(road)),
        "## Latency of the engine, produce to `read_committed` reader",
        "",
        *_markdown(LATENCY_HEAD, map(_latency_cells, results.latencies)),
        "",
        (
            f"Every output record counts; the first {WARM_UP_S:g} s of each rate are left out. Reader: confluent-kafka,"
            f" {_settings(READER)}."
        ),
        "",
        "## Targets",
        "",
        *(f"- {'met' if met else '**not met**'}: {text}" for text, met in verdicts(results)),
        "",
        "## Settings",
        "",
    ]
    for row in results.rows:
        settings = {name: text for name, text in row.runs[-1].report.settings.items() if name != "cycles"}
        lines += [f"- {row.peer.name}: {_settings(settings)}"]
    return "\n".join(lines) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.peer.name,
        f"{row.median_rate:,.0f}",
        f"{min(row.rates):,.0f} to {max(row.rates):,.0f}",
        f"{row.cpu_us_per_frame:.1f}",
        f"{row.core_wait_share:.0%}",
        f"{row.rss_mib:.0f}",
        f"{row.changelog_per_frame:.2f}",
        *(
            ("", "", "")
            if row.peer is ENGINE
            else (f"{row.ratio:.2f}", f"{row.best_ratio:.2f}", f"{row.cpu_ratio:.2f}")
        ),
        "yes" if row.complete else "NO",
    )


def _road_cells(road: Road) -> tuple[str, ...]:
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


def _costs(road: Road) -> Iterable[str]:
    yield from (f"{road.name}:", "", *_markdown(COST_HEAD, _cost_cells(road)), "")


def _cost_cells(road: Road) -> list[tuple[str, ...]]:
    return [(module, f"{share:.0%}") for module, share in road.costs[:SHOWN_COSTS]]


def _latency_cells(latency: Latency) -> tuple[str, ...]:
    milliseconds = (latency.p50_ms, latency.p90_ms, latency.p99_ms, latency.max_ms)
    return (f"{latency.rate:,}", *(f"{value:.1f}" for value in milliseconds), str(latency.missing))


def _settings(settings: dict[str, object]) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in settings.items())


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(head):
        table.add_column(name, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|---|" + "---:|" * (len(head) - 1)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
