"""All sockets: handshakes, what clients say, rooms they join, and what becomes of them as time goes on."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from aiohttp import WSMsgType, web

from simulators.rms import packets
from simulators.rms.admission import Admission, Refused
from simulators.rms.circumstances import Circumstances
from simulators.rms.client import Client, Packet
from simulators.rms.dialogue import Dialogue
from simulators.rms.failures import json
from simulators.rms.gate import Gate, Passage
from simulators.rms.ledger import Line
from simulators.rms.refusals import connect_error
from simulators.rms.tokens import Access

log = logging.getLogger(__name__)

PATH: Final = "/rms-socket/socket.io"
_S: Final = 1_000_000_000
_CLOSE_TIMEOUT_S: Final = 3.0
"""How long a client may take to answer a closing handshake."""
_HALF_OPEN_NS: Final = 120 * _S
"""How long a half-open connection lasts: no client of ours may need that long to notice."""
_PAYLOAD_MAX: Final = 1_000_000


class Connections:
    """Everything below ``/rms-socket/socket.io``.

    Args:
        around: How the vendor speaks, faults, storms.
        admission: Who is let in.
        gate: What requests pass.
    """

    def __init__(self, around: Circumstances, admission: Admission, gate: Gate) -> None:
        self._around = around
        self._settings = around.settings
        self._faults = around.faults
        self._weather = around.weather
        self._ledger = around.ledger
        self._clock = around.clock
        self._admission = admission
        self._gate = gate
        self._clients: dict[str, Client] = {}
        self._refused: set[web.WebSocketResponse] = set()
        self._dialogue = Dialogue(around)
        self._begun_ns = around.clock()
        self._last_ns: dict[str, int] = {}
        self._phase: int | None = None
        self._stopping = False
        self._serving: set[asyncio.Task[web.StreamResponse]] = set()

    def attach(self, app: web.Application) -> None:
        """Serve it in ``app``."""
        for path in (PATH, f"{PATH}/"):
            app.router.add_route("*", path, self._serve)

    @property
    def clients(self) -> Iterable[Client]:
        """Those that were let in, oldest first, half-open ones among them."""
        return tuple(self._clients.values())

    @property
    def waiting(self) -> int:
        """Packets that are still to be handed over."""
        return sum(client.waiting for client in self.clients)

    def tick(self) -> None:
        """Let time pass for every connection: tokens expire, faults strike, storms move on."""
        now_ns = self._clock()
        faults = self._faults.current
        for client in self.clients:
            client.tick()
            if client.half_open_ns is not None and now_ns - client.half_open_ns > _HALF_OPEN_NS:
                client.cut("half-open long enough")
            expired = client.expires_ns is not None and now_ns >= client.expires_ns
            if expired and self._settings.close_expired:
                client.close(4401, "token expired")
        for client in self._due("drop", faults.drop_every_s, now_ns):
            client.cut("cut by fault switch")
        for client in self._due("half_open", faults.half_open_every_s, now_ns):
            client.half_open()
        for client in self._due("close", faults.close_every_s, now_ns):
            client.close(faults.close_code, "closed by fault switch")
        for client in self._due("disconnect", faults.disconnect_every_s, now_ns):
            self.disconnect(client)
        if self._weather.phase(now_ns) not in (None, self._phase):
            self.change_weather()

    def change_weather(self) -> None:
        """Cut everybody, as a storm does when it begins and when it turns."""
        self._phase = self._weather.phase(self._clock())
        for client in self.clients:
            client.cut("cut by storm")

    def disconnect(self, client: Client) -> None:
        """Send the Socket.IO disconnect packet; the WebSocket stays."""
        client.send(Packet(text="1"))
        client.connected, client.rooms = False, frozenset()

    async def close(self) -> None:
        """Close every connection with 1001, as for maintenance, after what waits for it."""
        self._stopping = True
        for client in self.clients:
            if client.half_open_ns is None:
                client.close(1001, "maintenance")
            else:
                client.cut("stopped")
        await asyncio.gather(*(socket.close(code=1001) for socket in tuple(self._refused)))
        if self._serving:
            await asyncio.wait(self._serving, timeout=_CLOSE_TIMEOUT_S)

    def _due(self, what: str, every_s: float, now_ns: int) -> Iterable[Client]:
        """Return the oldest client whose turn to be struck by ``what`` it is; time counts while that is on."""
        if every_s == 0:
            self._last_ns[what] = now_ns
        if every_s == 0 or now_ns - self._last_ns.setdefault(what, self._begun_ns) < every_s * _S:
            return ()
        self._last_ns[what] = now_ns
        return [client for client in self.clients if not client.quiet][:1]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        passage = self._gate.enter(request, "socket")
        wrong = _transport_error(request)
        if wrong is not None:
            status = 429 if not passage.allowed else 400
            self._gate.note(request, passage, status)
            if status == 429:
                return json({"message": "Too Many Requests"}, 429, self._gate.retry_after(passage.retry_ns))
            return wrong
        # What is answered late has been counted when it came: a client that gives up has still tried.
        used, decision = self._admission.decide(request, passage)
        delay_s = self._admission.delay_s()
        if delay_s:
            await asyncio.sleep(delay_s)
        if self._stopping:
            decision = Refused(by="http", status="500", message="stopping")
        if isinstance(decision, Refused):
            self._note_refused(request, passage, used, decision)
            conversation = self._refuse(request, passage, decision)
        else:
            conversation = self._admit(request, passage, used, decision.access, half_open=decision.half_open)
        serving = asyncio.create_task(conversation)
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        return await serving

    async def _refuse(self, request: web.Request, passage: Passage, refused: Refused) -> web.StreamResponse:
        if refused.by == "http":
            headers = self._gate.retry_after(refused.retry_ns) if refused.status == "429" else None
            self._gate.note(request, passage, int(refused.status))
            return json({"statusCode": int(refused.status), "message": refused.message}, int(refused.status), headers)
        self._gate.note(request, passage, 101)
        socket = _socket()
        self._refused.add(socket)
        try:
            await socket.prepare(request)
            if refused.by == "close":
                await socket.close(code=4401, message=refused.message.encode())
                return socket
            await socket.send_str(self._opened())
            async with asyncio.timeout(self._settings.connect_timeout_s):
                async for message in socket:
                    packet = packets.read(message.data) if message.type is WSMsgType.TEXT else None
                    if not isinstance(packet, packets.Connect | packets.Pong):
                        break
                    if isinstance(packet, packets.Connect):
                        error = connect_error(refused.status, refused.message, self._settings.connect_error)
                        await socket.send_str(f"4{error}")
        except (TimeoutError, ConnectionError):
            log.debug("refused and still there, or gone status=%s", refused.status)
        finally:
            self._refused.discard(socket)
            await socket.close(code=1000)
        return socket

    async def _admit(
        self, request: web.Request, passage: Passage, used: int, access: Access, *, half_open: bool
    ) -> web.StreamResponse:
        self._gate.note(request, passage, 101)
        name, customer = uuid4().hex, access.credential.customer_id
        self._ledger.append(
            Line(kind="connect", at_ns=passage.at_ns, ip=passage.ip, used=used, connection=name, customer=customer)
        )
        socket = _socket()
        client = Client(
            name=name, customer=customer, ip=passage.ip, request=request, socket=socket, around=self._around
        )
        client.expires_ns = access.expires_ns
        tasks: list[asyncio.Task[None]] = []
        try:
            await socket.prepare(request)
            self._clients[name] = client
            log.info("connected connection=%s", name)
            if half_open:
                client.half_open()
            client.say(self._opened())
            ping = client.ping(self._settings.ping_interval_s, self._settings.ping_timeout_s)
            tasks += asyncio.create_task(client.write()), asyncio.create_task(ping)
            await self._listen(client, socket, access)
        finally:
            if tasks and client.is_closing:
                await asyncio.wait(tasks[:1], timeout=_CLOSE_TIMEOUT_S)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._clients.pop(name, None)
            client.end()
        return socket

    async def _listen(self, client: Client, socket: web.WebSocketResponse, access: Access) -> None:
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s) as patience:
                async for message in socket:
                    if client.half_open_ns is not None:
                        continue  # was read before reading was paused
                    packet = packets.read(message.data) if message.type is WSMsgType.TEXT else None
                    if not self._dialogue.heed(client, packet, access):
                        return
                    if client.connected:
                        patience.reschedule(None)
        except TimeoutError:
            client.close(1000, "no CONNECT in time")
        if client.half_open_ns is not None:  # until it is cut
            async for _ in socket:
                pass

    def _opened(self) -> str:
        return packets.opened(
            uuid4().hex,
            ping_interval_s=self._settings.ping_interval_s,
            ping_timeout_s=self._settings.ping_timeout_s,
            payload_max=_PAYLOAD_MAX,
        )

    def _note_refused(self, request: web.Request, passage: Passage, used: int, refused: Refused) -> None:
        self._ledger.append(
            Line(
                kind="refused",
                at_ns=passage.at_ns,
                ip=passage.ip,
                used=used,
                customer=request.headers.get("customerid"),
                reason=f"{refused.status} {refused.message} ({refused.by})",
            )
        )


def _transport_error(request: web.Request) -> web.Response | None:
    """Return what Socket.IO's server says to other transports, levels and methods; only WebSocket is spoken."""
    wrong: tuple[tuple[bool, str], ...] = (
        (request.query.get("transport") != "websocket", "Transport unknown"),
        ("sid" in request.query, "Session ID unknown"),
        (request.method != "GET", "Bad handshake method"),
        (request.headers.get("Upgrade", "").lower() != "websocket", "Bad request"),
        (request.query.get("EIO") != "4", "Unsupported protocol version"),
    )
    for (is_wrong, message), code in zip(wrong, (0, 1, 2, 3, 5), strict=True):
        if is_wrong:
            return json({"code": code, "message": message}, 400)
    return None


def _socket() -> web.WebSocketResponse:
    return web.WebSocketResponse(compress=False, timeout=_CLOSE_TIMEOUT_S, max_msg_size=_PAYLOAD_MAX)
