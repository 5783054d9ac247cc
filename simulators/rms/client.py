"""One client after its upgrade: what waits for it, what was handed to it, pings, and the ledger of all that."""

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import ClientConnectionResetError, web

from simulators.rms.circumstances import Circumstances
from simulators.rms.ledger import Kind, Line

log = logging.getLogger(__name__)

_PING: Final = "2"
_EVENT: Final = "2"
"""First character of a Socket.IO packet that says something in a room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One Socket.IO packet for a client; ``decision`` is the number of the one that it tells."""

    text: str
    decision: int | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Farewell:
    code: int
    reason: str


class Client:
    """A WebSocket and its outbox.

    Args:
        name: Unique in the ledger; also the Socket.IO session id.
        customer: Header ``customerid``.
        ip: Its address.
        request: Its handshake.
        socket: Upgraded.
        around: How far behind it may be, where everything is written down.

    Attributes:
        rooms: Customer and platform of every room it is in.
        expires_ns: When its token expires.
        connected: Whether its Socket.IO CONNECT was accepted and not taken back.
        half_open_ns: Since when neither side hears the other; ``None`` while both do.
        reason: Why we ended it; ``None`` while we did not.
    """

    def __init__(
        self,
        *,
        name: str,
        customer: str,
        ip: str,
        request: web.Request,
        socket: web.WebSocketResponse,
        around: Circumstances,
    ) -> None:
        self.name = name
        self.customer = customer
        self.ip = ip
        self.rooms: frozenset[tuple[str, int]] = frozenset()
        self.expires_ns: int | None = None
        self.connected = False
        self.half_open_ns: int | None = None
        self.reason: str | None = None
        self._frames = 0
        self._request = request
        self._socket = socket
        self._ledger = around.ledger
        self._most_behind = around.settings.send_queue_max
        self._clock = around.clock
        self._faults = around.faults
        self._outbox: deque[Packet | _Farewell | str] = deque()
        self._held: deque[Packet] = deque()
        self._wake = asyncio.Event()
        self._pong = asyncio.Event()
        self._handing = False
        self._is_cut = False

    @property
    def waiting(self) -> int:
        """Packets that are still to be handed over."""
        return 0 if self.quiet else len(self._held) + len(self._outbox) + self._handing

    @property
    def quiet(self) -> bool:
        """Whether we have ended it, or it hears nothing any more."""
        return self.reason is not None or self.half_open_ns is not None

    @property
    def is_closing(self) -> bool:
        """Whether we are about to say farewell, or do."""
        return self.reason is not None and not self._is_cut

    def send(self, packet: Packet) -> bool:
        """Take a packet; return whether the client is there to hear it."""
        if self.quiet:
            if self.half_open_ns is not None:
                self._write_down("lost", replace(packet, fault=_both(packet.fault, "half-open")))
            return False
        self._put(packet)
        if len(self._outbox) > self._most_behind:
            self.cut("slow reader")
            return False
        return True

    def say(self, text: str) -> None:
        """Take an Engine.IO packet that is no message."""
        if not self.quiet:
            self._put(text)

    def tick(self) -> None:
        """Let time pass: what a stall held back follows when it is over."""
        if self._held and not self._faults.current.stalled:
            self._outbox.extendleft(reversed(self._held))
            self._held.clear()
            self._wake.set()

    def pong(self) -> None:
        """Hear that it is there."""
        self._pong.set()

    def cut(self, reason: str) -> None:
        """End it as a failing network would."""
        self._is_cut = True
        self.reason = self.reason or reason
        if self._request.transport is not None:
            self._request.transport.abort()

    def close(self, code: int, reason: str) -> None:
        """Let it have what waits for it, then begin the closing handshake."""
        if not self.quiet:
            self.reason = f"{code} {reason}"
            self._put(_Farewell(code=code, reason=reason))

    def half_open(self) -> None:
        """Neither read nor write any more while TCP stays."""
        self.half_open_ns = self._clock()
        transport = self._request.transport
        if isinstance(transport, asyncio.ReadTransport):
            transport.pause_reading()

    async def write(self) -> None:
        """Hand over what comes, until cancelled, said farewell, or the connection has gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._outbox and self.half_open_ns is None and not self._is_cut:
                    item = self._outbox.popleft()
                    if isinstance(item, _Farewell):
                        await self._socket.close(code=item.code, message=item.reason.encode())
                        return
                    if self._faults.current.stalled and isinstance(item, Packet) and item.text.startswith(_EVENT):
                        self._held.append(item)
                        continue
                    self._handing = True
                    await self._hand(item)
                    self._handing = False
        except (ClientConnectionResetError, ConnectionError):
            log.debug("gone while being written to connection=%s", self.name)
        except Exception:
            log.exception("internal error connection=%s", self.name)
            self.cut("internal error")
            raise

    async def ping(self, interval_s: float, timeout_s: float) -> None:
        """Ping it; cut it when it does not answer in time."""
        while True:
            await asyncio.sleep(interval_s)
            self._pong.clear()
            self.say(_PING)
            try:
                async with asyncio.timeout(timeout_s):
                    await self._pong.wait()
            except TimeoutError:
                if self.half_open_ns is None:  # a half-open connection has no end of its own
                    self.cut("ping timeout")
                return

    def end(self) -> None:
        """Write down what it never got, and that it ended."""
        reason = self.reason or f"closed by the client with {self._socket.close_code}"
        for item in (*self._held, *self._outbox):
            if isinstance(item, Packet):
                self._write_down("lost", replace(item, fault=_both(item.fault, "ended")))
        self._held.clear()
        self._outbox.clear()
        self._ledger.append(
            Line(kind="disconnect", at_ns=self._clock(), connection=self.name, n=self._frames, reason=reason)
        )
        log.info("disconnected connection=%s frames=%d reason=%s", self.name, self._frames, reason)

    def _put(self, item: Packet | _Farewell | str) -> None:
        self._outbox.append(item)
        self._wake.set()

    async def _hand(self, item: Packet | str) -> None:
        if isinstance(item, str):
            await self._socket.send_str(item)
            return
        self._write_down("frame", item)
        await self._socket.send_str(f"4{item.text}")

    def _write_down(self, kind: Kind, packet: Packet) -> None:
        """Append to the ledger; only what is handed over is numbered, as the client numbers what it receives."""
        handed = kind == "frame"
        self._frames += handed
        self._ledger.append(
            Line(
                kind=kind,
                at_ns=self._clock(),
                connection=self.name,
                n=self._frames if handed else None,
                packet=packet.text,
                decision=packet.decision,
                fault=packet.fault,
            )
        )


def _both(first: str | None, second: str) -> str:
    return second if first is None else f"{first},{second}"
