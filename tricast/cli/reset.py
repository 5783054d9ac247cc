"""``tricast reset``: forget a processor's state and give it a new position."""

import asyncio
import json
from typing import Any, get_args

import click
from rich import box
from rich.console import Console
from rich.table import Table

from processors.engine.reset import PartitionPlan, Reset, Target
from schemas.errors import ConfigurationError
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.growth.plan import caution
from tricast.processors import PROCESSORS


@click.command(short_help="Give a processor a new position and no state.")
@click.argument("processor", type=click.Choice(sorted(PROCESSORS)))
@click.option(
    "--to",
    "target",
    type=click.Choice(get_args(Target)),
    required=True,
    help="earliest: all that raw still holds; committed: where the group was; latest: skip what is there.",
)
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--force", is_flag=True, help="Also forget a changelog that belongs to another group.")
@json_option
@pass_invocation
def reset(invocation: Invocation, processor: str, *, target: Target, yes: bool, force: bool, as_json: bool) -> None:
    """Give PROCESSOR a new position and forget its state, in one transaction; its workers must be stopped.

    The only way past a worker that ends with 78: only a person can say whether records may be skipped or written a
    second time. What it would cost is shown first, and nothing is changed before you agree.

    \b
    Examples:
      tricast reset kambi --to committed
      tricast reset kambi --to earliest --yes
    """
    if as_json and not yes:
        raise ConfigurationError("--json cannot ask", action="add --yes")
    plans = asyncio.run(_reset(invocation, processor, target, force=force, yes=yes, quiet=as_json))
    if as_json:
        click.echo(json.dumps([_as_json(plan) for plan in plans]))


async def _reset(
    invocation: Invocation, processor: str, target: Target, *, force: bool, yes: bool, quiet: bool
) -> list[PartitionPlan]:
    settings = invocation.settings
    task = Reset(
        PROCESSORS[processor](invocation.settings),
        prefix=settings.topic_prefix,
        registry=settings.topics,
        kafka=settings.kafka,
        settings=settings.engine,
    )
    plans = await task.plan(target, force=force)
    if target == "earliest" and (told := caution(PROCESSORS[processor](settings), settings.topics)):
        click.echo(f"caution: {told}", err=True)
    if not quiet:
        _print(plans)
    if not yes:
        click.confirm("Do it?", abort=True)
    await task.do(plans)
    if not quiet:
        click.echo("done")
    return plans


def _print(plans: list[PartitionPlan]) -> None:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Source partition", no_wrap=True, overflow="fold")
    for column in ("Committed", "New", "Again", "Skipped", "Forgotten"):
        table.add_column(column, justify="right")
    for plan in plans:
        committed = plan.offsets.committed
        numbers = (plan.position, plan.again, plan.skipped, plan.forgotten)
        table.add_row(
            f"{plan.partition.topic}/{plan.partition.partition}",
            "-" if committed is None else f"{committed:,}",
            *(f"{number:,}" for number in numbers),
        )
    Console().print(table)


def _as_json(plan: PartitionPlan) -> dict[str, Any]:
    return {
        "topic": plan.partition.topic,
        "partition": plan.partition.partition,
        "committed": plan.offsets.committed,
        "position": plan.position,
        "written_again": plan.again,
        "skipped": plan.skipped,
        "forgotten": plan.forgotten,
    }
