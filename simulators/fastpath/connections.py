"""Connections of the stream server: who is let in to which feed, and what becomes of them as time goes on."""

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Final
from uuid import uuid4

from aiohttp import WSMsgType, web

from simulators.fastpath.admission import ACCEPTED, INVALID, NO_ACCEPT, no_fixture, refusal, why_refused
from simulators.fastpath.channel import Channel
from simulators.fastpath.client import Client
from simulators.fastpath.config import FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.delivery import Delivery, Frame
from simulators.fastpath.heartbeats import heartbeat
from simulators.fastpath.ledger import Kind, Line
from simulators.fastpath.paths import MULTIPLEXER
from simulators.fastpath.upstream import CONNECTED
from simulators.ledger import Ledger

log = logging.getLogger(__name__)

_S: Final = 1_000_000_000
_CLOSE_TIMEOUT_S: Final = 3.0
"""How long a client may take to answer a closing handshake."""
_HALF_OPEN_NS: Final = 120 * _S
"""How long a half-open connection lasts: no client of ours may need that long to notice."""
_POLICY: Final = 1008
_POSITION: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A handshake.

    Attributes:
        name: Of the connection in the ledger.
        ordinal: The how-manieth of the simulator's life, from 1.
        path: Feed path.
        position: ``startPosition``, where there is one.
        fast: Whether ``speed=fast`` was asked for.
        request: All of it.
    """

    name: str
    ordinal: int
    path: str
    position: int | None
    fast: bool
    request: web.Request


class Connections:
    """All WebSockets.

    Args:
        settings: How the vendor speaks, limits.
        faults: What goes wrong on the way to one connection.
        ledger: Where everything handed over is written down.
        channel_at: Finds the channel of a feed path.
        clock: Tells UTC ns.
    """

    def __init__(
        self,
        settings: FastpathSimulatorSettings,
        faults: FaultSwitch,
        ledger: Ledger,
        channel_at: Callable[[str], Channel | None],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._ledger = ledger
        self._channel_at = channel_at
        self._clock = clock
        self._count = 0
        self._of_feed: Counter[str] = Counter()
        self._clients: dict[str, Client] = {}
        self._open: set[web.WebSocketResponse] = set()
        self._stopping = False
        self._begun_ns = clock()
        self._last_ns: dict[str, int] = {}

    def clients(self, pattern: str = "*") -> list[Client]:
        """Return the clients whose feed path ``pattern`` fits, oldest first, that still hear us."""
        return [c for c in self._clients.values() if not c.quiet and fnmatchcase(c.channel.feed.path, pattern)]

    @property
    def waiting(self) -> int:
        """Messages that are still to be handed over to connections that hear us."""
        return sum(client.waiting for client in self.clients())

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a handshake, and stay until the connection ends."""
        asked = self._asked(request)
        if isinstance(asked, web.Response):
            return asked
        faults = self._faults.of(asked.path)
        if _nth(asked.ordinal, faults.slow_every):
            await asyncio.sleep(faults.slow_s)
        struck = _nth(asked.ordinal, faults.refuse_every)
        if struck and faults.refuse_status is not None:
            return self._refuse(asked, faults.refuse_status, "refused on purpose")
        if struck and self._settings.refusal == "http":
            return self._refuse(asked, 401, INVALID)
        channel = self._channel_at(asked.path)
        if channel is None and self._settings.unknown_fixture == "404":
            return self._refuse(asked, 404, "Not found")
        if channel is not None and not channel.started and self._is_held_back(channel):
            return self._refuse(asked, 204, "not started")
        socket = web.WebSocketResponse(compress=True, timeout=_CLOSE_TIMEOUT_S)
        await socket.prepare(request)
        self._open.add(socket)
        try:
            await self._serve(asked, socket, channel, refused=struck)
        finally:
            self._open.discard(socket)
        return socket

    def tick(self, now_ns: int) -> None:
        """Let time pass for every connection: heartbeats, silences, cuts."""
        for client in tuple(self._clients.values()):
            faults = self._faults.of(client.channel.feed.path)
            every_ns = int(faults.stall_every_s * _S)
            stalled = every_ns > 0 and (now_ns - self._begun_ns) % every_ns > every_ns - int(faults.stall_for_s * _S)
            if now_ns >= client.heartbeat_ns:
                client.heartbeat_ns = now_ns + self._heartbeat_ns(client.channel)
                payload = heartbeat(client.channel.feed, self._settings.heartbeat, now_ns)
                client.say(Frame(payload=payload, sort="heartbeat"))
            client.tick(now_ns, stalled=stalled, stall_loses=faults.stall_loses)
            if client.half_open_ns is not None and now_ns - client.half_open_ns > _HALF_OPEN_NS:
                client.cut("half-open long enough")
            finished_ns, after_s = client.channel.finished_ns, self._settings.close_finished_s
            if after_s and finished_ns is not None and now_ns - finished_ns > after_s * _S:
                client.close(1000, "finished")
        for client in self._due("half_open", now_ns):
            client.half_open(now_ns)
        for client in self._due("cut", now_ns):
            client.cut("cut by fault switch")
        for client in self._due("close", now_ns):
            client.close(self._faults.of(client.channel.feed.path).close_code, "closed by fault switch")

    async def close(self) -> None:
        """Close every connection: 1001, the server goes away."""
        self._stopping = True
        for client in tuple(self._clients.values()):
            if client.half_open_ns is not None:
                client.cut("simulator stopped")
            else:
                client.close(1001, "simulator stopped")
        waiting = [socket.close(code=1001) for socket in self._open]  # those that have not said who they are
        await asyncio.gather(*waiting, *(client.closed() for client in self._clients.values()))

    async def _serve(
        self, asked: _Asked, socket: web.WebSocketResponse, channel: Channel | None, *, refused: bool
    ) -> None:
        why = await self._why_refused(asked, socket)
        if why is None and refused:
            why = INVALID
        if why is not None:
            said = refusal(self._settings.refusal, why) if not socket.closed else None
            self._note("refused", asked, reason=why, said=said)
            if said is not None:
                await socket.send_frame(said, WSMsgType.TEXT)
            await socket.close(code=_POLICY, message=why.encode())
            return
        if channel is None and self._settings.unknown_fixture == "4404":
            self._note("refused", asked, reason="unknown fixture")
            await socket.close(code=4404, message=b"unknown fixture")
            return
        client = self._admitted(asked, socket, channel)
        leave = client.channel.subscribe(client.listen)
        writer = asyncio.create_task(client.write(), name=f"fastpath-writer-{asked.name}")
        self._clients[asked.name] = client
        try:
            if _nth(asked.ordinal, self._faults.of(asked.path).close_after_auth_every):
                client.close(1000, "closed after auth")
            async for _ in socket:
                pass  # whatever the client sends is ignored
            await client.closed()
        finally:
            leave()
            writer.cancel()
            await asyncio.wait((writer,))
            del self._clients[asked.name]
            client.end()
            log.info("disconnected feed=%s frames=%d reason=%s", asked.path, client.frames, client.reason)

    def _admitted(self, asked: _Asked, socket: web.WebSocketResponse, channel: Channel | None) -> Client:
        """Return the client with all that waits for it; no packet may come between this and its subscription."""
        self._of_feed[asked.path] += 1
        ordinal = self._of_feed[asked.path]
        known = channel or Channel(asked.path, replay="none")
        client = Client(
            name=asked.name,
            request=asked.request,
            socket=socket,
            channel=known,
            delivery=Delivery(
                known,
                scope=self._settings.scope,
                faults=self._faults,
                random=Random(f"{self._settings.seed}/{asked.path}/{ordinal}"),  # noqa: S311  # faults, not secrets
                ordinal=ordinal,
            ),
            ledger=self._ledger,
            most_behind=self._settings.send_queue_max,
            clock=self._clock,
        )
        now_ns = self._clock()
        client.heartbeat_ns = now_ns + self._heartbeat_ns(known)
        client.mute = _nth(asked.ordinal, self._faults.of(asked.path).mute_every)
        self._note("connect", asked)
        if self._settings.ack:
            client.say(Frame(payload=ACCEPTED, sort="answer"))
        if channel is None:
            client.say(Frame(payload=no_fixture(asked.path), sort="answer"))
        paced = self._settings.pace_finished and known.finished_ns is not None and not asked.fast
        reading = (
            self._settings.position_events if known.feed.position == "events" else self._settings.position_sequence
        )
        client.replay(known.replay(asked.position, reading), paced_from_ns=now_ns if paced else None)
        if self._settings.status_on_connect and known.status is not None and known.status.state != CONNECTED:
            client.listen(known.status)
        log.info("connected feed=%s position=%s", asked.path, asked.position)
        return client

    async def _why_refused(self, asked: _Asked, socket: web.WebSocketResponse) -> str | None:
        try:
            first = await socket.receive(timeout=self._settings.auth_deadline_s)
        except TimeoutError:
            return "no authentication in time"
        if first.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            return "left before authentication"
        return why_refused(first.data, self._settings.token.get_secret_value())

    def _asked(self, request: web.Request) -> _Asked | web.Response:
        self._count += 1
        path = request.path.strip("/")
        query = request.query_string
        if path == MULTIPLEXER.partition("/")[0] and query:
            path = f"{path}/?{query}"
        position = request.query.get("startPosition")
        numeric = position is not None and _POSITION.fullmatch(position) is not None
        asked = _Asked(
            name=str(uuid4()),
            ordinal=self._count,
            path=path,
            position=int(position) if position is not None and numeric else None,
            fast=request.query.get("speed") == "fast",
            request=request,
        )
        if self._stopping:
            return self._refuse(asked, 503, "stopping")
        if self._settings.require_accept and "Accept" not in request.headers:
            return self._refuse(asked, 400, NO_ACCEPT)
        if position is not None and not numeric:
            return self._refuse(asked, 400, "Request parameter 'startPosition' is not a number")
        return asked

    def _refuse(self, asked: _Asked, status: int, why: str) -> web.Response:
        self._note("refused", asked, reason=f"{status} {why}")
        return web.Response(status=status, text=None if status == web.HTTPNoContent.status_code else why)

    def _is_held_back(self, channel: Channel) -> bool:
        return self._settings.not_started == "204" and channel.feed.sport == "tennis"

    def _heartbeat_ns(self, channel: Channel) -> int:
        return int((self._settings.heartbeat_s or channel.feed.heartbeat_s) * _S)

    def _due(self, what: str, now_ns: int) -> Iterable[Client]:
        """Return the oldest client of each group of faults whose turn to be struck by ``what`` it is."""
        for pattern, faults in self._faults.groups():
            every_s: float = getattr(faults, f"{what}_every_s")
            key = f"{what}/{pattern}"
            last_ns = self._last_ns.setdefault(key, now_ns)
            if every_s and now_ns - last_ns >= every_s * _S:
                self._last_ns[key] = now_ns
                yield from [c for c in self.clients() if self._faults.of(c.channel.feed.path) is faults][:1]

    def _note(self, kind: Kind, asked: _Asked, reason: str | None = None, said: bytes | None = None) -> None:
        peer = asked.request.transport and asked.request.transport.get_extra_info("peername")
        line = Line(
            kind=kind,
            feed=asked.path,
            at_ns=self._clock(),
            connection=asked.name,
            peer=f"{peer[0]}:{peer[1]}" if peer else None,
            position=asked.position,
            reason=reason,
        )
        self._ledger.append(line if said is None else line.holding(said))


def _nth(ordinal: int, every: int) -> bool:
    return every > 0 and ordinal % every == 0
