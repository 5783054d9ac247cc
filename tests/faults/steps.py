"""A broker goes exactly between two steps of a transaction: all of it counts afterwards, or nothing, never a part."""

import asyncio
import itertools
import time
import uuid
from typing import TYPE_CHECKING

from confluent_kafka import Consumer, KafkaError, TopicPartition

from processors.engine.reset import NOBODY
from processors.engine.task import Partition
from processors.engine.transactions import TransactionalProducer
from schemas.kafka import KafkaSettings
from tests.faults import brokers
from tests.faults.harness import PARTITIONS, QUIET

if TYPE_CHECKING:
    from tests.faults.scenarios import Run

TOPIC = "toy.dead-letters"
"""Written by nobody else in these scenarios."""
STEPS = ("begin", "produce", "offsets", "commit", "next")
"""What comes right after the broker is gone; "next" is the following transaction."""
TIME_S = 25.0


def between_steps(run: "Run", times: int) -> None:
    """Each step in turn meets the loss of each broker that it may need."""
    places = itertools.cycle(itertools.product(STEPS, ("transaction", "group", "leader"), ("kill", "pause")))
    for number, (step, role, how) in zip(range(times), places, strict=False):
        attempt = _Attempt(run, number, step, role, how)
        asyncio.run(attempt.make())
        if how == "pause":
            run.cluster.resume_broker(attempt.broker)
        else:
            run.cluster.start_broker(attempt.broker)
        run.cluster.await_in_sync(brokers.SYNC_S)
        asyncio.run(attempt.end_what_is_open())
        run.remarks += attempt.findings()
        run.workers.tend()


class _Attempt:
    """Two transactions of one record to each partition, with offsets; one of their steps meets a fault."""

    def __init__(self, run: "Run", number: int, step: str, role: str, how: str) -> None:
        self.run, self.step, self.how = run, step, how
        self.name = f"{number} {step}/{role}/{how}"
        self.id = f"{run.prefix}steps-{number}"
        self.kafka = KafkaSettings(bootstrap_servers=run.bootstrap)
        self.role = role
        self.broker = 0
        self.committed = 0
        self.error = ""

    async def make(self) -> None:
        producer = TransactionalProducer(self.kafka, self.id, 10.0)
        await producer.start()
        try:
            async with asyncio.timeout(TIME_S):
                await self._transaction(producer, 1)
                self.committed = 1
                await self._fault_before("next")
                await self._transaction(producer, 2)
                self.committed = 2
        except Exception as error:  # whatever it is: what counts is what a reader sees
            self.error = repr(error)
        finally:
            if not self.broker:
                await self._strike()
            with_time = asyncio.ensure_future(producer.stop())
            await asyncio.wait({with_time}, timeout=5)
            with_time.cancel()

    async def _transaction(self, producer: TransactionalProducer, number: int) -> None:
        group = self.id
        await self._fault_before("begin", number)
        await producer.begin()
        await self._fault_before("produce", number)
        topic, futures = self.run.prefix + TOPIC, []
        for partition in range(PARTITIONS):
            row = (self.id.encode(), b"%d" % number, [], int(time.time() * 1000))
            futures += await producer.write(topic, partition, [row])
        for future in futures:
            await future
        await self._fault_before("offsets", number)
        source = Partition(self.run.prefix + "toy.raw", 0)
        await producer.send_offsets({source: number}, group, NOBODY)
        await self._fault_before("commit", number)
        await producer.commit()

    async def _fault_before(self, step: str, number: int = 1) -> None:
        if step == self.step and number == 1 and not self.broker:
            await self._strike()

    async def _strike(self) -> None:
        match self.role:
            case "transaction":
                self.broker = brokers.coordinator(self.run, "__transaction_state", self.id)
            case "group":
                self.broker = brokers.coordinator(self.run, "__consumer_offsets", self.id)
            case _:
                self.broker = brokers.leaders(self.run, self.run.prefix + TOPIC)[0]
        strike = self.run.cluster.pause_broker if self.how == "pause" else self.run.cluster.kill_broker
        await asyncio.to_thread(strike, self.broker)

    async def end_what_is_open(self) -> None:
        """As a restarted worker does: its name ends the transaction that it left."""
        successor = TransactionalProducer(self.kafka, self.id, 10.0)
        await successor.start()
        await successor.stop()

    def findings(self) -> list[str]:
        seen, offset = self._seen(), self._offset()
        told = f"{self.name}: {self.committed} committed, offset {offset}, seen {seen}, {self.error or 'no error'}"
        whole = all(len(values) == PARTITIONS for values in seen.values()) and sorted(seen) == list(
            range(1, offset + 1)
        )
        kept = offset >= self.committed
        return [told] if whole and kept else [f"TORN {told}"]

    def _seen(self) -> dict[int, set[int]]:
        """Return the partitions in which a ``read_committed`` reader finds each transaction, twice ones marked -1."""
        consumer = Consumer(
            QUIET
            | {
                "bootstrap.servers": self.run.bootstrap,
                "group.id": uuid.uuid4().hex,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.assign([TopicPartition(self.run.prefix + TOPIC, part, 0) for part in range(PARTITIONS)])
        seen: dict[int, set[int]] = {}
        ends = 0
        while ends < PARTITIONS:
            for message in consumer.consume(1000, 1.0):
                error = message.error()
                if error is not None:
                    ends += error.code() == KafkaError._PARTITION_EOF
                elif message.key() == self.id.encode():
                    parts = seen.setdefault(int(message.value() or 0), set())
                    parts.add(-1 if message.partition() in parts else message.partition() or 0)
        consumer.close()
        return seen

    def _offset(self) -> int:
        consumer = Consumer(QUIET | {"bootstrap.servers": self.run.bootstrap, "group.id": self.id})
        try:
            (found,) = consumer.committed([TopicPartition(self.run.prefix + "toy.raw", 0)], 60)
            return max(0, found.offset)
        finally:
            consumer.close()
