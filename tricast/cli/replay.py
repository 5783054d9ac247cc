"""``tricast replay``: process a window of raw topics again and compare with what is in Kafka."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from schemas.errors import ConfigurationError
from tricast.audit.scratch import scratch_database
from tricast.audit.spans import Kafka
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.cli.progress import progress_bar
from tricast.cli.times import Time
from tricast.processors import PROCESSORS, STATES
from tricast.replay.extent import Scope
from tricast.replay.keep import Keep, into_folder, into_topics
from tricast.replay.memory import memory_of
from tricast.replay.report import Report
from tricast.replay.run import replay as run_replay
from tricast.settings import Settings

FEEDS = tuple(sorted({name.partition(".")[0] for name in PROCESSORS}))
_OUTCOMES = ("equal", "different", "missing", "extra", "reordered", "compacted", "expired")


@click.command(short_help="Process raw records again, and compare.")
@click.argument("feed", type=click.Choice(FEEDS))
@click.option(
    "--from",
    "from_ms",
    type=Time(),
    help="Compare from this time on: 2h, or ISO 8601 (UTC).  [default: the first record kept]",
)
@click.option("--to", "to_ms", type=Time(), help="And before this one.  [default: where the processors have committed]")
@click.option("--show", "shown", type=click.IntRange(0), default=5, show_default=True, help="Differences of a kind.")
@click.option(
    "--write",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what came out: a JSON-lines file a topic, in this new folder.",
)
@click.option("--write-topics", "prefix", help="Keep what came out: in topics under this prefix instead of yours.")
@click.option(
    "--timeout", "timeout_s", default=30.0, show_default=True, help="Give up after so many seconds without progress."
)
@json_option
@pass_invocation
def replay(
    invocation: Invocation,
    *,
    feed: str,
    from_ms: int | None,
    to_ms: int | None,
    shown: int,
    folder: Path | None,
    prefix: str | None,
    timeout_s: float,
    as_json: bool,
) -> None:
    """Process the raw records of FEED again with the processors of this version, and compare what comes out.

    Each record that a processor writes must be in its topic byte for byte (key, value, headers), in order per key; and
    where the window ends at the committed position, the state must be that of the changelog. Differences are counted
    by message type and shown field by field, the replay's side on the left. Nothing in your topics is changed; use the
    settings of the workers (windows, hold-back), for they decide what is written.

    Times are those of the records in Kafka. Everything kept before --from is processed first, to have the state.

    \b
    Exit codes: 0 equal; 1 different; 2 an argument is wrong; 3 Kafka cannot be read
    \b
    Examples:
      tricast replay kambi
      tricast replay rms --from 2026-11-21T18:00 --to 2026-11-21T19:00 --show 20
      tricast replay kambi --write /tmp/replayed        what this version makes of it
      tricast replay kambi --write-topics again.        the same, as topics
    """
    settings = invocation.settings
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise click.UsageError("--to is not after --from")
    if folder is not None and prefix is not None:
        raise click.UsageError("--write and --write-topics exclude each other")
    scope = _scope(settings, feed, from_ms, to_ms, shown)
    report = asyncio.run(_replay(settings, scope, folder, prefix, timeout_s=timeout_s, quiet=as_json))
    if as_json:
        click.echo(json.dumps(report.to_json()))
    else:
        print_report(feed, report, Console())
    click.get_current_context().exit(0 if report.equal else 1)


def _scope(settings: Settings, feed: str, from_ms: int | None, to_ms: int | None, shown: int) -> Scope:
    names = [name for name in PROCESSORS if name.partition(".")[0] == feed and name not in STATES]
    return Scope(
        prefix=settings.topic_prefix,
        processors=[PROCESSORS[name](settings) for name in names],
        memories={name: memory_of(name, settings) for name in names},
        version=version("tricast"),
        from_ms=from_ms,
        to_ms=int(time.time() * 1000) if to_ms is None else to_ms,
        shown=shown,
    )


async def _replay(
    settings: Settings, scope: Scope, folder: Path | None, prefix: str | None, *, timeout_s: float, quiet: bool
) -> Report:
    kafka = Kafka(settings.kafka.client(), timeout_s)
    with scratch_database() as database, progress_bar(quiet=quiet) as progress:
        async with _kept(settings, scope, folder, prefix) as keep:
            return await run_replay(kafka, scope, database, progress, keep)


@asynccontextmanager
async def _kept(
    settings: Settings, scope: Scope, folder: Path | None, prefix: str | None
) -> AsyncIterator[Keep | None]:
    if folder is not None:
        with into_folder(folder) as keep:
            yield keep
    elif prefix is not None:
        if prefix == settings.topic_prefix:
            raise ConfigurationError(f"{prefix!r} is the prefix of your topics", action="name another")
        names = {name for processor in scope.processors for name in processor.outputs}
        names |= {f"{processor.feed}.dead-letters" for processor in scope.processors}
        async with into_topics(settings.kafka, prefix, [settings.topics[name] for name in names]) as keep:
            yield keep
    else:
        yield None


def print_report(feed: str, report: Report, console: Console) -> None:
    """Print a report for people."""
    before = f", {report.around_records:,} around them for their state" if report.around_records else ""
    console.print(f"[bold]replay of {feed}[/]: {report.records:,} records processed{before}")
    _print_outputs(report, console)
    _print_states(report, console)
    for outcome, differences in report.differences.items():
        for each in differences:
            console.print(f"[bold red]{outcome}[/] {each.title}", highlight=False, soft_wrap=True)
            for line in each.lines:
                console.print(f"    {line}", highlight=False, soft_wrap=True, markup=False)
    for number, count in sorted(report.other_versions.items()):
        console.print(f"note: {count:,} dead letters were written by version {number}", highlight=False)
    for note in report.notes:
        console.print(f"note: {note}", highlight=False, soft_wrap=True, markup=False)
    if report.equal:
        console.print(f"[bold green]equal[/]: {report.totals()['equal']:,} records, byte for byte")
    elif report.too_little:
        console.print("[bold red]nothing to compare[/]")
    else:
        console.print("[bold red]different[/]")


def _print_outputs(report: Report, console: Console) -> None:
    totals = report.totals()
    outcomes = [name for name in _OUTCOMES if totals[name]]
    table = Table("Topic", "Type", *[name.capitalize() for name in outcomes], box=box.SIMPLE_HEAD)
    for column in table.columns[2:]:
        column.justify = "right"
    for (topic, kind), counts in sorted(report.outputs.items()):
        table.add_row(topic, kind, *(f"{counts[name]:,}" if counts[name] else "" for name in outcomes))
    console.print(table)


def _print_states(report: Report, console: Console) -> None:
    by_processor: dict[str, list[str]] = {}
    for task in report.tasks:
        said = f"{task.topic}/{task.partition}: {task.state}"
        if task.state in ("equal", "different"):
            wrong = f", {task.state_wrong:,} of them wrong" if task.state_wrong else ""
            said = f"{said} ({task.state_entries:,} entries{wrong})"
        by_processor.setdefault(task.processor, []).append(said)
    for processor, states in by_processor.items():
        console.print(f"state of {processor}", highlight=False)
        for said in states:
            console.print(f"  {said}", highlight=False, markup=False)
