"""Look once a second, for ever, and keep the newest picture."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from aiokafka.errors import KafkaError

from schemas.kafka import KafkaSettings
from schemas.unreached import unreached
from tricast.monitor.broker import Broker
from tricast.monitor.chart import Chart, Processor
from tricast.monitor.follow import Follower
from tricast.monitor.health import HealthDesk
from tricast.monitor.picture import Edge, Group, Kafka, Picture, Record, Topic
from tricast.monitor.recent import RecentDesk
from tricast.monitor.verdict import Evidence, Limits, judge

INTERVAL_S: Final = 1.0
LOOK_TIMEOUT_S: Final = 20.0
"""For a whole look; single requests end earlier, this is for what nobody thought of."""
SETTLE_S: Final = 30.0
"""How long the states of a large installation may take to read."""
NEWS_S: Final = 0.25
"""Between pictures that only news of health and findings changed."""


class Monitor:
    """Watches from entering to leaving; an outage of Kafka is something it sees, not something that ends it.

    Args:
        kafka: How to reach it.
        prefix: Topic prefix; topics that begin so are watched, and all groups that read them.
        registry: Registry names of the topics that should exist.
        processors: Groups of ours.
        limits: What is still healthy.

    Attributes:
        picture: The newest.
        changed: Notified of each new picture.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        prefix: str,
        registry: Sequence[str],
        processors: Sequence[Processor],
        limits: Limits | None = None,
    ) -> None:
        self._kafka = kafka
        self._prefix = prefix
        self._registry = [prefix + name for name in registry]
        self._limits = limits or Limits()
        self._chart = Chart(prefix, processors)
        self._groups = [processor.group for processor in processors]
        self._health = HealthDesk(prefix)
        self._recent = RecentDesk()
        self._news = asyncio.Event()
        self._follower = Follower(kafka, prefix, health=self._health, recent=self._recent, said=self._news.set)
        self._broker: Broker | None = None
        self._seen: tuple[tuple[Topic, ...], tuple[Group, ...], tuple[Edge, ...]] = ((), (), ())
        self._seen_ms: int | None = None
        self._hidden: frozenset[str] = frozenset()
        self._looks = 0  # since Kafka was reachable, or was not
        self._tasks: list[asyncio.Task[None]] = []
        now_ms = _now_ms()
        self._status = Kafka(reachable=False, since_ms=now_ms, brokers=0, error="looking for it")
        self.picture = Picture(at_ms=now_ms, state="down", reasons=(), kafka=self._status)
        self.changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(run()) for run in (self._look_on, self._follower.run, self._tell_news)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._leave()
        for problem in ended:
            if isinstance(problem, Exception) and error is None:
                raise problem

    async def run(self) -> None:
        """Wait until cancelled, or until watching itself fails, which is a bug and is raised."""
        await asyncio.gather(*self._tasks)

    async def settle(self) -> Picture:
        """Return the first picture that is whole: two looks, for rates, and all states read; or that Kafka is away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S), self.changed:
                await self.changed.wait_for(lambda: self.has_settled)
        return self.picture

    @property
    def has_settled(self) -> bool:
        if any(task.done() for task in self._tasks):
            return True
        if not self._status.reachable:
            return self._looks > 0
        return self._looks > 1 and self._follower.has_caught_up

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        """Return a record of a topic of the picture; ``None`` when there is none (any more), or Kafka is away."""
        if self._broker is None or topic not in {known.name for known in self._seen[0]}:
            return None
        try:
            return await self._broker.record(topic, partition, offset)
        except (KafkaError, OSError):
            return None

    # -- looking ------------------------------------------------------------------------------------------------------

    async def _look_on(self) -> None:
        turn_s = time.monotonic()
        while True:
            await self._look()
            # A turn that came while a look still ran is left out: looks never overlap, nor are they caught up with.
            turn_s = max(turn_s + INTERVAL_S, time.monotonic())
            await asyncio.sleep(turn_s - time.monotonic())

    async def _tell_news(self) -> None:
        while True:
            await self._news.wait()
            await self._publish()
            await asyncio.sleep(NEWS_S)

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                broker = await self._reach()
                look = await broker.look()
        except (KafkaError, OSError) as error:
            await self._lost(error)
            return
        self._seen = self._chart.add(look)
        self._seen_ms = look.at_ms
        self._hidden = look.hidden
        self._follower.know(look.partitions)
        if not self._status.reachable:
            self._looks = 0
        since_ms = self._status.since_ms if self._looks else look.at_ms
        self._status = Kafka(reachable=True, since_ms=since_ms, brokers=len(look.brokers), silent=look.silent)
        self._looks += 1
        await self._publish()

    async def _reach(self) -> Broker:
        if self._broker is None:
            broker = Broker(self._kafka, lambda name: name.startswith(self._prefix), self._registry, self._groups)
            await broker.__aenter__()
            self._broker = broker
        return self._broker

    async def _lost(self, error: Exception) -> None:
        await self._leave()
        if self._status.reachable or not self._looks:
            since_ms, brokers = _now_ms(), self._status.brokers
            away = Kafka(reachable=False, since_ms=since_ms, brokers=brokers, error=f"no broker answers: {error}")
            self._status, self._looks = away, 0
            await self._publish()  # first that it is away, then why: that takes longer to find out
            why = await unreached(self._kafka.client(), error)
            self._status = Kafka(reachable=False, since_ms=since_ms, brokers=brokers, error=why.message)
        self._looks += 1
        await self._publish()

    async def _leave(self) -> None:
        if self._broker is not None:
            broker, self._broker = self._broker, None
            await broker.__aexit__(None, None, None)

    # -- the picture --------------------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        self._news.clear()
        now_ms = _now_ms()
        topics, groups, edges = self._seen
        lines, feeds = self._health.lines(), self._health.unwell(now_ms)
        stale_s = 0.0 if self._seen_ms is None else max(0, now_ms - self._seen_ms) / 1000
        status = Kafka(
            reachable=self._status.reachable,
            since_ms=self._status.since_ms,
            brokers=self._status.brokers,
            silent=self._status.silent,
            error=self._status.error,
            stale_s=stale_s,
        )
        evidence = Evidence(
            at_ms=now_ms,
            kafka=status,
            registry=self._registry,
            hidden=self._hidden,
            topics=topics,
            groups=groups,
            lines=lines,
            feeds=feeds,
        )
        state, reasons = judge(evidence, self._limits, self.picture.reasons)
        self.picture = Picture(
            at_ms=now_ms,
            state=state,
            reasons=reasons,
            kafka=status,
            topics=topics,
            groups=groups,
            lines=lines,
            feeds=feeds,
            counts=self._health.counts(),
            recent=self._recent.newest(),
            edges=edges,
        )
        async with self.changed:
            self.changed.notify_all()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
