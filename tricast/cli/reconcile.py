"""``tricast reconcile``: what push missed and the poll found, by the hour."""

import asyncio
import json
import time
from typing import Any

import click
from aiokafka import TopicPartition
from rich import box
from rich.console import Console
from rich.table import Table

from tricast.audit.spans import Kafka, Span
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.cli.progress import progress_bar
from tricast.reconcile import CAUSES, TOPICS, Reconciliation, totals
from tricast.settings import Settings

_READ_TIMEOUT_S = 30.0


@click.command(short_help="Report per hour what push of a feed missed.")
@click.argument("feed", type=click.Choice(["kambi"]))
@click.option("--hours", default=24.0, show_default=True, type=click.FloatRange(min=0.01), help="How far back to look.")
@json_option
@pass_invocation
def reconcile(invocation: Invocation, feed: str, hours: float, as_json: bool) -> None:
    """Report per hour what push of FEED missed, and how stale odds would have been without the HTTP poll.

    Differences that a snapshot found are told apart by cause: baseline (what was there before anybody listened),
    repaired (after a recorded gap) and push-missed (push never said it, and no gap explains it). Staleness counts, for
    odds that a snapshot corrected after a gap or a miss, the time until push spoke of the outcome again.

    \b
    Examples:
      tricast reconcile kambi
      tricast reconcile kambi --hours 2 --json | python -m json.tool
    """
    found = asyncio.run(_read(invocation.settings, hours, quiet=as_json))
    rows = found.rows()
    if as_json:
        click.echo(json.dumps({"hours": rows, "totals": totals(rows), "foreign": found.foreign}))
        return
    _print(rows)
    if found.foreign:
        click.echo(f"{found.foreign:,} records are none of tricast's and were passed over")


async def _read(settings: Settings, hours: float, *, quiet: bool) -> Reconciliation:
    kafka, found = Kafka(settings.kafka.client(), _READ_TIMEOUT_S), Reconciliation()
    spans: dict[TopicPartition, Span] = {}
    since_ms = int((time.time() - hours * 3600) * 1000)
    for name in TOPICS:
        partitions = await kafka.partitions_of(settings.topic_prefix + name)
        for tp, (_, end) in (await kafka.spans(partitions)).items():
            first = await kafka.since(tp, since_ms)
            spans[tp] = (end if first is None else first, end)
    done, total = 0, sum(end - begin for begin, end in spans.values())
    with progress_bar(quiet=quiet) as progress:
        async for batch in kafka.read(spans, "read_committed"):
            for record in batch:
                found.observe(dict(record.headers), record.value or b"{}")
            done += len(batch)
            progress("reading", done, total)
    found.finish()
    return found


def _print(rows: list[dict[str, Any]]) -> None:
    console = Console()
    if not rows:
        console.print("no normalized records in that time")
        return
    table = Table("Hour (UTC)", box=box.SIMPLE_HEAD)
    for name in (
        "Pushed",
        "Late",
        "Baseline",
        "Repaired",
        "Push missed",
        "Odds corrected",
        "Stale p50",
        "p90",
        "max s",
    ):
        table.add_column(name, justify="right")
    for row in rows:
        numbers = [f"{row[name]:,}" for name in ("pushed", "late", *CAUSES, "odds_corrected")]
        stale = ["" if value is None else f"{value:,.1f}" for value in row["stale_s"].values()]
        table.add_row(row["hour"][:16].replace("T", " "), *numbers, *stale)
    console.print(table)
    for cause, meaning in CAUSES.items():
        console.print(f"{cause}: {meaning}", highlight=False)
    open_ = sum(row["odds_never_pushed_again"] for row in rows)
    console.print(f"stale: from the correction until push spoke of the outcome again; for {open_:,} it has not yet")
