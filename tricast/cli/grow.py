"""``tricast topics grow``: more partitions, without a key out of order."""

import asyncio
import json
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.cli.progress import progress_bar
from tricast.growth.run import Grow, Plan
from tricast.processors import PROCESSORS


@click.command()
@click.option("--yes", is_flag=True, help="Do it; without, it is only said what would be done.")
@click.option("--pass", "passed", multiple=True, metavar="GROUP", help="Leave this group of readers out of account.")
@json_option
@pass_invocation
def grow(invocation: Invocation, *, yes: bool, passed: tuple[str, ...], as_json: bool) -> None:
    """Give topics the partitions that the settings name (TRICAST_PARTITIONS__…), and divide the states made of them.

    For that the processors that write or read these topics are stopped, and other readers stand at the end and are
    stopped. Connectors go on. Killed half-way, it goes on when it is called again; until then workers refuse to start.

    \b
    Exit codes: 0 done, or nothing to do; 1 something stands in the way, nothing was changed; 2 that count is
    impossible; 3 Kafka is not there or refuses
    \b
    Examples:
      TRICAST_PARTITIONS__KAMBI_FACTS=8 tricast topics grow
      TRICAST_PARTITIONS__KAMBI_FACTS=8 tricast topics grow --yes
      TRICAST_PARTITIONS__KAMBI_SHARDS=16 tricast topics grow --yes --pass an-old-experiment
    """
    plan, moved = asyncio.run(_grow(invocation, passed, yes=yes, quiet=as_json))
    if as_json:
        click.echo(json.dumps(_as_json(plan, moved)))
    if plan.obstacles:
        click.get_current_context().exit(1)


async def _grow(invocation: Invocation, passed: tuple[str, ...], *, yes: bool, quiet: bool) -> tuple[Plan, int | None]:
    settings = invocation.settings
    with progress_bar(quiet=quiet) as progress:
        task = Grow(
            settings.kafka,
            prefix=settings.topic_prefix,
            wanted=settings.topics,
            processors=[processor(settings) for processor in PROCESSORS.values()],
            passed=passed,
            progress=progress,
        )
        plan = await task.plan()
        if not quiet:
            _print(plan, Console())
        if not yes or plan.obstacles:
            return plan, None
        moved = await task.do(plan)
    if not quiet:
        click.echo(f"done, {moved:,} entries of states moved")
    return plan, moved


def _print(plan: Plan, console: Console) -> None:
    if not plan.growths and not plan.divided:
        console.print("nothing to do: Kafka has what the settings name")
        return
    table = Table("Topic", "Partitions", "To be", box=box.SIMPLE_HEAD)
    for growth in plan.growths:
        table.add_row(growth.topic.name, str(growth.have), str(growth.topic.partitions))
    if plan.growths:
        console.print(table)
    for processor in plan.divided:
        console.print(f"the state of {processor.name} is divided", highlight=False)
    for (topic, number), end in plan.ends.items():
        console.print(f"{topic}/{number} ends at {end}: keys that move are older before that", highlight=False)
    for obstacle in plan.obstacles:
        console.print(f"[bold red]in the way[/] {obstacle}", highlight=False, soft_wrap=True)


def _as_json(plan: Plan, moved: int | None) -> dict[str, Any]:
    return {
        "topics": {one.topic.name: {"have": one.have, "want": one.topic.partitions} for one in plan.growths},
        "divided": [processor.name for processor in plan.divided],
        "ends": [{"topic": topic, "partition": number, "end": end} for (topic, number), end in plan.ends.items()],
        "obstacles": list(plan.obstacles),
        "done": moved is not None or not (plan.growths or plan.divided),
        "moved": moved or 0,
    }
