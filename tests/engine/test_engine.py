"""Which tasks an engine keeps, takes and gives up, and how it writes; ``test_pipeline.py`` has what overlaps."""

import asyncio
import dataclasses

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.producer.message_accumulator import BatchBuilder

from processors.engine.cycle import TransactionWriter
from processors.engine.task import Batch
from processors.engine.transactions import Membership, RecordBatches, TransactionalProducer
from schemas.errors import EngineError, FencedError
from tests.engine.group import WAIT_S, Group
from tests.engine.lab import CHANGELOG, OUT, frame
from tests.engine.test_task import SourceRow

pytestmark = pytest.mark.kafka

# Which tasks may be kept over a rebalance.


async def test_a_task_is_kept_when_nobody_can_have_owned_it_in_between(group):
    task = await group.open(5)
    await group.put(range(3))
    await group.cycles(1)
    await group.engine.close_tasks()
    assert await group.open(6) is task
    assert (group.engine.counts.kept, group.engine.counts.opened) == (1, 1)
    assert group.seeks[-1] == (group.partition, 3)


@pytest.mark.parametrize(("generation", "member"), [(7, "m"), (6, "n"), (5, "m")])
async def test_a_task_that_somebody_may_have_owned_in_between_is_read_on(group, generation, member):
    """Its producer was not fenced and its memory is valid of its time; only the rule tells that it is stale."""
    task = await group.open(5)
    await group.put(range(3))
    await group.cycles(1)
    await group.engine.close_tasks()
    # The same transactional id writes on: same owner name, so that nothing but the changelog shows the change.
    between = Group(group.lab)
    await between.engine.start()
    between_task = await between.open(6, "other")
    await between.put(range(between_task.position, 6))
    await between.cycles(1)
    await between.engine.stop()

    task = await group.open(generation, member)

    assert (task.position, task.store.get(b"a")) == (6, b"6")
    assert group.seeks[-1] == (group.partition, 6)


async def test_an_opening_that_a_library_cancels_ends_the_worker(group):
    """aiokafka did so once (docs/upstream/aiokafka-stop-cancels.md): the worker stayed in its group and did nothing."""
    group.engine.open_tasks({group.partition}, Membership(5, "m"))
    await asyncio.sleep(0)
    group.engine._opening.cancel()
    async with asyncio.timeout(WAIT_S):
        assert isinstance(await group.failed, EngineError)


async def test_a_task_that_was_closed_while_opening_is_opened_again(group):
    group.engine.open_tasks({group.partition}, Membership(5, "m"))
    await asyncio.sleep(0)
    await group.engine.close_tasks()
    assert group.seeks == []
    await group.open(6)
    assert group.seeks == [(group.partition, 0)]
    await group.put(range(3))
    await group.cycles(1)


async def test_a_task_closed_twice_in_a_row_goes_on_without_a_new_checkpoint(group):
    """Its last checkpoint lies before what it reads on from; the second cycle, because a log's first is read again."""
    await group.open(5)
    await group.put(range(3))
    await group.cycles(1)
    await group.put(range(3, 6))
    await group.cycles(2)
    await group.engine.close_tasks()
    await group.engine.close_tasks()
    task = await group.open(8)
    assert (task.position, task.store.get(b"a")) == (6, b"6")


# Closing.


async def test_nothing_is_taken_while_closed(group):
    await group.open(5)
    await group.engine.close_tasks()
    await group.put(range(3))
    assert not group.engine._pending


async def test_a_batch_fetched_before_the_last_seek_is_not_taken(group):
    """Closed and kept, the position unchanged: an old batch after a newer one would break the order of offsets."""
    await group.open(5)
    await group.put(range(3))
    await group.cycles(1)
    await group.engine.close_tasks()
    task = await group.open(6)
    await group.put(range(6, 9), seek=1)
    assert not group.engine._pending
    await group.put(range(3, 6))
    await group.cycles(2)
    assert (task.position, task.store.get(b"a")) == (6, b"6")


async def test_a_batch_that_skips_records_stops_the_engine(group):
    await group.open(5)
    await group.put(range(3, 6))
    with pytest.raises(EngineError, match="begins at offset 3, the task stands at 0"):
        await group.cycles(1)


# The transaction.


async def test_a_refused_offset_commit_is_a_fenced_error_and_nothing_is_visible(group):
    """Membership of a group that knows us not: the coordinator refuses it, and with it the whole transaction."""
    real = group.lab.workers()  # somebody real is in the group
    group.lab.wait_for_members(1)
    group.lab.outputs(80)
    group.fenced = True
    task = await group.open(5)
    before = len(group.lab.read(OUT)), len(group.lab.read(CHANGELOG))
    await group.put(range(task.position, task.position + 3))
    with pytest.raises(FencedError, match="UNKNOWN_MEMBER_ID"):
        await group.cycles(1)
    assert (len(group.lab.read(OUT)), len(group.lab.read(CHANGELOG))) == before
    real.close()


class Ledger(TransactionalProducer):
    """A producer that notes the order of what it is asked and acknowledges only when told."""

    def __init__(self):
        self.transactional_id = "ledger"
        self.steps: list[str] = []
        self.futures: list[asyncio.Future] = []

    async def begin(self):
        self.steps.append("begin")

    def batches(self):
        return RecordBatches(lambda: BatchBuilder(1024, 0, is_transactional=1))

    async def write(self, topic, partition, rows):
        return self._sent(f"write {topic} {[row[0] for row in rows][:1]}")

    async def send(self, topic, partition, batches):
        return self._sent(f"send {topic} {[batch.record_count() for batch in batches.close()]}")

    def _sent(self, step):
        self.steps.append(step)
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1:]

    async def send_offsets(self, offsets, group, membership):
        self.steps.append(f"offsets {list(offsets.values())} {tuple(membership)}")

    async def commit(self):
        self.steps.append("commit")

    async def acknowledge(self):
        @dataclasses.dataclass
        class Written:
            offset: int | None

        for future in self.futures:
            if not future.done():
                future.set_result(Written(7))
        for _ in range(10):
            await asyncio.sleep(0)


async def test_a_transaction_is_written_in_the_one_safe_order(group):
    """Checkpoint first and alone for a newcomer, all acknowledged before the offsets, offsets before the commit."""
    ledger = Ledger()
    writer = TransactionWriter(
        ledger, group="g", physical={"toy.out": "out"}, changelogs={group.partition.topic: "log"}
    )
    writer.partitioner.set_count("out", 1)
    task = group.engine._new_task(group.partition)
    records = [SourceRow(0, frame(0, [("a", "x")]))]
    task.process(Batch(1, 0, 1, records))
    cycle = writer.begin()
    cycle.take_outputs(task)
    cycle.finish([task])
    writing = asyncio.ensure_future(writer.write(cycle, Membership(4, "m")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ledger.steps == ["begin", "write log [b'@']"]
    await ledger.acknowledge()
    assert ledger.steps[2:] == ["send out [1]"]
    assert not writing.done()
    await ledger.acknowledge()
    assert ledger.steps[3:] == ["offsets [1] (4, 'm')", "commit"]
    await writing
    assert task.changelog_end == 8


async def test_brokers_that_are_away_for_a_moment_do_not_end_a_worker_that_has_its_tasks(group):
    producer, refusals = group.engine._producer, [KafkaConnectionError("Unable to bootstrap")]
    start = producer.start

    async def refused_once():
        if refusals:
            raise refusals.pop()
        await start()

    producer.start = refused_once
    await group.open(1)
    assert not refusals
