"""The end of a connector takes one grace period, however many partitions it writes."""

import asyncio

from connectors.kambi.config import KambiSettings
from connectors.kambi.connector import run
from connectors.producer import RawWriter
from schemas.kafka import KafkaSettings


async def test_all_writers_leave_kafka_at_once(monkeypatch, tmp_path, unused_tcp_port):
    together = asyncio.Barrier(5)  # four shards and settlements; one after the other they would wait for ever

    async def close(_: RawWriter) -> None:
        await together.wait()

    monkeypatch.setattr(RawWriter, "close", close)
    stop = asyncio.Event()
    stop.set()
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{unused_tcp_port}")
    async with asyncio.timeout(10):
        await run(KambiSettings(spool_dir=tmp_path), kafka, stop=stop)
