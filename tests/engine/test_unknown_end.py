"""A broker that answers ``EndTxn`` with UNKNOWN_SERVER_ERROR, as Kafka does when a commit meets a fence."""

import asyncio
import time

import pytest
from aiokafka.errors import ProducerFenced, UnknownError
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.protocol.transaction import EndTxnRequest, EndTxnResponse_v0
from aiokafka.structs import TopicPartition

from processors.engine.transactions import TransactionalProducer, _FencingSender
from tests.engine.lab import OUT

UNKNOWN = EndTxnResponse_v0(0, -1)


def unknown_ends(producer, *, reach_the_broker):
    """Let the first ``EndTxn`` be answered with -1, after or without the broker's doing it; return what was asked."""
    client, asked = producer._producer.client, []
    real = client.send

    async def send(node, request, **where):
        if not isinstance(request, EndTxnRequest):
            return await real(node, request, **where)
        asked.append(request)
        if len(asked) == 1:
            if reach_the_broker:
                await real(node, request, **where)
            return UNKNOWN
        return await real(node, request, **where)

    client.send = send
    return asked


async def open_transaction(lab):
    producer = TransactionalProducer(lab.kafka, lab.prefix + "w0", 10.0)
    await producer.start()
    await producer.begin()
    for future in await producer.write(lab.prefix + OUT, 0, [(b"k", b"v", [], int(time.time() * 1000))]):
        await future
    return producer


@pytest.mark.kafka
@pytest.mark.parametrize("reach_the_broker", [False, True], ids=["not-made", "made"])
async def test_a_commit_with_an_unknown_answer_is_asked_for_again(lab, reach_the_broker):
    producer = await open_transaction(lab)
    asked = unknown_ends(producer, reach_the_broker=reach_the_broker)
    await producer.commit()
    assert len(asked) > 1
    await producer.begin()  # it goes on
    for future in await producer.write(lab.prefix + OUT, 0, [(b"k", b"w", [], int(time.time() * 1000))]):
        await future
    await producer.commit()
    await producer.stop()
    assert [record.value() for record in await asyncio.to_thread(lab.read, OUT)] == [b"v", b"w"]


@pytest.mark.kafka
async def test_a_fenced_commit_with_an_unknown_answer_ends_as_fenced(lab):
    producer = await open_transaction(lab)
    namesake = TransactionalProducer(lab.kafka, lab.prefix + "w0", 10.0)
    await namesake.start()
    unknown_ends(producer, reach_the_broker=False)
    with pytest.raises(ProducerFenced):
        await producer.commit()
    await producer.stop()
    await namesake.stop()
    assert await asyncio.to_thread(lab.read, OUT) == []


async def test_a_broker_that_never_knows_is_not_asked_for_ever():
    class Client:
        async def coordinator_lookup(self, *_):
            return 1

        async def ready(self, *_, **__):
            return True

        async def send(self, *_, **__):
            return UNKNOWN

    partition, manager = TopicPartition("t", 0), TransactionManager("w0", 20)
    manager.set_pid_and_epoch(1, 0)
    manager.begin_transaction()
    manager.maybe_add_partition_to_txn(partition)
    manager.partition_added(partition)
    manager.committing_transaction()
    sender = _FencingSender(
        Client(),
        acks=-1,
        txn_manager=manager,
        message_accumulator=MessageAccumulator(None, 1000, 0, 10),
        retry_backoff_ms=1,
        request_timeout_ms=1000,
    )
    with pytest.raises(UnknownError):
        await sender._do_txn_commit(manager.needs_transaction_commit())
