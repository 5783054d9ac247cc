"""One run of ``tricast up``: start everything, watch it, stop it, and say how it went."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka.errors import KafkaError

from schemas.errors import EnvironmentFault, TricastError
from schemas.kafka import KafkaSettings
from tricast.monitor.metrics import MonitorSubject
from tricast.monitor.ours import monitor_of
from tricast.monitor.watch import Monitor
from tricast.observe.config import ObserveSettings
from tricast.observe.run import observed
from tricast.stack.fastpath_news import FastpathNews
from tricast.stack.follower import Follower
from tricast.stack.kambi_news import KambiNews
from tricast.stack.live import View
from tricast.stack.local import LocalStack, Plan
from tricast.stack.names import live_event_names
from tricast.stack.news import News
from tricast.stack.rms_news import RmsNews
from tricast.stack.supervisor import FINAL_EXIT_CODES, Supervised
from tricast.web.serve import serving

SHOW_INTERVAL_S = 1.0

_STARTING_S: Final = 60.0
"""As long as this nothing is called degraded for want of a first record."""


@dataclass(slots=True, kw_only=True)
class Outcome:
    """How a run went.

    Attributes:
        first_normalized_s: From the command's start to the first normalized record that a reader saw.
        records: Normalized records that readers saw.
        exit_code: Of a child that ended for good, or had to be killed; 0 else.
    """

    first_normalized_s: float | None = None
    records: int = 0
    exit_code: int = 0


class Session:
    """The stack with its view.

    Args:
        plan: What runs.
        start_kafka: Brings Kafka and its topics up and says how to reach it.
        prefix: Topic prefix.
        topics: Physical names to show.
        offering: Of Kambi, with its language: what names of events are asked for by.
        observe: How what the monitor sees is served as metrics; its port is any that is free.
        begun_s: Monotonic time of the command's start.
        show: Told of every new view.
        say: Told of events, one line each.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        start_kafka: Callable[[], Awaitable[KafkaSettings]],
        prefix: str,
        topics: Sequence[str],
        offering: tuple[str, str],
        observe: ObserveSettings,
        begun_s: float,
        show: Callable[[View], None],
        say: Callable[[str], None],
    ) -> None:
        self._start_kafka = start_kafka
        self._prefix = prefix
        self._topics = topics
        self._plan = plan
        self._offering = offering
        self._observe = observe.model_copy(update={"port": 0, "address_dir": plan.addresses})
        feeds = {vendor.feed for vendor in plan.vendors}
        self._kambi = KambiNews() if "kambi" in feeds else None
        self._fastpath = FastpathNews() if "fastpath" in feeds else None
        self._rms = RmsNews() if "rms" in feeds else None
        self._begun_s = begun_s
        self._show = show
        self._say = say
        self._stack = LocalStack(plan, self._on_exit)
        self._stopping = asyncio.Event()
        self._outcome = Outcome()
        self._servers = ""
        self._page = ""

    def stop(self) -> None:
        """Ask for the end; :meth:`run` then stops everything and returns."""
        self._stopping.set()

    async def run(self, for_s: float | None, before_workers_end: Callable[[], Awaitable[None]]) -> Outcome:
        """Run until stopped, for ``for_s`` seconds at most, or until a child ends for good.

        Args:
            for_s: From when everything is started.
            before_workers_end: Awaited at an end that nobody asked for early: connector and simulator are stopped, the
                workers still run.
        """
        try:
            kafka, _ = await asyncio.gather(self._start_kafka(), self._stack.start_vendors())
            self._servers = kafka.bootstrap_servers
            if not self._stopping.is_set():
                await self._flow(kafka, for_s, before_workers_end)
        except ExceptionGroup as group:
            raise _cause(group) from group
        finally:
            await self._stack.stop()
        return self._outcome

    async def _flow(
        self, kafka: KafkaSettings, for_s: float | None, before_workers_end: Callable[[], Awaitable[None]]
    ) -> None:
        desks: list[News] = [desk for desk in (self._kambi, self._fastpath, self._rms) if desk is not None]
        follower = Follower(kafka, self._prefix, desks)
        monitor = monitor_of(kafka, self._prefix, processors=self._plan.processors)
        with observed(self._observe, "monitor", MonitorSubject(monitor)) as beating:
            async with monitor, serving(monitor) as self._page, asyncio.TaskGroup() as tasks:
                self._say(f"status page at {self._page}")
                watching = tasks.create_task(monitor.run())
                observing = tasks.create_task(beating())
                following = tasks.create_task(follower.run())
                naming = tasks.create_task(self._name_events())
                announcing = tasks.create_task(self._announce_first(follower))
                self._stack.start_pipeline(kafka.bootstrap_servers)
                await self._watch(monitor, None if for_s is None else time.monotonic() + for_s)
                if not self._stopping.is_set():
                    for group in ("connect", "simulate"):
                        await self._stack.stop_group(group)
                    if self._outcome.exit_code == 0:
                        await before_workers_end()
                self._outcome.records = follower.records
                await self._stack.stop()
                for task in (watching, observing, following, naming, announcing):
                    task.cancel()

    async def _watch(self, monitor: Monitor, deadline_s: float | None) -> None:
        while not self._stopping.is_set() and self._outcome.exit_code == 0:
            self._show(self._view(monitor))
            left_s = SHOW_INTERVAL_S if deadline_s is None else min(SHOW_INTERVAL_S, deadline_s - time.monotonic())
            if left_s <= 0:
                return
            try:
                async with asyncio.timeout(left_s):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _name_events(self) -> None:
        if self._kambi is not None:
            self._kambi.know(await live_event_names(self._stack.http_urls["kambi"], *self._offering))

    async def _announce_first(self, follower: Follower) -> None:
        await follower.arrived.wait()
        assert follower.first_s is not None
        self._outcome.first_normalized_s = round(follower.first_s - self._begun_s, 1)
        self._say(f"first normalized record after {self._outcome.first_normalized_s} s")

    def _on_exit(self, child: Supervised) -> None:
        for line in child.last_words():
            self._say(line)
        if child.exit_code in FINAL_EXIT_CODES:
            # An exit that no restart mends is the run's; 0 is one, too, because nobody asked that child to end.
            self._outcome.exit_code = child.exit_code or 1

    def _view(self, monitor: Monitor) -> View:
        first_s = self._outcome.first_normalized_s
        first = f"first normalized record after {first_s} s" if first_s is not None else "waiting for the first record"
        up_s = time.monotonic() - self._begun_s
        return View(
            title=f"tricast up · Kafka {self._servers} · {self._page} · {up_s:.0f} s · {first}",
            children=self._stack.children,
            topics=self._topics,
            picture=monitor.picture,
            kambi=self._kambi,
            fastpath=self._fastpath,
            rms=self._rms,
            is_starting=first_s is None and up_s < _STARTING_S,
        )


def _cause(group: ExceptionGroup[Exception]) -> Exception:
    """Return what a person should read of a group of errors; the group itself when it is a bug of ours."""
    for error in group.exceptions:
        found = _cause(error) if isinstance(error, ExceptionGroup) else error
        if isinstance(found, TricastError):
            return found
        if isinstance(found, KafkaError):
            return EnvironmentFault(f"Kafka does not answer any more: {found!r}", action="look at its log; start again")
    return group
