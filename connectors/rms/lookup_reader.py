"""Reads what the join asks for, and what was answered, by this connector or another of the customer."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from connectors import groupless
from connectors.clock import Clock
from connectors.kafka_retry import pause_if_refused, until_kafka_answers
from connectors.rms import names
from connectors.rms.bet_detail import bet_at, meaning
from connectors.rms.lookup_queue import BadLookUp, LookUpQueue, OtherRecord, Wanted, read_look_up
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS

log = logging.getLogger(__name__)

LOOKUPS_TOPIC: Final = TOPICS["rms.lookups"].name

_NS_A_MS: Final = 1_000_000


class LookUpReader:
    """Feeds the queue from ``rms.lookups`` and from the customer's partition of ``rms.raw``, without a group.

    It begins with what somebody may still wait for, and with the answers of that time: so a process that starts again
    goes on where the last one ended, and none asks for what another has answered.

    Args:
        kafka: How to reach Kafka.
        prefix: Prefix of topic names.
        customer: Whose look-ups.
        back_s: How long ago the oldest may have been asked for that is not too late, seconds.
        queue: Told what is asked for and what was answered.
        clock: Tells the time, and waits between attempts.
    """

    def __init__(
        self, kafka: KafkaSettings, *, prefix: str, customer: str, back_s: float, queue: LookUpQueue, clock: Clock
    ) -> None:
        self._kafka = kafka
        self._topic = prefix + LOOKUPS_TOPIC
        self._customer = customer
        self._line = names.lookups_line(customer)
        self._back_ms = round(back_s * 1000)
        self._queue = queue
        self._clock = clock
        asked = [TopicPartition(self._topic, number) for number in range(TOPICS["rms.lookups"].partitions)]
        answers = TopicPartition(prefix + names.RAW_TOPIC, names.partition_of(customer))
        self._partitions = [*asked, answers]
        self._next: dict[TopicPartition, int] = {}
        self.caught_up = asyncio.Event()
        """Set when everything was read that was there at the start: what waits then is not answered."""
        self.news = asyncio.Event()
        """Set whenever there may be something to ask for."""
        self.passed: Counter[str] = Counter()
        """Records that nothing is asked for because of: ``bad``, ``other-type``, ``other-customer``, ``too-late``,
        ``answered``, ``merged`` (with one that waits), ``too-many``."""

    async def run(self) -> None:
        """Read until cancelled, through outages of Kafka."""
        while True:
            consumer = await until_kafka_answers(
                self._connected, kafka=self._kafka, topic=self._topic, clock=self._clock
            )
            try:
                await self._read_on(consumer)
            except (KafkaError, OSError) as error:
                log.warning("rms.lookups_interrupted topic=%s error=%r", self._topic, error)
                await pause_if_refused(error, kafka=self._kafka, topic=self._topic, clock=self._clock)
            finally:
                await groupless.stop(consumer)

    async def _connected(self) -> AIOKafkaConsumer:
        # What fell out of a topic meanwhile is too old to matter.
        consumer = groupless.consumer(self._kafka, missing="earliest")
        try:
            await consumer.start()
            consumer.assign(self._partitions)
            for topic in {tp.topic for tp in self._partitions}:
                if not await groupless.is_there(consumer, topic):
                    raise UnknownTopicOrPartitionError(topic)  # waited for without a word otherwise
            if not self._next:
                self._next = await self._begin(consumer)
            for tp, offset in self._next.items():
                consumer.seek(tp, offset)
        except BaseException:
            await groupless.stop(consumer)
            raise
        log.info("rms.lookups_read topic=%s", self._topic)
        return consumer

    async def _begin(self, consumer: AIOKafkaConsumer) -> dict[TopicPartition, int]:
        since_ms = max(0, self._clock.now_ns() // _NS_A_MS - self._back_ms)
        async with asyncio.timeout(groupless.METADATA_S):
            ends = await consumer.end_offsets(self._partitions)
            found = await consumer.offsets_for_times(dict.fromkeys(self._partitions, since_ms))
        return {tp: at.offset if (at := found.get(tp)) is not None else ends[tp] for tp in self._partitions}

    async def _read_on(self, consumer: AIOKafkaConsumer) -> None:
        async with asyncio.timeout(groupless.METADATA_S):
            ends = await consumer.end_offsets(self._partitions)
        while True:
            for tp, records in (await consumer.getmany(timeout_ms=groupless.POLL_MS)).items():
                if records:
                    self._take(tp, records)
                    self._next[tp] = records[-1].offset + 1
            if not self.caught_up.is_set():
                # The position goes beyond the last record: the end may be a transaction's marker.
                behind = [tp for tp in self._partitions if await consumer.position(tp) < ends[tp]]
                if not behind:
                    self.caught_up.set()
            self.news.set()

    def _take(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            if tp.topic == self._topic:
                self._asked(record)
            else:
                self._answered(record)

    def _asked(self, record: ConsumerRecord) -> None:
        match read_look_up(record.value, record.headers):
            case BadLookUp(detail):
                self._pass("bad", record, detail)
            case OtherRecord(kind):
                self._pass("other-type", record, kind)
            case Wanted(customer=customer) if customer != self._customer:
                self.passed["other-customer"] += 1
            case wanted:
                taken = self._queue.ask(wanted, self._clock.now_ns())
                if taken == "too-many":
                    self._pass(taken, record, "")
                elif taken != "taken":
                    self.passed[taken] += 1

    def _answered(self, record: ConsumerRecord) -> None:
        headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
        line, requested, status = (headers.get(name, "") for name in ("tc-line", "tc-requested-ns", "tc-status"))
        if headers.get("tc-kind") != "snapshot" or line.partition("@")[0] != self._line:
            return
        if not (requested.isdecimal() and status.isdecimal()) or meaning(int(status), record.value or b"") != "answer":
            return
        bet = bet_at(headers.get("tc-position", ""))
        if bet is not None:
            self._queue.recorded(bet, int(requested))

    def _pass(self, reason: str, record: ConsumerRecord, detail: str) -> None:
        self.passed[reason] += 1
        log.warning(
            "rms.lookup_passed reason=%s at=%s/%d/%d detail=%.200s",
            reason,
            record.topic,
            record.partition,
            record.offset,
            detail,
        )
