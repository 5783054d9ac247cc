"""The real process: signals, exit codes, and Kafka that is not there."""

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from functools import partial

import pytest

from tests.connectors import raw_topic
from tests.connectors.vendor import eventually, vendor


class Process:
    def __init__(self, process):
        self._process = process
        self.output = ""

    async def collect(self):
        async for line in self._process.stdout:
            self.output += line.decode()

    def signal(self, number):
        self._process.send_signal(number)

    async def exit_code(self):
        return await self._process.wait()


@asynccontextmanager
async def connect(feed, tmp_path, **environment):
    """Run ``tricast connect`` with exactly these settings."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("TRICAST_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tricast", "connect", feed,
        cwd=tmp_path,
        env=variables | {f"TRICAST_{key}": str(value) for key, value in environment.items()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    running = Process(process)
    collecting = asyncio.create_task(running.collect())
    try:
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await collecting


connect_kambi = partial(connect, "kambi")


@pytest.mark.kafka
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_flushes_everything_writes_closed_and_exits_0(kafka, topic_prefix, tmp_path, number):
    topic = raw_topic.create(kafka, topic_prefix)
    async with (
        vendor() as server,
        connect_kambi(
            tmp_path,
            KAFKA__BOOTSTRAP_SERVERS=kafka,
            TOPIC_PREFIX=topic_prefix,
            KAMBI__PUSH_URL=server.url,
            KAMBI__OFFERING_URL=server.url,
            KAMBI__EVENTS="7",
            KAMBI__SHARDS=1,
            KAMBI__SETTLEMENTS="false",
        ) as process,
    ):
        peers = [await server.connected() for _ in range(2)]
        for peer in peers:
            await peer.has(lambda peer: len(peer.keys) == 2)
            for frame in range(1000):
                await peer.send(f'2["message","{frame}"]')
        process.signal(number)
        assert await process.exit_code() == 0, process.output
    records = await asyncio.to_thread(raw_topic.read, kafka, topic)
    for line in ("kambi-0-general", "kambi-0-events-0"):
        mine = [r for r in records if r.line == line]
        assert [r.value for r in mine if r.kind == "frame"][1:] == [f'2["message","{n}"]'.encode() for n in range(1000)]
        assert mine[-1].kind == "closed"
        assert mine[-1].json == {"code": 1000, "reason": "shutdown", "frames": 1001}
    assert "Traceback" not in process.output


async def test_kafka_that_is_not_there_is_told_and_tried_again(tmp_path, unused_tcp_port):
    async with vendor() as server:
        bootstrap = f"127.0.0.1:{unused_tcp_port}"
        async with connect_kambi(tmp_path, KAFKA__BOOTSTRAP_SERVERS=bootstrap, KAMBI__PUSH_URL=server.url) as process:
            await eventually(lambda: process.output.count("kafka.unavailable") >= 2)
            assert f"bootstrap={bootstrap}" in process.output
            assert "Operator action: check that Kafka runs there" in process.output
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0
        assert server.peers.empty(), "nothing may be received that could not be kept"
    assert "Traceback" not in process.output


async def test_a_bad_url_is_an_error_that_names_its_setting(tmp_path):
    async with connect_kambi(tmp_path, KAMBI__PUSH_URL="eu-push.kambicdn.com") as process:
        assert await process.exit_code() == 2
    assert "TRICAST_KAMBI__PUSH_URL: " in process.output
    assert "not a ws or wss or http or https URL" in process.output
