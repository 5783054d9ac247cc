"""``tricast status``: is it healthy, asked of the broker."""

import asyncio
from types import MappingProxyType

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

EXIT_CODES: MappingProxyType[State, int] = MappingProxyType({"healthy": 0, "degraded": 1, "down": 2})
_REFRESHES_PER_S = 4


@click.command()
@json_option
@click.option(
    "--watch", is_flag=True, help="Go on until Ctrl-C: a view that renews itself; with --json a line each time."
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
@pass_invocation
def status(invocation: Invocation, *, as_json: bool, watch: bool, max_lag: int, max_lag_s: float) -> None:
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
    """
    limits = Limits(lag=max_lag, lag_s=max_lag_s)
    settings = invocation.settings
    monitor = monitor_of(settings.kafka, settings.topic_prefix, limits=limits)
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


async def _watch(monitor: Monitor, *, as_json: bool) -> Picture:
    stopping = asyncio.Event()
    stop_on_signals(stopping.set)
    async with monitor:
        showing = asyncio.create_task(_json_lines(monitor) if as_json else _live(monitor))
        stopped = asyncio.create_task(stopping.wait())
        await asyncio.wait((showing, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if showing.done():
            showing.result()  # it ends by an error only
        showing.cancel()
    return monitor.picture


async def _json_lines(monitor: Monitor) -> None:
    await monitor.settle()
    while True:
        click.echo(msgspec.json.encode(monitor.picture))
        async with monitor.changed:
            await monitor.changed.wait()


async def _live(monitor: Monitor) -> None:
    console = Console(highlight=False)
    with Live("looking …", console=console, screen=console.is_terminal, refresh_per_second=_REFRESHES_PER_S) as live:
        await monitor.settle()
        while True:
            live.update(render(monitor.picture))
            async with monitor.changed:
                await monitor.changed.wait()
