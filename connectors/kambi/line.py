"""One line: one WebSocket to Kambi at a time, every packet recorded as it comes."""

import asyncio
import contextlib
import logging
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import aiohttp
from aiohttp.http_websocket import WSMessageNoDecodeText as WebSocketMessage

from connectors import engineio
from connectors.clock import Clock
from connectors.kambi import protocol
from connectors.kambi.config import KambiSettings
from connectors.recorder import LineRecorder
from connectors.runner import ConnectFailed, LineCounts, unless_stopped
from connectors.sink import FrameSink

log = logging.getLogger(__name__)

_CLOSE_S: Final = 2.0  # for the peer's half of the closing handshake
_MAX_WINDOW_BITS: Final = 15
_NORMAL, _NO_CODE, _ABNORMAL = 1000, 1005, 1006  # RFC 6455 §7.4.1; the last two are never on the wire
_OUTBOX: Final = 1000  # 25 times the keys a connection may hold


class LineOwner(Protocol):
    """Who plans for the lines; called in the line's task and not to wait."""

    def keys_of(self, line: str) -> Sequence[str]:
        """Return the keys to subscribe to on a new connection."""

    def emitted(self, line: str, *, fresh: bool) -> None:
        """Subscriptions are on the wire: all keys of a fresh connection, or some more."""

    def signs(self, line: str, signs: Sequence[protocol.Sign]) -> None:
        """A packet said something about subscriptions or the life of events."""


@dataclass(frozen=True, slots=True)
class _End:
    code: int
    reason: str


@dataclass(slots=True)
class _Connection:
    socket: "aiohttp.ClientWebSocketResponse[Literal[False]]"
    silence_s: float
    outbox: "asyncio.Queue[tuple[str, Callable[[], None] | None]]"
    messages: int = 0
    end: _End | None = None


