"""The bet platform with the simulated vendor and a real Kafka: what it says is true, or it says that it is unknown."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain
from typing import Any

import pytest

from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from simulators.bets.config import BetPlatformSettings
from simulators.bets.ledger import Line
from simulators.bets.server import BetPlatformSimulator, run
from simulators.ledger import read_lines
from tests.connectors import raw_topic
from tests.simulators.rms_client import Stage, staged, until

pytestmark = pytest.mark.kafka


class Shop:
    """A running platform, its vendor and its topic."""

    def __init__(self, tmp_path, kafka: str, prefix: str, stage: Stage, **overrides: Any) -> None:
        self.stage = stage
        self.kafka, self.prefix = kafka, prefix
        self.topic = raw_topic.create(kafka, prefix, name="rms.bets")
        self.ledger_file = tmp_path / "bets.jsonl"
        urls = stage.simulator.urls
        given = {"auth_url": urls.auth_url, "bets_url": urls.bets_url, "ledger": self.ledger_file}
        self.settings = BetPlatformSettings.model_validate(given | {"bets_per_second": 100} | overrides)

    def ledger(self, kind: str) -> list[Line]:
        if not self.ledger_file.exists():
            return []
        return [line for line in read_lines(self.ledger_file, Line) if line.kind == kind]

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Return the records of each slip, in order; each has the key and the position that it should have."""
        found = defaultdict(list)
        positions = {line.position for kind in ("placed", "answered") for line in self.ledger(kind)}
        partitions = range(TOPICS["rms.bets"].partitions)
        for record in chain.from_iterable(raw_topic.read(self.kafka, self.topic, partition=n) for n in partitions):
            bet = json.loads(record.value)
            assert record.key.decode() == f"{bet['customer']}/{bet['bet_slip_id']}"
            assert f"{self.topic}/{record.partition}/{record.offset}" in positions
            found[bet["bet_slip_id"]].append(bet)
        return dict(found)

    def vendors(self) -> dict[str, Any]:
        """Return the vendor's bets by slip."""
        return {str(bet.slip): bet for bet in self.stage.ledger("bet")}

    @asynccontextmanager
    async def open(self):
        platform = BetPlatformSimulator(self.settings, KafkaSettings(bootstrap_servers=self.kafka), self.prefix)
        async with platform:
            yield platform


@asynccontextmanager
async def shop(tmp_path, kafka, prefix, *, vendor=None, **overrides):
    async with staged(tmp_path, **(vendor or {})) as stage:
        yield Shop(tmp_path, kafka, prefix, stage, **overrides)


async def test_every_bet_is_told_before_and_after_and_its_answer_is_the_truth(tmp_path, kafka, topic_prefix):
    vendor = {"referred_share": 0.4, "rejected_share": 0.3, "trader": {"decide_after_s": [9_000, 9_000]}}
    async with shop(tmp_path, kafka, topic_prefix, vendor=vendor) as here:
        async with here.open():
            await until(lambda: len(here.ledger("answered")) >= 60)
        records = await asyncio.to_thread(here.records)
        vendors = here.vendors()
    assert records.keys() == vendors.keys()
    seen = set()
    for slip, (before, after) in records.items():
        truth = vendors[slip]
        assert (before["type"], after["type"]) == ("placed", "answered")
        assert before["placed_at"] <= after["answered_at"]
        if truth.disposition == "rejected":  # by 409, which tells no code
            assert "bet_code" not in after
        else:
            assert after["bet_code"] == truth.bet
        if after["disposition"] != "unknown":
            assert after["disposition"] == truth.disposition
        seen.add((truth.disposition, after["disposition"]))
    assert {answered for _, answered in seen} == {"accepted", "rejected", "referred", "unknown"}
    asked = [line for line in here.stage.ledger("http") if (line.path or "").endswith("/bet/detail")]
    known = [records for records in records.values() if records[1]["disposition"] in ("accepted", "referred")]
    assert len(asked) == len(known)


async def test_of_an_api_that_fails_it_says_what_is_certain_and_no_more(tmp_path, kafka, topic_prefix):
    faults = {"bets_fail_every": 3, "bets_failures": ["404", "429", "500", "503", "html", "half", "cut"]}
    vendor = {"referred_share": 0.4, "rejected_share": 0.3, "faults": faults, "access_token_s": 1}
    options = {"unknown_share": 0, "give_up_s": 1.5, "bets_per_second": 50}
    async with shop(tmp_path, kafka, topic_prefix, vendor=vendor, **options) as here:
        async with here.open():
            await until(lambda: len(here.ledger("answered")) >= 80)
        records = await asyncio.to_thread(here.records)
        vendors = here.vendors()
        tries = [line.tries or 0 for line in here.ledger("answered")]
    said = defaultdict(set)
    for slip, (_, after) in records.items():
        truth = vendors[slip].disposition if slip in vendors else "none"
        said[after["disposition"]].add(truth)
    assert said["accepted"] == {"accepted"}
    assert said["referred"] == {"referred"}
    assert said["rejected"] == {"rejected", "none"}  # 404: refused before it was placed
    assert {"accepted", "referred"} <= said["unknown"]
    assert 1 < max(tries) < 8


