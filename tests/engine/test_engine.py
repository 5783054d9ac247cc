"""The engine in this process, with the group and the fetch played by the test; Kafka is real."""

import asyncio
import dataclasses

import pytest

from processors.engine.config import EngineSettings
from processors.engine.cycle import TransactionWriter
from processors.engine.engine import Engine
from processors.engine.reset import NOBODY
from processors.engine.task import Batch, Partition
from processors.engine.topology import Topology
from processors.engine.transactions import Membership
from schemas.errors import EngineError, FencedError
from tests.engine.lab import CHANGELOG, FAST, OUT, RAW, frame
from tests.engine.test_task import SourceRow
from tests.engine.toy import REGISTRY, ToyProcessor

pytestmark = pytest.mark.kafka

WAIT_S = 30


class Group:
    """What the app and the fetch loop are to an engine: seeks are numbered and remembered, failures kept."""

    def __init__(self, lab, **settings):
        self.lab = lab
        self.partition = Partition(lab.prefix + RAW, 0)
        self.seeks: list[tuple[Partition, int]] = []
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self.engine = Engine(
            ToyProcessor(),
            Topology.of(ToyProcessor(), lab.prefix, REGISTRY),
            kafka=lab.kafka,
            settings=EngineSettings(worker_name="w0", **{**FAST, **settings}),
            version="test",
            seek=self.seek,
            fail=self.failed.set_result,
        )
        self.fenced = False
        """Offsets go with the membership the test made up; otherwise as nobody's, which an empty group takes."""
        self._send_offsets = self.engine._producer.send_offsets
        self.engine._producer.send_offsets = self.send_offsets

    async def send_offsets(self, offsets, group, membership):
        await self._send_offsets(offsets, group, membership if self.fenced else NOBODY)

    async def seek(self, partition, offset):
        self.seeks.append((partition, offset))
        return len(self.seeks)

    async def open(self, generation, member="m"):
        self.engine.open_tasks({self.partition}, Membership(generation, member))
        await self.settled(self.engine.open_partitions())
        return self.engine._tasks[self.partition]

    async def settled(self, waited):
        """Await ``waited``, or raise what the engine failed with."""
        task = asyncio.ensure_future(waited)
        await asyncio.wait({task, self.failed}, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        if self.failed.done():
            task.cancel()
            raise self.failed.result()
        assert task.done(), "neither done nor failed"
        return task.result()

    async def put(self, offsets, *, seek=None):
        records = [SourceRow(offset, frame(offset, [("a", "x")]), topic=self.partition.topic) for offset in offsets]
        seek = len(self.seeks) if seek is None else seek
        await self.engine.put(self.partition, Batch(seek, records[0].offset, records[-1].offset + 1, records))

    async def cycles(self, number):
        async def reached():
            while self.engine.counts.cycles < number:  # noqa: ASYNC110 - the counts have no event
                await asyncio.sleep(0.01)

        await self.settled(reached())


@pytest.fixture
async def group(lab):
    lab.feed(range(40), kids=[("a", "x")])  # 10 in partition 0, so that positions are inside the source
    lab.committed()  # waits until a new broker has a group coordinator, as joining the group does
    group = Group(lab)
    await group.engine.start()
    yield group
    await group.engine.stop()


class Gate:
    """Holds the engine's writer at the point just before it would write."""

    def __init__(self, engine):
        self.reached, self.pass_on, self.written = asyncio.Event(), asyncio.Event(), 0
        self.write = engine._writer.write
        engine._writer.write = self.hold

    async def hold(self, tasks, membership, timestamp_ms):
        self.reached.set()
        await self.pass_on.wait()
        self.written += 1


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
    await group.open(5)
    await group.put(range(3))
    await group.cycles(1)
    await group.engine.close_tasks()
    await group.engine.close_tasks()
    task = await group.open(8)
    assert (task.position, task.store.get(b"a")) == (3, b"3")


# Closing.


async def test_closing_waits_for_the_running_cycle_and_drops_what_waits(group):
    group.engine._settings = group.engine._settings.model_copy(update={"max_cycle_records": 3})
    task = await group.open(5)
    gate = Gate(group.engine)
    await group.put(range(3))
    await group.settled(gate.reached.wait())
    await group.put(range(3, 6))

    async def close():
        await group.engine.close_tasks()
        return group.engine._pending, group.engine._pending_records  # before anybody else runs

    closing = asyncio.ensure_future(close())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not closing.done()
    assert task.position == 3
    gate.pass_on.set()
    assert await group.settled(closing) == ([], 0)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (gate.written, task.position) == (1, 3)


async def test_nothing_is_taken_while_closed(group):
    await group.open(5)
    await group.engine.close_tasks()
    await group.put(range(3))
    assert group.engine._pending == []


async def test_a_batch_fetched_before_the_last_seek_is_not_taken(group):
    """Closed and kept, the position unchanged: an old batch after a newer one would break the order of offsets."""
    await group.open(5)
    await group.put(range(3))
    await group.cycles(1)
    await group.engine.close_tasks()
    task = await group.open(6)
    await group.put(range(6, 9), seek=1)
    assert group.engine._pending == []
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
    group.lab.outputs(40)
    group.fenced = True
    task = await group.open(5)
    before = len(group.lab.read(OUT)), len(group.lab.read(CHANGELOG))
    await group.put(range(task.position, task.position + 3))
    with pytest.raises(FencedError, match="UNKNOWN_MEMBER_ID"):
        await group.cycles(1)
    assert (len(group.lab.read(OUT)), len(group.lab.read(CHANGELOG))) == before
    real.close()


class Ledger:
    """A producer that notes the order of what it is asked and acknowledges only when told."""

    transactional_id = "ledger"

    def __init__(self):
        self.steps: list[str] = []
        self.futures: list[asyncio.Future] = []

    async def begin(self):
        self.steps.append("begin")

    async def write(self, topic, partition, rows):
        kinds = [row[0] for row in rows]
        self.steps.append(f"write {topic} {b'@' in kinds[:1]}")
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
    writing = asyncio.ensure_future(writer.write([task], Membership(4, "m"), 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ledger.steps == ["begin", "write log True"]
    await ledger.acknowledge()
    assert ledger.steps[2:] == ["write out False"]
    assert not writing.done()
    await ledger.acknowledge()
    assert ledger.steps[3:] == ["offsets [1] (4, 'm')", "commit"]
    await writing
    assert task.changelog_end == 8
