"""Follow the health topics beside a reader, with confluent-kafka."""

import contextlib
import threading
import time
from typing import Self

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from tricast.consumer.confluent.reader import Reader
from tricast.consumer.verdict import PREFIX, UNREAD_S, Feed, HealthBook, Verdict, topics, unread


class Trust:
    """Knows how far to trust each key; use it with ``with``, which reads what health is known and follows it.

    A thread of its own reads; ``is_trustworthy`` may be asked from any.

    Args:
        kafka: How to reach it.
        feeds: Whose health is followed.
        prefix: Of topic names.
        unread_s: Health that could not be read to its end for so long says nothing any more.
    """

    def __init__(self, kafka: KafkaSettings, *feeds: Feed, prefix: str = PREFIX, unread_s: float = UNREAD_S) -> None:
        self._reader = Reader(kafka, *topics(feeds), prefix=prefix)
        self._feeds, self._unread_s = frozenset(feeds), unread_s
        self._book, self._turn = HealthBook(), threading.Lock()
        self._read_s = 0.0
        self._fault: EnvironmentFault | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="tricast-trust", daemon=True)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._reader)
            self._read()
            stack.pop_all()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._reader.__exit__()

    def is_trustworthy(self, feed: Feed, key: str) -> Verdict:
        """Return how far to trust what is known of ``key`` now, and why; see ``HealthBook.judge`` for keys."""
        if feed not in self._feeds:
            raise ValueError(f"the health of {feed} is not followed here")
        unread_s = time.monotonic() - self._read_s
        if self._fault is not None or unread_s > self._unread_s:
            return unread(key, unread_s, self._fault)
        with self._turn:
            return self._book.judge(feed, key)

    def _read(self) -> None:
        """Read to the end that is there now."""
        for event in self._reader.until_now():
            with self._turn:
                self._book.observe(event)
        self._read_s = time.monotonic()

    def _follow(self) -> None:
        try:
            while not self._ended.is_set():
                self._reader.wait()
                self._read()
        except EnvironmentFault as fault:
            self._fault = fault
