"""Three connectors behind one address, whose processes crash and crash, in a storm of refusals: no limit is broken.

Minutes of the vendor's time in seconds; ``make storm-rms`` takes the fifteen minutes that they are.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from connectors.rms.config import RmsSettings
from connectors.rms.connector import run
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from simulators.rms.config import RmsFaultSettings, RmsSimulatorSettings
from simulators.rms.server import RmsSimulator, RmsUrls
from tests.integration.rms.fast_clock import FastClock
from tests.integration.rms.limits import MINUTE_NS, QUARTER_HOUR_NS, handshakes, most_within, requests
from tricast.kafka import topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

SPEED = 30.0
HANDSHAKES = 16
"""The storm lasts until so many were seen: more than a minute may have, whatever this machine is busy with."""
CRASH_AFTER_S = (20.0, 120.0)
REPLICAS = ("", "b", "c")


def simulator_settings(folder: Path) -> RmsSimulatorSettings:
    return RmsSimulatorSettings(
        ledger=folder / "ledger.jsonl",
        # Real times, whatever the clock: the silence that is told (20.2 s) lasts longer than from ping to ping.
        ping_interval_s=0.2,
        ping_timeout_s=20.0,
        faults=RmsFaultSettings(slow_s=1.0),
    )


def connector_settings(urls: RmsUrls, folder: Path, replica: str) -> RmsSettings:
    return RmsSettings(
        socket_url=urls.socket_url,
        auth_url=urls.auth_url,
        bets_url=urls.bets_url,
        customer_id="90210",
        client_id="simulated",
        secret=SecretStr("simulated"),
        replica=replica,
        replicas_behind_ip=len(REPLICAS),
        state_dir=folder / "state",
        spool_dir=folder / f"spool{replica}",
        handshake_timeout_s=0.5,  # real
        # How long an attempt may be under way: the two seconds that this machine may be busy are a minute.
        http_timeout_s=60.0,
        tick_interval_s=5.0,
    )


async def storm(urls: RmsUrls, for_s: float) -> None:
    storm = {"for_s": for_s, "phase_s": 20}
    async with ClientSession() as session, session.post(f"{urls.auth_url}/simulator/storm", json=storm) as answer:
        assert answer.status == 200


async def crash_again_and_again(
    settings: RmsSettings, kafka: KafkaSettings, prefix: str, clock: FastClock, calm: asyncio.Event
) -> int:
    """Run a connector; until it is calm it ends within a minute, without a word, and is started again."""
    chance = Random(f"crash {settings.replica}")
    crashes = 0
    while True:
        running = asyncio.create_task(run(settings, kafka, prefix, stop=asyncio.Event(), clock=clock))
        waiting = asyncio.create_task(calm.wait())
        after_s = chance.uniform(*CRASH_AFTER_S) / SPEED
        await asyncio.wait((running, waiting), timeout=after_s, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if running.done():
            running.result()
        if calm.is_set():
            try:
                await running
            finally:
                running.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        crashes += 1


async def until(holds: Callable[[], bool], connecting: Sequence[asyncio.Task[int]]) -> None:
    while not holds():
        await asyncio.sleep(0.05)
        for task in connecting:
            if task.done():
                task.result()


async def test_no_limit_is_broken_and_all_come_back(kafka: str, topic_prefix: str, tmp_path: Path):
    reached = KafkaSettings(bootstrap_servers=kafka)
    await topics.create([topic for topic in TOPICS.values() if topic.name.startswith("rms.")], topic_prefix, reached)
    ledger = tmp_path / "ledger.jsonl"
    clock, calm = FastClock(SPEED), asyncio.Event()
    async with RmsSimulator(simulator_settings(tmp_path), clock.now_ns) as simulator:
        connecting = [
            asyncio.create_task(
                crash_again_and_again(
                    connector_settings(simulator.urls, tmp_path, replica), reached, topic_prefix, clock, calm
                )
            )
            for replica in REPLICAS
        ]
        await storm(simulator.urls, 3_600)
        async with asyncio.timeout(100):
            await until(lambda: len(handshakes(ledger)) >= HANDSHAKES, connecting)
            await storm(simulator.urls, 0)
            calm.set()
            await until(lambda: sum(bool(client.rooms) for client in simulator.connections.clients) == 3, connecting)
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
    assert most_within(handshakes(ledger), MINUTE_NS) <= 10
    assert most_within(requests(ledger, all_paths=True), QUARTER_HOUR_NS) <= 100
