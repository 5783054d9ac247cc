"""``tricast dlq replay``."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from schemas.errors import ConfigurationError
from tricast.cli.dlq.choosing import choice_of, chosen, kafka_of, positions_of
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.cli.progress import progress_bar
from tricast.dlq.letters import FEEDS, SUFFIX, Choice
from tricast.dlq.replays import Plan, Replays
from tricast.dlq.shown import line_text

_SHOWN = 20
"""Letters to be replayed that are named before it is done; --dry-run and --json name all."""
_MAX_LETTERS = 100_000
"""Letters of one `replay` at most; more are replayed by several, each with its --since and --until."""


@click.command(short_help="Have dead letters processed again.")
@click.argument("positions", nargs=-1, metavar="[POSITION]...")
@chosen
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

    Of more than --limit, or than fit into memory, the oldest are taken. They stay dead letters: for those behind them
    raise --limit or say --since, as the same again brings nothing but refusals.

    \b
    Exit codes: 0 all were asked for (--dry-run: all would come out); 1 some are refused or not there;
    2 an argument is wrong; 3 Kafka is not there
    \b
    Examples:
      tricast dlq replay kambi.dead-letters/3/17
      tricast dlq replay --feed rms --code processor-error --since 2h --dry-run
    """
    if not (positions or feeds or codes) and key is None and since is None and until is None:
        raise click.UsageError("say which: positions, --feed, --code, --key, --since or --until")
    if as_json and not (yes or dry_run):
        raise ConfigurationError("--json cannot ask", action="add --yes or --dry-run")
    settings = invocation.settings
    named = frozenset(positions_of(positions, settings.topic_prefix))
    if named:
        feeds = sorted({position.topic.removeprefix(settings.topic_prefix).removesuffix(SUFFIX) for position in named})
        if not set(feeds) <= set(FEEDS):
            raise click.UsageError("a position is in no topic of dead letters")
    choice = choice_of(codes, since, until, key, named)
    replays = Replays(settings, kafka_of(settings), even_if_unchanged=even_if_unchanged)
    plan = asyncio.run(_plan(replays, feeds or FEEDS, choice, limit, dry_run=dry_run, quiet=as_json))
    if not as_json:
        _print_plan(plan)
    asked: list[str] = []
    if plan.taken and not dry_run:
        if not yes:
            click.confirm(f"Replay {len(plan.taken):,}?", abort=True)
        with progress_bar(quiet=as_json) as progress:
            asked = asyncio.run(replays.ask(plan, rate, progress))
        if not as_json:
            click.echo(f"{len(asked):,} requests written")
    if as_json:
        click.echo(json.dumps(_plan_json(plan, asked)))
    if not plan.is_whole:
        click.get_current_context().exit(1)


async def _plan(
    replays: Replays, feeds: Sequence[str], choice: Choice, limit: int, *, dry_run: bool, quiet: bool
) -> Plan:
    with progress_bar(quiet=quiet) as progress:
        plan = await replays.plan(feeds, choice, limit, progress)
        if dry_run:
            await replays.try_out(plan, int(time.time() * 1000), progress)
    return plan


def _print_plan(plan: Plan) -> None:
    for line in _told(plan):
        click.echo(line_text(line))


def _told(plan: Plan) -> Iterator[str]:
    for position in plan.missing:
        yield f"{position}: there is no such dead letter"
    for letter, why in plan.refused:
        yield f"{letter.position}  {letter.code}  not replayed: {why}"
    if plan.refused_more:
        yield f"… and {plan.refused_more:,} more are not"
    for number, one in enumerate(plan.taken):
        if one.outcome is None:
            if number < _SHOWN:
                yield f"{one.letter.position}  {one.letter.code}  of {one.letter.source}"
            continue
        for topic, ce_type, ce_id, _ in one.outcome.records:
            yield f"{one.letter.position}  {one.letter.code}  would bring {ce_type or 'a message'} {ce_id} to {topic}"
        for code, detail in one.outcome.refused:
            yield f"{one.letter.position}  {one.letter.code}  would be {code}: {detail}"
    more = sum(one.outcome is None for one in plan.taken[_SHOWN:])
    if more:
        yield f"… and {more:,} more"
    if not (plan.taken or plan.refused or plan.missing):
        yield "no dead letters"
    if plan.left:
        yield f"{plan.left:,} more are meant than can be taken at once (--limit); these are the oldest"


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
        "refused_more": plan.refused_more,
        "missing": [str(position) for position in plan.missing],
        "left": plan.left,
    }