class KambiLine:
    """A line's place: its name and recorder stay, connections come and go.

    Args:
        settings: Where and within which limits.
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
        recorder: LineRecorder,
        sink: FrameSink,
        session: aiohttp.ClientSession,
        owner: LineOwner,
        stop: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._recorder = recorder
        self._sink = sink
        self._session = session
        self._owner = owner
        self._stop = stop
        self._clock = clock
        self._connection: _Connection | None = None
        self.name = recorder.line
        self.counts = LineCounts()
        self.deflate = False
        """Whether permessage-deflate was negotiated on the last connection."""

    def subscribe(self, keys: Sequence[str]) -> None:
        """Emit ``subscribe`` for keys that the plan gave this line; when it is down its next connect does."""
        if self._connection is not None:
            for key in keys:
                self._send(self._connection, protocol.subscribe(key))
            self._send(self._connection, "", lambda: self._owner.emitted(self.name, fresh=False))

    def unsubscribe(self, keys: Sequence[str]) -> None:
        """Emit ``unsubscribe`` for keys that the plan took from this line."""
        if self._connection is not None:
            for key in keys:
                self._send(self._connection, protocol.unsubscribe(key))

    async def connect(self) -> None:
        """Make one connection, record it until it ends, and return.

        Raises:
            ConnectFailed: It did not come as far as the accepted Socket.IO connect.
        """
        if not await unless_stopped(self._stop, self._sink.wait_for_room()):
            return
        try:
            async with asyncio.timeout(self._settings.handshake_timeout_s):
                connection, first = await self._handshake()
        except TimeoutError as error:
            raise ConnectFailed(f"no accepted connect within {self._settings.handshake_timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ConnectFailed(f"{type(error).__name__}: {error}") from error
        try:
            await self._record(connection, first)
        finally:
            await _close(connection.socket)

    # -- handshake ---------------------------------------------------------------------------------------------------

    async def _handshake(self) -> tuple[_Connection, bytes]:
        """Return the connection and its first Socket.IO packet, which the server accepted the connect with."""
        socket = await self._session.ws_connect(
            socket_url(self._settings.push_url),
            compress=_MAX_WINDOW_BITS,
            max_msg_size=self._settings.max_message_bytes,
            decode_text=False,  # bytes are kept as they are, broken UTF-8 too
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
        )
        try:
            opening = await socket.receive()
            opened = engineio.read_open(opening.data) if opening.type is aiohttp.WSMsgType.TEXT else None
            if opened is None:
                raise ConnectFailed(f"no Engine.IO open packet but {opening.type.name} {opening.data!r:.100}")
            await socket.send_str(engineio.CONNECT)
            while True:
                answer = await socket.receive()
                match _packet(answer):
                    case engineio.Message(payload):
                        break
                    case engineio.Ping(reply):
                        await socket.send_str(reply)
                    case engineio.Control():
                        pass
                    case engineio.Close() | None:
                        raise ConnectFailed(f"closed before the connect was accepted: {answer.data!r:.100}")
            if engineio.is_connect_error(payload):
                raise ConnectFailed(f"the server refused the connect: {payload!r:.200}")
        except BaseException:
            await _close(socket)
            raise
        connection = _Connection(
            socket=socket,
            silence_s=opened.silence_s,
            outbox=asyncio.Queue(_OUTBOX),
        )
        return connection, payload

    # -- a connection's life -----------------------------------------------------------------------------------------

    async def _record(self, connection: _Connection, first: bytes) -> None:
        keys = tuple(self._owner.keys_of(self.name))
        self.deflate = connection.socket.compress > 0
        self._recorder.opened(
            {
                "shard": self._settings.shard,
                "shards": self._settings.shards,
                "url": self._settings.push_url,
                "keys": keys,
            }
        )
        end = _End(_ABNORMAL, "connector failed")
        self._connection = connection
        try:
            log.info("line.opened line=%s keys=%d deflate=%s", self.name, len(keys), self.deflate)
            for key in keys:
                self._send(connection, protocol.subscribe(key))
            self._send(connection, "", lambda: self._owner.emitted(self.name, fresh=True))
            async with asyncio.TaskGroup() as group:
                around = [
                    group.create_task(self._write(connection), name=f"{self.name} write"),
                    group.create_task(self._watch(connection), name=f"{self.name} watch"),
                    group.create_task(self._close_on_stop(connection), name=f"{self.name} stop"),
                ]
                await self._frame(first)
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
            match _packet(message):
                case engineio.Message(payload):
                    await self._frame(payload)
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

    async def _frame(self, payload: bytes) -> None:
        await self._recorder.frame(payload)
        if signs := protocol.signs(payload):
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

    def _send(self, connection: _Connection, text: str, then: Callable[[], None] | None = None) -> None:
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
                await _close(connection.socket)
            self._recorder.tick()

    async def _close_on_stop(self, connection: _Connection) -> None:
        await self._stop.wait()
        connection.end = _End(_NORMAL, "shutdown")
        # The close frame alone: what the server sent before it saw ours is still read and recorded.
        with contextlib.suppress(aiohttp.ClientError, OSError):
            await connection.socket.send_frame(struct.pack("!H", _NORMAL), aiohttp.WSMsgType.CLOSE)
        await self._clock.sleep(_CLOSE_S)
        await _close(connection.socket)

    def _abort(self, connection: _Connection, reason: str) -> None:
        connection.end = connection.end or _End(_ABNORMAL, reason)


def socket_url(push_url: str) -> str:
    """Return the WebSocket URL of an Engine.IO 4 server."""
    scheme, _, rest = push_url.partition("://")
    host, slash, path = rest.partition("/")
    scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    return f"{scheme}://{host}/{path + '/' if slash else 'socket.io/'}?EIO=4&transport=websocket"


async def _close(socket: "aiohttp.ClientWebSocketResponse[Literal[False]]") -> None:
    # aiohttp reads on until the peer's close frame; from a peer that keeps sending, for ever.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await socket.close()


def _packet(message: WebSocketMessage) -> engineio.Packet | None:
    """Return the Engine.IO packet of a WebSocket message, ``None`` when it is the connection's end."""
    if message.type is aiohttp.WSMsgType.TEXT:
        return engineio.read_text(message.data)
    if message.type is aiohttp.WSMsgType.BINARY:
        return engineio.Message(message.data)
    return None
