"""``tricast doctor``: is all set up right; ask a vendor's real service what only it can answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict

import click
from rich.console import Console

from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.doctor import fastpath, kafka, kambi, machine, rms
from tricast.doctor.answer import Answer
from tricast.processors import PROCESSORS, sources_of
from tricast.settings import Settings
from tricast.stack.vendors import VENDORS, is_simulated

_MARKS = {"ok": "[green]ok[/]     ", "warning": "[yellow]warning[/]", "failed": "[bold red]failed[/] "}


@click.command(short_help="Examine this installation, or a vendor's service.")
@click.argument("feed", required=False, type=click.Choice(["kambi", "fastpath", "rms"]))
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
def doctor(invocation: Invocation, feed: str | None, listen_s: float, as_json: bool) -> None:
    """Examine this installation; or ask FEED's service: is it there, does it let us in, do our models read it.

    Without FEED: this machine (libraries, open files, clock, disks), settings, and Kafka: is every broker reached at
    the address it gives, do topics have copies enough (replication, min.insync.replicas) and the settings of the
    registry, do the brokers' limits allow what the engine needs, may this user do what it must (ACLs).
    kambi: reads the offering API, listens on push for a while and reads every push example that the vendor shows.
    fastpath: reads the lists of fixtures, listens on a feed of each kind, and connects once more to see how positions
    and numbers count. rms: one exchange for a token, one handshake. Nothing is written; a feed needs no Kafka.

    Exit code 0: nothing failed (warnings are things to look at); 1: something failed.

    \b
    Examples:
      tricast doctor
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
        Console().print(f"{len(answers)} questions: {failed} failed, {warned} warning{'' if warned == 1 else 's'}")
    click.get_current_context().exit(1 if failed else 0)


def _answers(settings: Settings, feed: str | None, listen_s: float) -> AsyncIterator[Answer]:
    match feed:
        case "fastpath":
            return fastpath.examine(settings.fastpath, listen_s=listen_s)
        case "rms":
            return rms.examine(settings.rms)
        case "kambi":
            return kambi.examine(settings.kambi, listen_s=listen_s)
    return _installation(settings)


async def _installation(settings: Settings) -> AsyncIterator[Answer]:
    for answer in machine.examine(settings, [feed for feed in VENDORS if not is_simulated(feed, settings)]):
        yield answer
    async for answer in kafka.examine(settings, list(sources_of(PROCESSORS, settings.topic_prefix))):
        yield answer


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
