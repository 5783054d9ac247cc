"""An RMS connector at work, and the raw topic it writes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.clock import Clock
from connectors.rms import names
from connectors.rms.config import RmsSettings
from connectors.rms.connector import run
from schemas.kafka import KafkaSettings
from simulators.rms.server import RmsUrls
from tests.connectors import raw_topic
from tests.connectors.raw_topic import Raw


class RmsRecording:
    """An RMS connector at work, and the raw topic it writes."""

    def __init__(self, bootstrap: str, prefix: str, topic: str, folder: Path) -> None:
        self.kafka = KafkaSettings(bootstrap_servers=bootstrap)
        self.prefix = prefix
        self.topic = topic
        self._folder = folder

    @asynccontextmanager
    async def connector(self, urls: RmsUrls, *, clock: Clock | None = None, **settings: object) -> AsyncIterator[None]:
        """Run the connector against ``urls``; leaving is SIGTERM: it closes, flushes and must end without an error."""
        stop, task = self.start(urls, clock=clock, **settings)
        try:
            yield
        finally:
            stop.set()
            await task

    def start(
        self, urls: RmsUrls, *, clock: Clock | None = None, **settings: object
    ) -> tuple[asyncio.Event, asyncio.Task[None]]:
        """Start the connector against ``urls``; return the event that stops it, and its task."""
        stop = asyncio.Event()
        here = {
            "socket_url": urls.socket_url,
            "auth_url": urls.auth_url,
            "bets_url": urls.bets_url,
            "customer_id": "90210",
            "client_id": "simulated",
            "secret": "simulated",
            "state_dir": self._folder / "state",
            "spool_bytes": 0,
        }
        quick = {
            "tick_interval_s": 0.1,
            "backoff_s": (0.02, 0.05),
            "backoff_floor_s": 0.0,
            "limited_s": 0.0,
            "inactive_probe_s": 0.05,
            "handshake_timeout_s": 5.0,
            "connects_per_minute": 10_000,
            "requests_per_15_min": 100_000,
        }
        configured = RmsSettings.model_validate(here | quick | settings)
        return stop, asyncio.create_task(run(configured, self.kafka, self.prefix, stop=stop, clock=clock))

    async def records(self, until: Callable[[list[Raw]], bool] | None = None, *, customer: str = "90210") -> list[Raw]:
        """Return the partition of the customer, see :func:`raw_topic.read`."""
        partition = names.partition_of(customer)
        bootstrap = self.kafka.bootstrap_servers
        return await asyncio.to_thread(raw_topic.read, bootstrap, self.topic, until, partition=partition)
