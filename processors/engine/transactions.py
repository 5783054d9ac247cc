"""One transactional producer a worker, with the fence that aiokafka 0.14 lacks.

aiokafka sends ``TxnOffsetCommit`` v0, which names no group member, so a worker that was stopped while the group
moved on could still commit. Version 3 (KIP-447) carries generation and member id, and the group coordinator refuses
a stale one and with it the whole transaction. The request, its response and its handler are here.
"""

# What is subclassed here is annotated for its own library only, and narrower than what it takes.
# pyright: reportIncompatibleMethodOverride=false, reportAssignmentType=false

import asyncio
import collections
import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.client import AIOKafkaClient
from aiokafka.producer import sender
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from processors.engine.task import Partition
from schemas.errors import ExpelledError, FencedError
from schemas.kafka import KafkaSettings
from schemas.missing_right import REFUSALS
from schemas.raw import Header

NEXT_TRANSACTION_BACKOFF_S = 0.003
"""aiokafka waits 20 ms when the last transaction's markers are still being written; 2 to 3 ms is what they take."""
METADATA_PATIENCE_S = 5.0
METADATA_POLL_S = 0.1
MAX_BATCH_BYTES = 1024 * 1024
"""One batch per partition and request; a larger single record still goes alone."""
_GROUP_REFUSALS = {22: "ILLEGAL_GENERATION", 25: "UNKNOWN_MEMBER_ID", 82: "FENCED_INSTANCE_ID"}


class Membership(NamedTuple):
    """Who we are in the consumer group, as assigned: bound when a cycle begins, never read at commit time.

    A member that was kicked out resets its own to (-1, ""), which the coordinator accepts from anybody.
    """

    generation: int
    member_id: str


