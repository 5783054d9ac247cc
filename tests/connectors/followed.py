"""Feeds that are only noted: what discovery and commands ask of them, without sockets."""

import asyncio
from collections.abc import Callable

from connectors.fastpath.following import State


class NotedFeeds:
    def __init__(self) -> None:
        self._states: dict[str, State] = {}
        self.started: list[str] = []
        self.stopped: list[str] = []
        self.repairs: list[tuple[str, int]] = []
        self.takes_repairs = True
        self.fault: Exception | None = None
        self.changed = asyncio.Event()

    @property
    def feeds(self) -> dict[str, State]:
        return dict(self._states)

    def start(self, path: str) -> None:
        self._states[path] = "open"
        self.started.append(path)
        self.changed.set()

    def stop(self, path: str) -> None:
        del self._states[path]
        self.stopped.append(path)
        self.changed.set()

    def finish(self, path: str) -> None:
        self._states[path] = "finished"

    def repair(self, line: str, position: int) -> bool:
        self.repairs.append((line, position))
        self.changed.set()
        if self.fault is not None:
            raise self.fault
        return self.takes_repairs

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.changed.clear()
            await self.changed.wait()
