"""One client whose token was accepted: what waits for it, what was handed to it, and the ledger of both."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from aiohttp import ClientConnectionResetError, WSMsgType, web

from simulators.fastpath.channel import Channel, EventPacket, Packet
from simulators.fastpath.delivery import Delivery, Frame, marked
from simulators.fastpath.ledger import Kind, Line
from simulators.ledger import Ledger

log = logging.getLogger(__name__)


class Client:
    """A WebSocket and its outbox. Packets are numbered when they leave the outbox, so a long replay costs little.

    Args:
        name: Unique in the ledger.
        request: Its handshake.
        socket: Upgraded.
        channel: What it is subscribed to.
        delivery: What goes wrong with its packets.
        ledger: Where everything handed over is written down.
        most_behind: Live packets that may wait before it is cut as a slow reader.
        clock: Tells UTC ns.

    Attributes:
        frames: Messages handed over.
        mute: Whether it is never spoken to.
        half_open_ns: Since when neither side hears the other; ``None`` while both do.
        reason: Why we ended it; ``None`` while we did not.
        heartbeat_ns: When its next heartbeat is due.
    """

    def __init__(
        self,
        *,
        name: str,
        request: web.Request,
        socket: web.WebSocketResponse,
        channel: Channel,
        delivery: Delivery,
        ledger: Ledger,
        most_behind: int,
        clock: Callable[[], int],
    ) -> None:
        self.name = name
        self.channel = channel
        self.frames = 0
        self.mute = False
        self.half_open_ns: int | None = None
        self.reason: str | None = None
        self.heartbeat_ns = 0
        self._request = request
        self._socket = socket
        self._delivery = delivery
        self._ledger = ledger
        self._most_behind = most_behind
        self._clock = clock
        self._outbox: deque[Packet | Frame] = deque()
        self._paced: deque[tuple[int, Packet]] = deque()
        self._handing = False
        self._stalled = False
        self._stall_loses = True
        self._wake = asyncio.Event()
        self._closing: asyncio.Task[bool] | None = None

    @property
    def waiting(self) -> int:
        """Messages that are still to be handed over."""
        return len(self._outbox) + len(self._paced) + self._delivery.waiting + self._handing

    @property
    def quiet(self) -> bool:
        """Whether we have ended it, or it hears nothing any more."""
        return self.reason is not None or self.half_open_ns is not None

    def listen(self, packet: Packet) -> None:
        """Take a packet of the channel."""
        if self._paced:
            self._paced.append((0, packet))
            return
        self._outbox.append(packet)
        self._wake.set()
        if len(self._outbox) > self._most_behind:
            self.cut("slow reader")

    def replay(self, packets: Sequence[EventPacket], *, paced_from_ns: int | None = None) -> None:
        """Take what was; at its own pace when ``paced_from_ns`` says when that begins."""
        if paced_from_ns is not None and packets:
            ahead_ns = paced_from_ns - packets[0].published_ns
            self._paced.extend((packet.published_ns + ahead_ns, packet) for packet in packets)
            return
        self._outbox.extend(packets)
        self._most_behind += len(packets)
        self._wake.set()

    def say(self, frame: Frame) -> None:
        """Take a message that is no packet of the channel."""
        self._outbox.append(frame)
        self._wake.set()

    def tick(self, now_ns: int, *, stalled: bool, stall_loses: bool) -> None:
        """Let time pass: what is paced, what was held back, whether it is silent."""
        self._stalled, self._stall_loses = stalled, stall_loses
        while self._paced and self._paced[0][0] <= now_ns:
            self._outbox.append(self._paced.popleft()[1])
        if self._delivery.waiting:
            self._outbox.extend(self._delivery.due(now_ns))
        if self._outbox:
            self._wake.set()

    async def write(self) -> None:
        """Hand over what comes, until cancelled or the connection has gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._outbox and not (self._stalled and not self._stall_loses):
                    await self._hand(self._outbox.popleft())
        except (ClientConnectionResetError, ConnectionError):
            log.debug("gone while being written to connection=%s", self.name)
        except Exception:
            log.exception("internal error connection=%s", self.name)
            self.close(1011, "internal error")
            raise

    def cut(self, reason: str) -> None:
        """End it as a failing network would."""
        self.reason = self.reason or reason
        if self._request.transport is not None:
            self._request.transport.abort()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        if self._closing is None:
            self.reason = self.reason or f"{code} {reason}"
            self._closing = asyncio.create_task(self._socket.close(code=code, message=reason.encode()))

    async def closed(self) -> None:
        """Wait for a closing handshake that was begun."""
        if self._closing is not None:
            await asyncio.wait((self._closing,))

    def half_open(self, now_ns: int) -> None:
        """Neither read nor write any more while TCP stays."""
        self.half_open_ns = now_ns
        transport = self._request.transport
        if isinstance(transport, asyncio.ReadTransport):
            transport.pause_reading()

    def end(self) -> None:
        """Write down what it never got, and that it ended."""
        for frame in self._delivery.left():
            self._write_down("lost", frame)
        self._ledger.append(
            Line(
                kind="disconnect",
                feed=self.channel.feed.path,
                at_ns=self._clock(),
                connection=self.name,
                n=self.frames,
                reason=self.reason or f"closed by the client with {self._socket.close_code}",
            )
        )

    def _kept_by(self) -> str | None:
        if self.half_open_ns is not None:
            return "half-open"
        if self.mute:
            return "mute"
        return "stalled" if self._stalled else None

    async def _hand(self, waiting: Packet | Frame) -> None:
        self._handing = True
        kept_by = self._kept_by()
        if not isinstance(waiting, Frame):
            for frame in self._delivery.put(waiting, self._clock(), kept_by=kept_by):
                await self._send(frame)
        elif kept_by is not None:
            await self._send(marked(waiting, kept_by, lost=True))
        else:
            await self._send(waiting)
        self._handing = False

    async def _send(self, frame: Frame) -> None:
        if self.reason is not None:
            raise ClientConnectionResetError(self.reason)  # nothing after the end
        if frame.lost:
            self._write_down("lost", frame)
            return
        self._write_down("frame", frame)
        await self._socket.send_frame(frame.payload, WSMsgType.BINARY if frame.binary else WSMsgType.TEXT)

    def _write_down(self, kind: Kind, frame: Frame) -> None:
        """Append to the ledger; only what is handed over is numbered, as the client numbers what it receives."""
        handed = kind == "frame"
        self.frames += handed
        line = Line(
            kind=kind,
            feed=self.channel.feed.path,
            at_ns=self._clock(),
            connection=self.name,
            n=self.frames if handed else None,
            sort=frame.sort,
            index=frame.index,
            number=frame.number,
            fault=",".join(frame.faults) or None,
        )
        self._ledger.append(line.holding(frame.payload))
