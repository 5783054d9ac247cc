"""Opening a task on a real Kafka, without a worker around it."""

import asyncio

import pytest
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NotCoordinatorForGroupError,
)
from confluent_kafka import Consumer, KafkaException, Producer

from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint
from processors.engine.opening import TaskOpener
from processors.engine.task import Partition, StreamTask
from tests.engine.lab import CHANGELOG, RAW
from tests.engine.toy import REGISTRY, ToyProcessor

pytestmark = pytest.mark.kafka


@pytest.fixture
def opener(lab):
    return TaskOpener(
        lab.kafka,
        lab.settings,
        group=lab.group,
        transactional_id=f"{lab.group}-w0",
        changelogs={lab.prefix + RAW: lab.prefix + CHANGELOG},
        away_s=10,
    )


def new_task(lab, partition=0):
    topics = {name: REGISTRY[name] for name in ("toy.out", "toy.dead-letters")}
    return StreamTask(
        Partition(lab.prefix + RAW, partition), ToyProcessor(), topics=topics, version="test", stop_ratio=0.5, window=10
    )


async def test_a_task_opened_twice_with_nothing_written_between_stands_where_it_stood(worked, lab, opener):
    task = new_task(lab)
    await opener.open([task], lambda: True)
    state, position = dict(task.store.items()), task.position
    assert position == 10

    await opener.open([task], lambda: True)

    assert (dict(task.store.items()), task.position) == (state, position)


# An open transaction that hides the end of the changelog.


@pytest.fixture
def torn(worked):
    """Task 0 worked off by w0, then moved on by an owner that died inside its transaction; yields that owner."""
    lab = worked
    dead = Producer(
        {"bootstrap.servers": lab.bootstrap, "transactional.id": f"{lab.group}-dead", "transaction.timeout.ms": 60_000}
    )
    dead.init_transactions(30)
    dead.begin_transaction()
    fields = {"group": lab.group, "source": lab.prefix + RAW, "partition": 0, "offset": 10, "stream_time_ns": 0}
    checkpoint = Checkpoint(**fields, owner=f"{lab.group}-dead", member="gone", generation=9)
    dead.produce(lab.prefix + CHANGELOG, encode_checkpoint(checkpoint), key=CHECKPOINT_KEY, partition=0)
    dead.produce(lab.prefix + CHANGELOG, b"999", key=b"s|a", partition=0)
    dead.flush(30)
    return dead


async def test_a_dead_owners_transaction_is_ended_at_once_and_cannot_be_committed_later(lab, opener, torn):
    task = new_task(lab)
    async with asyncio.timeout(20):
        await opener.open([task], lambda: True)
    assert (task.position, task.store.get(b"a")) == (10, b"10")
    with pytest.raises(KafkaException):
        await asyncio.to_thread(torn.commit_transaction, 20)


async def test_nobody_is_fenced_for_a_generation_that_is_over(lab, opener, torn):
    task = new_task(lab)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(4):
            await opener.open([task], lambda: False)
    await asyncio.to_thread(torn.abort_transaction, 20)


async def test_a_living_owner_is_waited_for_and_not_fenced(lab, opener, torn):
    living = Consumer({"bootstrap.servers": lab.bootstrap, "group.id": lab.group, "client.id": f"{lab.group}-dead"})
    living.subscribe([lab.prefix + RAW])
    while lab.members() != [f"{lab.group}-dead"]:
        await asyncio.to_thread(living.poll, 0.1)
    task = new_task(lab)
    opening = asyncio.ensure_future(opener.open([task], lambda: True))
    done, _ = await asyncio.wait({opening}, timeout=3)
    assert not done
    await asyncio.to_thread(torn.commit_transaction, 20)  # alive, so it may
    async with asyncio.timeout(20):
        await opening
    assert (task.position, task.store.get(b"a")) == (10, b"999")
    living.close()


async def test_a_changelog_that_became_shorter_is_read_from_its_beginning(worked, lab, opener):
    task = new_task(lab)
    await opener.open([task], lambda: True)
    task.changelog_end += 1000
    task.store.restore(b"stale", b"1")
    await opener.open([task], lambda: True)
    assert dict(task.store.items()) == {b"a": b"10", b"b": b"10"}


@pytest.fixture
def moving(opener, monkeypatch):
    """Kafka answers the first question of an opening by ``answers``, one a time; the rest is real."""
    ask, answers = opener.offsets, []

    async def offsets(*arguments):
        if answers:
            raise answers.pop(0)
        return await ask(*arguments)

    monkeypatch.setattr(opener, "offsets", offsets)
    return answers


async def test_a_coordinator_that_moves_is_waited_for(worked, lab, opener, moving):
    moving += [NotCoordinatorForGroupError(), GroupLoadInProgressError(), KafkaConnectionError(), KafkaTimeoutError()]
    task = new_task(lab)
    await opener.open([task], lambda: True)
    assert (task.position, task.store.get(b"a"), moving) == (10, b"10", [])


async def test_what_another_try_cannot_mend_is_not_tried_again(lab, opener, moving):
    moving += [GroupAuthorizationFailedError(), AssertionError("asked again")]
    with pytest.raises(GroupAuthorizationFailedError):
        await opener.open([new_task(lab)], lambda: True)


async def test_memory_is_empty_after_opening(lab, opener):
    task = new_task(lab)
    task.memory["x"] = 1
    await opener.open([task], lambda: True)
    assert task.memory == {}
