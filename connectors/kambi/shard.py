"""One shard at work: its plan, its lines, and the queue of its raw partition."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import aiohttp

from connectors.clock import Clock
from connectors.kambi import protocol
from connectors.kambi.config import KambiSettings
from connectors.kambi.line import KambiLine, LineOwner, ShardOf
from connectors.kambi.places import Places
from connectors.kambi.planner import Action, Planner, Subscribe, Unsubscribe
from connectors.recorder import LastFrame, LineRecorder
from connectors.runner import Runner, unless_stopped
from connectors.sink import FrameSink

log = logging.getLogger(__name__)

FEED: Final = "kambi"
_MOVE_OVERLAP_S: Final = 1.0  # success is silent, so the old place is held on to until the new one must be in force


@dataclass(frozen=True, slots=True, kw_only=True)
class Outset:
    """What all lines of a process share.

    Attributes:
        settings: What to follow and where.
        session: HTTP client session for sockets, discovery and snapshots.
        runner: Connects lines within one budget.
        places: How many event lines may still be opened.
        stop: Set when the process is to end.
        clock: Stamps and waits.
        random: Jitter.
    """

    settings: KambiSettings
    session: aiohttp.ClientSession
    runner: Runner
    places: Places
    stop: asyncio.Event
    clock: Clock
    random: Random

    def line(
        self, name: str, *, shard: ShardOf, sink: FrameSink, previous: LastFrame | None, owner: LineOwner
    ) -> KambiLine:
        """Return a line called ``name`` that writes to ``sink`` and asks ``owner`` for its keys."""
        recorder = LineRecorder(
            feed=FEED,
            line=name,
            sink=sink,
            clock=self.clock,
            push_back_s=self.settings.push_back_s,
            previous=previous,
        )
        return KambiLine(
            settings=self.settings,
            shard=shard,
            recorder=recorder,
            sink=sink,
            session=self.session,
            owner=owner,
            stop=self.stop,
            clock=self.clock,
        )


class Shard:
    """The lines of one shard and what is planned for them.

    Args:
        number: The shard: its partition of the raw topic.
        outset: What it shares with the other shards.
        sink: Queue of the shard's raw partition; whatever else records for this shard writes here, too.
        previous: Where lines stood before this process.
        started: Told when an event of this shard went live that is not followed yet.
    """

    def __init__(
        self,
        number: int,
        *,
        outset: Outset,
        sink: FrameSink,
        previous: Mapping[str, LastFrame],
        started: Callable[[], None],
    ) -> None:
        settings = outset.settings
        self.number = number
        self.sink = sink
        self._outset = outset
        self._previous = previous
        self._started = started
        self._of = ShardOf(number, settings.shards)
        self._planner = Planner(
            offering=settings.offering,
            language=settings.language,
            extended=settings.extended,
            shard=number,
            replica=settings.replica,
            max_keys=settings.max_keys_per_connection,
            places=outset.places,
        )
        self._group: asyncio.TaskGroup | None = None
        self._unplaced = 0
        self.lines: dict[str, KambiLine] = {}
        self.refused = 0
        """Subscriptions the server refused."""

    def start(self, group: asyncio.TaskGroup) -> None:
        """Open the general line; it and all lines to come run in ``group`` until the process is to stop."""
        self._group = group
        self._open(self._planner.general_line)

    def owns(self, event: int) -> bool:
        """Return whether ``event`` is of this shard."""
        return event % self._of.count == self.number

    def want(self, events: Iterable[int]) -> None:
        """Follow exactly those of ``events`` that are of this shard."""
        self._carry_out(self._planner.want(event for event in events if self.owns(event)))

    @property
    def unplaced(self) -> tuple[int, ...]:
        """Events that are followed on the general line only, for want of room."""
        return self._planner.unplaced

    # -- what the lines say ------------------------------------------------------------------------------------------

    def keys_of(self, line: str) -> Sequence[str]:
        return self._planner.keys_of(line)

    def emitted(self, line: str, keys: Sequence[str], *, fresh: bool) -> None:
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
                    if self.owns(event):
                        self._started()

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
            log.warning(
                "kambi.unplaced shard=%d events=%d max_connections=%d",
                self.number,
                self._unplaced,
                self._outset.settings.max_connections,
            )

    def _open(self, name: str) -> None:
        line = self._outset.line(name, shard=self._of, sink=self.sink, previous=self._previous.get(name), owner=self)
        self.lines[name] = line
        assert self._group is not None
        self._group.create_task(self._outset.runner.keep_connected(name, line.connect, line.counts), name=name)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._group is not None
        self._group.create_task(work)

    async def _end_moves(self, line: str) -> None:
        if await unless_stopped(self._outset.stop, self._outset.clock.sleep(_MOVE_OVERLAP_S)):
            self._carry_out(self._planner.subscribed(line))
