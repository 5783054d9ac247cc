"""What Faust's transport is asked while Kafka is slow, and what a stop does to it, without a Kafka."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from faust.transport.consumer import Fetcher

from processors.engine.app import build_app
from processors.engine.config import EngineSettings
from processors.engine.transport import BatchConsumer, BatchConsumerThread
from schemas.kafka import KafkaSettings
from tests.engine.toy import REGISTRY, ToyProcessor


async def test_a_consumer_that_still_connects_has_nothing_to_tell():
    thread = object.__new__(BatchConsumerThread)
    thread._consumer = AIOKafkaConsumer(group_id="g")  # as between its creation and a broker's first answer
    await thread.check()


async def test_a_fetch_that_finds_nothing_holds_up_a_partition_that_is_far_behind_for_a_moment_only():
    """aiokafka asks a broker for one thing at a time; what Faust lets a broker wait, 1.5 s, others would, too."""
    app: Any = build_app(
        ToyProcessor(), prefix="", registry=REGISTRY, kafka=KafkaSettings(), settings=EngineSettings(), version="test"
    )
    app.finalize()
    consumer = app.consumer._thread._create_worker_consumer(app.transport)
    assert consumer._fetch_max_wait_ms <= 100
    await consumer.stop()


class WaitingConsumer(BatchConsumer):
    async def _hand_out_batches(self, fetcher):
        await asyncio.Event().wait()


@pytest.mark.parametrize("is_ending", [True, False])
async def test_a_fetch_that_ends_with_the_app_in_a_rebalance_is_no_crash(is_ending):
    """Faust takes one that is cancelled while its group rebalances for a crash, and the worker would end with 1."""
    consumer = object.__new__(WaitingConsumer)
    woken = asyncio.Event()
    app: Any = SimpleNamespace(should_stop=False, rebalancing=True, consumer=consumer)
    consumer.app = app
    fetcher = Fetcher(app)
    supervisor: Any = SimpleNamespace(wakeup=woken.set)
    fetcher.supervisor = supervisor
    await fetcher.start()
    await asyncio.sleep(0)
    app.should_stop = is_ending
    await fetcher.stop()
    assert fetcher.crashed is not is_ending
    assert woken.is_set() is not is_ending
