"""The RMS connector: the sockets of one customer, its tokens, its look-ups, and a clean end."""

import asyncio
import logging
from collections import Counter
from random import Random

import aiohttp

from connectors import process
from connectors.backlog import Backlog
from connectors.clock import Clock, SystemClock
from connectors.counts import ConnectorView, Facts, LineCounts
from connectors.once import once
from connectors.output import Output, raw_output
from connectors.recorder import LineRecorder
from connectors.rms import names
from connectors.rms.backoff import JoinedBackoff
from connectors.rms.budget import RmsBudget
from connectors.rms.config import RmsSettings
from connectors.rms.dial import no_redirects
from connectors.rms.line import RmsLine
from connectors.rms.lookups import LookUps
from connectors.rms.sockets import Sockets
from connectors.rms.tokens import TokenOwner
from connectors.runner import ConnectionBudget, Runner, unless_stopped
from connectors.sink import FrameSink
from connectors.trust import trusted
from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings

log = logging.getLogger(__name__)


async def run(
    settings: RmsSettings,
    kafka: KafkaSettings,
    prefix: str = "tricast.",
    *,
    stop: asyncio.Event | None = None,
    clock: Clock | None = None,
    view: ConnectorView | None = None,
) -> None:
    """Run the RMS connector until SIGTERM or SIGINT (or ``stop``), then close, flush and return.

    Args:
        settings: Where, who we are, and within which limits.
        kafka: How to reach Kafka.
        prefix: Prefix of topic names.
        stop: Set by the caller to end it; without it the signals are taken, and SIGHUP reads the secret's file again.
        clock: The machine's, unless the caller has another.
        view: Filled for whoever looks at it.

    Raises:
        ConfigurationError: A needed setting is missing, or the vendor refuses us for one; the raw topic lacks a
            partition.
        EnvironmentFault: Neither Kafka nor the spool took everything within the grace period; another process has the
            spool open.
    """
    _check(settings)
    signals = stop is None
    stop = process.stop_on_signals() if stop is None else stop
    clock = clock or SystemClock()
    random = Random()  # noqa: S311 - jitter, not a secret
    topic = prefix + names.RAW_TOPIC
    partition = names.partition_of(settings.customer_id)
    async with (
        http_session(settings) as session,
        raw_output(
            kafka,
            topic=topic,
            partitions=(partition,),
            key=lambda _: settings.customer_id.encode(),
            max_bytes=settings.queue_bytes,
            backlog=lambda number: _backlog(settings, topic, number),
            clock=clock,
        ) as output,
    ):
        budget = RmsBudget(settings, clock=clock)
        tokens = TokenOwner(settings, session=session, budget=budget, clock=clock, random=random)
        if signals:
            process.on_hang_up(tokens.reload)
        sink = output.sinks[partition]
        if view is not None:
            view.sinks = output.sinks
        lookups = LookUps(
            settings,
            kafka,
            prefix,
            sink=sink,
            session=session,
            tokens=tokens,
            budget=budget,
            stop=stop,
            clock=clock,
        )

        recorders: dict[bool, LineRecorder] = {}

        def line(second: bool) -> RmsLine:
            recorder = recorders.get(second) or _recorder(settings, output, sink, second=second)
            recorders[second] = recorder  # a place's chain goes on when it is taken again
            return RmsLine(
                settings,
                recorder=recorder,
                sink=sink,
                session=session,
                tokens=tokens,
                budget=budget,
                lookups=lookups,
                clock=clock,
                random=random,
            )

        async def lines() -> None:
            await budget.open()
            async with asyncio.TaskGroup() as group:
                owner = group.create_task(tokens.run(), name="rms-tokens")
                runner = Runner(
                    stop=stop,
                    backoff=JoinedBackoff(settings.backoff_s, floor_s=settings.backoff_floor_s),
                    budget=ConnectionBudget(settings.connects_share, window_s=60.0, clock=clock),
                    clock=clock,
                    random=random,
                )
                # A line of its own to the runner: whatever breaks in it, the sockets go on.
                group.create_task(runner.keep_connected("rms-lookups", lookups.run, LineCounts()), name="rms-lookups")
                sockets = Sockets(line, tokens=tokens, change_over=settings.reconnect_on_refresh, stop=stop)
                if view is not None:
                    view.facts = lambda: _facts(sockets, budget, tokens, lookups)
                await sockets.run()
                owner.cancel()

        async def recall() -> None:
            await output.recall()

        if await unless_stopped(stop, recall()):
            await process.run_until_stopped(lines, sinks=(sink,), stop=stop, grace_s=settings.grace_s)
    counts = sink.counts
    log.info(
        "rms.stopped partition=%d received=%d pushed=%d spooled=%d dropped=%s",
        partition,
        counts.received,
        counts.pushed,
        counts.spooled,
        dict(counts.dropped),
    )


def http_session(settings: RmsSettings) -> aiohttp.ClientSession:
    """Return the session of the socket and of all requests: no connection kept, no cookie, no redirect, no retry."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True, ssl=trusted(settings.ca_file)),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(once,),
        trace_configs=[no_redirects()],
    )


def _facts(sockets: Sockets, budget: RmsBudget, tokens: TokenOwner, lookups: LookUps) -> Facts:
    ages = {"access": tokens.token_age_s, "refresh": tokens.refresh_age_s}
    return Facts(
        lines=Counter(line.state for line in sockets.lines),
        budgets={"connects": budget.connects_left, "requests": budget.requests_left},
        token_ages_s={name: age_s for name, age_s in ages.items() if age_s is not None},
        requests={"recorded": lookups.counts.recorded, "failed": lookups.counts.failed.total()},
        lookups_waiting=lookups.waiting,
    )


def _check(settings: RmsSettings) -> None:
    if not settings.customer_id:
        raise ConfigurationError("RMS needs a customer id", action="set TRICAST_RMS__CUSTOMER_ID, digits only")
    if not settings.client_id:
        raise ConfigurationError(
            "RMS needs the Client ID of an API token", action="set TRICAST_RMS__CLIENT_ID; ARENA360 shows it once"
        )
    if not settings.secret.get_secret_value() and settings.secret_file is None:
        raise ConfigurationError(
            "RMS needs the Secret Key of the API token",
            action="set TRICAST_RMS__SECRET_FILE to a file that holds it, or TRICAST_RMS__SECRET",
        )


def _recorder(settings: RmsSettings, output: Output, sink: FrameSink, *, second: bool) -> LineRecorder:
    name = names.line_of(settings.customer_id, settings.replica, second=second)
    return LineRecorder(
        feed=names.FEED,
        line=name,
        sink=sink,
        clock=output.clock,
        push_back_s=settings.push_back_s,
        previous=output.stood.get(name),
    )


def _backlog(settings: RmsSettings, topic: str, partition: int) -> Backlog | None:
    """Return where records wait when Kafka is away; ``None``: the spool is switched off."""
    if not settings.spool_bytes:
        return None
    # Customers may share a partition, and each has a process of its own.
    ending = f"@{settings.replica}" if settings.replica else ""
    name = f"{topic}-{partition}-{settings.customer_id}{ending}.sqlite"
    return Backlog(settings.spool_dir / name, max_bytes=settings.spool_bytes)
