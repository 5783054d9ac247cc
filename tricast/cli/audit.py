"""``tricast audit``: prove that raw and normalized topics say the same."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tricast.audit.report import Report
from tricast.audit.rms.case import Windows
from tricast.audit.rms.run import RmsScope
from tricast.audit.rms.run import audit as run_rms_audit
from tricast.audit.run import Scope
from tricast.audit.run import audit as run_audit
from tricast.audit.run import fastpath as fastpath_scope
from tricast.audit.run import kambi as kambi_scope
from tricast.audit.spans import Kafka
from tricast.cli.certificate import certified, print_certificate
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.cli.progress import progress_bar
from tricast.cli.times import Time
from tricast.dlq.shown import line_text
from tricast.settings import Settings

SHOWN_EXAMPLES = 5
_NANOSECONDS = 1_000_000_000


def _kambi(settings: Settings, since_ms: int | None, ledger: Path | None) -> Scope:
    copy_skew_ms = settings.kambi.copy_skew_ms
    return kambi_scope(settings.topic_prefix, since_ms=since_ms, ledger=ledger, copy_skew_ms=copy_skew_ms)


def _fastpath(settings: Settings, since_ms: int | None, ledger: Path | None) -> Scope:
    hold_ms = settings.fastpath.hold_ms
    return fastpath_scope(settings.topic_prefix, since_ms=since_ms, ledger=ledger, hold_ms=hold_ms)


def _rms(settings: Settings, since_ms: int | None, ledger: Path | None) -> RmsScope:
    rms = settings.rms
    windows = Windows(
        prematch_ns=int(rms.window_prematch_s * _NANOSECONDS),
        live_ns=int(rms.window_live_s * _NANOSECONDS),
        orphan_ns=int(rms.orphan_s * _NANOSECONDS),
        verify_ns=int(rms.verify_s * _NANOSECONDS),
        unanswered_ns=int(rms.unanswered_s * _NANOSECONDS),
        remember_ns=int(rms.remember_s * _NANOSECONDS),
    )
    return RmsScope(prefix=settings.topic_prefix, windows=windows, since_ms=since_ms, ledger=ledger)


AnyScope = Scope | RmsScope
"""What an audit of some feed looks at."""

SCOPES: Mapping[str, Callable[[Settings, int | None, Path | None], AnyScope]] = MappingProxyType(
    {"kambi": _kambi, "fastpath": _fastpath, "rms": _rms}
)
"""By feed."""


@click.command(short_help="Account for every part of every raw frame.")
@click.argument("feeds", nargs=-1, type=click.Choice(sorted(SCOPES)), metavar="[FEED]...")
@json_option
@click.option("--since", "since_ms", type=Time(), help="Judge raw records from this time on: 2h, or ISO 8601 (UTC).")
@click.option(
    "--timeout",
    "timeout_s",
    default=30.0,
    show_default=True,
    help="Wait so many seconds for the processor to catch up.",
)
@click.option("--min-frames", default=1, show_default=True, help="Fewer frames than this prove nothing: exit 1.")
@click.option(
    "--ledger",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the simulator says it sent, to compare with raw byte for byte.",
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Go on from the audit that this file certifies, and certify this one there.",
)
@pass_invocation
def audit(
    invocation: Invocation,
    *,
    feeds: Sequence[str],
    as_json: bool,
    since_ms: int | None,
    timeout_s: float,
    min_frames: int,
    ledger: Path | None,
    certificate: Path | None,
) -> None:
    """Account for every part of every raw frame: normalized, duplicate of which, dead-lettered, or lost.

    Audits the feeds that have anything in raw, or those that are named (kambi, fastpath, rms).

    Reads raw, normalized topics and dead letters as a read_committed reader and judges them with its own parser; it
    shares no code with the processors. Judged is what the processor had committed when the audit began, or within
    --timeout. Memory does not grow with the topics: outputs are sorted in a temporary file.

    Of rms, each bet is judged: what its outcome rests on, that nothing in rms.raw came before it, that a bet expired
    only while somebody listened, and that none is left undecided; with --ledger that the trader decided so, too.

    With --certificate only what came since the last audit of that file is judged, as if it had never stopped, and a
    new certificate takes the place of the old one: ranges, counts, gaps, findings, verdict, chained by digest. What
    the next audit needs is written beside it. The verdict is that of all audits of the file.

    Exit code 0 clean; 1 something lost, duplicated, out of order, unexplained, or too little seen.

    \b
    Examples:
      tricast audit
      tricast audit fastpath
      tricast audit --since 2026-11-21T18:00 --json
      tricast audit --certificate audits/today.json
      tricast audit --ledger .tricast/ledger/kambi-1790000000.jsonl --min-frames 1000
    """
    settings = invocation.settings
    if ledger is not None and len(feeds) != 1:
        named = ledger.name.partition("-")[0]  # as `tricast up` names them
        if feeds or named not in SCOPES:
            raise click.UsageError("--ledger is one feed's: name that FEED")
        feeds = (named,)
    if certificate is not None:
        if since_ms is not None or ledger is not None:
            raise click.UsageError("--certificate goes on where it ended: --since and --ledger have no place")
        said = asyncio.run(_certified(settings, feeds, certificate, min_frames, timeout_s=timeout_s, quiet=as_json))
        click.echo(json.dumps(said)) if as_json else print_certificate(said, Console())
        click.get_current_context().exit(0 if said["verdict"] == "clean" else 1)
    reports = asyncio.run(_audit(settings, feeds, since_ms, ledger, timeout_s=timeout_s, quiet=as_json))
    if as_json:
        click.echo(json.dumps(to_json(reports, min_frames)))
    else:
        print_reports(reports, min_frames, Console())
    clean = all(report.clean(min_frames) for report in reports.values())
    click.get_current_context().exit(0 if clean else 1)


def scope_of(feed: str, settings: Settings, *, since_ms: int | None = None, ledger: Path | None = None) -> AnyScope:
    """Return what an audit of ``feed`` looks at."""
    return SCOPES[feed](settings, since_ms, ledger)


async def _audit(
    settings: Settings,
    feeds: Sequence[str],
    since_ms: int | None,
    ledger: Path | None,
    *,
    timeout_s: float,
    quiet: bool,
) -> dict[str, Report]:
    chosen = list(dict.fromkeys(feeds)) or await _recorded(settings, timeout_s)
    return {
        feed: await audited(
            settings, scope_of(feed, settings, since_ms=since_ms, ledger=ledger), timeout_s=timeout_s, quiet=quiet
        )
        for feed in chosen
    }


async def _certified(
    settings: Settings, feeds: Sequence[str], path: Path, min_frames: int, *, timeout_s: float, quiet: bool
) -> dict[str, Any]:
    chosen = list(dict.fromkeys(feeds)) or await _recorded(settings, timeout_s)
    return await certified(
        settings,
        chosen,
        lambda feed: scope_of(feed, settings),
        path,
        min_frames=min_frames,
        timeout_s=timeout_s,
        quiet=quiet,
    )


async def _recorded(settings: Settings, timeout_s: float) -> list[str]:
    """Return the feeds that have anything in raw; the first of all when none has, so that its audit says so."""
    kafka = Kafka(settings.kafka.client(), timeout_s)
    found = []
    for feed in SCOPES:
        partitions = await kafka.partitions(f"{settings.topic_prefix}{feed}.raw")
        if partitions and any(end > begin for begin, end in (await kafka.spans(partitions)).values()):
            found.append(feed)
    return found or [next(iter(SCOPES))]


def to_json(reports: Mapping[str, Report], min_frames: int) -> dict[str, Any]:
    """Return the report of all feeds together, and under ``feeds`` that of each."""
    together = Report()
    for report in reports.values():
        together.add(report)
    said = together.to_json(min_frames)
    said["clean"] = all(report.clean(min_frames) for report in reports.values())
    return {**said, "feeds": {feed: report.to_json(min_frames) for feed, report in reports.items()}}


async def audited(settings: Settings, scope: AnyScope, *, timeout_s: float, quiet: bool) -> Report:
    """Run an audit under a progress bar on stderr."""
    kafka = Kafka(settings.kafka.client(), timeout_s)
    with progress_bar(quiet=quiet) as progress:
        if isinstance(scope, RmsScope):
            return await run_rms_audit(kafka, scope, progress)
        return await run_audit(kafka, scope, progress)


def print_reports(reports: Mapping[str, Report], min_frames: int, console: Console) -> None:
    """Print audits for people."""
    for feed, report in reports.items():
        console.print(f"[bold]audit of {feed}[/]")
        _print(report, min_frames, console)


def _print(report: Report, min_frames: int, console: Console) -> None:
    table = Table("", box=box.SIMPLE_HEAD, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for name, number, remark in _rows(report):
        table.add_row(name, f"{number:,}", Text(line_text(remark)))
    console.print(table)
    for kind, texts in report.examples.items():
        console.print(f"[bold red]{kind}[/] ({report.findings[kind]:,})")
        for text in texts[:SHOWN_EXAMPLES]:
            console.print(f"  {line_text(text)}", highlight=False, soft_wrap=True, markup=False)
        if report.findings[kind] > SHOWN_EXAMPLES:
            console.print("  …")
    for note in report.notes:
        console.print(f"note: {line_text(note)}", highlight=False, soft_wrap=True, markup=False)
    too_little = report.too_little(min_frames)
    if report.clean(min_frames):
        console.print("[bold green]clean[/]: everything is accounted for")
    else:
        console.print(f"[bold red]not clean[/]{': ' + too_little if too_little else ''}")


_OF_SOME_FEEDS: Final = frozenset({"of other shards", "from snapshots", "held back", "replays"})
"""Left out where there are none: what a feed does not have would only be asked about."""


def _rows(report: Report) -> list[tuple[str, int, str]]:
    normalized = ", ".join(f"{_short(kind)} {number:,}" for kind, number in sorted(report.normalized.items()))
    dead = ", ".join(f"{code} {number:,}" for code, number in sorted(report.dead_letters.items()))
    control = ", ".join(f"{kind} {number:,}" for kind, number in sorted(report.control_records.items()))
    rows = [
        ("raw records", report.raw_records, control),
        ("frames", report.frames, f"{report.passed_over:,} passed over (nothing to normalize in them)"),
        ("repeats", report.repeats, "dropped by frame number"),
        ("candidates", report.candidates, ""),
        ("normalized", report.normalized.total(), normalized),
        ("duplicates", report.duplicates, "the same fact on another line"),
        ("of other shards", report.foreign, "passed over; each has one claimant elsewhere"),
        ("from snapshots", report.from_snapshots, "said by the HTTP API, not by push"),
        ("held back", report.held, "behind a gap, at the end of what was judged"),
        ("dead letters", report.dead_letters.total(), dead),
        ("replays", report.replays["requests"], _replays(report)),
        ("gaps", len(report.gaps), "recorded intervals without a connection"),
        ("overflowed", report.overflowed, "frames lost by us, on record"),
        ("lost", report.findings["lost"], ""),
        ("duplicated", report.findings["duplicated"], ""),
        ("out of order", report.findings["reordered"], ""),
        ("unexpected", report.findings["unexpected"], ""),
        ("holes", report.findings["hole"], "frames numbered by the connector that never came"),
    ]
    if report.bets:
        bets = {name: number for name, number in sorted(report.bets.items()) if name != "records"}
        rows += [
            ("bet records", report.bets["records"], ", ".join(f"{name} {number:,}" for name, number in bets.items())),
            ("false", report.findings["false"], "records that say what their sources do not"),
            ("guessed", report.findings["guessed"], "outcomes that what was known then does not bear out"),
            ("undecided", report.findings["undecided"], "bets whose time is over"),
        ]
    if report.ledger is not None:
        rows += [(f"ledger: {name}", number, "") for name, number in report.ledger.items()]
    return [row for row in rows if row[1] or row[0] not in _OF_SOME_FEEDS]


def _short(kind: str) -> str:
    kind = kind.removeprefix("tricast.")
    for feed in SCOPES:
        kind = kind.removeprefix(f"{feed}.")
    return kind.removesuffix(".v1")


def _replays(report: Report) -> str:
    came = ", ".join(f"{name} {count:,}" for name, count in sorted(report.replays.items()) if name != "requests")
    return came or "requests to process dead letters again"
