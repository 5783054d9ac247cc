import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectors.fastpath import names
from connectors.fastpath.config import FastpathSettings
from connectors.fastpath.connector import run as run_fastpath
from connectors.kambi.config import KambiSettings
from connectors.kambi.connector import run
from schemas.kafka import KafkaSettings
from tests.connectors import fastpath_vendor, npm, raw_topic
from tests.connectors.raw_topic import Raw
from tests.connectors.rms_recording import RmsRecording

QUICK = {"tick_interval_s": 0.2, "backoff_base_s": 0.05, "backoff_cap_s": 0.2, "handshake_timeout_s": 5.0}
ONE_SHARD = {"shards": 1, "settlements": False}
"""Everything in partition 0, for tests that are not about shards."""


class Recording:
    """A connector at work, and the raw topic it writes."""

    def __init__(self, bootstrap: str, prefix: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self.topic = topic

    @asynccontextmanager
    async def connector(self, url: str, **settings: object) -> AsyncIterator[None]:
        """Run the connector against ``url``; leaving is SIGTERM: it closes, flushes and must end without an error."""
        stop, task = self.start(url, **settings)
        try:
            yield
        finally:
            stop.set()
            await task

    def start(self, url: str, **settings: object) -> tuple[asyncio.Event, asyncio.Task[None]]:
        """Start the connector against ``url``; return the event that stops it, and its task."""
        stop = asyncio.Event()
        here = {"push_url": url, "offering_url": url, "events": (), "snapshots": False}
        configured = KambiSettings(**{**here, **QUICK, **ONE_SHARD, **settings})
        kafka = KafkaSettings(bootstrap_servers=self._bootstrap)
        return stop, asyncio.create_task(run(configured, kafka, self._prefix, stop=stop))

    async def records(self, until: Callable[[list[Raw]], bool] | None = None, *, partition: int = 0) -> list[Raw]:
        return await asyncio.to_thread(raw_topic.read, self._bootstrap, self.topic, until, partition=partition)


class FastpathRecording:
    """A FastPath connector at work, and the raw topic it writes."""

    def __init__(self, bootstrap: str, prefix: str, topic: str) -> None:
        self.kafka = KafkaSettings(bootstrap_servers=bootstrap)
        self.prefix = prefix
        self.topic = topic

    @asynccontextmanager
    async def connector(self, url: str, **settings: object) -> AsyncIterator[None]:
        """Run the connector against ``url``; leaving is SIGTERM: it closes, flushes and must end without an error."""
        stop, task = self.start(url, **settings)
        try:
            yield
        finally:
            stop.set()
            await task

    def start(self, url: str, **settings: object) -> tuple[asyncio.Event, asyncio.Task[None]]:
        """Start the connector against ``url``; return the event that stops it, and its task."""
        stop = asyncio.Event()
        here = {"stream_url": url, "token": fastpath_vendor.TOKEN, "feeds": (fastpath_vendor.ACTIONS,)}
        quick = {
            "tick_interval_s": 0.1,
            "backoff_s": (0.02, 0.05),
            "unready_retry_s": 0.05,
            "handshake_timeout_s": 5.0,
            "requests_per_second": 500,
            "spool_bytes": 0,
        }
        configured = FastpathSettings(**{**here, **quick, **settings})
        return stop, asyncio.create_task(run_fastpath(configured, self.kafka, self.prefix, stop=stop))

    async def records(
        self, until: Callable[[list[Raw]], bool] | None = None, *, path: str = fastpath_vendor.ACTIONS
    ) -> list[Raw]:
        """Return the partition of the feed at ``path``, see :func:`raw_topic.read`."""
        partition = names.partition_of(path)
        bootstrap = self.kafka.bootstrap_servers
        return await asyncio.to_thread(raw_topic.read, bootstrap, self.topic, until, partition=partition)


@pytest.fixture(scope="session")
def node_server(request: pytest.FixtureRequest) -> Path:
    """Return the folder of the servers on Node, with their packages."""
    return npm.install(request.config.cache)


@pytest.fixture
def fastpath(kafka: str, topic_prefix: str) -> FastpathRecording:
    raw_topic.create(kafka, topic_prefix, name="fastpath.commands")
    return FastpathRecording(kafka, topic_prefix, raw_topic.create(kafka, topic_prefix, name="fastpath.raw"))


@pytest.fixture
def rms(kafka: str, topic_prefix: str, tmp_path: Path) -> RmsRecording:
    raw_topic.create(kafka, topic_prefix, name="rms.lookups")
    return RmsRecording(kafka, topic_prefix, raw_topic.create(kafka, topic_prefix, name="rms.raw"), tmp_path)


@pytest.fixture
def recording(kafka: str, topic_prefix: str) -> Recording:
    return Recording(kafka, topic_prefix, raw_topic.create(kafka, topic_prefix))
