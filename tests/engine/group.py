"""The engine in the test's own process, with the group and the fetch played by the test; Kafka is real."""

import asyncio

from processors.engine.config import EngineSettings
from processors.engine.cycle import Cycle
from processors.engine.engine import Engine
from processors.engine.reset import NOBODY
from processors.engine.task import Batch, Partition
from processors.engine.topology import Topology
from processors.engine.transactions import Membership
from tests.engine.lab import FAST, RAW, frame, stamps
from tests.engine.test_task import SourceRow
from tests.engine.toy import REGISTRY, ToyProcessor

WAIT_S = 20


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
        await self.until(lambda: self.partition in self.engine.open_partitions)
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

    async def put(self, offsets, *, seek=None, pad=0, kids=(("a", "x"),)):
        """Hand over one batch of stamped frames, their values ``pad`` bytes larger than need be."""
        records = [
            SourceRow(offset, frame(offset, kids) + b" " * pad, stamps(offset + 1), topic=self.partition.topic)
            for offset in offsets
        ]
        seek = len(self.seeks) if seek is None else seek
        await self.engine.put(self.partition, Batch(seek, records[0].offset, records[-1].offset + 1, records))

    async def until(self, true):
        async def reached():
            while not true():  # noqa: ASYNC110 - what the engine did has no event
                await asyncio.sleep(0.01)

        await self.settled(reached())

    async def cycles(self, number):
        await self.until(lambda: self.engine.counts.cycles >= number)


async def work_off(lab) -> None:
    """Process all that stands in the sources, as a worker would, in a fraction of the time it takes to start one."""
    sources: dict[Partition, list[SourceRow]] = {}
    for record in lab.read(RAW):
        row = SourceRow(record.offset(), record.value(), topic=record.topic(), partition=record.partition())
        sources.setdefault(Partition(row.topic, row.partition), []).append(row)
    lab.committed()  # waits until a new broker has a group coordinator, as joining the group does
    group = Group(lab)
    await group.engine.start()
    group.engine.open_tasks(set(sources), Membership(1, "m"))
    await group.until(lambda: group.engine.open_partitions.keys() == sources.keys())
    for partition, rows in sources.items():
        seek = group.engine.open_partitions[partition]
        await group.engine.put(partition, Batch(seek, rows[0].offset, rows[-1].offset + 1, rows))
    await group.until(lambda: group.engine.counts.records == sum(map(len, sources.values())))
    await group.engine.stop()


class Gate:
    """Holds each transaction just before it is written, until the test lets it pass or fail."""

    def __init__(self, group):
        self.group = group
        self.reached: list[tuple[list[int], Membership]] = []
        """Positions and membership of every transaction that was to be written."""
        self.at_once = self.most_at_once = 0
        self.failure: Exception | None = None
        self._passes = asyncio.Semaphore(0)
        self._write = group.engine._writer.write
        group.engine._writer.write = self._hold

    async def _hold(self, cycle: Cycle, membership: Membership) -> None:
        self.reached.append(([work.position for work in cycle.works], membership))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._passes.acquire()
            if self.failure is not None:
                raise self.failure
            await self._write(cycle, membership)
        finally:
            self.at_once -= 1

    @property
    def positions(self) -> list[list[int]]:
        return [positions for positions, _ in self.reached]

    def let_pass(self, transactions: int = 1) -> None:
        for _ in range(transactions):
            self._passes.release()

    async def holds(self, transactions: int) -> None:
        """Wait until so many transactions have come here."""
        await self.group.until(lambda: len(self.reached) >= transactions)


async def idle() -> None:
    """Let everything run that can run without anything from outside."""
    for _ in range(100):
        await asyncio.sleep(0)
