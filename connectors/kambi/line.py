"""One line: one WebSocket to Kambi at a time, every packet recorded as it comes."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import aiohttp

from connectors import handshake
from connectors.clock import Clock
from connectors.conversation import BROKE, Conversation
from connectors.counts import LineCounts, LineState
from connectors.handshake import Dialled
from connectors.kambi import protocol
from connectors.kambi.config import KambiSettings
from connectors.recorder import LineRecorder
from connectors.runner import unless_stopped
from connectors.sink import FrameSink

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ShardOf:
    """Which part of the events a line is about: ``number`` of ``count``, from 0."""

    number: int
    count: int


class LineOwner(Protocol):
    """Who plans for the lines; called in the line's task and not to wait."""

    def keys_of(self, line: str) -> Sequence[str]:
        """Return the keys to subscribe to on a new connection."""
        ...

    def emitted(self, line: str, keys: Sequence[str], *, fresh: bool) -> None:
        """Subscriptions to ``keys`` are on the wire: all keys of a fresh connection, or some more."""

    def received(self, packet: bytes) -> None:
        """A packet came; it is recorded already."""

    def signs(self, line: str, signs: Sequence[protocol.Sign]) -> None:
        """A packet said something about subscriptions or the life of events."""


@dataclass(slots=True)
class _Connection:
    """One open connection: what is said on it, which keys it holds, and which of them a tick has told."""

    conversation: Conversation
    told: frozenset[str]
    held: dict[str, None] = field(default_factory=dict)
    subscribed: int = 0


class KambiLine:
    """A line's place: its name and recorder stay, connections come and go.

    Args:
        settings: Where and within which limits.
        shard: The line's shard, and of how many: said in its control records.
        recorder: Numbers and queues the frames.
        sink: Looked at before connecting: no connection while there is no room.
        session: HTTP client session, shared.
        owner: Plans the keys.
        stop: Set when the line is to close.
        clock: Ticks and silence.
    """

    def __init__(
        self,
        *,
        settings: KambiSettings,
        shard: ShardOf,
        recorder: LineRecorder,
        sink: FrameSink,
        session: aiohttp.ClientSession,
        owner: LineOwner,
        stop: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._shard = shard
        self._recorder = recorder
        self._sink = sink
        self._session = session
        self._owner = owner
        self._stop = stop
        self._clock = clock
        self._dialled: Dialled | None = None
        self._connection: _Connection | None = None
        self.name = recorder.line
        self.counts = LineCounts(total=sink.counts.lines)

    @property
    def open_connection(self) -> int | None:
        """Number of the connection that is open now, ``None`` while the line is down."""
        return None if self._connection is None else self.counts.attempts

    @property
    def state(self) -> LineState:
        """How it stands."""
        if self._connection is None:
            return "connecting"
        return "live" if self._connection.held or not self._owner.keys_of(self.name) else "open"

    def subscribe(self, keys: Sequence[str]) -> None:
        """Emit ``subscribe`` for keys that the plan gave this line; when it is down its next connect does."""
        if self._connection is not None:
            self._subscribe(self._connection, keys, fresh=False)

    def unsubscribe(self, keys: Sequence[str]) -> None:
        """Emit ``unsubscribe`` for keys that the plan took from this line."""
        if (connection := self._connection) is not None:
            for key in keys:
                connection.conversation.send(protocol.unsubscribe(key), partial(connection.held.pop, key, None))

    async def connect(self) -> None:
        """Make one connection, record it until it ends, and return.

        Raises:
            ConnectFailed: It did not come as far as the accepted Socket.IO connect.
        """
        if not await unless_stopped(self._stop, self._dial()):
            return
        assert self._dialled is not None
        dialled, self._dialled = self._dialled, None
        try:
            await self._record(dialled)
        finally:
            await handshake.close(dialled.socket)

    async def _dial(self) -> None:
        await self._sink.wait_for_room()  # what is received has to be kept
        self._dialled = await handshake.dial(
            self._session,
            handshake.socket_url(self._settings.push_url),
            max_message_bytes=self._settings.max_message_bytes,
            timeout_s=self._settings.handshake_timeout_s,
        )

    # -- a connection's life -----------------------------------------------------------------------------------------

    async def _record(self, dialled: Dialled) -> None:
        keys = tuple(self._owner.keys_of(self.name))
        conversation = Conversation(dialled, received=self._frame, clock=self._clock)
        connection = _Connection(conversation, frozenset(keys))
        self._recorder.opened(
            {
                "shard": self._shard.number,
                "shards": self._shard.count,
                "url": self._settings.push_url,
                "keys": keys,
            }
        )
        end = BROKE
        self._connection = connection
        try:
            log.info("line.opened line=%s keys=%d deflate=%s", self.name, len(keys), dialled.deflate)
            self._subscribe(connection, keys, fresh=True)
            async with asyncio.TaskGroup() as group:
                around = [
                    group.create_task(self._tick_on(connection), name=f"{self.name} ticks"),
                    group.create_task(self._leave_when_stopped(conversation), name=f"{self.name} stop"),
                ]
                end = await conversation.run()
                for task in around:
                    task.cancel()
        finally:
            self._connection = None
            self._recorder.closed(end.code, end.reason, ending=end.ending)
            log.info("line.closed line=%s code=%d reason=%s", self.name, end.code, end.reason)
            if end.is_over_limit:
                self._sink.counts.received += 1
                self._sink.counts.dropped["over-limit"] += 1

    async def _frame(self, payload: bytes) -> None:
        await self._recorder.frame(payload)
        self._owner.received(payload)
        if signs := protocol.signs(payload):
            assert self._connection is not None
            for sign in signs:
                if isinstance(sign, protocol.Refused):
                    self._connection.held.pop(sign.topic, None)
            self._owner.signs(self.name, signs)

    # -- beside the reading ------------------------------------------------------------------------------------------

    def _subscribe(self, connection: _Connection, keys: Sequence[str], *, fresh: bool) -> None:
        for key in keys:
            number = connection.subscribed if self._settings.ask_acknowledgements else None
            connection.subscribed += 1
            text = protocol.subscribe(key, acknowledgement=number)
            connection.conversation.send(text, partial(connection.held.setdefault, key))
        connection.conversation.send("", lambda: self._owner.emitted(self.name, keys, fresh=fresh))

    async def _tick_on(self, connection: _Connection) -> None:
        while True:
            await self._clock.sleep(self._settings.tick_interval_s)
            connection.conversation.tick(self._settings.tick_interval_s)
            self._tick(connection)

    def _tick(self, connection: _Connection) -> None:
        facts: dict[str, Any] = {"shards": self._shard.count}
        held = tuple(connection.held)
        changed = connection.told != frozenset(held)
        if changed:
            facts["keys"] = held
        if self._recorder.tick(facts) and changed:
            connection.told = frozenset(held)

    async def _leave_when_stopped(self, conversation: Conversation) -> None:
        await self._stop.wait()
        conversation.leave("shutdown")
