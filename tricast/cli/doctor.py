"""``tricast doctor``: ask a vendor's real service what only it can answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict

import click
from rich.console import Console

from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.doctor import fastpath, kambi
from tricast.doctor.answer import Answer
from tricast.settings import Settings

_MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "failed": "[bold red]failed[/] "}


@click.command()
@click.argument("feed", type=click.Choice(["kambi", "fastpath"]))
@click.option(
    "--listen",
    "listen_s",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1, 600),
    help="Listen for so many seconds: on the general push keys; on each feed of FastPath.",
)
@json_option
@pass_invocation
def doctor(invocation: Invocation, feed: str, listen_s: float, as_json: bool) -> None:
    """Ask FEED's service: is it reachable, does it let us in, does it speak as we think, do our models read it.

    kambi: reads the offering API, listens on push for a while and reads every push example that the vendor shows.
    fastpath: reads the lists of fixtures, listens on a feed of each kind, and connects once more to see how positions
    and numbers count. Nothing is written, and Kafka is not needed.

    Exit code 0: nothing failed (warnings are things to look at); 1: something failed.

    \b
    Examples:
      tricast doctor kambi
      TRICAST_KAMBI__OFFERING=ub TRICAST_KAMBI__LANGUAGE=en_GB tricast doctor kambi --listen 60
      tricast doctor kambi --json | python -m json.tool
      TRICAST_FASTPATH__SPORTS=soccer,tennis tricast doctor fastpath --listen 45
    """
    answers = asyncio.run(_ask(_answers(invocation.settings, feed, listen_s), quiet=as_json))
    failed = sum(answer.verdict == "failed" for answer in answers)
    if as_json:
        click.echo(json.dumps({"failed": failed, "answers": [asdict(answer) for answer in answers]}))
    else:
        warned = sum(answer.verdict == "warning" for answer in answers)
        Console().print(f"{len(answers)} questions: {failed} failed, {warned} warnings")
    click.get_current_context().exit(1 if failed else 0)


def _answers(settings: Settings, feed: str, listen_s: float) -> AsyncIterator[Answer]:
    if feed == "fastpath":
        return fastpath.examine(settings.fastpath, listen_s=listen_s)
    return kambi.examine(settings.kambi, listen_s=listen_s)


async def _ask(coming: AsyncIterator[Answer], *, quiet: bool) -> list[Answer]:
    console, answers = Console(soft_wrap=True, highlight=False), []
    async for answer in coming:
        answers.append(answer)
        if not quiet:
            console.print(f"{_MARKS[answer.verdict]} {answer.question}: ", end="")
            console.print(answer.found, markup=False)
            if answer.action:
                console.print(f"         {answer.action}", markup=False)
    return answers
