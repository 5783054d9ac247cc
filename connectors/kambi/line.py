"""One line: one WebSocket to Kambi at a time, every packet recorded as it comes."""

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

import aiohttp

from connectors import engineio, handshake
from connectors.clock import Clock
from connectors.handshake import Dialled, WebSocketMessage, packet_of
from connectors.kambi import protocol
from connectors.kambi.config import KambiSettings
from connectors.recorder import LineRecorder
from connectors.runner import LineCounts, unless_stopped
from connectors.sink import FrameSink

log = logging.getLogger(__name__)

_NORMAL, _NO_CODE, _ABNORMAL = 1000, 1005, 1006  # RFC 6455 §7.4.1; the last two are never on the wire
_OUTBOX: Final = 1000  # 25 times the keys a connection may hold


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


@dataclass(frozen=True, slots=True)
class _End:
    code: int
    reason: str


class _Connection:
    """One open connection: what is to be sent on it, what it holds, how much it has said, and why we end it."""

    def __init__(self, dialled: Dialled, told: Sequence[str]) -> None:
        self.socket = dialled.socket
        self.silence_s = dialled.silence_s
        self.outbox: asyncio.Queue[tuple[str, Callable[[], object] | None]] = asyncio.Queue(_OUTBOX)
        self.held: dict[str, None] = {}
        self.subscribed = 0
        self.told = frozenset(told)
        self.messages = 0
        self.end: _End | None = None


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
        self.counts = LineCounts()

    @property
    def open_connection(self) -> int | None:
        """Number of the connection that is open now, ``None`` while the line is down."""
        return None if self._connection is None else self.counts.attempts

    def subscribe(self, keys: Sequence[str]) -> None:
        """Emit ``subscribe`` for keys that the plan gave this line; when it is down its next connect does."""
        if self._connection is not None:
            self._subscribe(self._connection, keys, fresh=False)

    def unsubscribe(self, keys: Sequence[str]) -> None:
        """Emit ``unsubscribe`` for keys that the plan took from this line."""
        if (connection := self._connection) is not None:
            for key in keys:
                self._send(connection, protocol.unsubscribe(key), partial(connection.held.pop, key, None))

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
        connection = _Connection(dialled, keys)
        self._recorder.opened(
            {
                "shard": self._shard.number,
                "shards": self._shard.count,
                "url": self._settings.push_url,
                "keys": keys,
            }
        )
        end = _End(_ABNORMAL, "connector failed")
        self._connection = connection
        try:
            log.info("line.opened line=%s keys=%d deflate=%s", self.name, len(keys), dialled.deflate)
            self._subscribe(connection, keys, fresh=True)
            async with asyncio.TaskGroup() as group:
                around = [
                    group.create_task(self._write(connection), name=f"{self.name} write"),
                    group.create_task(self._watch(connection), name=f"{self.name} watch"),
                    group.create_task(self._close_on_stop(connection), name=f"{self.name} stop"),
                ]
                await self._frame(connection, dialled.first)
                end = await self._read(connection)
                for task in around:
                    task.cancel()
        finally:
            self._connection = None
            self._recorder.closed(end.code, end.reason)
            log.info("line.closed line=%s code=%d reason=%s", self.name, end.code, end.reason)

    async def _read(self, connection: _Connection) -> _End:
        """Record every message until the connection ends; between receiving and stamping there is no await."""
        socket = connection.socket
        while True:
            message = await socket.receive()
            connection.messages += 1
            match packet_of(message):
                case engineio.Message(payload):
                    await self._frame(connection, payload)
                    if engineio.is_disconnect(payload):
                        return _End(_NORMAL, "socket.io disconnect")
                case engineio.Ping(reply):
                    self._send(connection, reply)
                case engineio.Control():
                    pass
                case engineio.Close():
                    return _End(_NORMAL, "engine.io close")
                case None:
                    return connection.end or self._ending(message)

    async def _frame(self, connection: _Connection, payload: bytes) -> None:
        await self._recorder.frame(payload)
        self._owner.received(payload)
        if signs := protocol.signs(payload):
            for sign in signs:
                if isinstance(sign, protocol.Refused):
                    connection.held.pop(sign.topic, None)
            self._owner.signs(self.name, signs)

    def _ending(self, message: WebSocketMessage) -> _End:
        match message.type:
            case aiohttp.WSMsgType.CLOSE:
                return _End(int(message.data or _NO_CODE), str(message.extra or ""))
            case aiohttp.WSMsgType.ERROR:
                error = message.data
                code = error.code if isinstance(error, aiohttp.WebSocketError) else _ABNORMAL
                if code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
                    self._sink.counts.received += 1
                    self._sink.counts.dropped["over-limit"] += 1
                return _End(int(code), str(error))
        return _End(_ABNORMAL, "connection lost")

    # -- tasks beside the reading ------------------------------------------------------------------------------------

    def _subscribe(self, connection: _Connection, keys: Sequence[str], *, fresh: bool) -> None:
        for key in keys:
            number = connection.subscribed if self._settings.ask_acknowledgements else None
            connection.subscribed += 1
            text = protocol.subscribe(key, acknowledgement=number)
            self._send(connection, text, partial(connection.held.setdefault, key))
        self._send(connection, "", lambda: self._owner.emitted(self.name, keys, fresh=fresh))

    def _send(self, connection: _Connection, text: str, then: Callable[[], object] | None = None) -> None:
        try:
            connection.outbox.put_nowait((text, then))
        except asyncio.QueueFull:
            self._abort(connection, "the server reads nothing")

    async def _write(self, connection: _Connection) -> None:
        while True:
            text, then = await connection.outbox.get()
            try:
                if text:
                    await connection.socket.send_str(text)
            except (aiohttp.ClientError, OSError):
                return  # the reading side sees the end, and says which
            if then is not None:
                then()

    async def _watch(self, connection: _Connection) -> None:
        # Silence is counted in waits of ours, not read off a clock: after a stall of this process messages may well
        # be waiting in the socket, and they are read before the next wait is over.
        waits, heard = 0, connection.messages
        interval_s = self._settings.tick_interval_s
        while True:
            await self._clock.sleep(interval_s)
            waits = waits + 1 if heard == connection.messages else 0
            heard = connection.messages
            if (waits - 1) * interval_s > connection.silence_s:
                self._abort(connection, f"silent for more than {connection.silence_s:g} s")
            if connection.end is not None and connection.end.code == _ABNORMAL:
                await handshake.close(connection.socket)
            self._tick(connection)

    def _tick(self, connection: _Connection) -> None:
        facts: dict[str, Any] = {"shards": self._shard.count}
        held = tuple(connection.held)
        changed = connection.told != frozenset(held)
        if changed:
            facts["keys"] = held
        if self._recorder.tick(facts) and changed:
            connection.told = frozenset(held)

    async def _close_on_stop(self, connection: _Connection) -> None:
        await self._stop.wait()
        connection.end = _End(_NORMAL, "shutdown")
        # The close frame alone: what the server sent before it saw ours is still read and recorded.
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await connection.socket.send_frame(struct.pack("!H", _NORMAL), aiohttp.WSMsgType.CLOSE)
        await self._clock.sleep(handshake.CLOSE_S)
        await handshake.close(connection.socket)

    def _abort(self, connection: _Connection, reason: str) -> None:
        connection.end = connection.end or _End(_ABNORMAL, reason)
