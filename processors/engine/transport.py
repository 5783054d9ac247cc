"""Faust's Kafka transport, changed so that one Faust message is one fetched batch and offsets are not Faust's business.

What stays Faust's: the app, the agents and their streams, group membership and rebalancing. What is replaced, and why:

* the fetch loop hands over batches with the offsets they cover, and only of partitions whose task is open;
* commits and acks do nothing: positions are committed in the cycle's transaction;
* the consumer reads ``read_committed`` and never resets a position by itself.
"""

# What is subclassed here is annotated for its own library only, and narrower than what it takes.
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false, reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from processors.engine.counts import Fetched
from processors.engine.task import Batch, Partition
from schemas.errors import PositionError
from schemas.stopping import stop_consumer

if TYPE_CHECKING:
    from processors.engine.app import EngineApp

POLL_S = 1.0
FETCH_WAIT_MS = 50
"""How long a broker may keep a fetch open that has nothing. aiokafka asks a broker for one thing at a time: a partition
that was read out waits for the answer to the others, and with Faust's 1.5 s one that is far behind stood still."""
T = TypeVar("T")


class _Only:
    """A live set of partitions for aiokafka's fetcher, which takes an empty one for "all"."""

    def __init__(self, partitions: Mapping[Partition, int]) -> None:
        self._partitions = partitions

    def __bool__(self) -> bool:
        return True

    def __contains__(self, partition: Partition) -> bool:
        return partition in self._partitions


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer in its own thread and loop, so that heartbeats go on while a core computes."""

    logger = logging.getLogger("faust.transport")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeks = 0
        self._handed_out: dict[Partition, tuple[int, int]] = {}

    def _create_worker_consumer(self, transport: Any) -> Any:
        # Faust asks for read_committed only in its own exactly_once mode, which is not what its name says.
        self.consumer.in_transaction = True
        try:
            consumer = super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = False
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    async def in_thread(self, work: Coroutine[Any, Any, T]) -> T:
        """Run ``work`` on the consumer's loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self.thread_loop))

    async def fetch(self, open_partitions: Mapping[Partition, int]) -> dict[Partition, Batch]:
        """Return the next batch of each open partition that has one, within ``POLL_S``.

        To be called all the time, open tasks or not: the group takes a member that does not fetch for dead.

        Args:
            open_partitions: Live view: a task that opens while this waits is served, too.
        """
        consumer = self._ensure_consumer()
        limit = self.app.conf.broker_max_poll_records
        try:
            with consumer._fetcher._subscriptions.fetch_context():
                fetched = await consumer._fetcher.fetched_records(
                    _Only(open_partitions), timeout=POLL_S, max_records=limit
                )
        except (OffsetOutOfRangeError, NoOffsetForPartitionError) as error:
            raise PositionError(
                f"the source does not hold the task's position any more: {error!r}",
                action="the worker was away longer than the topic's retention; see `tricast reset --help`",
            ) from error
        batches = {}
        for source, records in fetched.items():
            partition = Partition(*source)
            assignment = consumer._subscription.subscription.assignment
            state = assignment.state_value(source) if assignment is not None else None
            if state is None or partition not in self._handed_out:
                continue  # taken away while we waited; whoever opens it next seeks
            seek, start = self._handed_out[partition]
            batches[partition] = Batch(seek, start, state.position, records)
            self._handed_out[partition] = seek, state.position
        return batches

    async def check(self) -> None:
        """Raise what ended aiokafka's part in the group or its fetch.

        It keeps such an error until somebody asks for it, and does nothing else meanwhile; Faust never asks.
        """
        if self._consumer is None or self._consumer._coordinator is None:  # still connecting
            return
        self._consumer._coordinator.check_errors()
        if self._consumer._fetcher._fetch_task.done():
            self._consumer._fetcher._fetch_task.result()

    async def seek_now(self, partition: Partition, offset: int) -> int:
        """Move the fetch to ``offset``; return the number of this seek, which the batches after it carry."""
        self._ensure_consumer().seek(TopicPartition(*partition), offset)
        self._seeks += 1
        self._handed_out[partition] = self._seeks, offset
        return self._seeks


