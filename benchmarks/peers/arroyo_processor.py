"""Peer "arroyo": the strategies run, unfold, produce and commit; at least once. State is a dict: arroyo has none."""

from collections.abc import Callable, Mapping
from importlib import metadata

from arroyo.backends.kafka import (
    KafkaConsumer,
    KafkaPayload,
    KafkaProducer,
    build_kafka_consumer_configuration,
    build_kafka_producer_configuration,
)
from arroyo.commit import ONCE_PER_SECOND
from arroyo.processing.processor import StreamProcessor
from arroyo.processing.strategies import CommitOffsets, ProcessingStrategyFactory, Produce, RunTask, Unfold
from arroyo.types import BrokerValue, Commit, Message, Partition, Topic, Value

from benchmarks.job import OUT, RAW, Output, transform
from benchmarks.peer import Assignment, Stopwatch

CONSUMER = {"max.partition.fetch.bytes": 4 * 1024 * 1024}
PRODUCER = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 5,
    "batch.size": 1024 * 1024,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 1_000_000,
}


class CountingCommit(CommitOffsets):
    """Commits, and at once where ``frames`` frames have all their outputs in Kafka; then it calls ``finished``."""

    def __init__(self, commit: Commit, frames: int, finished: Callable[[], None]) -> None:
        super().__init__(commit)
        self._commit = commit
        self._left = frames
        self._finished = finished

    def submit(self, message: Message[KafkaPayload]) -> None:
        super().submit(message)
        self._left -= bool(message.committable)  # only the last output of a frame has any
        if not self._left:
            self._commit({}, force=True)
            self._finished()


class Job(ProcessingStrategyFactory[KafkaPayload]):
    """The strategies of one run."""

    def __init__(self, producer: KafkaProducer, assignment: Assignment, finished: Callable[[], None]) -> None:
        self.stopwatch = Stopwatch(assignment.warm_up)
        self.taken = 0
        self._producer = producer
        self._out = Topic(assignment.prefix + OUT)
        self._frames = assignment.frames
        self._finished = finished
        self._state: dict[bytes, bytes] = {}

    def create_with_partitions(self, commit: Commit, partitions: Mapping[Partition, int]):
        last = CountingCommit(commit, self._frames, self._finished)
        return RunTask(self._normalize, Unfold(payloads, Produce(self._producer, self._out, last)))

    def _normalize(self, message: Message[KafkaPayload]) -> list[Output]:
        self.stopwatch.reach(self.taken)
        self.taken += 1
        frame = message.value
        assert isinstance(frame, BrokerValue)
        return transform(
            frame.partition.topic.name,
            frame.partition.index,
            frame.offset,
            frame.payload.value,
            frame.payload.headers,
            self._state.get,
            self._state.__setitem__,
        )


def payloads(outputs: list[Output]) -> list[Value[KafkaPayload]]:
    return [Value(KafkaPayload(*output), {}) for output in outputs]


def main() -> None:
    assignment = Assignment.taken()
    servers = [assignment.bootstrap]
    consuming = build_kafka_consumer_configuration(
        CONSUMER, f"{assignment.prefix}bench", auto_offset_reset="earliest", bootstrap_servers=servers
    )
    producer = KafkaProducer(build_kafka_producer_configuration(PRODUCER, bootstrap_servers=servers))

    def finished() -> None:
        job.stopwatch.end()
        processor.signal_shutdown()

    job = Job(producer, assignment, finished)
    processor = StreamProcessor(KafkaConsumer(consuming), Topic(assignment.prefix + RAW), job, ONCE_PER_SECOND)
    processor.run()
    producer.close()
    versions = {name: metadata.version(name) for name in ("sentry-arroyo", "confluent-kafka")}
    job.stopwatch.report(job.taken, {**versions, "commit policy": "once a second", **CONSUMER, **PRODUCER})


if __name__ == "__main__":
    main()
