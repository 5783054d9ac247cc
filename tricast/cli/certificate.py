"""``tricast audit --certificate``: audits in a row, each going on where the one before ended."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tricast.audit import marks
from tricast.audit.certificate import Audited, FeedPart, State, certify, kept_of_bets, load
from tricast.audit.chain import go_on
from tricast.audit.rms.run import RmsScope
from tricast.audit.rms.run import go_on as go_on_with_bets
from tricast.audit.run import Scope
from tricast.audit.spans import Kafka
from tricast.cli.progress import progress_bar
from tricast.settings import Settings

_SHOWN_FINDINGS = 5


async def certified(
    settings: Settings,
    feeds: Sequence[str],
    scope_of: Callable[[str], Scope | RmsScope],
    path: Path,
    *,
    min_frames: int,
    timeout_s: float,
    quiet: bool,
) -> dict[str, Any]:
    """Audit what came since the last certificate in ``path``, and return the new one, which is written there.

    Args:
        settings: How to reach Kafka; topic prefix.
        feeds: To be audited, beside those that the file has already.
        scope_of: What an audit of a feed looks at.
        path: The file.
        min_frames: Fewer frames than this over all its audits prove nothing.
        timeout_s: How long to wait for a processor, and for Kafka.
        quiet: Whether to show no bar.

    Raises:
        ConfigurationError: The file cannot be gone on from.
        EnvironmentFault: Kafka cannot be read, or the file not written.
    """
    before, state = load(path, settings.topic_prefix)
    names = dict.fromkeys([*(before["feeds"] if before is not None else ()), *feeds])
    kafka, began = Kafka(settings.kafka.client(), timeout_s), datetime.now(UTC).isoformat()
    following, parts = State(), {}
    await marks.check(kafka, state.marks)
    with progress_bar(quiet=quiet) as progress:
        for feed in names:
            scope = scope_of(feed)
            said = None if before is None else before["feeds"].get(feed)
            if isinstance(scope, RmsScope):
                bets = await go_on_with_bets(kafka, scope, progress, state.bets.get(feed))
                following.bets[feed] = bets.carried
                kept = kept_of_bets(bets.report, said)
                parts[feed] = FeedPart(settled=kept, open=bets.report, ranges=bets.ranges, is_whole=True)
            else:
                step = await go_on(kafka, scope, progress, state.feeds.get(feed))
                following.feeds[feed] = step.carried
                parts[feed] = FeedPart(settled=step.settled, open=step.open, ranges=step.ranges)
    ranges = [each for part in parts.values() for each in part.ranges]
    following.marks = await marks.take(kafka, settings.topic_prefix, ranges, state.marks)
    audited = Audited(
        feeds=parts,
        prefix=settings.topic_prefix,
        version=version("tricast"),
        began=began,
        ended=datetime.now(UTC).isoformat(),
        min_frames=min_frames,
    )
    return certify(audited, before, following, path)


def print_certificate(certificate: Mapping[str, Any], console: Console) -> None:
    """Print a certificate for people."""
    console.print(f"[bold]certificate {certificate['number']}[/], {certificate['began']} to {certificate['ended']}")
    table = Table(
        "Feed", "Raw now", "Normalized now", "Raw so far", "Normalized so far", "Gaps", "Findings", box=box.SIMPLE
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for feed, said in certificate["feeds"].items():
        parts, so_far = (said["settled"], said["open"]), said["so_far"]
        table.add_row(
            feed,
            *(f"{sum(part[name] for part in parts):,}" for name in ("raw_records", "normalized")),
            *(f"{so_far[name]:,}" for name in ("raw_records", "normalized", "gaps")),
            f"{sum(so_far['finding_counts'].values()):,}",
        )
    console.print(table)
    for said in certificate["feeds"].values():
        for kind, texts in said["so_far"]["findings"].items():
            console.print(f"[bold red]{kind}[/] ({said['so_far']['finding_counts'][kind]:,})")
            for text in texts[:_SHOWN_FINDINGS]:
                console.print(f"  {text}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"digest {certificate['digest']}", highlight=False)
    colour = "green" if certificate["verdict"] == "clean" else "red"
    console.print(f"[bold {colour}]{certificate['verdict']}[/]")