class BatchConsumer(driver.Consumer):
    """Faust's consumer service with the fetch loop of batches."""

    logger = logging.getLogger("faust.transport")
    app: "EngineApp"
    _thread: BatchConsumerThread

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_task(self, partition: Partition, offset: int) -> int:
        """Fetch ``partition`` from ``offset`` on; return the number of this seek."""
        return await self._thread.in_thread(self._thread.seek_now(partition, offset))

    @Service.task  # type: ignore[untyped-decorator]  # mode's have no types
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(POLL_S)
            try:
                await self._thread.in_thread(self._thread.check())
            except Exception as error:
                if not self.app.should_stop:
                    self.app.fail_stop(error)
                return

    def fetched(self) -> dict[Partition, Fetched]:
        """Return how far the fetch of each partition is; numbers of another thread, which need no lock."""
        consumer = self._thread._consumer
        subscription = None if consumer is None else consumer._subscription.subscription
        assignment = None if subscription is None else subscription.assignment
        found = {}
        for partition, (_, end) in list(self._thread._handed_out.items()):
            state = None if assignment is None else assignment.state_value(TopicPartition(*partition))
            if state is not None and state.lso is not None and state._position is not None:
                found[partition] = Fetched(end, state._position, state.lso)
        return found

    @property
    def has_lost_kafka(self) -> bool:
        """Whether the group's coordinator is looked for: at first, when it ended, or when heartbeats got no answer."""
        consumer = self._thread._consumer
        coordinator = None if consumer is None else consumer._coordinator
        return coordinator is not None and coordinator.coordinator_id is None

    async def leave_group(self) -> None:
        """Give the tasks back at once; nothing is fetched any more."""
        if self._thread._consumer is None:
            return
        await self._thread.in_thread(stop_consumer(self._thread._ensure_consumer()))

    def group_membership(self) -> tuple[int, str]:
        """Return generation and member id as of now; only the assignment callback may ask."""
        coordinator = self._thread._ensure_consumer()._coordinator
        return coordinator.generation, coordinator.member_id

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            await self._hand_out_batches(fetcher)
        except asyncio.CancelledError:
            # Within a rebalance Faust takes this for a crash, also when it is the app's end that cancels.
            if not self.app.should_stop:
                raise
        except Exception as error:
            if self.app.should_stop:
                return  # the consumer's thread and loop are going away beneath us
            # A Faust service that raises would end the worker with Faust's exit code and not with ours.
            self.app.fail_stop(error)

    async def _hand_out_batches(self, fetcher: Any) -> None:
        while not (self.should_stop or fetcher.should_stop):
            batches = await self._thread.in_thread(self._thread.fetch(self.app.engine.open_partitions))
            for partition, batch in batches.items():
                # Never dropped here, even when the flow stands still: a task may have opened again while the fetch
                # waited, and then this batch is its next. The engine drops what was fetched before the last seek.
                if not self.flow_active:
                    await self.wait(self.can_resume_flow)
                # A full agent queue blocks here: that is the back-pressure. A rebalance does not wait for it.
                await self.wait_first(self.callback(self._message(partition, batch)), self.suspend_flow.wait())

    def _message(self, partition: Partition, batch: Batch) -> ConsumerMessage:
        last = batch.records[-1]
        return ConsumerMessage(
            partition.topic, partition.partition, last.offset, last.timestamp / 1000.0, 0, [], None, batch, None, 0, 0,
            TP(*partition), generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    # Faust's offset keeping, switched off.

    async def commit(self, *_: Any, **__: Any) -> bool:
        """Do nothing: positions are committed in the cycle's transaction."""
        return True

    def ack(self, message: ConsumerMessage) -> bool:
        """Do nothing but forget the message."""
        self._unacked_messages.discard(message)
        return False

    async def wait_empty(self) -> None:
        """Do nothing: ``Engine.close_tasks`` waits for the running cycle, and nothing else matters."""

    async def perform_seek(self) -> None:
        """Do nothing: tasks seek when they open."""

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: Faust would stop fetching for a whole second; a full queue blocks the loop instead."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, see ``on_buffer_full``."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's stall detectors compare clocks of different kinds."""


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with the batch consumer."""

    Consumer = BatchConsumer
