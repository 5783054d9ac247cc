"""What processors ask of the connector, by ``fastpath.commands``: repair a line of this process."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError

from connectors import groupless
from connectors.clock import Clock
from connectors.fastpath import names
from connectors.fastpath.following import Following
from connectors.kafka_retry import pause_if_refused, until_kafka_answers
from connectors.runner import unless_stopped
from schemas.fastpath import connections
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS

log = logging.getLogger(__name__)

COMMANDS_TOPIC: Final = TOPICS["fastpath.commands"].name
REPAIR: Final = connections.Repair.ce_type

_NS_A_MS: Final = 1_000_000
_NS_A_S: Final = 1_000_000_000


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """Reconnect a line with a lower position, as far as the connector needs to know it."""

    feed: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    line: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    position: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


@dataclass(frozen=True, slots=True)
class BadCommand:
    """A record that is no command; ``detail`` says why."""

    detail: str


@dataclass(frozen=True, slots=True)
class OtherCommand:
    """A command of another type: of a version to come, not for us."""

    type: str


_REPAIRS = msgspec.json.Decoder(Repair)


def read_command(
    value: bytes | None, headers: Sequence[tuple[str, bytes | None]]
) -> Repair | OtherCommand | BadCommand:
    """Return what a record of the topic asks for."""
    kind = next((text or b"" for name, text in headers if name == "ce_type"), REPAIR.encode())
    if kind != REPAIR.encode():
        return OtherCommand(kind.decode("utf-8", "replace"))
    try:
        command = _REPAIRS.decode(value or b"")
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return BadCommand(str(error))
    if names.path_of(command.line) != command.feed:
        return BadCommand(f"line {command.line!r:.100} is none of feed {command.feed!r:.100}")
    return command


@dataclass(slots=True)
class CommandCounts:
    """What became of the commands, as plain numbers."""

    repairs: int = 0
    """Those that a line is reconnected for."""
    passed: Counter[str] = field(default_factory=Counter)
    """By reason: ``bad``, ``other-type``, ``not-ours``, ``too-old``, ``covered`` (by a repair that was asked for
    later), ``declined`` (no budget, or the feed takes no position)."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A repair that a line took on: with which position, and when, UTC nanoseconds."""

    position: int
    at_ns: int


class Commands:
    """Carries out the commands that concern lines of this process.

    Args:
        following: The feeds of this process.
        replica: Name of this hot standby; empty for the first connector.
        timeout_s: How old a command may be: its processor has given it up after that, seconds.
        clock: Tells the age of commands.
    """

    def __init__(self, following: Following, *, replica: str, timeout_s: float, clock: Clock) -> None:
        self._following = following
        self._replica = replica
        self._timeout_s = timeout_s
        self._clock = clock
        self._asked: dict[str, _Asked] = {}
        self.counts = CommandCounts()

    def carry_out(self, records: Sequence[ConsumerRecord]) -> None:
        """Carry out what ``records`` ask for; of several for one line the lowest position serves all."""
        now_ns = self._clock.now_ns()
        lowest: dict[str, Repair] = {}
        for command in filter(None, [self._checked(record, now_ns) for record in records]):
            other = lowest.get(command.line)
            if other is None or command.position < other.position:
                lowest[command.line] = command
        for line, command in lowest.items():
            if self._following.repair(line, command.position):
                self._asked[line] = _Asked(command.position, now_ns)
                self.counts.repairs += 1
                log.info("fastpath.repair line=%s position=%d", line, command.position)
            else:
                self._pass("declined", line)
        oldest_ns = now_ns - round(self._timeout_s * _NS_A_S)
        self._asked = {line: asked for line, asked in self._asked.items() if asked.at_ns >= oldest_ns}

    def _checked(self, record: ConsumerRecord, now_ns: int) -> Repair | None:
        command = read_command(record.value, record.headers)
        match command:
            case BadCommand(detail):
                self._pass("bad", f"{record.topic}/{record.partition}/{record.offset}", detail)
            case OtherCommand(kind):
                self._pass("other-type", f"{record.topic}/{record.partition}/{record.offset}", kind)
            case Repair(feed=feed, line=line) if line != names.line_of(feed, self._replica) or not self._follows(feed):
                self.counts.passed["not-ours"] += 1
            case Repair() if now_ns - record.timestamp * _NS_A_MS > self._timeout_s * _NS_A_S:
                self._pass("too-old", command.line)
            case Repair() if self._is_covered(command, record.timestamp * _NS_A_MS):
                self._pass("covered", command.line)
            case Repair():
                return command
        return None

    def _follows(self, feed: str) -> bool:
        return feed in self._following.feeds

    def _is_covered(self, command: Repair, at_ns: int) -> bool:
        # A gap that was found before the last repair was begun lies in what that one reads again.
        last = self._asked.get(command.line)
        return last is not None and last.position <= command.position and at_ns <= last.at_ns

    def _pass(self, reason: str, what: str, detail: str = "") -> None:
        self.counts.passed[reason] += 1
        log.warning("fastpath.command_passed reason=%s about=%s detail=%.300s", reason, what, detail)


class CommandReader:
    """Reads the topic from its end on, through outages of Kafka, without a group: every connector reads all of it.

    Args:
        kafka: How to reach Kafka.
        topic: Physical topic name.
        commands: What carries them out.
        stop: Set when the process is to end.
        clock: What waits between attempts.
    """

    def __init__(
        self, kafka: KafkaSettings, *, topic: str, commands: Commands, stop: asyncio.Event, clock: Clock
    ) -> None:
        self._kafka = kafka
        self._topic = topic
        self._commands = commands
        self._stop = stop
        self._clock = clock
        self._next: dict[TopicPartition, int] = {}
        self.ready = asyncio.Event()
        """Set when the end of the topic is known: every command after that is read."""

    async def run(self) -> None:
        """Read until stopped."""
        await unless_stopped(self._stop, self._read())

    async def _read(self) -> None:
        while True:
            consumer = await until_kafka_answers(
                self._connected, kafka=self._kafka, topic=self._topic, clock=self._clock
            )
            try:
                await self._read_on(consumer)
            except (KafkaError, OSError) as error:
                log.warning("fastpath.commands_interrupted topic=%s error=%r", self._topic, error)
                await pause_if_refused(error, kafka=self._kafka, topic=self._topic, clock=self._clock)
            finally:
                await groupless.stop(consumer)

    async def _connected(self) -> AIOKafkaConsumer:
        # What fell out of the topic meanwhile is too old to be carried out.
        consumer = groupless.consumer(self._kafka, missing="latest")
        try:
            await consumer.start()
            partitions = [TopicPartition(self._topic, number) for number in range(TOPICS[COMMANDS_TOPIC].partitions)]
            consumer.assign(partitions)
            if not self._next:
                if not await groupless.is_there(consumer, self._topic):
                    raise UnknownTopicOrPartitionError(self._topic)  # waited for without a word otherwise
                async with asyncio.timeout(groupless.METADATA_S):  # as is a partition without a leader
                    self._next = await consumer.end_offsets(partitions)
                self.ready.set()
            for tp, offset in self._next.items():
                consumer.seek(tp, offset)
        except BaseException:
            await groupless.stop(consumer)
            raise
        log.info("fastpath.commands_read topic=%s", self._topic)
        return consumer

    async def _read_on(self, consumer: AIOKafkaConsumer) -> None:
        while True:
            for tp, records in (await consumer.getmany(timeout_ms=groupless.POLL_MS)).items():
                if records:
                    self._next[tp] = records[-1].offset + 1
                    self._commands.carry_out(records)
