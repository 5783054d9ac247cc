"""One accepted Socket.IO connection, from its first packet to its end: common to feeds that speak Socket.IO."""

import asyncio
import contextlib
import logging
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from connectors import engineio, handshake
from connectors.clock import Clock
from connectors.counts import Ending
from connectors.handshake import Dialled, WebSocketMessage, packet_of
from connectors.heard import Heard

log = logging.getLogger(__name__)

NORMAL, _NO_CODE, ABNORMAL = 1000, 1005, 1006  # RFC 6455 §7.4.1; the last two are never on the wire
_OUTBOX: Final = 1000  # a server that lets so many packets wait reads nothing


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ended.

    Attributes:
        code: Close code, as ``closed`` records it.
        reason: Close reason, likewise.
        ours: Whether we ended it.
    """

    code: int
    reason: str
    ours: bool = False

    @property
    def is_over_limit(self) -> bool:
        """Whether a message was larger than we take: it is lost."""
        return self.code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG and not self.ours

    @property
    def ending(self) -> Ending:
        """What it is counted as."""
        if self == BROKE:
            return "broke"
        if self.ours:
            return "ours" if self.code == NORMAL else "silent"
        if self.is_over_limit:
            return "too-large"
        return "lost" if self.code == ABNORMAL else "closed"


BROKE: Final = End(ABNORMAL, "connector failed")
"""A bug of ours ended it."""


class Conversation:
    """Reads packets in order, sends ours, answers pings, notices silence.

    Args:
        dialled: The connection; whoever dialled it closes it.
        received: Called with each Socket.IO packet, the one that accepted the connect first; the next message is read
            once it returns.
        clock: Stamps and waits.

    Attributes:
        messages: WebSocket messages so far, of whatever kind.
        end: Why we end it, once we do.
    """

    def __init__(self, dialled: Dialled, *, received: Callable[[bytes], Awaitable[None]], clock: Clock) -> None:
        self._socket = dialled.socket
        self._first = dialled.first
        self._received = received
        self._clock = clock
        self._outbox: asyncio.Queue[tuple[str, Callable[[], object] | None]] = asyncio.Queue(_OUTBOX)
        self._ended = asyncio.Event()
        self._messages_at_tick = 0
        self._silent_ticks = 0
        self.silence_s = dialled.silence_s
        self.messages = 0
        self._heard = Heard(clock.now_ns())
        self.end: End | None = None

    @property
    def heard_ns(self) -> int:
        """Until when all that the server sent is on record, UTC nanoseconds; see :class:`Heard`."""
        return self._heard.heard_ns

    @property
    def after_ns(self) -> int:
        """While a packet is received: the server sent it after this, UTC nanoseconds; see :class:`Heard`."""
        return self._heard.after_ns

    async def run(self) -> End:
        """Return when it has ended, however it did."""
        async with asyncio.TaskGroup() as group:
            around = [group.create_task(self._write()), group.create_task(self._close_when_ended())]
            await self._received(self._first)
            end = await self._read()
            for task in around:
                task.cancel()
        return end

    def send(self, text: str, then: Callable[[], object] | None = None) -> None:
        """Send a text message after those before it.

        Args:
            text: Engine.IO packet; empty: none, only ``then``.
            then: Called when it is on the wire.
        """
        try:
            self._outbox.put_nowait((text, then))
        except asyncio.QueueFull:
            self._leave(End(ABNORMAL, "the server reads nothing", ours=True))

    def leave(self, reason: str) -> None:
        """Close in order: what the server sent before it saw our close is still received, for a bounded time."""
        self._leave(End(NORMAL, reason, ours=True))

    def look(self) -> None:
        """Look at the clock; to be called at a steady pace where :attr:`heard_ns` and :attr:`after_ns` are used."""
        self._heard.look(self._clock.now_ns())

    def tick(self, interval_s: float) -> None:
        """End it if nothing came for longer than its server may be silent; to be called every ``interval_s``.

        Silence is counted in waits of ours, not read off a clock: after a stall of this process messages may well be
        waiting in the socket, and they are read before the next wait is over.
        """
        silent = self.messages == self._messages_at_tick
        self._silent_ticks = self._silent_ticks + 1 if silent else 0
        self._messages_at_tick = self.messages
        if (self._silent_ticks - 1) * interval_s > self.silence_s:
            self._leave(End(ABNORMAL, f"silent for more than {self.silence_s:g} s", ours=True))

    # -- private -----------------------------------------------------------------------------------------------------

    def _leave(self, end: End) -> None:
        self.end = self.end or end
        self._ended.set()

    async def _read(self) -> End:
        """Between receiving and what :attr:`_received` does first there is no await."""
        while True:
            self._heard.wait()
            message = await self._socket.receive()
            self._heard.read()
            packet = packet_of(message)
            if packet is not None:
                self.messages += 1
            match packet:
                case engineio.Message(payload):
                    await self._received(payload)
                    if engineio.is_disconnect(payload):
                        return End(NORMAL, "socket.io disconnect")
                case engineio.Ping(reply):
                    self.send(reply)
                case engineio.Control():
                    pass
                case engineio.Close():
                    return End(NORMAL, "engine.io close")
                case None:
                    return self.end or _ending(message)
            self._heard.recorded()

    async def _write(self) -> None:
        while True:
            text, then = await self._outbox.get()
            try:
                if text:
                    await self._socket.send_str(text)
            except (aiohttp.ClientError, OSError):
                return  # the reading side sees the end, and says which
            if then is not None:
                then()

    async def _close_when_ended(self) -> None:
        await self._ended.wait()
        if self.end is not None and self.end.code == NORMAL:
            # The close frame alone: what the server sent before it saw ours is still read and recorded.
            with contextlib.suppress(aiohttp.ClientError, OSError):
                await self._socket.send_frame(struct.pack("!H", NORMAL), aiohttp.WSMsgType.CLOSE)
            await self._clock.sleep(handshake.CLOSE_S)
        await handshake.close(self._socket)


def _ending(message: WebSocketMessage) -> End:
    match message.type:
        case aiohttp.WSMsgType.CLOSE:
            return End(int(message.data or _NO_CODE), str(message.extra or ""))
        case aiohttp.WSMsgType.ERROR:
            error = message.data
            code = error.code if isinstance(error, aiohttp.WebSocketError) else ABNORMAL
            return End(int(code), str(error))
    return End(ABNORMAL, "connection lost")
