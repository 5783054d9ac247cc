"""Read topics with aiokafka: committed records only, each as an ``Event``, from where the reader left off."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.protocol.metadata import MetadataRequest

from schemas.errors import EnvironmentFault
from schemas.missing_right import missing_right
from schemas.stopping import stop_consumer
from schemas.unreached import unreached
from tricast.consumer.errors import RecordsGone, TopicMissing
from tricast.consumer.event import Event, Place, event_of
from tricast.consumer.reading import Reading

_POLL_MS: Final = 500
_MOST_RECORDS: Final = 500
_UNKNOWN_TOPIC, _TOPIC_REFUSED = 3, 29
_LEAVE_S: Final = 5.0
_LOG: Final = logging.getLogger("tricast.consumer")


class Reader(Reading):
    """An asynchronous iterator over the committed records of topics; use it with ``async with``.

    With a ``group`` members share the partitions, and Kafka remembers how far they are: a record counts as done when
    the next one is asked for, and is committed within ``commit_interval_s``. After a crash or a rebalance what was not
    committed yet comes again (at least once). Without a group the reader has all partitions to itself, and begins at
    ``positions``, which the caller stores with its own results (``Done``): then nothing is done twice.

    Once it runs it waits while Kafka is away, and goes on. What it takes: see ``Reading``.
    """

    _consumer: Any

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            **self._kafka.client(),
            request_timeout_ms=self._kafka.request_timeout_ms,
            client_id="tricast-consumer",
            group_id=self._group,
            isolation_level="read_committed",
            enable_auto_commit=False,  # aiokafka's would commit what is only being worked on
            heartbeat_interval_ms=1000,  # who is asked to share hears of it then; until all have, nobody reads
            auto_offset_reset="none",  # its resets pass over lost records without a word
        )
        try:
            await self._open()
        except BaseException as error:
            await self._stop()
            if isinstance(error, KafkaError):
                raise await self._named(error) from error
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await self._try_commit()
        finally:
            await self._stop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Return the next record, waiting for it as long as it takes.

        Raises:
            RecordsGone: What was to be read next is not kept any more.
            MissingRight: Rights were taken away.
            EnvironmentFault: Kafka refused something else.
        """
        self._progress.settle()
        try:
            await self._commit_if_due()
            while not self._waiting:
                await self._fetch()
                await self._commit_if_due()  # the last of a burst is done, too, though no other follows
        except KafkaError as error:
            raise await self._named(error) from error
        return self._hand_out()

    async def until_now(self) -> AsyncIterator[Event]:
        """Yield what was committed when this was called; to load the state that a compacted topic holds."""
        if self._group is not None:
            raise ValueError("a group's partitions come and go: load state with a reader of its own, without group")
        try:
            ends = await self._consumer.end_offsets(self._consumer.assignment())
            while True:
                while self._waiting:
                    yield self._hand_out()
                # Markers of transactions are passed over without a record: the position tells.
                if not any([await self._consumer.position(tp) < end for tp, end in ends.items()]):
                    break
                await self._fetch()
        except KafkaError as error:
            raise await self._named(error) from error

    async def wait(self) -> None:
        """Wait for records, for half a second at most."""
        try:
            if not self._waiting:
                await self._fetch()
        except KafkaError as error:
            raise await self._named(error) from error

    async def commit(self) -> None:
        """Commit all that was handed out, the record in hand included, for the group.

        Raises:
            EnvironmentFault: It could not be; what was not committed comes again.
        """
        self._progress.settle()
        try:
            await self._commit()
        except KafkaError as error:
            raise await self._named(error) from error

    async def _open(self) -> None:
        await self._consumer.start()
        partitions = await self._partitions()
        if self._group is not None:
            self._consumer.subscribe(self._names, listener=_Rebalances(self))
            return
        self._consumer.assign(partitions)
        unknown = []
        for tp in partitions:
            position = self._positions.get(self._place(*tp))
            if position is None:
                unknown.append(tp)
            else:
                self._consumer.seek(tp, position)
        await self._begin(unknown)

    async def _begin(self, partitions: Collection[TopicPartition]) -> None:
        if partitions:  # none would mean all
            seek = self._consumer.seek_to_beginning if self._start == "earliest" else self._consumer.seek_to_end
            await seek(*partitions)

    async def _partitions(self) -> list[TopicPartition]:
        """Return all partitions of the topics, asking in a way that makes no topic."""
        client = self._consumer._client
        request = MetadataRequest(self._names, allow_auto_topic_creation=False)
        answer = await client.send(client.get_random_node(), request)
        found = []
        for topic in answer.to_object()["topics"]:
            name = topic["topic"]
            if topic["error_code"] == _TOPIC_REFUSED:
                raise self._lacks(f"Read on topic {name}")
            if topic["error_code"] == _UNKNOWN_TOPIC:
                raise TopicMissing(name, await self._consumer.topics())
            found += [TopicPartition(name, partition["partition"]) for partition in topic["partitions"]]
        return sorted(found)

    async def _fetch(self) -> None:
        try:
            batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MOST_RECORDS)
        except NoOffsetForPartitionError as error:
            await self._begin([error.args[0]])  # the group is new there
            return
        for tp, records in batches.items():
            place = self._place(*tp)
            self._waiting += (
                event_of(place, record.offset, key=record.key, value=record.value, headers=record.headers)
                for record in records
            )

    async def _commit_if_due(self) -> None:
        if self._commit_is_due():
            await self._try_commit()

    async def _commit(self) -> None:
        if not (offsets := self._to_commit()):
            return
        try:
            await self._consumer.commit({self._partition(place): offset for place, offset in offsets.items()})
        except BaseException:
            self._progress.put_back(offsets)
            raise

    async def _try_commit(self) -> None:
        """Commit unasked: what cannot be committed now is tried again, or comes again."""
        try:
            await self._commit()
        except GroupAuthorizationFailedError:
            raise
        except KafkaError as error:
            _LOG.warning("not-committed group=%s error=%r", self._group, error)

    async def _stop(self) -> None:
        """Stop within a bounded time: with Kafka away aiokafka takes its own."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_S):
                await stop_consumer(self._consumer)

    async def _revoked(self, partitions: Collection[TopicPartition]) -> None:
        """Somebody else may go on with them: from what is done here, not from what was committed last."""
        await self._try_commit()
        self._lose({self._place(*tp) for tp in partitions})

    def _partition(self, place: Place) -> TopicPartition:
        return TopicPartition(self._prefix + place.topic, place.partition)

    async def _named(self, error: KafkaError) -> EnvironmentFault:
        """Return what to tell a person about ``error``."""
        match error:
            case OffsetOutOfRangeError():
                [(tp, wanted)] = error.args[0].items()
                first = (await self._consumer.beginning_offsets([tp]))[tp]
                end = (await self._consumer.end_offsets([tp]))[tp]
                return RecordsGone(self._place(*tp), wanted, first, end)
            case KafkaConnectionError():
                return await unreached(self._kafka.client(), error)
        return missing_right(error, user=self._kafka.sasl_username) or EnvironmentFault(
            f"Kafka: {error!r}", action="check that the cluster is up and reachable"
        )


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    # aiokafka takes coroutines, too, and awaits them before it leaves the partitions.
    async def on_partitions_revoked(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, revoked: Collection[TopicPartition]
    ) -> None:
        await self._reader._revoked(revoked)

    def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        pass
