"""``tricast dlq``: dead letters, and having them processed again."""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from schemas.errors import ConfigurationError
from schemas.replay import Position
from schemas.topics import TOPICS
from tricast.audit.spans import Kafka
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.dlq import reader
from tricast.dlq.letters import FEEDS, SUFFIX, Choice, Letter, read_letter
from tricast.dlq.replays import Plan, Replays
from tricast.dlq.shown import summary, time_text, value_text
from tricast.settings import Settings

_READ_TIMEOUT_S = 30.0
_AGO = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SHOWN = 20
"""Letters to be replayed that are named before it is done; --dry-run and --json name all."""
_MAX_LETTERS = 100_000
"""Letters that one `replay` holds in memory; more are replayed by several."""


class _When(click.ParamType):
    """A time: so long ago (``90m``, ``2h``, ``3d``), or ISO 8601 (UTC unless it says another zone)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        ago = _AGO.fullmatch(value)
        try:
            if ago is not None:
                moment = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
            else:
                moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is neither like 2h nor ISO 8601", param, ctx)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which letters are meant."""
    options = (
        click.option("--feed", "feeds", multiple=True, type=click.Choice(FEEDS), help="Of this feed; again for more."),
        click.option("--code", "codes", multiple=True, help="With this code; again for more."),
        click.option("--since", type=_When(), help="Not older than this, by their source: 2h, 3d, or ISO 8601 (UTC)."),
        click.option("--until", type=_When(), help="Older than this."),
        click.option("--key", help="With this key of their source record."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def dlq() -> None:
    """Look at dead letters, and have them processed again when what was wrong is mended.

    \b
    Examples:
      tricast dlq list --since 2h
      tricast dlq show kambi.dead-letters/3/17
      tricast dlq replay --feed kambi --code processor-error --dry-run
      tricast dlq replay --feed kambi --code processor-error --rate 100
    """


@dlq.command(name="list")
@_chosen
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
    choice = _choice(codes, since, until, key)
    counts, newest = asyncio.run(_list(invocation.settings, feeds or FEEDS, choice, limit, quiet=as_json))
    if as_json:
        click.echo(json.dumps({"counts": counts, "letters": [summary(letter) for letter in newest]}))
        return
    console = Console()
    if not counts:
        console.print("no dead letters")
        return
    table = Table("Code", box=box.SIMPLE_HEAD)
    table.add_column("Letters", justify="right")
    for code, count in counts.items():
        table.add_row(code, f"{count:,}")
    console.print(table)
    table = Table("Position", "Time (UTC)", "Code", "Key", "Source", "Detail", box=box.SIMPLE_HEAD)
    for letter in newest:
        shown = "-" if letter.key is None else letter.key.decode(errors="replace")
        table.add_row(
            str(letter.position),
            time_text(letter.timestamp_ms)[:23],
            letter.code,
            shown,
            str(letter.source),
            letter.detail,
        )
    if newest:
        console.print(table, highlight=False)


async def _list(
    settings: Settings, feeds: Sequence[str], choice: Choice, limit: int, *, quiet: bool
) -> tuple[dict[str, int], list[Letter]]:
    counts: Counter[str] = Counter()
    newest: list[Letter] = []
    with _progress("reading", quiet=quiet) as watch:
        async for letter in reader.letters(_kafka(settings), settings.topic_prefix, feeds, choice, watch):
            counts[letter.code] += 1
            newest.append(letter)
            if len(newest) > 2 * limit + 1_000:
                newest = _newest(newest, limit)
    return dict(counts.most_common()), _newest(newest, limit)


def _newest(letters: list[Letter], limit: int) -> list[Letter]:
    return sorted(letters, key=lambda letter: (letter.timestamp_ms, letter.position))[max(0, len(letters) - limit) :]


@dlq.command()
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
    wanted = _positions(positions, settings.topic_prefix)
    found = asyncio.run(_show(settings, wanted))
    for position, letter in found:
        if letter is None:
            click.echo(f"{position}: there is no dead letter", err=True)
        elif raw:
            sys.stdout.buffer.write(letter.value)
        elif as_json:
            click.echo(json.dumps(summary(letter) | {"value": letter.value.decode(errors="replace")}))
        else:
            for name, said in summary(letter).items():
                if name == "headers":
                    for header, value in said.items():
                        click.echo(f"  {header:<18}{value}")
                elif said is not None:
                    click.echo(f"{name:<20}{said}")
            click.echo(f"\n{value_text(letter.value)}\n")
    sys.stdout.flush()
    if any(letter is None for _, letter in found):
        click.get_current_context().exit(1)


async def _show(settings: Settings, wanted: Sequence[Position]) -> list[tuple[Position, Letter | None]]:
    kafka = _kafka(settings)
    found: list[tuple[Position, Letter | None]] = []
    for position in wanted:
        record = await reader.record_at(kafka, position)
        found.append((position, None if record is None else read_letter(record)))
    return found


@dlq.command()
@click.argument("positions", nargs=-1, metavar="[POSITION]...")
@_chosen
@click.option(
    "--limit", default=1_000, show_default=True, type=click.IntRange(1, _MAX_LETTERS), help="At most so many."
)
@click.option(
    "--rate", type=click.FloatRange(min=0.01), help="Requests a second.  [default: as fast as Kafka takes them]"
)
@click.option("--even-if-unchanged", is_flag=True, help="Also those that this very version could not process.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would come out now.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@json_option
@pass_invocation
def replay(  # one an option
    invocation: Invocation,
    positions: Sequence[str],
    *,
    feeds: Sequence[str],
    codes: Sequence[str],
    since: int | None,
    until: int | None,
    key: str | None,
    limit: int,
    rate: float | None,
    even_if_unchanged: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Have dead letters processed again, in the order of their source records: those named, or all that are meant.

    A request is written into each letter's source partition, and the processor of that partition does the rest, exactly
    once: what comes out has its original id and times and a header ce_replayed. What is not newer than what is out is
    refused, as a dead letter that says why, and so is a letter that was replayed before.

    \b
    Exit codes: 0 all were asked for (--dry-run: all would come out); 1 some are refused; 2 an argument is wrong
    \b
    Examples:
      tricast dlq replay kambi.dead-letters/3/17
      tricast dlq replay --feed rms --code processor-error --since 2h --dry-run
    """
    if not (positions or feeds or codes or key or since or until):
        raise click.UsageError("say which: positions, --feed, --code, --key, --since or --until")
    if as_json and not (yes or dry_run):
        raise ConfigurationError("--json cannot ask", action="add --yes or --dry-run")
    settings = invocation.settings
    named = frozenset(_positions(positions, settings.topic_prefix))
    if named:
        feeds = sorted({position.topic.removeprefix(settings.topic_prefix).removesuffix(SUFFIX) for position in named})
        if not set(feeds) <= set(FEEDS):
            raise click.UsageError("a position is in no topic of dead letters")
    choice = _choice(codes, since, until, key, named)
    replays = Replays(settings, _kafka(settings), even_if_unchanged=even_if_unchanged)
    plan = asyncio.run(_plan(replays, feeds or FEEDS, choice, limit, dry_run=dry_run, quiet=as_json))
    if not as_json:
        _print_plan(plan, limit)
    asked: list[str] = []
    if plan.taken and not dry_run:
        if not yes:
            click.confirm(f"Replay {len(plan.taken):,}?", abort=True)
        with _progress("asking", quiet=as_json) as watch:
            asked = asyncio.run(replays.ask(plan, rate, watch))
        if not as_json:
            click.echo(f"{len(asked):,} requests written")
    if as_json:
        click.echo(json.dumps(_plan_json(plan, asked)))
    if not plan.is_whole:
        click.get_current_context().exit(1)


async def _plan(
    replays: Replays, feeds: Sequence[str], choice: Choice, limit: int, *, dry_run: bool, quiet: bool
) -> Plan:
    with _progress("reading", quiet=quiet) as watch:
        plan = await replays.plan(feeds, choice, limit, watch)
    if dry_run:
        with _progress("state", quiet=quiet) as watch:
            await replays.try_out(plan, int(time.time() * 1000), watch)
    return plan


def _print_plan(plan: Plan, limit: int) -> None:
    for letter, why in plan.refused:
        click.echo(f"{letter.position}  {letter.code}  not replayed: {why}")
    for number, one in enumerate(plan.taken):
        if one.outcome is None:
            if number < _SHOWN:
                click.echo(f"{one.letter.position}  {one.letter.code}  of {one.letter.source}")
            continue
        for topic, ce_type, ce_id, _ in one.outcome.records:
            click.echo(
                f"{one.letter.position}  {one.letter.code}  would bring {ce_type or 'a message'} {ce_id} to {topic}"
            )
        for code, detail in one.outcome.refused:
            click.echo(f"{one.letter.position}  {one.letter.code}  would be {code}: {detail}")
    more = sum(one.outcome is None for one in plan.taken[_SHOWN:])
    if more:
        click.echo(f"… and {more:,} more")
    if not (plan.taken or plan.refused):
        click.echo("no dead letters")
    if plan.left:
        click.echo(f"{plan.left:,} more are meant than --limit {limit:,}; the oldest are taken first")


def _plan_json(plan: Plan, asked: Sequence[str]) -> dict[str, Any]:
    return {
        "asked": [
            {"letter": str(one.letter.position), "source": str(one.letter.source), "request": request}
            for one, request in zip(plan.taken, asked, strict=False)
        ],
        "would": [
            {
                "letter": str(one.letter.position),
                "records": [
                    {"topic": topic, "ce_type": ce_type, "ce_id": ce_id, "value": value.decode(errors="replace")}
                    for topic, ce_type, ce_id, value in one.outcome.records
                ],
                "refused": [{"code": code, "detail": detail} for code, detail in one.outcome.refused],
            }
            for one in plan.taken
            if one.outcome is not None
        ],
        "refused": [{"letter": str(letter.position), "why": why} for letter, why in plan.refused],
        "left": plan.left,
    }


def _choice(
    codes: Sequence[str],
    since: int | None,
    until: int | None,
    key: str | None,
    positions: frozenset[Position] = frozenset(),
) -> Choice:
    return Choice(
        codes=frozenset(codes),
        since_ms=since,
        until_ms=until,
        key=None if key is None else key.encode(),
        positions=positions,
    )


def _positions(texts: Sequence[str], prefix: str) -> list[Position]:
    try:
        positions = [Position.read(text) for text in texts]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return [
        position._replace(topic=prefix + position.topic) if position.topic in TOPICS else position
        for position in positions
    ]


def _kafka(settings: Settings) -> Kafka:
    return Kafka(settings.kafka.client(), _READ_TIMEOUT_S)


@contextmanager
def _progress(what: str, *, quiet: bool) -> Iterator[reader.Watch]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def watch(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield watch
