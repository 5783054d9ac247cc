"""One WebSocket of a line, from its upgrade to its end: how much it has said, and why we end it."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from websockets.asyncio.client import ClientConnection

from connectors import record
from connectors.counts import Ending
from connectors.fastpath import protocol
from schemas.fastpath.feed import Feed

_NORMAL: Final = 1000  # RFC 6455 §7.4.1
ABNORMAL: Final = 1006
"""Close code of a connection that ended without one; never on the wire."""
_MISSED_HEARTBEATS: Final = 2.5


@dataclass(frozen=True, slots=True)
class End:
    """How a connection ended.

    Attributes:
        code: Close code, as ``closed`` records it.
        reason: Close reason, likewise.
        why: Set when that was a refusal of the feed.
        text: What the server said then.
        ending: What it is counted as.
    """

    code: int
    reason: str
    why: protocol.Why | None = None
    text: str = ""
    ending: Ending = "closed"


REPAIR: Final = End(_NORMAL, "repair", ending="ours")
SHUTDOWN: Final = End(_NORMAL, "shutdown", ending="ours")
FINISHED: Final = End(_NORMAL, "finished", ending="ours")
LEFT: Final = End(_NORMAL, record.LEFT, ending="ours")
"""Its fixture is over or gone, by the lists."""
BROKE: Final = End(ABNORMAL, "connector failed", ending="broke")
"""A bug of ours ended it."""


def refused(why: protocol.Why, text: str) -> End:
    """Return the end of a connection whose server says that it does not give the feed."""
    return End(_NORMAL, why, why, text, ending="refused")


@dataclass(slots=True)
class Connection:
    """One open connection.

    Attributes:
        socket: Closed by whoever opened it.
        messages: How many came.
        heard: Something came that only those get whose token was accepted.
        served: An event came.
        end: Why we end it, once we do.
    """

    socket: ClientConnection
    messages: int = 0
    heard: bool = False
    served: bool = False
    end: End | None = None
    _ending: asyncio.Event = field(default_factory=asyncio.Event)
    _silent_ticks: int = 0
    _messages_at_tick: int = 0

    def leave(self, end: End) -> None:
        """End it, for the first reason there is."""
        self.end = self.end or end
        self._ending.set()

    async def close_when_left(self) -> None:
        """Wait until we end it, and close.

        What the server sent before it saw our close is still to be read and recorded; from one that does not answer,
        for a bounded time.
        """
        await self._ending.wait()
        await self.socket.close()

    def tick(self, interval_s: float, limit_s: float) -> None:
        """End it if nothing came for longer than ``limit_s``; to be called every ``interval_s``.

        Silence is counted in waits of ours, not read off a clock: after a stall of this process messages may well be
        waiting in the socket, and they are read before the next wait is over.
        """
        silent = self.messages == self._messages_at_tick
        self._silent_ticks = self._silent_ticks + 1 if silent else 0
        self._messages_at_tick = self.messages
        if (self._silent_ticks - 1) * interval_s > limit_s:
            self.leave(End(ABNORMAL, f"silent for more than {limit_s:g} s", ending="silent"))


def silence_s(feed: Feed, heartbeat_s: float | None) -> float:
    """Return how long ``feed`` may say nothing before its connection has to be dead, seconds.

    Args:
        feed: With the interval of heartbeats as documented.
        heartbeat_s: The interval as set, seconds.
    """
    return _MISSED_HEARTBEATS * (heartbeat_s or feed.heartbeat_s)
