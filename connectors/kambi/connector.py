"""The Kambi connector: the shards of one process, what they share, and a clean end."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from random import Random
from typing import Final

import aiohttp

from connectors import process
from connectors.clock import Clock, SystemClock
from connectors.counts import ConnectorView, Facts, LineCounts
from connectors.kambi import names
from connectors.kambi.answers import Listing
from connectors.kambi.config import KambiSettings
from connectors.kambi.left import leave
from connectors.kambi.planner import Coverage
from connectors.kambi.polling import poller_of
from connectors.kambi.remembered import HEALTH, remembered
from connectors.kambi.schedule import MOST_ANNOUNCED
from connectors.kambi.settlements import Settlements
from connectors.kambi.shard import Outset, Shard
from connectors.kambi.spools import Spools, drain
from connectors.kambi.switch import await_switch
from connectors.once import once
from connectors.producer import RawWriter
from connectors.record import LastFrame
from connectors.runner import Backoff, ConnectionBudget, Runner, unless_stopped
from connectors.sink import FrameSink
from connectors.tail import read_tails
from connectors.trust import trusted
from schemas.kafka import KafkaSettings
from schemas.topics import KAMBI_SETTLEMENTS_PARTITION, KAMBI_SHARDS, TOPICS, kambi_partition

log = logging.getLogger(__name__)

RAW_TOPIC: Final = TOPICS["kambi.raw"].name
_BUDGET_WINDOW_S: Final = 60.0


class KambiConnector:
    """The shards of this process: one poller, one connection budget and one HTTP session for all of them.

    Args:
        settings: What to follow and where.
        sinks: Queue of each raw partition that this process writes.
        session: HTTP client session for sockets and polling.
        previous: Where lines stood before this process.
        remembered: Says which events an earlier process left as being there, however long Kafka takes.
        stop: Set when the connector is to end.
        clock: Stamps and waits.
        random: Jitter.
    """

    def __init__(
        self,
        settings: KambiSettings,
        *,
        sinks: Mapping[int, FrameSink],
        session: aiohttp.ClientSession,
        previous: Mapping[str, LastFrame],
        remembered: Callable[[], Awaitable[Iterable[int]]],
        stop: asyncio.Event,
        clock: Clock,
        random: Random,
    ) -> None:
        self._settings = settings
        self._remembered = remembered
        self._stop = stop
        self._is_listed = asyncio.Event()
        self._was_empty = False
        self._budget = ConnectionBudget(settings.connects_per_minute, window_s=_BUDGET_WINDOW_S, clock=clock)
        self._runner = Runner(
            stop=stop,
            backoff=Backoff(base_s=settings.backoff_base_s, cap_s=settings.backoff_cap_s),
            budget=self._budget,
            clock=clock,
            random=random,
        )
        self.poller = poller_of(
            settings, sinks=sinks, session=session, on_live=self._listed, stop=stop, clock=clock, random=random
        )
        outset = Outset(
            settings=settings,
            session=session,
            runner=self._runner,
            poller=self.poller,
            stop=stop,
            clock=clock,
        )
        self.shards = tuple(
            Shard(number, outset=outset, sink=sinks[kambi_partition(number)], previous=previous)
            for number in settings.own_shards
        )
        self._settlements = (
            Settlements(outset, sink=sinks[KAMBI_SETTLEMENTS_PARTITION], previous=previous)
            if settings.runs_settlements
            else None
        )

    async def run(self) -> None:
        """Run until stopped; returns when every line is closed."""
        async with asyncio.TaskGroup() as group:
            for shard in self.shards:
                shard.start(group)
            if self._settlements is not None:
                self._settlements.start(group)
            if self._settings.snapshots or self._settings.events == "live":
                # A line of its own to the runner: whatever breaks in it, the sockets go on.
                polling = self._runner.keep_connected("kambi-polling", self.poller.run, LineCounts())
                group.create_task(polling, name="polling")
            if self._settings.snapshots:
                group.create_task(unless_stopped(self._stop, self._recall()), name="recall")

    @property
    def coverage(self) -> Mapping[int, Coverage]:
        """How much of each wanted event is asked for, over all shards of this process."""
        return {event: coverage for shard in self.shards for event, coverage in shard.coverage.items()}

    def facts(self) -> Facts:
        """Return how it stands now."""
        lines = [line for shard in self.shards for line in shard.lines.values()]
        if self._settlements is not None:
            lines.append(self._settlements.line)
        polled = self.poller.counts
        return Facts(
            lines=Counter(line.state for line in lines),
            budgets={"connects": self._budget.left},
            requests={
                "recorded": polled.recorded,
                "unchanged": polled.unchanged,
                "skipped": polled.skipped,
                "failed": polled.failed.total(),
            },
            events=Counter(self.coverage.values()),
        )

    # -- private -----------------------------------------------------------------------------------------------------

    def _listed(self, listing: Listing, asked_s: float) -> None:
        is_empty = not listing.events and not listing.unreadable
        if is_empty and not self._was_empty and (followed := sum(len(shard.events) for shard in self.shards)):
            log.warning("kambi.discovery_empty followed=%d", followed)
        self._was_empty = is_empty
        for shard in self.shards:
            # A listing that could be read in part only says who is live, not who is live no more.
            known = shard.events if listing.unreadable else ()
            shard.listed([*known, *listing.events], asked_s=asked_s, is_empty=is_empty)
        if any(shard.in_doubt for shard in self.shards):
            self.poller.doubt()
        self._is_listed.set()

    async def _recall(self) -> None:
        await self._is_listed.wait()  # what is live is followed by then, and need not be asked for beside
        try:
            there = await self._remembered()
        except Exception:
            log.exception("kambi.recall_failed: events that ended while nobody listened stay until push tells of them")
            return  # whatever breaks here, the sockets go on
        mine = [event for event in there if any(shard.owns(event) for shard in self.shards)]
        self.poller.recalled(mine)
        log.info("kambi.recalled events=%d", len(mine))
        if len(mine) > MOST_ANNOUNCED:
            log.warning(
                "kambi.recalled_in_part events=%d asked=%d Operator action: none at once; what left the offering while "
                "nobody listened, and is not among the newest, stays until it is forgotten",
                len(mine),
                MOST_ANNOUNCED,
            )


async def run(
    settings: KambiSettings,
    kafka: KafkaSettings,
    prefix: str = "tricast.",
    *,
    shards: int = KAMBI_SHARDS,
    stop: asyncio.Event | None = None,
    view: ConnectorView | None = None,
) -> None:
    """Run the Kambi connector until SIGTERM or SIGINT (or ``stop``), then close, flush and return.

    Args:
        settings: What to follow and where.
        kafka: How to reach Kafka.
        prefix: Prefix of topic names.
        shards: How many the raw topic has partitions for.
        stop: Set by the caller to end it; without it the signals are taken.
        view: Filled for whoever looks at it.

    Raises:
        ConfigurationError: The raw topic lacks the partition of a shard or of settlements.
        EnvironmentFault: Neither Kafka nor the spool took everything within the grace period; another process has the
            spool open; or the shard count changed, and what the old shards left was not processed in time.
    """
    stop = process.stop_on_signals() if stop is None else stop
    clock = SystemClock()
    topic = prefix + RAW_TOPIC
    partitions = [kambi_partition(shard) for shard in settings.own_shards]
    if settings.runs_settlements:
        partitions.append(KAMBI_SETTLEMENTS_PARTITION)
    previous: dict[str, LastFrame] = {}
    async with AsyncExitStack() as leaving:
        writers = {number: _writer(kafka, topic, number, clock) for number in partitions}

        async def leave_kafka() -> None:
            # At once: with Kafka away each takes its time, and the grace period is one for all.
            await asyncio.gather(*(writer.close() for writer in writers.values()))

        leaving.push_async_callback(leave_kafka)
        spools = Spools(settings, topic=topic)
        sinks = {
            number: FrameSink(
                writer, max_bytes=settings.queue_bytes, backlog=spools.backlog(number), now_ns=clock.now_ns
            )
            for number, writer in writers.items()
        }

        for sink in sinks.values():
            leaving.push_async_callback(sink.release)
        if view is not None:
            view.sinks = sinks

        async def recall() -> None:
            spooled = {number: await sink.open() for number, sink in sinks.items()}
            for known in spooled.values():
                previous.update(known)
            foreign = spools.left_by_another_count()
            if all(spooled.values()) and not foreign:
                return  # Kafka is not needed to begin: what it was to tell is on disk, and newer there
            for number, backlog in foreign:
                await drain(backlog, _writer(kafka, topic, number, clock))
            for writer in writers.values():
                await writer.open()
            stood = await await_switch(
                kafka,
                topic=topic,
                partitions=[kambi_partition(shard) for shard in range(shards)],
                group=prefix + names.FEED,
                shards=settings.shards,
                timeout_s=settings.switch_timeout_s,
                clock=clock,
            )
            if 0 in settings.own_shards:  # one process says it for all
                for shard in range(settings.shards, shards):
                    number = kambi_partition(shard)
                    if gone := {name: tail for name, tail in stood[number].items() if not tail.left}:
                        await leave(gone, _writer(kafka, topic, number, clock), clock=clock)
            others = [number for number in partitions if number not in stood]
            tails = {**stood, **await read_tails(kafka, topic=topic, partitions=others, clock=clock)}
            for number, sink in sinks.items():
                if not spooled[number]:
                    last = {line: tail.last for line, tail in tails[number].items()}
                    sink.remember(last)
                    previous.update(last)

        async def lines() -> None:
            async with http_session(settings) as session:
                connector = KambiConnector(
                    settings,
                    sinks=sinks,
                    session=session,
                    previous=previous,
                    remembered=partial(remembered, kafka, topic=prefix + HEALTH, clock=clock),
                    stop=stop,
                    clock=clock,
                    random=Random(),  # noqa: S311 - jitter, not a secret
                )
                if view is not None:
                    view.facts = connector.facts
                await connector.run()

        # Before any socket: what a line's gap begins with has to be known when its `opened` is written.
        if await unless_stopped(stop, recall()):
            await process.run_until_stopped(lines, sinks=tuple(sinks.values()), stop=stop, grace_s=settings.grace_s)
    for number, sink in sinks.items():
        counts = sink.counts
        log.info(
            "kambi.stopped partition=%d received=%d pushed=%d spooled=%d dropped=%s",
            number,
            counts.received,
            counts.pushed,
            counts.spooled,
            dict(counts.dropped),
        )


def _writer(kafka: KafkaSettings, topic: str, partition: int, clock: Clock) -> RawWriter:
    return RawWriter(kafka, topic=topic, partition=partition, key=str(partition).encode(), clock=clock)


def http_session(settings: KambiSettings) -> aiohttp.ClientSession:
    """Return the session of the sockets and of the offering API; whoever enters it runs the loop."""
    # The lines are bounded by `max_connections`; aiohttp's own bound (100) would leave those past it waiting unheard.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=trusted(settings.ca_file)), middlewares=(once,)
    )
