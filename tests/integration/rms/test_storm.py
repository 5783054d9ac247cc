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
CRASH_AFTER = (1, 3)
"""A process lives until so many more handshakes were seen, by whomever: without memory each would make them at once."""
REPLICAS = ("", "b", "c")


def simulator_settings(folder: Path) -> RmsSimulatorSettings:
    return RmsSimulatorSettings(
        ledger=folder / "ledger.jsonl",
        # Real times, whatever the clock: the silence that is told (20.2 s) lasts longer than from ping to ping.
        ping_interval_s=0.2,
        ping_timeout_s=20.0,
        faults=RmsFaultSettings(slow_s=3.0),
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
        handshake_timeout_s=2.0,  # real
        # How long an attempt may be under way: the two seconds that this machine may be busy are a minute.
        http_timeout_s=60.0,
        tick_interval_s=5.0,
    )


async def storm(urls: RmsUrls, for_s: float) -> None:
    storm = {"for_s": for_s, "phase_s": 20}
    async with ClientSession() as session, session.post(f"{urls.auth_url}/simulator/storm", json=storm) as answer:
        assert answer.status == 200


class Seen:
    """Handshakes that the simulator has seen, until it is calm; then nobody waits for more any longer."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self.calm = False

    @property
    def number(self) -> int:
        return len(handshakes(self._ledger))

    async def grow_by(self, number: int) -> None:
        target = self.number + number
        while self.calm or self.number < target:  # noqa: ASYNC110  # the ledger is a file
            await asyncio.sleep(0.05)


async def crash_again_and_again(
    settings: RmsSettings, kafka: KafkaSettings, prefix: str, clock: FastClock, seen: Seen
) -> None:
    """Run a connector; until it is calm it ends soon, without a word, and is started again."""
    chance = Random(f"crash {settings.replica}")
    while True:
        running = asyncio.create_task(run(settings, kafka, prefix, stop=asyncio.Event(), clock=clock))
        crashing = asyncio.create_task(seen.grow_by(chance.randint(*CRASH_AFTER)))
        try:
            await asyncio.wait((running, crashing), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
        finally:
            crashing.cancel()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running


async def until(holds: Callable[[], bool], connecting: Sequence[asyncio.Task[None]]) -> None:
    while not holds():
        await asyncio.sleep(0.05)
        for task in connecting:
            if task.done():
                task.result()


async def test_no_limit_is_broken_and_all_come_back(kafka: str, topic_prefix: str, tmp_path: Path):
    reached = KafkaSettings(bootstrap_servers=kafka)
    await topics.create([topic for topic in TOPICS.values() if topic.name.startswith("rms.")], topic_prefix, reached)
    ledger = tmp_path / "ledger.jsonl"
    clock, seen = FastClock(SPEED), Seen(ledger)
    async with RmsSimulator(simulator_settings(tmp_path), clock.now_ns) as simulator:
        connecting = [
            asyncio.create_task(
                crash_again_and_again(
                    connector_settings(simulator.urls, tmp_path, replica), reached, topic_prefix, clock, seen
                )
            )
            for replica in REPLICAS
        ]
        await storm(simulator.urls, 3_600)
        async with asyncio.timeout(100):
            await until(lambda: seen.number >= HANDSHAKES, connecting)
            await storm(simulator.urls, 0)
            seen.calm = True
            await until(lambda: sum(bool(client.rooms) for client in simulator.connections.clients) == 3, connecting)
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
    assert most_within(handshakes(ledger), MINUTE_NS) <= 10
    assert most_within(requests(ledger, all_paths=True), QUARTER_HOUR_NS) <= 100
