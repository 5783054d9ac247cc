"""``tricast status``: is it healthy, asked of the broker."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.live import Live

from tricast.cli.invocation import Invocation, json_option, pass_invocation, stop_on_signals
from tricast.monitor.ours import monitor_of
from tricast.monitor.picture import Picture, State
from tricast.monitor.terminal import render
from tricast.monitor.verdict import Limits
from tricast.monitor.watch import Monitor
from tricast.web.serve import serving

EXIT_CODES: MappingProxyType[State, int] = MappingProxyType({"healthy": 0, "degraded": 1, "down": 2})
_REFRESHES_PER_S = 4
WEB_PORT = 8642
"""Where the status page is looked for."""


@click.command()
@json_option
@click.option(
    "--watch",
    is_flag=True,
    help="Go on until Ctrl-C: a view that renews itself; where it goes to no terminal, one for each change of the"
    " verdict; with --json a line each time.",
)
@click.option(
    "--max-lag",
    default=Limits().lag,
    show_default=True,
    type=click.IntRange(0),
    help="Records that a processor may be behind.",
)
@click.option(
    "--max-lag-s",
    default=Limits().lag_s,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds that a processor may be behind.",
)
@click.option("--web", is_flag=True, help="Serve the status page until Ctrl-C.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address of the page; others than loopback need a token."
)
@click.option("--port", default=WEB_PORT, show_default=True, type=click.IntRange(0, 65_535), help="Port; 0 takes any.")
@pass_invocation
def status(
    invocation: Invocation,
    *,
    as_json: bool,
    watch: bool,
    max_lag: int,
    max_lag_s: float,
    web: bool,
    host: str,
    port: int,
) -> None:
    """Say how Kafka, topics, groups and connector lines do. Looks at the brokers, so it works from anywhere.

    Exit codes: 0 healthy, 1 degraded (something of what is listed needs a look), 2 down (no Kafka answers, or it has
    none of the topics). Wrong settings are 2 as well, with their message. Each reason ends with its code, which is the
    name of the alert that says the same; docs/runbook.md says what to do.

    \b
    Examples:
      tricast status
      tricast status --watch
      tricast status --json | jq '.reasons[].text'
      tricast status --max-lag 500 --max-lag-s 5 || page-somebody
      tricast status --web
      TRICAST_OBSERVE__TOKEN_FILE=token tricast status --web --host 0.0.0.0
    """
    if web and (as_json or watch):
        raise click.UsageError("--web excludes --json and --watch")
    limits = Limits(lag=max_lag, lag_s=max_lag_s)
    settings = invocation.settings
    monitor = monitor_of(settings.kafka, settings.topic_prefix, limits=limits)
    if web:
        token = settings.observe.token.get_secret_value() or None
        picture = asyncio.run(_serve(monitor, host=host, port=port, token=token))
    else:
        picture = asyncio.run(_watch(monitor, as_json=as_json) if watch else _look(monitor, as_json=as_json))
    click.get_current_context().exit(EXIT_CODES[picture.state])


async def _look(monitor: Monitor, *, as_json: bool) -> Picture:
    async with monitor:
        picture = await monitor.settle()
    if as_json:
        click.echo(msgspec.json.encode(picture))
    else:
        Console(highlight=False).print(render(picture))
    return picture


async def _serve(monitor: Monitor, *, host: str, port: int, token: str | None) -> Picture:
    async with monitor, serving(monitor, host=host, port=port, token=token) as url:
        click.echo(f"status page at {url}")
        await _until_stopped(monitor.run())
    return monitor.picture


async def _watch(monitor: Monitor, *, as_json: bool) -> Picture:
    async with monitor:
        console = Console(highlight=False)
        show = _json_lines(monitor) if as_json else (_live if console.is_terminal else _verdicts)(monitor, console)
        await _until_stopped(show)
    return monitor.picture


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    stopping = asyncio.Event()
    stop_on_signals(stopping.set)
    working = asyncio.create_task(work)
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if working.done():
        working.result()  # it ends by an error only
    working.cancel()


async def _json_lines(monitor: Monitor) -> None:
    await monitor.settle()
    while True:
        click.echo(msgspec.json.encode(monitor.picture))
        async with monitor.changed:
            await monitor.changed.wait()


async def _verdicts(monitor: Monitor, console: Console) -> None:
    await monitor.settle()
    told = None
    while True:
        picture = monitor.picture
        verdict = (picture.state, {(reason.code, reason.subject) for reason in picture.reasons})
        if verdict != told:
            told = verdict
            console.print(f"{datetime.fromtimestamp(picture.at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC")
            console.print(render(picture))  # which flushes
        async with monitor.changed:
            await monitor.changed.wait()


async def _live(monitor: Monitor, console: Console) -> None:
    with Live("looking …", console=console, screen=True, refresh_per_second=_REFRESHES_PER_S) as live:
        await monitor.settle()
        while True:
            live.update(render(monitor.picture))
            async with monitor.changed:
                await monitor.changed.wait()
