"""The page over everything real: simulated vendor, connector, worker's process, Kafka, monitor, Chromium."""

import asyncio
import contextlib
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from playwright.async_api import Page

from connectors.kambi.config import KambiSettings
from connectors.kambi.connector import run as connect
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.server import KambiSimulator
from tricast.kafka import topics
from tricast.monitor.ours import monitor_of
from tricast.monitor.watch import Monitor
from tricast.observe.endpoints import address_file
from tricast.web.serve import serving

_QUICK = {
    "ENGINE__SESSION_TIMEOUT_S": "6",
    "ENGINE__HEARTBEAT_INTERVAL_S": "0.5",
    "ENGINE__TRANSACTION_TIMEOUT_S": "8",
    "ENGINE__WORKER_NAME": "w0",
}
_PATIENCE_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Kambi's part of an installation at work.

    Attributes:
        environment: With which further processes of it are started.
        worker: Its endpoints, and its supervisor's process.
        url: Of the page.
    """

    vendor: KambiSimulator
    monitor: Monitor
    kafka: KafkaSettings
    prefix: str
    environment: Mapping[str, str]
    worker: "Command"
    url: str

    async def cut(self) -> tuple[str, int]:
        """Cut the general line at the vendor; return how the page will title the gap, and when it was on record.

        That is the time of the connector's ``opened`` in the raw topic, UTC ms: the record that names both ends.
        """
        async with self._raw() as raw:
            assert self.vendor.cut_oldest()
            async with asyncio.timeout(_PATIENCE_S):
                async for record in raw:
                    headers = dict(record.headers)
                    if headers["tc-kind"] == b"opened" and json.loads(record.value or b"")["previous_connection"]:
                        return f"{headers['tc-line'].decode()}: reconnected", record.timestamp
        raise AssertionError("the raw topic ended")

    @asynccontextmanager
    async def _raw(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(**self.kafka.client(), auto_offset_reset="latest")
        await consumer.start()
        try:
            places = [TopicPartition(f"{self.prefix}kambi.raw", number) for number in range(2)]
            consumer.assign(places)
            await consumer.seek_to_end(*places)
            for place in places:
                await consumer.position(place)  # from here on, not from when the first record is asked for
            yield consumer
        finally:
            await consumer.stop()


@dataclass(frozen=True)
class Command:
    """A process with its endpoints.

    Attributes:
        address: Of its endpoints.
        log: What it has written.
    """

    process: asyncio.subprocess.Process
    address: Path
    log: Path

    async def says(self, path: str, status: int, *parts: str) -> None:
        """Wait until an endpoint answers so, with each of ``parts`` in its body."""
        found: tuple[int, str] = (0, "")

        def ask() -> tuple[int, str]:
            with contextlib.suppress(OSError, ValueError):
                url = json.loads(self.address.read_text())["url"]
                request = urllib.request.Request(url + path)
                try:
                    with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:
                        return answer.status, answer.read().decode()
                except urllib.error.HTTPError as refused:
                    return refused.code, refused.read().decode()
            return 0, ""

        try:
            async with asyncio.timeout(_PATIENCE_S):
                while found[0] != status or not all(part in found[1] for part in parts):
                    found = await asyncio.to_thread(ask)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{path} said {found}, not {status} {parts}; {self.log.read_text()}") from None


async def shown_ms(page: Page, title: str, count: int) -> int:
    """Return the browser's clock as soon as the page lists ``count`` gaps of that title, UTC ms."""
    found = await page.wait_for_function(
        """([title, count]) => [...document.querySelectorAll("#recent tr[data-kind=gap]")]
            .filter((row) => row.textContent.includes(title)).length >= count && Date.now()""",
        arg=[title, count],
        polling=20,
    )
    return int(await found.json_value())


@asynccontextmanager
async def stack(bootstrap: str, prefix: str, folder: Path) -> AsyncIterator[Stack]:
    """Make the topics and start it all; only the last to be started is waited for: the worker's first output."""
    kafka = KafkaSettings(bootstrap_servers=bootstrap)
    await topics.create(TOPICS.values(), prefix, kafka)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")} | {
        f"TRICAST_{name}": value
        for name, value in {
            "KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "TOPIC_PREFIX": prefix,
            "OBSERVE__PORT": "0",
            "OBSERVE__ADDRESS_DIR": str(folder / "observe"),
            **_QUICK,
        }.items()
    }
    async with (
        KambiSimulator(KambiSimulatorSettings(events_live=3, changes_per_second=20.0)) as vendor,
        _connector(vendor, kafka, prefix, folder),
        process(environment, folder, "work", "kambi") as worker,
        monitor_of(kafka, prefix, processors=["kambi"]) as monitor,
        serving(monitor) as url,
    ):
        async with asyncio.timeout(_PATIENCE_S), monitor.changed:
            await monitor.changed.wait_for(lambda: any(line.state == "live" for line in monitor.picture.lines))
        yield Stack(
            vendor=vendor,
            monitor=monitor,
            kafka=kafka,
            prefix=prefix,
            environment=environment,
            worker=worker,
            url=url,
        )


@asynccontextmanager
async def _connector(vendor: KambiSimulator, kafka: KafkaSettings, prefix: str, folder: Path) -> AsyncIterator[None]:
    stop = asyncio.Event()
    settings = KambiSettings(
        push_url=vendor.urls.push_url,
        offering_url=vendor.urls.offering_url,
        events="live",
        shards=1,
        settlements=False,
        snapshots=False,
        backoff_base_s=0.1,
        grace_s=5.0,
        spool_dir=folder / "spool",
    )
    running = asyncio.create_task(connect(settings, kafka, prefix, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await running


@asynccontextmanager
async def process(environment: Mapping[str, str], folder: Path, *arguments: str) -> AsyncIterator[Command]:
    """Run ``tricast`` with these arguments; its output and its address are files in ``folder`` called as they are."""
    path = folder / f"{'-'.join(arguments)}.log"
    with path.open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tricast", *arguments, cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            yield Command(running, address_file(folder / "observe", " ".join(arguments)), path)
        finally:
            with contextlib.suppress(ProcessLookupError):
                running.kill()
            await running.wait()
