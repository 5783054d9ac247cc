"""The sockets of one customer: one, or, while one takes over from another, two."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from connectors.rms.line import RmsLine
from connectors.rms.ports import Tokens

log = logging.getLogger(__name__)

REFRESHED: Final = "refreshed"
"""Close reason of a socket that another one took over from."""
SHUTDOWN: Final = "shutdown"


class Sockets:
    """Keeps a socket joined; with each new token it opens another, and closes the first once that one joined.

    Each place has its line: coverage is the union of both, so changing over leaves no hole.

    Args:
        line: Makes the line of a place: the first, or the one beside it.
        tokens: Tells of new tokens.
        change_over: Whether to do so; else the one socket is kept for as long as it holds.
        stop: Set when the process is to end.
    """

    def __init__(
        self, line: Callable[[bool], RmsLine], *, tokens: Tokens, change_over: bool, stop: asyncio.Event
    ) -> None:
        self._line = line
        self._tokens = tokens
        self._change_over = change_over
        self._stop = stop
        self._lines: list[RmsLine] = []

    @property
    def lines(self) -> Sequence[RmsLine]:
        """Those there are now."""
        return tuple(self._lines)

    async def run(self) -> None:
        """Return when all are closed after ``stop``.

        Raises:
            ConfigurationError: The vendor refuses us for what is in our settings.
        """
        async with asyncio.TaskGroup() as group:
            first = self._begin(group, second=False)
            changing = group.create_task(self._change(group, first), name="rms-change-over")
            await self._stop.wait()
            changing.cancel()
            for line in self._lines:
                line.stop(SHUTDOWN)

    def _begin(self, group: asyncio.TaskGroup, *, second: bool) -> RmsLine:
        line = self._line(second)
        self._lines.append(line)
        group.create_task(self._run(line), name=line.name)
        return line

    async def _run(self, line: RmsLine) -> None:
        try:
            await line.run()
        finally:
            self._lines.remove(line)

    async def _change(self, group: asyncio.TaskGroup, active: RmsLine) -> None:
        if not self._change_over:
            return
        second = False
        bearer = await self._tokens.bearer()
        while True:
            bearer = await self._tokens.newer(bearer)
            if active.bearer is None or active.bearer.serial >= bearer.serial or not active.joined.is_set():
                continue  # its next handshake takes the new one anyway
            second = not second
            other = self._begin(group, second=second)
            await other.joined.wait()
            log.info("rms.changed_over from=%s to=%s", active.name, other.name)
            active.stop(REFRESHED)
            active = other
