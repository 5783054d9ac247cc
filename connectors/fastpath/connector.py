"""The FastPath connector: the feeds of one process, what they share, and a clean end."""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

import aiohttp

from connectors import process
from connectors.backlog import Backlog
from connectors.clock import Clock, SystemClock
from connectors.counts import ConnectorView, Facts, LineCounts, LineState
from connectors.fastpath import names
from connectors.fastpath.commands import COMMANDS_TOPIC, CommandReader, Commands
from connectors.fastpath.config import LEGACY_UNTIL, FastpathSettings
from connectors.fastpath.discovery import Discovery
from connectors.fastpath.feeds import Feeds, Stood
from connectors.fastpath.following import State
from connectors.fastpath.rest import FastpathRest
from connectors.once import once
from connectors.output import raw_output
from connectors.runner import ConnectionBudget, Ladder, Runner, unless_stopped
from connectors.sink import FrameSink
from connectors.trust import trusted
from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings
from schemas.raw import RawHeaders

log = logging.getLogger(__name__)

_BUDGET_WINDOW_S: Final = 1.1  # a second, and some: on the way attempts may draw closer
_LINE_STATES: Final[Mapping[State, LineState]] = {
    "open": "live",  # the URL is the subscription
    "connecting": "connecting",
    "waiting": "waiting",
    "finished": "ended",
    "unauthorised": "refused",
}


async def run(
    settings: FastpathSettings,
    kafka: KafkaSettings,
    prefix: str = "tricast.",
    *,
    stop: asyncio.Event | None = None,
    view: ConnectorView | None = None,
) -> None:
    """Run the FastPath connector until SIGTERM or SIGINT (or ``stop``), then close, flush and return.

    Args:
        settings: What to follow and where.
        kafka: How to reach Kafka.
        prefix: Prefix of topic names.
        stop: Set by the caller to end it; without it the signals are taken.
        view: Filled for whoever looks at it.

    Raises:
        ConfigurationError: There is no token or nothing to follow, or the raw topic lacks a partition.
        EnvironmentFault: Neither Kafka nor the spool took everything within the grace period; another process has the
            spool open.
    """
    _check(settings)
    stop = process.stop_on_signals() if stop is None else stop
    clock = SystemClock()
    topic = prefix + names.RAW_TOPIC
    stood = Stood()
    async with raw_output(
        kafka,
        topic=topic,
        partitions=_partitions(settings),
        key=_key,
        max_bytes=settings.queue_bytes,
        backlog=lambda number: _backlog(settings, topic, number),
        clock=clock,
    ) as output:
        sinks = output.sinks
        if view is not None:
            view.sinks = sinks

        async def recall() -> None:
            # While Kafka is away nothing is known of events: a feed is asked for from its start.
            for lines in (await output.recall()).values():
                stood.events.update({line: tail.events for line, tail in lines.items() if tail.events is not None})
            stood.frames.update(output.stood)

        async def lines() -> None:
            random = Random()  # noqa: S311 - jitter, not a secret
            budget = ConnectionBudget(settings.requests_per_second, window_s=_BUDGET_WINDOW_S, clock=clock)
            feeds = Feeds(settings, sinks=sinks, stood=stood, budget=budget, stop=stop, clock=clock, random=random)
            if view is not None:
                view.facts = lambda: Facts(
                    lines=Counter(_LINE_STATES[state] for state in feeds.feeds.values()),
                    budgets={"connects": budget.left},
                )
            await _work(settings, kafka, prefix, feeds=feeds, budget=budget, stop=stop, clock=clock, random=random)

        # Before any socket: what a line's gap begins with has to be known when its `opened` is written.
        if await unless_stopped(stop, recall()):
            await process.run_until_stopped(lines, sinks=tuple(sinks.values()), stop=stop, grace_s=settings.grace_s)
    _tell(output.sinks)


def http_session(settings: FastpathSettings) -> aiohttp.ClientSession:
    """Return the session of the REST API."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted(settings.ca_file)), middlewares=(once,))


async def _work(
    settings: FastpathSettings,
    kafka: KafkaSettings,
    prefix: str,
    *,
    feeds: Feeds,
    budget: ConnectionBudget,
    stop: asyncio.Event,
    clock: Clock,
    random: Random,
) -> None:
    async with http_session(settings) as session, asyncio.TaskGroup() as group:
        group.create_task(feeds.run(), name="feeds")
        rest = FastpathRest(
            session,
            base_url=settings.api_url,
            token=settings.token.get_secret_value(),
            budget=budget,
            requests_per_second=settings.requests_per_second,
            timeout_s=settings.http_timeout_s,
            clock=clock,
        )
        discovery = Discovery(settings, rest=rest, following=feeds, stop=stop, clock=clock, random=random)
        commands = CommandReader(
            kafka,
            topic=prefix + COMMANDS_TOPIC,
            commands=Commands(feeds, replica=settings.replica, timeout_s=settings.repair_timeout_s, clock=clock),
            stop=stop,
            clock=clock,
        )
        runner = Runner(
            stop=stop,
            backoff=Ladder(steps_s=settings.backoff_s, healthy_s=settings.healthy_s),
            budget=budget,
            clock=clock,
            random=random,
        )
        # Lines of their own to the runner: whatever breaks in them, the sockets go on.
        for name, work in (("fastpath-discovery", discovery.run), ("fastpath-commands", commands.run)):
            group.create_task(runner.keep_connected(name, work, LineCounts()), name=name)


def _check(settings: FastpathSettings) -> None:
    if not settings.token.get_secret_value():
        raise ConfigurationError(
            "FastPath needs an access token",
            action="set TRICAST_FASTPATH__TOKEN, or TRICAST_FASTPATH__TOKEN_FILE to a file that holds it",
        )
    if not settings.feeds and not settings.sports:
        raise ConfigurationError(
            "there is nothing to follow at FastPath",
            action="set TRICAST_FASTPATH__SPORTS (e.g. soccer,basketball) or TRICAST_FASTPATH__FEEDS (paths)",
        )
    for host in settings.legacy_hosts:
        log.warning(
            "fastpath.legacy_host host=%s shutdown=%r Operator action: use the hosts below srarena.io; paths stay",
            host,
            LEGACY_UNTIL,
        )


def _partitions(settings: FastpathSettings) -> Sequence[int]:
    """Return the partitions to write: any may be needed for a feed that is found later."""
    if settings.sports:
        return range(names.PARTITIONS)
    return sorted({names.partition_of(path) for path in settings.feeds})


def _key(headers: RawHeaders) -> bytes:
    return names.path_of(headers.line).encode()


def _backlog(settings: FastpathSettings, topic: str, partition: int) -> Backlog | None:
    """Return where records of ``partition`` wait when Kafka is away; ``None``: the spool is switched off."""
    if not settings.spool_bytes:
        return None
    ending = f".{settings.replica}.sqlite" if settings.replica else ".sqlite"
    return Backlog(settings.spool_dir / f"{topic}-{partition}{ending}", max_bytes=settings.spool_bytes)


def _tell(sinks: Mapping[int, FrameSink]) -> None:
    for number, sink in sinks.items():
        counts = sink.counts
        log.info(
            "fastpath.stopped partition=%d received=%d pushed=%d spooled=%d dropped=%s",
            number,
            counts.received,
            counts.pushed,
            counts.spooled,
            dict(counts.dropped),
        )
