"""The feeds of one process: a task each, started and stopped at any time."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random

from connectors.clock import Clock
from connectors.fastpath import names
from connectors.fastpath.config import FastpathSettings
from connectors.fastpath.connection import LEFT
from connectors.fastpath.following import State
from connectors.fastpath.line import FeedLine
from connectors.fastpath.resume import Resume
from connectors.record import LastFrame
from connectors.recorder import LineRecorder
from connectors.runner import ConnectionBudget, Ladder, Runner
from connectors.sink import FrameSink
from schemas.fastpath.feed import feed_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """Where lines stood when they were last heard of, by line; grows with every feed that was ever followed.

    Attributes:
        frames: Last connection and frame.
        events: How many events of the feed had come.
    """

    frames: dict[str, LastFrame] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Place:
    """A feed that is followed, or whose connection still closes."""

    recorder: LineRecorder
    resume: Resume
    line: FeedLine
    task: asyncio.Task[None]
    followed: bool = True


class Feeds:
    """See :class:`connectors.fastpath.following.Following`.

    Args:
        settings: Where and within which limits.
        sinks: Queue of each raw partition.
        stood: Where lines stood before this process; kept up to date for feeds that are left.
        budget: Of all handshakes.
        stop: Set when the process is to end.
        clock: Stamps and waits.
        random: Jitter.
    """

    def __init__(
        self,
        settings: FastpathSettings,
        *,
        sinks: Mapping[int, FrameSink],
        stood: Stood,
        budget: ConnectionBudget,
        stop: asyncio.Event,
        clock: Clock,
        random: Random,
    ) -> None:
        self._settings = settings
        self._sinks = sinks
        self._stood = stood
        self._budget = budget
        self._stop = stop
        self._clock = clock
        self._random = random
        self._group: asyncio.TaskGroup | None = None
        self._places: dict[str, _Place] = {}

    async def run(self) -> None:
        """Follow what is started until the process is to stop; returns when every line is closed."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            for path in self._settings.feeds:
                self.start(path)
            await self._stop.wait()
            self._group = None
            for place in self._places.values():
                place.line.stop()

    @property
    def feeds(self) -> Mapping[str, State]:
        return {path: place.line.state for path, place in self._places.items() if place.followed}

    def start(self, path: str) -> None:
        if self._group is None:
            return
        place = self._places.get(path)
        if place is None:
            recorder, resume = self._recorder(path), self._resume(path)
            line = self._line(path, recorder, resume)
            task = self._group.create_task(line.run(), name=line.name)
            self._places[path] = _Place(recorder, resume, line, task)
        elif not place.followed or place.line.state in {"finished", "unauthorised"}:
            place.line.stop()
            place.line = self._line(path, place.recorder, place.resume)
            # One connection of a line at a time: the old one's `closed` comes first.
            place.task = self._group.create_task(_after(place.task, place.line), name=place.line.name)
            place.followed = True
        else:
            return
        self._places[path].task.add_done_callback(partial(self._ended, path))

    def stop(self, path: str) -> None:
        place = self._places.get(path)
        if place is not None and place.followed:
            log.info("fastpath.left line=%s", place.line.name)
            place.followed = False
            place.line.stop(LEFT)
            self._ended(path, place.task)

    def repair(self, line: str, position: int) -> bool:
        place = self._places.get(names.path_of(line))
        return place is not None and place.followed and place.line.name == line and place.line.repair(position)

    # -- private -----------------------------------------------------------------------------------------------------

    def _ended(self, path: str, task: asyncio.Task[None]) -> None:
        """Keep of a feed that is followed no more, and whose connection is closed, only where it stood."""
        place = self._places.get(path)
        if place is not None and place.task is task and task.done() and not place.followed:
            del self._places[path]
            if place.recorder.previous is not None:
                self._stood.frames[place.line.name] = place.recorder.previous
            self._stood.events[place.line.name] = place.resume.events

    def _recorder(self, path: str) -> LineRecorder:
        name = names.line_of(path, self._settings.replica)
        return LineRecorder(
            feed=names.FEED,
            line=name,
            sink=self._sinks[names.partition_of(path)],
            clock=self._clock,
            push_back_s=self._settings.push_back_s,
            previous=self._stood.frames.get(name),
        )

    def _resume(self, path: str) -> Resume:
        name = names.line_of(path, self._settings.replica)
        return Resume(feed_of(path), events=self._stood.events.get(name))

    def _line(self, path: str, recorder: LineRecorder, resume: Resume) -> FeedLine:
        stop = asyncio.Event()
        runner = Runner(
            stop=stop,
            backoff=Ladder(steps_s=self._settings.backoff_s, healthy_s=self._settings.healthy_s),
            budget=self._budget,
            clock=self._clock,
            random=self._random,
        )
        return FeedLine(
            settings=self._settings,
            feed=feed_of(path),
            recorder=recorder,
            sink=self._sinks[names.partition_of(path)],
            runner=runner,
            stop=stop,
            resume=resume,
            clock=self._clock,
        )


async def _after(before: asyncio.Task[None], line: FeedLine) -> None:
    await asyncio.wait({before})
    await line.run()
