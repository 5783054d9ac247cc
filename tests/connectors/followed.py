"""Feeds that are only noted: what discovery and commands ask of them, without sockets."""

import asyncio


class NotedFeeds:
    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self.started: list[str] = []
        self.stopped: list[str] = []
        self.repairs: list[tuple[str, int]] = []
        self.takes_repairs = True
        self.fault: Exception | None = None
        self.changed = asyncio.Event()

    @property
    def feeds(self):
        return dict(self._states)

    def start(self, path):
        self._states[path] = "open"
        self.started.append(path)
        self.changed.set()

    def stop(self, path):
        del self._states[path]
        self.stopped.append(path)
        self.changed.set()

    def finish(self, path):
        self._states[path] = "finished"

    def repair(self, line, position):
        self.repairs.append((line, position))
        self.changed.set()
        if self.fault is not None:
            raise self.fault
        return self.takes_repairs

    async def until(self, condition):
        while not condition():
            self.changed.clear()
            await self.changed.wait()