class TxnOffsetCommitResponse_v3(Response):  # noqa: N801 - aiokafka's way to name versions
    """Answer to ``TxnOffsetCommitRequest_v3``."""

    API_KEY = 28
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "errors",
            CompactArray(
                ("topic", CompactString("utf-8")),
                ("partition_errors", CompactArray(("partition", Int32), ("error_code", Int16), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class TxnOffsetCommitRequest_v3(RequestStruct):  # noqa: N801 - aiokafka's way to name versions
    """``TxnOffsetCommit`` with generation, member and instance id."""

    FLEXIBLE_VERSION = True
    API_KEY = 28
    API_VERSION = 3
    RESPONSE_TYPE = TxnOffsetCommitResponse_v3
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("group_id", CompactString("utf-8")),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("generation_id", Int32),
        ("member_id", CompactString("utf-8")),
        ("group_instance_id", CompactString("utf-8")),
        (
            "topics",
            CompactArray(
                ("topic", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", CompactString("utf-8")),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class TxnOffsetCommitRequest(Request[TxnOffsetCommitRequest_v3]):
    """Builder that aiokafka's client asks for the negotiated version."""

    API_KEY: ClassVar[int] = 28

    def __init__(self, *fields: Any) -> None:
        self._fields = fields

    def build(self, request_struct_class: type[TxnOffsetCommitRequest_v3]) -> TxnOffsetCommitRequest_v3:
        """Return the request itself."""
        return request_struct_class(*self._fields)


class _FencedOffsetCommitHandler(sender.TxnOffsetCommitHandler):
    def __init__(self, owner: "_FencingSender", offsets: dict[TopicPartition, OffsetAndMetadata], group: str) -> None:
        super().__init__(owner, offsets, group)
        self._membership = owner.membership

    def create_request(self) -> TxnOffsetCommitRequest:
        transaction = self._sender._txn_manager
        by_topic: dict[str, list[tuple[Any, ...]]] = collections.defaultdict(list)
        for partition, offset in sorted(self._offsets.items()):
            by_topic[partition.topic].append((partition.partition, offset.offset, -1, offset.metadata, {}))
        return TxnOffsetCommitRequest(
            transaction.transactional_id,
            self._group_id,
            transaction.producer_id,
            transaction.producer_epoch,
            self._membership.generation,
            self._membership.member_id,
            None,
            [(topic, partitions, {}) for topic, partitions in by_topic.items()],
            {},
        )

    def handle_response(self, response: Any) -> float | None:
        errors = [(topic, [(part, code) for part, code, _ in parts]) for topic, parts, _ in response.errors]
        for topic, parts in errors:
            for part, code in parts:
                if code in _GROUP_REFUSALS:
                    # Only the caller's future fails: aiokafka's own error path would forget which partitions are in
                    # the transaction, and the abort that must follow would tell the broker nothing.
                    _, _, future = self._sender._txn_manager._pending_txn_offsets.popleft()
                    refusal = f"group refused offsets of {topic}/{part}: {_GROUP_REFUSALS[code]} for {self._membership}"
                    future.set_exception(ExpelledError(refusal))
                    return None
        return super().handle_response(_Plain(errors))  # type: ignore[no-any-return]


class _Plain(NamedTuple):
    errors: list[tuple[str, list[tuple[int, int]]]]


class _QuickAddPartitionsHandler(sender.AddPartitionsToTxnHandler):
    def handle_response(self, response: Any) -> float | None:
        backoff: float | None = super().handle_response(response)
        return NEXT_TRANSACTION_BACKOFF_S if backoff == sender.BACKOFF_OVERRIDE else backoff


class _FencingSender(sender.Sender):
    membership = Membership(-1, "")

    async def _find_coordinator(self, kind: Any, key: str) -> Any:
        # aiokafka gives up for good when the broker that it asks dies before it answers.
        while True:
            try:
                return await super()._find_coordinator(kind, key)
            except kafka_errors.KafkaError as error:
                if not isinstance(error.__cause__, kafka_errors.KafkaConnectionError):
                    raise
            await self.client.force_metadata_update()
            await asyncio.sleep(self._retry_backoff)

    async def _do_txn_offset_commit(self, offsets: dict[TopicPartition, OffsetAndMetadata], group: str) -> None:
        if not offsets:
            return
        node = await self._find_coordinator(sender.CoordinationType.GROUP, group)
        await _FencedOffsetCommitHandler(self, offsets, group).do(node)

    async def _do_txn_commit(self, commit_result: Any) -> None:
        # Kafka answers UNKNOWN_SERVER_ERROR to a commit that meets a namesake's start or its own time-out half-way
        # (docs/upstream/kafka-commit-meets-fence.md), and aiokafka gives up for good. Asked again, it says what became
        # of the transaction: an end that was made already is confirmed, a fenced producer is told so.
        now = asyncio.get_running_loop().time
        deadline = now() + self._txn_manager.transaction_timeout_ms / 1000
        while True:
            try:
                await super()._do_txn_commit(commit_result)
            except kafka_errors.UnknownError:
                if now() > deadline:
                    raise
            else:
                return
            await asyncio.sleep(self._retry_backoff)

    async def _do_add_partitions_to_txn(self, partitions: set[TopicPartition]) -> bool:
        node = await self._find_coordinator(sender.CoordinationType.TRANSACTION, self._txn_manager.transactional_id)
        return bool(await _QuickAddPartitionsHandler(self, partitions).do(node))


Row = tuple[bytes | None, bytes | None, list[Header], int]
"""Key, value, headers and timestamp (ms) of a record to write."""


class RecordBatches:
    """Rows of one topic partition, encoded as they come, in as many record batches as they need.

    aiokafka's ``BatchBuilder.append`` computes each record's size once more in Python, half of what appending costs;
    its builder, written in C, is given the rows directly, and the batch is told how many it holds.
    """

    __slots__ = ("_append", "_batches", "_count", "_create")

    def __init__(self, create: Callable[[], Any]) -> None:
        self._create = create
        self._batches: list[Any] = []
        self._begin()

    def append(self, key: bytes | None, value: bytes | None, headers: list[Header], timestamp_ms: int) -> int:
        """Add a row behind the others; return its bytes."""
        added = self._append(self._count, timestamp_ms, key, value, headers)
        if added is None:
            self._end()
            self._begin()
            added = self._append(0, timestamp_ms, key, value, headers)
            assert added is not None, "the first record of a batch always fits"
        self._count += 1
        return added.size  # type: ignore[no-any-return]  # aiokafka's are not typed

    def __len__(self) -> int:
        return sum(batch.record_count() for batch in self._batches)

    def close(self) -> list[Any]:
        """Return the batches in order; nothing can be added any more."""
        self._end()
        return self._batches

    def _begin(self) -> None:
        batch = self._create()
        self._batches.append(batch)
        self._append = batch._builder.append
        self._count = 0

    def _end(self) -> None:
        batch = self._batches[-1]
        batch._relative_offset = self._count
        batch.close()


class TransactionalProducer:
    """Begin, write, await, send offsets, commit: in that order, and nothing else.

    A produce while offsets are being added would be answered with a misleading error and cost 100 ms.

    Args:
        kafka: How to reach Kafka.
        transactional_id: Stable over restarts of the same worker; starting fences whoever had it before.
        timeout_s: After this long the broker aborts a transaction whose producer is gone.
    """

    def __init__(self, kafka: KafkaSettings, transactional_id: str, timeout_s: float) -> None:
        self.transactional_id = transactional_id
        self.started = False
        request_timeout_ms = patience_ms(kafka, timeout_s)
        self._producer = AIOKafkaProducer(
            **kafka.client(),
            client_id=transactional_id,
            transactional_id=transactional_id,
            transaction_timeout_ms=int(timeout_s * 1000),
            request_timeout_ms=request_timeout_ms,
            acks="all",
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
        )
        producer = self._producer
        # aiokafka fails a batch of a partition without a leader after one request's time; an election may take longer.
        producer._message_accumulator._batch_ttl = timeout_s
        self._sender = producer._sender = _FencingSender(
            producer.client,
            acks=producer._sender._acks,
            txn_manager=producer._txn_manager,
            message_accumulator=producer._message_accumulator,
            retry_backoff_ms=100,
            request_timeout_ms=request_timeout_ms,
        )

    async def start(self) -> None:
        """Connect; end what an earlier producer of this transactional id left open."""
        await self._producer.start()
        self.started = True

    async def stop(self) -> None:
        """Close the connections."""
        await self._producer.stop()

    async def partition_counts(self, wanted: Iterable[str]) -> dict[str, int]:
        """Return how many partitions the topics in ``wanted`` really have; a missing one is left out."""
        return await partition_counts(self._producer.client, wanted)

    @property
    def refusal(self) -> BaseException | None:
        """The right that Kafka refused this transaction; what else fails in it only follows from that.

        aiokafka produces even what it could not add to the transaction, and what Kafka answers to that reads as if
        somebody had fenced us.
        """
        manager = self._producer._txn_manager
        assert manager is not None
        waiter = manager._transaction_waiter
        ended = waiter.exception() if waiter is not None and waiter.done() and not waiter.cancelled() else None
        return ended if isinstance(ended, REFUSALS) else None

    async def begin(self) -> None:
        """Begin a transaction."""
        await self._producer.begin_transaction()

    def batches(self) -> RecordBatches:
        """Return batches to be filled, and sent in a transaction that need not have begun."""
        return RecordBatches(self._producer.create_batch)

    async def send(self, topic: str, partition: int, batches: RecordBatches) -> list["asyncio.Future[Any]"]:
        """Hand batches to the producer in order; return a future for each, done when every replica has it."""
        return [await self._producer.send_batch(batch, topic, partition=partition) for batch in batches.close()]

    async def write(self, topic: str, partition: int, rows: Iterable[Row]) -> list["asyncio.Future[Any]"]:
        """Hand rows to the producer in order, see :meth:`send`."""
        batches = self.batches()
        for row in rows:
            batches.append(*row)
        return await self.send(topic, partition, batches)

    async def send_offsets(self, offsets: Mapping[Partition, int], group: str, membership: Membership) -> None:
        """Commit source offsets with the transaction, as the member that began the cycle.

        Raises:
            ExpelledError: The group knows this member or generation no more; the tasks are somebody else's.
        """
        self._sender.membership = membership
        await self._producer.send_offsets_to_transaction(
            {TopicPartition(*partition): offset for partition, offset in offsets.items()}, group
        )

    async def commit(self) -> None:
        """Commit; on return every ``read_committed`` reader may see the records."""
        await self._producer.commit_transaction()

    async def abort(self, timeout_s: float) -> None:
        """Abort if that is still possible within ``timeout_s``; the broker's time-out does it otherwise."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(timeout_s):
                await self._producer.abort_transaction()


def patience_ms(kafka: KafkaSettings, transaction_timeout_s: float) -> int:
    """Return how long one request of a worker may take: a broker that hangs neither answers nor closes a connection,
    and the one that takes its place must be asked before the transaction is over."""
    return min(kafka.request_timeout_ms, int(transaction_timeout_s * 1000 / 2))


async def partition_counts(client: AIOKafkaClient, wanted: Iterable[str]) -> dict[str, int]:
    """Return the partition counts of the topics in ``wanted`` that exist.

    Asking for one topic would wait for a missing one; all of them are asked for, and again for a while, because a
    broker may not have heard yet of a topic that was just created.
    """
    names = set(wanted)
    now = asyncio.get_running_loop().time
    deadline = now() + METADATA_PATIENCE_S
    while True:
        try:
            cluster = await client.fetch_all_metadata()
        except kafka_errors.KafkaError:  # no broker that it knows answers, for one that died just now
            if now() > deadline:
                raise
        else:
            found = {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in names & set(cluster.topics())}
            if found.keys() == names or now() > deadline:
                return found
        await asyncio.sleep(METADATA_POLL_S)


async def fence(kafka: KafkaSettings, transactional_id: str, timeout_s: float) -> None:
    """End the open transaction of a producer that is gone, by initializing its transactional id."""
    producer = TransactionalProducer(kafka, transactional_id, timeout_s)
    try:
        await producer.start()
    finally:
        await producer.stop()


FENCED = (
    FencedError,
    kafka_errors.ProducerFenced,
    kafka_errors.InvalidProducerEpoch,
    kafka_errors.InvalidTxnState,
    kafka_errors.InvalidProducerIdMapping,
)
"""What Kafka says when somebody else has our transactional id or our tasks."""