async def test_tokens_that_fail_delay_bets_and_lose_none(tmp_path, kafka, topic_prefix):
    vendor = {
        "faults": {"auth_fail_every": 2, "auth_failures": ["html", "401", "no-expiry", "no-refresh-token", "cut"]}
    }
    for case in ("camel", "snake"):
        folder, prefix = tmp_path / case, f"{case}.{topic_prefix}"
        folder.mkdir()
        async with shop(
            folder, kafka, prefix, vendor=vendor | {"refresh_case": case, "access_token_s": 1}, bets_per_second=20
        ) as here:
            async with here.open():
                await until(lambda here=here: tokens(here) >= 3 and bets(here) >= 20)
                here.stage.turn(1.1)  # all tokens are refused from now on
                had = bets(here)
                await until(lambda here=here, had=had: bets(here) >= had + 5)
            records = await asyncio.to_thread(here.records)
            assert all(len(both) == 2 for both in records.values())
            assert records.keys() == here.vendors().keys()


def tokens(here: Shop) -> int:
    return sum("/api-token" in (line.path or "") for line in here.stage.ledger("http"))


def bets(here: Shop) -> int:
    return len(here.ledger("answered"))


async def test_it_waits_for_kafka_and_for_the_vendor_to_come(tmp_path, kafka, topic_prefix, caplog):
    async with shop(tmp_path, kafka, topic_prefix) as here:
        host, port = kafka.split(",")[0].split(":")
        vendor_port = int(here.stage.simulator.urls.auth_url.rpartition(":")[2])
        async with reserved() as kafka_front, reserved() as vendor_front, AsyncExitStack() as at_the_end:
            base = f"http://127.0.0.1:{vendor_front}"
            settings = here.settings.model_copy(update={"auth_url": base, "bets_url": f"{base}/rms-bet/v1"})
            there = KafkaSettings(bootstrap_servers=f"127.0.0.1:{kafka_front}")
            async with BetPlatformSimulator(settings, there, topic_prefix):
                async with forward(vendor_front, "127.0.0.1", vendor_port):
                    await until(lambda: "bets.kafka_unavailable" in caplog.text)
                    assert tokens(here)
                    assert not here.vendors()  # no bet is placed before it is told of
                    async with forward(kafka_front, host, int(port)):
                        await until(lambda: bets(here) >= 5)
                    await until(lambda: bets(here) >= 10)
                had = len(here.vendors())
                await at_the_end.enter_async_context(forward(vendor_front, "127.0.0.1", vendor_port))
                await until(lambda: len(here.vendors()) >= had + 10)
        records = await asyncio.to_thread(here.records)
    assert all(len(both) == 2 for both in records.values())


@asynccontextmanager
async def reserved():
    """Yield a port where nobody listens, and which goes to nobody but :func:`forward`."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@asynccontextmanager
async def forward(port, host, to):
    """Listen on ``port`` and pass everything to ``host:to``; at the end cut all connections."""
    writers = []

    async def pass_on(reader, writer):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
        writer.close()

    async def serve(reader, writer):
        there_reader, there_writer = await asyncio.open_connection(host, to)
        writers.extend((writer, there_writer))
        await asyncio.gather(pass_on(reader, there_writer), pass_on(there_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", port, reuse_port=True)
    try:
        yield
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


RUN = """
import asyncio, sys
from schemas.kafka import KafkaSettings
from simulators.bets.config import BetPlatformSettings
from simulators.bets.server import run
settings = BetPlatformSettings.model_validate_json(sys.argv[1])
asyncio.run(run(settings, KafkaSettings(bootstrap_servers=sys.argv[2]), sys.argv[3],
                on_ready=lambda url: print(url, flush=True)))
"""


async def test_a_signal_ends_it_when_its_bets_have_their_answers(tmp_path, kafka, topic_prefix):
    async with shop(tmp_path, kafka, topic_prefix) as here:
        settings = here.settings.model_dump(mode="json", exclude={"customers"})
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", RUN, json.dumps(settings), kafka, topic_prefix),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": "."},
        )
        try:
            await until(lambda: bets(here) >= 5)
            process.send_signal(signal.SIGTERM)
            out, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert (process.returncode, out.decode().strip(), errors) == (0, here.settings.bets_url, b"")
        records = await asyncio.to_thread(here.records)
    assert all(len(both) == 2 for both in records.values())
    assert sum(map(len, records.values())) == len(here.ledger("placed")) + len(here.ledger("answered"))


async def test_without_an_address_it_says_what_is_missing():
    with pytest.raises(ConfigurationError, match="where to place bets"):
        await run(BetPlatformSettings(), KafkaSettings(), "tricast.")
