"""Follow the health topics beside a reader, with aiokafka."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any, Self

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from tricast.consumer.aio import Reader
from tricast.consumer.verdict import PREFIX, UNREAD_S, Feed, HealthBook, Verdict, topics, unread


class Trust:
    """Knows how far to trust each key; use it with ``async with``, which reads what health is known.

    Args:
        kafka: How to reach it.
        feeds: Whose health is followed.
        prefix: Of topic names.
        unread_s: Kafka away, or a reader that is kept from running, for so long: nothing is trustworthy then.
    """

    def __init__(self, kafka: KafkaSettings, *feeds: Feed, prefix: str = PREFIX, unread_s: float = UNREAD_S) -> None:
        self._reader = Reader(kafka, *topics(feeds), prefix=prefix)
        self._feeds, self._unread_s = frozenset(feeds), unread_s
        self._book = HealthBook()
        self._read_s = 0.0
        self._stack = AsyncExitStack()
        self._fault: EnvironmentFault | None = None

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._reader)
            await self._read()
            task = asyncio.create_task(self._follow(), name="tricast-trust")
            stack.push_async_callback(_end, task)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def is_trustworthy(self, feed: Feed, key: str) -> Verdict:
        """Return how far to trust what is known of ``key`` now, and why; see ``HealthBook.judge`` for keys."""
        if feed not in self._feeds:
            raise ValueError(f"the health of {feed} is not followed here")
        unread_s = time.monotonic() - self._read_s
        if self._fault is not None or unread_s > self._unread_s:
            return unread(key, unread_s, self._fault)
        return self._book.judge(feed, key)

    async def _read(self) -> None:
        """Read to the end that is there now."""
        async for event in self._reader.until_now():
            self._book.observe(event)
        self._read_s = time.monotonic()

    async def _follow(self) -> None:
        try:
            while True:
                await self._reader.wait()
                await self._read()
        except EnvironmentFault as fault:
            self._fault = fault


async def _end(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait([task])
