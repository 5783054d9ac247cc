"""The Kambi connector: plans keys, opens lines, follows discovery, and ends cleanly."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping, Sequence
from random import Random
from typing import Any, Final

import aiohttp

from connectors import process
from connectors.clock import Clock, SystemClock
from connectors.kambi import protocol
from connectors.kambi.config import KambiSettings
from connectors.kambi.discovery import DiscoveryFailed, live_events
from connectors.kambi.line import KambiLine
from connectors.kambi.planner import Action, Planner, Subscribe, Unsubscribe
from connectors.producer import RawWriter
from connectors.recorder import LastFrame, LineRecorder
from connectors.runner import Backoff, ConnectionBudget, Runner, unless_stopped
from connectors.sink import FrameSink
from connectors.tail import last_frames
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS

log = logging.getLogger(__name__)

FEED: Final = "kambi"
RAW_TOPIC: Final = TOPICS["kambi.raw"].name
_BUDGET_WINDOW_S: Final = 60.0
_LEAST_DISCOVERY_S: Final = 1.0  # however many events open at once
_MOVE_OVERLAP_S: Final = 1.0  # success is silent, so the old place is held on to until the new one must be in force


class KambiConnector:
    """All lines of one shard.

    Args:
        settings: What to follow and where.
        sink: Queue of the shard's raw partition.
        session: HTTP client session for sockets and discovery.
        previous: Where lines stood before this process.
        stop: Set when the connector is to end.
        clock: Stamps and waits.
        random: Jitter.
    """

    def __init__(
        self,
        settings: KambiSettings,
        *,
        sink: FrameSink,
        session: aiohttp.ClientSession,
        previous: Mapping[str, LastFrame],
        stop: asyncio.Event,
        clock: Clock,
        random: Random,
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._session = session
        self._previous = previous
        self._stop = stop
        self._clock = clock
        self._planner = Planner(
            offering=settings.offering,
            language=settings.language,
            shard=settings.shard,
            max_keys=settings.max_keys_per_connection,
            max_connections=settings.max_connections,
        )
        self._runner = Runner(
            stop=stop,
            backoff=Backoff(base_s=settings.backoff_base_s, cap_s=settings.backoff_cap_s),
            budget=ConnectionBudget(settings.connects_per_minute, window_s=_BUDGET_WINDOW_S, clock=clock),
            clock=clock,
            random=random,
        )
        self._discover_now = asyncio.Event()
        self._group: asyncio.TaskGroup | None = None
        self._unplaced = 0
        self.lines: dict[str, KambiLine] = {}
        self.refused = 0
        """Subscriptions the server refused."""

    async def run(self) -> None:
        """Run until stopped; returns when every line is closed."""
        async with asyncio.TaskGroup() as self._group:
            self._open(self._planner.general_line)
            if self._settings.events == "live":
                self._group.create_task(self._discover(), name="discovery")
            else:
                self._carry_out(self._planner.want(self._settings.events))

    # -- what the lines say ------------------------------------------------------------------------------------------

    def keys_of(self, line: str) -> Sequence[str]:
        return self._planner.keys_of(line)

    def emitted(self, line: str, *, fresh: bool) -> None:
        if fresh:
            self._carry_out(self._planner.connected(line))
        self._spawn(self._end_moves(line))

    def signs(self, line: str, signs: Sequence[protocol.Sign]) -> None:
        for sign in signs:
            match sign:
                case protocol.Refused(code=code, topic=topic):
                    self.refused += 1
                    log.warning("kambi.refused line=%s code=%d topic=%s", line, code, topic)
                    if code == protocol.TOO_MANY_KEYS:
                        self._carry_out(self._planner.refused(line, topic))
                case protocol.Ended(event):
                    self._carry_out(self._planner.ended(event))
                case protocol.Started(event):
                    self._carry_out(self._planner.started(event))
                    self._discover_now.set()

    # -- private -----------------------------------------------------------------------------------------------------

    def _carry_out(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action:
                case Subscribe(line=line, keys=keys):
                    if line in self.lines:
                        self.lines[line].subscribe(keys)
                    else:
                        self._open(line)
                case Unsubscribe(line=line, keys=keys):
                    self.lines[line].unsubscribe(keys)
        if len(self._planner.unplaced) != self._unplaced:
            self._unplaced = len(self._planner.unplaced)
            log.warning("kambi.unplaced events=%d max_connections=%d", self._unplaced, self._settings.max_connections)

    def _open(self, name: str) -> None:
        recorder = LineRecorder(
            feed=FEED,
            line=name,
            sink=self._sink,
            clock=self._clock,
            push_back_s=self._settings.push_back_s,
            previous=self._previous.get(name),
        )
        line = KambiLine(
            settings=self._settings,
            recorder=recorder,
            sink=self._sink,
            session=self._session,
            owner=self,
            stop=self._stop,
            clock=self._clock,
        )
        self.lines[name] = line
        assert self._group is not None
        self._group.create_task(self._runner.keep_connected(name, line.connect, line.counts), name=name)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None
        self._group.create_task(work)

    async def _end_moves(self, line: str) -> None:
        if await unless_stopped(self._stop, self._clock.sleep(_MOVE_OVERLAP_S)):
            self._carry_out(self._planner.subscribed(line))

    async def _discover(self) -> None:
        settings = self._settings
        while not self._stop.is_set():
            self._discover_now.clear()
            try:
                events = await live_events(
                    self._session,
                    offering_url=settings.offering_url,
                    offering=settings.offering,
                    language=settings.language,
                )
            except DiscoveryFailed as error:
                log.warning("kambi.discovery_failed reason=%s", error.message)
            else:
                self._carry_out(self._planner.want(events))
            await unless_stopped(self._stop, self._until_next_discovery())

    async def _until_next_discovery(self) -> None:
        await self._clock.sleep(min(_LEAST_DISCOVERY_S, self._settings.discovery_interval_s))
        try:
            async with asyncio.timeout(self._settings.discovery_interval_s):
                await self._discover_now.wait()
        except TimeoutError:
            pass


async def run(
    settings: KambiSettings, kafka: KafkaSettings, prefix: str = "tricast.", *, stop: asyncio.Event | None = None
) -> None:
    """Run the Kambi connector until SIGTERM or SIGINT (or ``stop``), then close, flush and return.

    Args:
        settings: What to follow and where.
        kafka: How to reach Kafka.
        prefix: Prefix of topic names.
        stop: Set by the caller to end it; without it the signals are taken.

    Raises:
        ConfigurationError: The raw topic has no partition for the shard.
        EnvironmentFault: Kafka did not take everything within the grace period.
    """
    stop = process.stop_on_signals() if stop is None else stop
    clock = SystemClock()
    topic = prefix + RAW_TOPIC
    key = str(settings.shard).encode()
    writer = RawWriter(kafka, topic=topic, partition=settings.shard, key=key, clock=clock)
    sink = FrameSink(writer, max_bytes=settings.queue_bytes)

    async def lines() -> None:
        async with aiohttp.ClientSession() as session:
            connector = KambiConnector(
                settings,
                sink=sink,
                session=session,
                previous=previous,
                stop=stop,
                clock=clock,
                random=Random(),  # noqa: S311 - jitter, not a secret
            )
            await connector.run()

    previous: dict[str, LastFrame] = {}

    async def recall() -> None:
        await writer.open()
        previous.update(await last_frames(kafka, topic=topic, partition=settings.shard, clock=clock))

    try:
        # Before any socket: what a line's gap begins with has to be known when its `opened` is written.
        if await unless_stopped(stop, recall()):
            await process.run_until_stopped(lines, sink=sink, stop=stop, grace_s=settings.grace_s)
    finally:
        await writer.close()
    counts = sink.counts
    log.info("kambi.stopped received=%d pushed=%d dropped=%s", counts.received, counts.pushed, dict(counts.dropped))
