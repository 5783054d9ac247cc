"""One shard at work: its plan, its lines, and the queue of its raw partition."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from connectors.clock import Clock
from connectors.kambi import names, protocol
from connectors.kambi.config import KambiSettings
from connectors.kambi.line import KambiLine, LineOwner, ShardOf
from connectors.kambi.planner import Action, Coverage, Planner, Subscribe, Unsubscribe
from connectors.kambi.poller import Poller
from connectors.kambi.roster import FixedRoster, LiveRoster
from connectors.record import LastFrame
from connectors.recorder import LineRecorder
from connectors.runner import Runner, unless_stopped
from connectors.sink import FrameSink

log = logging.getLogger(__name__)

_MOVE_OVERLAP_S: Final = 1.0  # success is silent, so the old place is held on to until the new one must be in force
_RETRY_S: Final = 30.0  # half of the minute within which a limit that was lifted should be used


@dataclass(frozen=True, slots=True, kw_only=True)
class Outset:
    """What all lines of a process share.

    Attributes:
        settings: What to follow and where.
        session: HTTP client session for sockets, discovery and snapshots.
        runner: Connects lines within one budget.
        poller: Asks over HTTP for what the lines subscribe to.
        stop: Set when the process is to end.
        clock: Stamps and waits.
    """

    settings: KambiSettings
    session: aiohttp.ClientSession
    runner: Runner
    poller: Poller
    stop: asyncio.Event
    clock: Clock

    def line(
        self, name: str, *, shard: ShardOf, sink: FrameSink, previous: LastFrame | None, owner: LineOwner
    ) -> KambiLine:
        """Return a line called ``name`` that writes to ``sink`` and asks ``owner`` for its keys."""
        return KambiLine(
            settings=self.settings,
            shard=shard,
            recorder=self.recorder(name, sink=sink, previous=previous),
            sink=sink,
            session=self.session,
            owner=owner,
            stop=self.stop,
            clock=self.clock,
        )

    def recorder(self, name: str, *, sink: FrameSink, previous: LastFrame | None) -> LineRecorder:
        """Return what records the line ``name`` to ``sink``."""
        return LineRecorder(
            feed=names.FEED,
            line=name,
            sink=sink,
            clock=self.clock,
            push_back_s=self.settings.push_back_s,
            previous=previous,
        )


class Shard:
    """The lines of one shard, which events they follow, and what is planned for them.

    Args:
        number: The shard: its partition of the raw topic.
        outset: What it shares with the other shards.
        sink: Queue of the shard's raw partition; whatever else records for this shard writes here, too.
        previous: Where lines stood before this process.
    """

    def __init__(self, number: int, *, outset: Outset, sink: FrameSink, previous: Mapping[str, LastFrame]) -> None:
        settings = outset.settings
        self.number = number
        self.sink = sink
        self._outset = outset
        self._previous = previous
        self._of = ShardOf(number, settings.shards)
        self._roster = LiveRoster() if settings.events == "live" else FixedRoster(filter(self.owns, settings.events))
        self._planner = Planner(
            offering=settings.offering,
            language=settings.language,
            extended=settings.extended,
            shard=number,
            replica=settings.replica,
            max_keys=settings.max_keys_per_connection,
            max_lines=settings.event_lines_per_shard,
        )
        self._group: asyncio.TaskGroup | None = None
        self._unplaced = 0
        self._has_left = False
        self.lines: dict[str, KambiLine] = {}

    def start(self, group: asyncio.TaskGroup) -> None:
        """Open the general line; it and all lines to come run in ``group`` until the process is to stop."""
        self._group = group
        self._open(self._planner.general_line)
        self._follow()
        if self._outset.settings.events != "live":
            self._leave()
        group.create_task(self._retry(), name=f"kambi-{self.number} retry")

    def owns(self, event: int) -> bool:
        """Return whether ``event`` is of this shard."""
        return event % self._of.count == self.number

    def listed(self, events: Iterable[int], *, asked_s: float, is_empty: bool) -> None:
        """The offering API, asked at ``asked_s`` of the monotonic clock, lists exactly ``events`` as live, or none."""
        self._roster.listed(filter(self.owns, events), asked_s=asked_s, is_empty=is_empty)
        self._follow()
        if not is_empty:
            self._leave()

    @property
    def in_doubt(self) -> bool:
        """Whether the last list lacked events that are followed: the next one decides about them."""
        return self._roster.in_doubt

    @property
    def events(self) -> tuple[int, ...]:
        """Events of this shard that are wanted now."""
        return self._roster.events

    @property
    def coverage(self) -> Mapping[int, Coverage]:
        """How much of each wanted event is asked for: ``full``, or ``main`` for want of room or by refusal."""
        return self._planner.coverage

    # -- what the lines say ------------------------------------------------------------------------------------------

    def keys_of(self, line: str) -> Sequence[str]:
        return self._planner.keys_of(line)

    def emitted(self, line: str, keys: Sequence[str], *, fresh: bool) -> None:
        if fresh:
            self._carry_out(self._planner.connected(line))
        self._outset.poller.emitted(keys)
        assert self._group is not None
        self._group.create_task(self._end_moves(line, keys, self.lines[line].open_connection))

    def received(self, packet: bytes) -> None:
        if self._roster.listens:
            now_s = self._outset.clock.monotonic_s()
            for event in protocol.events_named(packet):
                self._roster.heard(event, now_s=now_s)

    def signs(self, line: str, signs: Sequence[protocol.Sign]) -> None:
        now_s = self._outset.clock.monotonic_s()
        for sign in signs:
            match sign:
                case protocol.Refused(code=code, topic=topic):
                    self._refused(line, code, topic)
                # Of other shards' events their own general line says the same, in its own order.
                case protocol.Ended(event) if self.owns(event):
                    self._roster.ended(event, now_s=now_s)
                    self._follow()
                    self._outset.poller.ended(event)
                case protocol.Announced(event) if self.owns(event):
                    self._outset.poller.announced(event)
                case protocol.Started(event) if self.owns(event):
                    self._roster.started(event, now_s=now_s)
                    self._follow()

    # -- private -----------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        self._outset.poller.follow(self.number, self._roster.events)
        self._carry_out(self._planner.want(self._roster.events))

    def _leave(self) -> None:
        """Say once of lines that an earlier process had for events, and the first plan has not, that they are left."""
        if self._has_left:
            return
        self._has_left = True
        replica = self._outset.settings.replica
        for name, last in self._previous.items():
            if name not in self.lines and names.is_of_events(name, self.number, replica):
                self._outset.recorder(name, sink=self.sink, previous=last).left()

    def _refused(self, line: str, code: int, topic: str) -> None:
        log.warning("kambi.refused line=%s code=%d topic=%s", line, code, topic)
        if code == protocol.TOO_MANY_KEYS:
            self._carry_out(self._planner.refused(line, topic))
        else:
            self._planner.denied(topic)

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
        self._tell_unplaced()

    def _tell_unplaced(self) -> None:
        unplaced = self._planner.unplaced
        if bool(unplaced) != bool(self._unplaced):  # how many they are in between is told by `_retry`
            self._log_unplaced(unplaced)
        self._unplaced = len(unplaced)

    def _log_unplaced(self, unplaced: Sequence[int]) -> None:
        log.warning(
            "kambi.unplaced shard=%d events=%d max_connections=%d first=%s",
            self.number,
            len(unplaced),
            self._outset.settings.max_connections,
            list(unplaced[:5]),
        )

    def _open(self, name: str) -> None:
        line = self._outset.line(name, shard=self._of, sink=self.sink, previous=self._previous.get(name), owner=self)
        self.lines[name] = line
        assert self._group is not None
        self._group.create_task(self._outset.runner.keep_connected(name, line.connect, line.counts), name=name)

    async def _end_moves(self, line: str, keys: Sequence[str], connection: int | None) -> None:
        if not await unless_stopped(self._outset.stop, self._outset.clock.sleep(_MOVE_OVERLAP_S)):
            return
        # Lost meanwhile, the new place is worth nothing yet: its next connect emits the keys again.
        if connection is not None and self.lines[line].open_connection == connection:
            self._carry_out(self._planner.subscribed(line, keys))

    async def _retry(self) -> None:
        while await unless_stopped(self._outset.stop, self._outset.clock.sleep(_RETRY_S)):
            self._carry_out(self._planner.retry())
            if unplaced := self._planner.unplaced:
                self._log_unplaced(unplaced)
