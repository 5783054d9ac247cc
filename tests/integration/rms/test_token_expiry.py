"""Tokens that expire in every phase of a connection: what was delivered on an open socket is in ``rms.raw``."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from connectors.rms import names
from connectors.rms.config import RmsSettings
from connectors.rms.connector import run
from schemas.kafka import KafkaSettings
from simulators.rms.config import (
    RmsCredentialSettings,
    RmsFaultSettings,
    RmsPlatformSettings,
    RmsSimulatorSettings,
    RmsTraderSettings,
)
from simulators.rms.ledger import Line, read_ledger
from simulators.rms.server import RmsSimulator, RmsUrls
from tests.connectors import raw_topic
from tests.connectors.raw_topic import Raw

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

LIFE_S = 2
"""Of tokens: long enough for a busy machine to connect and join within."""
CONNECTIONS, APPROVALS = 3, 20
"""Each case goes on until it has had so many connections, and so many approvals were delivered on them."""
SECRET = "planted-secret-of-the-test"


@dataclass(frozen=True)
class Case:
    """One simulated vendor and one connector.

    Attributes:
        customer: Customer id; one each, so that they can share topics.
        simulator: What differs from a vendor whose tokens last two seconds.
        faults: What goes wrong.
        connector: What differs from a connector that keeps its socket.
    """

    customer: str
    simulator: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, Any] = field(default_factory=dict)
    connector: dict[str, Any] = field(default_factory=dict)


CASES = {
    "the socket outlives its token": Case("1", faults={"drop_every_s": 1.5}),
    "an open socket is closed when its token expires": Case("2", {"close_expired": True}),
    "a new socket with each token": Case("3", connector={"reconnect_on_refresh": True}),
    "expired before the handshake, HTTP 401": Case(
        "4", {"close_expired": True}, {"auth_fail_every": 2, "auth_failures": ["slow"], "slow_s": 2.2}
    ),
    "expired before the handshake, CONNECT_ERROR": Case(
        "5",
        {"close_expired": True, "bad_token": "socket_401", "refresh_case": "snake"},
        {"auth_fail_every": 2, "auth_failures": ["slow"], "slow_s": 2.2},
    ),
    "expired before the handshake, 4401 after the upgrade": Case(
        "6",
        {"close_expired": True, "bad_token": "close_4401", "expires": "empty"},
        {"auth_fail_every": 2, "auth_failures": ["slow"], "slow_s": 2.2},
    ),
    "expires between handshake and join": Case("7", {"close_expired": True}, {"slow_every": 2, "slow_s": 1.8}),
    "expires while refreshes fail": Case(
        "8", {"close_expired": True}, {"auth_fail_every": 2, "auth_failures": ["500", "html", "cut"]}
    ),
    "the refresh token dies": Case("9", {"close_expired": True, "refresh_token_s": 1.0}),
    "an answer without expiry or refresh token": Case(
        "10", {"close_expired": True}, {"auth_fail_every": 2, "auth_failures": ["no-expiry", "no-refresh-token"]}
    ),
}


def simulator_of(case: Case, folder: Path) -> RmsSimulatorSettings:
    unlimited = {"connects_max": 10_000, "http_max": 10_000}
    defaults: dict[str, Any] = {"access_token_s": LIFE_S, **unlimited}
    return RmsSimulatorSettings(
        credentials=(RmsCredentialSettings(customer_id=case.customer, secret=SecretStr(SECRET)),),
        ledger=folder / f"{case.customer}.jsonl",
        referred_share=1.0,
        rejected_share=0.0,
        platform=RmsPlatformSettings(bets_per_second=8.0),
        trader=RmsTraderSettings(decide_after_s=(0.0, 0.3)),
        faults=RmsFaultSettings(**case.faults),
        **defaults | case.simulator,
    )


def connector_of(case: Case, urls: RmsUrls, folder: Path) -> RmsSettings:
    quick: dict[str, Any] = {
        "backoff_s": (0.05,),
        "backoff_floor_s": 0.0,
        "limited_s": 0.1,
        "tick_interval_s": 0.2,
        "connects_per_minute": 10_000,
        "requests_per_15_min": 10_000,
        "spool_bytes": 0,
    }
    return RmsSettings(
        socket_url=urls.socket_url,
        auth_url=urls.auth_url,
        bets_url=urls.bets_url,
        customer_id=case.customer,
        client_id="simulated",
        secret=SecretStr(SECRET),
        state_dir=folder / case.customer,
        **quick | case.connector,
    )


async def follow(case: Case, kafka: KafkaSettings, prefix: str, folder: Path) -> None:
    """Run vendor and connector until there is enough to tell, calm at the end, so that what was handed over arrives."""
    async with RmsSimulator(simulator_of(case, folder)) as simulator:
        stop = asyncio.Event()
        running = asyncio.create_task(run(connector_of(case, simulator.urls, folder), kafka, prefix, stop=stop))
        while not running.done() and not is_enough(folder / f"{case.customer}.jsonl"):
            await asyncio.wait((running,), timeout=0.2)
        async with ClientSession() as session:
            await session.post(f"{simulator.urls.auth_url}/simulator/faults", json={})
            await session.post(f"{simulator.urls.auth_url}/simulator/pause")
        stop.set()
        await running


def missing(case: Case, folder: Path, records: list[Raw]) -> list[str]:
    """Return in words what was delivered and is not in the raw topic."""
    received: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.kind == "frame" and record.key == case.customer.encode():
            received[record.connection].append(record.value.decode())
    by_session = {frames[0].split('"')[3]: frames for frames in received.values() if frames[0].startswith("0{")}
    found = []
    for connection, lines in delivered(folder / f"{case.customer}.jsonl").items():
        sent = [line.packet or "" for line in lines if line.kind == "frame"]
        ended = next((line.reason or "" for line in lines if line.kind == "disconnect"), "")
        got = by_session.get(connection, [])
        # Of one that was cut what was handed over last never left.
        whole = got == sent if "cut" not in ended else got == sent[: len(got)]
        if not whole:
            found.append(f"{connection} ({ended}): {len(got)} of {len(sent)} packets, the next {sent[len(got) :][:1]}")
    return found


def delivered(ledger: Path) -> dict[str, list[Line]]:
    """Return the lines of every connection that was handed anything."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for line in read_ledger(ledger):
        if line.connection is not None and line.kind in ("frame", "disconnect"):
            lines[line.connection].append(line)
    return {connection: of_it for connection, of_it in lines.items() if of_it[0].kind == "frame"}


def is_enough(ledger: Path) -> bool:
    connections = delivered(ledger)
    approvals = sum(line.decision is not None for lines in connections.values() for line in lines)
    return len(connections) >= CONNECTIONS and approvals >= APPROVALS


async def test_no_delivered_approval_is_missing(
    kafka: str, topic_prefix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    for topic in ("rms.raw", "rms.lookups"):
        raw_topic.create(kafka, topic_prefix, name=topic)
    reached = KafkaSettings(bootstrap_servers=kafka)
    await asyncio.gather(*(follow(case, reached, topic_prefix, tmp_path) for case in CASES.values()))
    partitions = {names.partition_of(case.customer) for case in CASES.values()}
    records = {
        number: await asyncio.to_thread(raw_topic.read, kafka, f"{topic_prefix}rms.raw", partition=number)
        for number in partitions
    }
    for name, case in CASES.items():
        assert missing(case, tmp_path, records[names.partition_of(case.customer)]) == [], name
    shown = [SECRET, "eyJhbGciOi"]  # and what every access token begins with
    for text in (caplog.text, *(str(record) for of_partition in records.values() for record in of_partition)):
        assert not any(secret in text for secret in shown)
