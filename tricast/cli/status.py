"""``tricast status``: is it healthy, asked of the broker."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import click
from rich import box
from rich.console import Console
from rich.table import Table

from schemas.errors import EnvironmentFault
from schemas.topics import TOPICS
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.processors import PROCESSORS, sources_of
from tricast.settings import Settings
from tricast.stack import fastpath_news, kambi_news, rms_news
from tricast.stack.broker_view import BrokerView, Sample, rate
from tricast.stack.kambi_news import is_to_come

State = Literal["healthy", "degraded", "down"]
SETTLE_S = 60
"""How long an event may be on its way to live: it was just subscribed to, or waits for its snapshot."""
EXIT_CODES: dict[State, int] = {"healthy": 0, "degraded": 1, "down": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What was found.

    Attributes:
        state: The verdict.
        reasons: Why it is not healthy.
        topics: End offset and records per second by physical name; ``None`` when it does not exist.
        groups: Members and lag in records by group.
        lines: Newest health value of each connector line.
        events: Newest health value of each Kambi event in the offering.
        feeds: Newest health value of each FastPath feed.
    """

    state: State
    reasons: Sequence[str]
    topics: dict[str, dict[str, float] | None] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    feeds: dict[str, dict[str, Any]] = field(default_factory=dict)


@click.command()
@json_option
@click.option(
    "--interval",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.1, 60),
    help="Measure rates over so many seconds.",
)
@click.option(
    "--max-lag",
    default=10_000,
    show_default=True,
    type=click.IntRange(0),
    help="Records of lag that are still healthy.",
)
@pass_invocation
def status(invocation: Invocation, as_json: bool, interval: float, max_lag: int) -> None:
    """Say how topics, groups and connector lines do. Looks at the broker, so it works from anywhere.

    Exit codes: 0 healthy, 1 degraded (a topic is missing, a group lags or has no member, a line is not live, an event
    is not live for more than a minute), 2 down (no Kafka answers, or it has none of the topics). Wrong settings are 2
    as well, with their message.

    \b
    Examples:
      tricast status
      tricast status --json | python -m json.tool
      tricast status --max-lag 500 || page-somebody
    """
    found = asyncio.run(_look(invocation.settings, interval, max_lag))
    if as_json:
        click.echo(json.dumps({name: getattr(found, name) for name in Status.__slots__}))
    else:
        _print(found)
    click.get_current_context().exit(EXIT_CODES[found.state])


async def _look(settings: Settings, interval_s: float, max_lag: int) -> Status:
    prefix = settings.topic_prefix
    names = [prefix + name for name in TOPICS]
    groups = sources_of(PROCESSORS, prefix)
    try:
        async with BrokerView(settings.kafka) as view:
            before = await view.sample(names, groups)
            if not before.ends:
                return Status(
                    state="down", reasons=[f"none of the {len(names)} topics exists (`tricast topics create`)"]
                )
            await asyncio.sleep(interval_s)
            after = await view.sample(names, groups)
            members = {group: await view.members(group) for group in groups}
            kambi_health = await view.newest(prefix + "kambi.health")
            fastpath_health = await view.newest(prefix + "fastpath.health")
            rms_health = await view.newest(prefix + "rms.health")
    except EnvironmentFault as fault:
        return Status(state="down", reasons=[fault.message])
    lines: dict[str, dict[str, Any]] = {}
    events: dict[int, dict[str, Any]] = {}
    feeds: dict[str, dict[str, Any]] = {}
    for key, value in kambi_health.items():
        kambi_news.note_health(key.encode(), value, lines, events)
    for key, value in fastpath_health.items():
        fastpath_news.note_health(key.encode(), value, lines, feeds)
    for key, value in rms_health.items():
        rms_news.note_health(key.encode(), value, lines)
    reasons = list(_reasons(names, after, members, max_lag=max_lag))
    reasons += _health_reasons(lines, events, feeds)
    return Status(
        state="degraded" if reasons else "healthy",
        reasons=reasons,
        topics={
            name: {"end": after.total(name), "per_s": round(rate(before, after, name), 2)}
            if name in after.ends
            else None
            for name in names
        },
        groups={group: {"members": members[group], "lag": after.lag[group]} for group in groups},
        lines=lines,
        events=events,
        feeds=feeds,
    )


def _reasons(names: Sequence[str], sample: Sample, members: dict[str, int], *, max_lag: int) -> list[str]:
    reasons = [f"topic {name} does not exist" for name in names if name not in sample.ends]
    feeds_used = {_feed_of(name) for name in sample.ends if sample.total(name)}
    for group, lags in sample.lag.items():
        if feeds_used and feeds_used.isdisjoint(map(_feed_of, lags)):
            continue  # a feed that nobody uses here, beside one that somebody does
        if members[group] == 0:
            reasons.append(f"group {group} has no member: no worker runs")
        for topic, lag in lags.items():
            if lag is not None and lag > max_lag:
                reasons.append(f"group {group} lags {lag} records behind {topic}")
    return reasons


def _feed_of(topic: str) -> str:
    return topic.rpartition(".")[0]


def _health_reasons(
    lines: dict[str, dict[str, Any]], events: dict[int, dict[str, Any]], feeds: dict[str, dict[str, Any]]
) -> list[str]:
    reasons = [f"line {line} is {value.get('state')}" for line, value in lines.items() if not _is_well(value)]
    settled_ns = time.time_ns() - SETTLE_S * 1_000_000_000
    states = Counter(
        value.get("state")
        for value in events.values()
        if value.get("since_ns", 0) < settled_ns and not is_to_come(value)
    )
    reasons += [
        f"{count} events are {state} for more than {SETTLE_S} s"
        for state, count in sorted(states.items())
        if state != "live"
    ]
    reasons += [
        f"feed {feed} is {value.get('state')} ({value.get('reason')})"
        for feed, value in sorted(feeds.items())
        if not _is_well(value)
    ]
    return reasons


def _is_well(health: dict[str, Any]) -> bool:
    """Return whether it is live, or closed because its fixture is over."""
    return health.get("state") == "live" or health.get("reason") == "finished"


def _print(found: Status) -> None:
    console = Console()
    colour = {"healthy": "green", "degraded": "yellow", "down": "red"}[found.state]
    console.print(f"[bold {colour}]{found.state}[/]")
    for reason in found.reasons:
        console.print(f"  {reason}")
    if found.topics:
        table = Table("Topic", box=box.SIMPLE_HEAD)
        table.add_column("End", justify="right")
        table.add_column("Records/s", justify="right")
        for name, numbers in found.topics.items():
            row = (f"{numbers['end']:,.0f}", f"{numbers['per_s']:,.1f}") if numbers else ("missing", "")
            table.add_row(name, *row)
        console.print(table)
    for group, facts in found.groups.items():
        for topic, lag in facts["lag"].items():
            shown = "nothing committed yet" if lag is None else f"{lag:,} records behind"
            console.print(f"group {group}: {facts['members']} members, {shown} {topic}")
    for line, value in sorted(found.lines.items()):
        console.print(f"line {line}: {value.get('state')} ({value.get('reason')})")
    for feed, value in sorted(found.feeds.items()):
        console.print(f"feed {feed}: {value.get('state')} ({value.get('reason')})", highlight=False)
    covered = Counter(value.get("coverage") for value in found.events.values())
    console.print(f"{len(found.events)} events; coverage: {covered['full']} full, {covered['main']} main offers only")
