"""A connector's process with its endpoints: alive at once, ready when the vendor has let it in."""

import asyncio
import os
import signal

import pytest

from tests.connectors import raw_topic
from tests.connectors.vendor import Peer, polite, vendor
from tests.web.over_kafka import process

pytestmark = pytest.mark.kafka


async def test_it_is_ready_once_it_is_joined(kafka, topic_prefix, tmp_path):
    raw_topic.create(kafka, topic_prefix)
    opens = asyncio.Event()

    async def hesitant(peer: Peer) -> None:
        await opens.wait()
        await polite(peer)

    async with vendor(hesitant) as server:
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": kafka,
            "TOPIC_PREFIX": topic_prefix,
            "OBSERVE__PORT": "0",
            "OBSERVE__ADDRESS_DIR": str(tmp_path / "observe"),
            "KAMBI__PUSH_URL": server.url,
            "KAMBI__OFFERING_URL": server.url,
            "KAMBI__EVENTS": "7",
            "KAMBI__SHARDS": "1",
            "KAMBI__SETTLEMENTS": "false",
            "KAMBI__HANDSHAKE_TIMEOUT_S": "600",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")}
        environment = kept | {f"TRICAST_{name}": value for name, value in settings.items()}
        async with process(environment, tmp_path, "connect", "kambi") as connector:
            await connector.says("/readyz", 503, "not-subscribed")
            await connector.says("/livez", 200)
            await connector.says("/metrics", 200, 'tricast_process_state{state="unready"} 1.0')
            opens.set()
            await connector.says("/readyz", 200, '"state": "ready"')
            await connector.says("/metrics", 200, 'tricast_connector_lines{feed="kambi",state="live"} 2.0')
            connector.process.send_signal(signal.SIGTERM)
            assert await connector.process.wait() == 0, connector.log.read_text()
        assert not list((tmp_path / "observe").iterdir()), "its address goes with it"
