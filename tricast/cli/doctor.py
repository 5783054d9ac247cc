"""``tricast doctor``: ask a vendor's real service what only it can answer."""

import asyncio
import json
from dataclasses import asdict

import click
from rich.console import Console

from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.doctor.answer import Answer
from tricast.doctor.kambi import examine
from tricast.settings import Settings

_MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "failed": "[bold red]failed[/] "}


@click.command()
@click.argument("feed", type=click.Choice(["kambi"]))
@click.option(
    "--listen",
    "listen_s",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1, 600),
    help="Listen on the general push keys for so many seconds.",
)
@json_option
@pass_invocation
def doctor(invocation: Invocation, feed: str, listen_s: float, as_json: bool) -> None:
    """Ask FEED's service: is it reachable, which Engine.IO does it speak, is the language right, do our models read it.

    Reads the offering API, listens on push for a while and reads every push example that the vendor shows. Nothing is
    written, and Kafka is not needed.

    Exit code 0: nothing failed (warnings are things to look at); 1: something failed.

    \b
    Examples:
      tricast doctor kambi
      TRICAST_KAMBI__OFFERING=ub TRICAST_KAMBI__LANGUAGE=en_GB tricast doctor kambi --listen 60
      tricast doctor kambi --json | python -m json.tool
    """
    answers = asyncio.run(_ask(invocation.settings, listen_s, quiet=as_json))
    failed = sum(answer.verdict == "failed" for answer in answers)
    if as_json:
        click.echo(json.dumps({"failed": failed, "answers": [asdict(answer) for answer in answers]}))
    else:
        warned = sum(answer.verdict == "warning" for answer in answers)
        Console().print(f"{len(answers)} questions: {failed} failed, {warned} warnings")
    click.get_current_context().exit(1 if failed else 0)


async def _ask(settings: Settings, listen_s: float, *, quiet: bool) -> list[Answer]:
    console, answers = Console(soft_wrap=True, highlight=False), []
    async for answer in examine(settings.kambi, listen_s=listen_s):
        answers.append(answer)
        if not quiet:
            console.print(f"{_MARKS[answer.verdict]} {answer.question}: ", end="")
            console.print(answer.found, markup=False)
            if answer.action:
                console.print(f"         {answer.action}", markup=False)
    return answers
