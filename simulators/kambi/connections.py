"""Connections of the push server: what each holds, what was handed to it, and the ledger of both.

python-socketio speaks the protocol; ``engine`` bends it where the vendor or the ledger needs that.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from simulators.kambi.config import FaultSwitch, KambiSimulatorSettings
from simulators.kambi.delivery import Delivery, Outbox
from simulators.kambi.engine import RecordingServer
from simulators.kambi.frames import Frame, event_packet
from simulators.kambi.ledger import Kind, Line
from simulators.kambi.routing import HeldKeys, refusal
from simulators.ledger import Ledger

log = logging.getLogger(__name__)

_NEVER_MS = 1 << 62


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """One client; ``frames`` counts the Engine.IO messages handed to it."""

    sid: str
    engine_sid: str
    request: web.Request
    held: HeldKeys
    outbox: Outbox
    frames: int = 0
    cut_reason: str | None = None


class Connections:
    """The Socket.IO server with its subscriptions.

    Args:
        settings: Limits, refusal, ping, queue bound.
        faults: What goes wrong on the way to one connection.
        ledger: Where everything handed over is written down.
    """

    def __init__(self, settings: KambiSimulatorSettings, faults: FaultSwitch, ledger: Ledger) -> None:
        quiet: Any = logging.getLogger("simulators.kambi.socketio")  # typed as bool over there
        quiet.setLevel(logging.CRITICAL)  # the libraries log every packet, and errors of what faults do on purpose
        self._settings = settings
        self._ledger = ledger
        self._delivery = Delivery(faults)
        self._connected = 0
        self._connections: dict[str, Connection] = {}
        self._by_key: dict[str, dict[str, Connection]] = {}
        self._server = RecordingServer(
            async_mode="aiohttp",
            transports=["websocket"],
            async_handlers=False,  # subscribe and unsubscribe of one client stay in order
            cors_allowed_origins="*",
            ping_interval=settings.ping_interval_s,
            ping_timeout=settings.ping_timeout_s,
            logger=quiet,
            engineio_logger=quiet,
        )
        self._server.eio.record = self._record_library_packet
        self._server.eio.levels = settings.engine_io_levels
        self._server.on("connect", self._connect)
        self._server.on("disconnect", self._disconnect)
        self._server.on("subscribe", self._subscribe)
        self._server.on("unsubscribe", self._unsubscribe)

    def attach(self, app: web.Application) -> None:
        """Serve ``/socket.io/`` in ``app``."""
        self._server.attach(app)

    def wants(self, key: str) -> bool:
        """Whether anybody holds ``key``."""
        return key in self._by_key

    async def hand(self, frame: Frame, now_ms: int, *, stalled: bool = False) -> None:
        """Hand ``frame`` to every holder of its key, now or when its faults let it through."""
        for connection in list(self._by_key.get(frame.key, {}).values()):
            lost = self._delivery.put(frame, connection.outbox, now_ms, stalled=stalled)
            if lost is not None:
                self._write_down("lost", connection, lost)
            await self._hand_due(connection, now_ms)

    async def hand_due(self, now_ms: int) -> None:
        """Hand over what was delayed until now."""
        for connection in list(self._connections.values()):
            await self._hand_due(connection, now_ms)

    @property
    def waiting(self) -> int:
        """Frames that are delayed on their way to their connections."""
        return sum(len(connection.outbox) for connection in self._connections.values())

    def cut_oldest(self, reason: str) -> bool:
        """Cut the longest-lived connection as a failing network would; return whether there was one."""
        for connection in self._connections.values():
            if connection.cut_reason is None:
                self._cut(connection, reason)
                return True
        return False

    async def close(self) -> None:
        """Close every connection: after what waits for it an Engine.IO close packet, then a WebSocket close frame."""
        for socket in list(self._server.eio.sockets.values()):
            await socket.close(wait=False)
            socket.queue.put_nowait(None)  # the library's sign for its writer to close the WebSocket
        await self._server.shutdown()

    async def _hand_due(self, connection: Connection, now_ms: int) -> None:
        for frame in connection.outbox.due(now_ms):
            await self._hand_to(connection, frame)
        if len(connection.outbox) >= self._settings.send_queue_max:
            self._cut(connection, "slow reader")

    async def _hand_to(self, connection: Connection, frame: Frame) -> None:
        socket = self._server.eio.sockets.get(connection.engine_sid)
        if socket is None or socket.closed or connection.cut_reason is not None:
            return
        if socket.queue.qsize() >= self._settings.send_queue_max:
            self._cut(connection, "slow reader")
            return
        self._write_down("frame", connection, frame)
        await self._server.eio.send_recorded(connection.engine_sid, frame.packet)

    def _cut(self, connection: Connection, reason: str) -> None:
        connection.cut_reason = reason
        log.info("connection cut sid=%s reason=%s", connection.sid, reason)
        if connection.request.transport is not None:
            connection.request.transport.abort()

    def _connect(self, sid: str, environ: dict[str, Any]) -> None:
        self._connected += 1
        connection = Connection(
            sid=sid,
            engine_sid=self._engine_sid(sid),
            request=environ["aiohttp.request"],
            held=HeldKeys(limit=self._settings.max_keys),
            outbox=Outbox(self._connected),
        )
        self._connections[connection.engine_sid] = connection
        self._ledger.append(Line(kind="connect", sid=sid, sent_ns=time.time_ns()))
        log.info("connected sid=%s", sid)

    def _disconnect(self, sid: str, reason: str) -> None:
        engine_sid = self._engine_sid(sid)
        connection = self._connections.pop(engine_sid)
        for key in connection.held.keys:
            self._forget(connection, key)
        for frame in connection.outbox.due(_NEVER_MS):
            self._write_down("lost", connection, frame)
        reason = connection.cut_reason or reason
        self._ledger.append(
            Line(kind="disconnect", sid=sid, sent_ns=time.time_ns(), n=connection.frames, reason=reason)
        )
        log.info("disconnected sid=%s frames=%d reason=%s", sid, connection.frames, reason)

    async def _subscribe(self, sid: str, request: object = None) -> dict[str, int | str] | None:
        connection, key = self._asked(sid, request)
        if connection is None or key is None:
            return None
        answer = connection.held.subscribe(key)
        refused = answer == "refused"
        self._ledger.append(Line(kind="subscribe", sid=sid, sent_ns=time.time_ns(), key=key, refused=refused))
        if answer == "added":
            self._by_key.setdefault(key, {})[connection.engine_sid] = connection
        return await self._refuse(connection, key) if refused else None

    def _unsubscribe(self, sid: str, request: object = None) -> None:
        connection, key = self._asked(sid, request)
        if connection is None or key is None:
            return
        self._ledger.append(Line(kind="unsubscribe", sid=sid, sent_ns=time.time_ns(), key=key))
        connection.held.unsubscribe(key)
        self._forget(connection, key)

    def _asked(self, sid: str, request: object) -> tuple[Connection | None, str | None]:
        """Return who asks for which key; a request that is no ``{"topic": key}`` is passed over, as it would be."""
        connection = self._connections.get(self._engine_sid(sid))
        key = request.get("topic") if isinstance(request, dict) else None
        return connection, key if isinstance(key, str) else None

    async def _refuse(self, connection: Connection, key: str) -> dict[str, int | str] | None:
        """Send the 429 object in the form that is set; return it if the acknowledgement is to carry it."""
        answer = refusal(key, self._settings.max_keys)
        text = orjson.dumps(answer).decode()
        match self._settings.refusal:
            case "error_event":
                packet = event_packet("error", answer)
            case "message_string":
                packet = event_packet("message", text)
            case "error_packet":
                packet = "4" + text
            case "ack":
                return answer
        await self._server.eio.send(connection.engine_sid, packet)
        return None

    def _engine_sid(self, sid: str) -> str:
        return str(self._server.manager.eio_sid_from_sid(sid, "/"))

    def _forget(self, connection: Connection, key: str) -> None:
        holders = self._by_key.get(key, {})
        holders.pop(connection.engine_sid, None)
        if not holders:
            self._by_key.pop(key, None)

    def _record_library_packet(self, engine_sid: str, packet: str) -> None:
        connection = self._connections.get(engine_sid)
        if connection is not None:
            self._write_down("frame", connection, Frame(key="", packet=packet))

    def _write_down(self, kind: Kind, connection: Connection, frame: Frame) -> None:
        """Append to the ledger; only what is handed over is numbered, as the client numbers what it receives."""
        handed = kind == "frame"
        connection.frames += handed
        self._ledger.append(
            Line(
                kind=kind,
                sid=connection.sid,
                sent_ns=time.time_ns(),
                n=connection.frames if handed else None,
                packet=frame.packet,
                key=frame.key or None,
                facts=frame.facts,
                fault=",".join(frame.faults) or None,
            )
        )
