"""``tricast dlq list`` and ``tricast dlq show``."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.replay import Position
from tricast.cli.dlq.choosing import choice_of, chosen, kafka_of, positions_of
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.cli.progress import progress_bar
from tricast.dlq import reader
from tricast.dlq.letters import FEEDS, Choice, Letter, read_letter
from tricast.dlq.newest import Newest
from tricast.dlq.shown import line_text, summary, value_text
from tricast.settings import Settings


@click.command(name="list")
@chosen
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="Show so many, the newest.")
@json_option
@pass_invocation
def list_letters(  # one a filter
    invocation: Invocation,
    *,
    feeds: Sequence[str],
    codes: Sequence[str],
    since: int | None,
    until: int | None,
    key: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Count dead letters by code, and show the newest.

    \b
    Examples:
      tricast dlq list --since 2h
      tricast dlq list --feed kambi --code processor-error --limit 5 --json
    """
    choice = choice_of(codes, since, until, key)
    counts, newest = asyncio.run(_list(invocation.settings, feeds or FEEDS, choice, limit, quiet=as_json))
    if as_json:
        click.echo(json.dumps({"counts": counts, "letters": newest}))
        return
    console = Console()
    if not counts:
        console.print("no dead letters")
        return
    table = Table("Code", box=box.SIMPLE_HEAD)
    table.add_column("Letters", justify="right")
    for code, count in counts.items():
        table.add_row(Text(line_text(code)), f"{count:,}")
    console.print(table)
    if newest:
        console.print(table_of(newest), highlight=False)


def table_of(letters: Iterable[Mapping[str, Any]]) -> Table:
    """Return what was said of ``letters``, each in a row; nothing in it is taken for markup or for control."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("Position", "Time (UTC)", "Code", "Key", "Source", "Detail"):
        table.add_column(name, overflow="fold", no_wrap=name == "Position")  # to be copied into `show` and `replay`
    for said in letters:
        key = "-" if said["key"] is None else said["key"]
        texts = (said["position"], said["time"][:23], said["code"], key, said["source"], said["detail"])
        table.add_row(*(Text(line_text(text)) for text in texts))
    return table


async def _list(
    settings: Settings, feeds: Sequence[str], choice: Choice, limit: int, *, quiet: bool
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    counts: Counter[str] = Counter()
    newest = Newest(limit)
    with progress_bar(quiet=quiet) as progress:
        async for letter in reader.letters(kafka_of(settings), settings.topic_prefix, feeds, choice, progress):
            counts[letter.code] += 1
            newest.put(letter)
    return dict(counts.most_common()), newest.summaries()


@click.command(short_help="Show dead letters whole.")
@click.argument("positions", nargs=-1, required=True, metavar="POSITION...")
@click.option("--raw", is_flag=True, help="Print the bytes only, as they are.")
@json_option
@pass_invocation
def show(invocation: Invocation, positions: Sequence[str], *, raw: bool, as_json: bool) -> None:
    """Show dead letters whole; POSITION is <topic>/<partition>/<offset>, as `list` shows it.

    \b
    Exit codes: 0 all are shown; 1 one is not there (any more), or is no dead letter
    \b
    Examples:
      tricast dlq show kambi.dead-letters/3/17
      tricast dlq show kambi.dead-letters/3/17 --raw > letter
    """
    settings = invocation.settings
    wanted = positions_of(positions, settings.topic_prefix)
    found = asyncio.run(_show(settings, wanted))
    for position, letter in found:
        if letter is None:
            click.echo(line_text(f"{position}: there is no dead letter"), err=True)
        elif raw:
            sys.stdout.buffer.write(letter.value)
        elif as_json:
            click.echo(json.dumps(summary(letter) | {"value": letter.value.decode(errors="replace")}))
        else:
            for name, said in summary(letter).items():
                if name == "headers":
                    for header, value in said.items():
                        click.echo(f"  {header:<18}{line_text(value)}")
                elif said is not None:
                    click.echo(f"{name:<20}{line_text(str(said))}")
            click.echo(f"\n{value_text(letter.value)}\n")
    sys.stdout.flush()
    if any(letter is None for _, letter in found):
        click.get_current_context().exit(1)


async def _show(settings: Settings, wanted: Sequence[Position]) -> list[tuple[Position, Letter | None]]:
    kafka = kafka_of(settings)
    found: list[tuple[Position, Letter | None]] = []
    for position in wanted:
        record = await reader.record_at(kafka, position)
        found.append((position, None if record is None else read_letter(record)))
    return found
