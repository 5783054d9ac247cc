"""Peer "confluent-kafka": a bare consume-transform-produce loop in transactions, librdkafka doing the work in C.

State is a dict. With the option ``changelog`` each key that a batch changed is also written to the changelog topic,
as the engine does; without it the peer would lose its state on a restart.
"""

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.job import CHANGELOG, OUT, RAW, transform
from benchmarks.peer import Assignment, Stopwatch

BATCH_FRAMES = 1_000
"""Frames of one transaction; the engine's cycles have the same limit."""
CONSUMER = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "max.partition.fetch.bytes": 4 * 1024 * 1024,
    "queued.min.messages": 10_000,
}
PRODUCER = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 5,
    "batch.size": 1024 * 1024,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 1_000_000,
    "transaction.timeout.ms": 10_000,
}


class ChangedState(dict[bytes, bytes]):
    """A dict that knows what changed since it was last asked."""

    def __init__(self) -> None:
        super().__init__()
        self.changed: dict[bytes, tuple[int, bytes]] = {}
        self.partition = 0

    def put(self, key: bytes, value: bytes) -> None:
        self[key] = value
        self.changed[key] = (self.partition, value)


def main() -> None:
    assignment = Assignment.taken()
    overrides = dict(assignment.options)
    with_changelog = bool(overrides.pop("changelog", False))
    batch_frames = int(overrides.pop("batch_frames", BATCH_FRAMES))
    producing = {**PRODUCER, **overrides}
    raw, out, changelog = (assignment.prefix + name for name in (RAW, OUT, CHANGELOG))
    address = {"bootstrap.servers": assignment.bootstrap}
    consumer = Consumer({**address, "group.id": f"{assignment.prefix}bench", **CONSUMER})
    producer = Producer({**address, "transactional.id": f"{assignment.prefix}bench", **producing})
    producer.init_transactions()
    consumer.subscribe([raw])
    stopwatch, state, done = Stopwatch(), ChangedState(), 0
    put = state.put if with_changelog else state.__setitem__
    while done < assignment.frames:
        # A short wait for a full batch: what is there goes on at once, as in the engine.
        messages = consumer.consume(batch_frames, 0.05)
        if not messages:
            continue
        if stopwatch.began is None:
            stopwatch.begin()
        producer.begin_transaction()
        positions: dict[int, int] = {}
        for message in messages:
            if message.error():
                raise SystemExit(str(message.error()))
            partition, offset = message.partition(), message.offset()
            positions[partition] = offset + 1
            state.partition = partition
            for key, value, headers in transform(
                raw, partition, offset, message.value(), message.headers(), state.get, put
            ):
                producer.produce(out, value, key, headers=headers)
            producer.poll(0)
        if with_changelog:
            for key, (partition, value) in state.changed.items():
                producer.produce(changelog, value, key, partition=partition)
            state.changed.clear()
        producer.send_offsets_to_transaction(
            [TopicPartition(raw, partition, offset) for partition, offset in positions.items()],
            consumer.consumer_group_metadata(),
        )
        producer.commit_transaction()
        done += len(messages)
        stopwatch.end()
    stopwatch.report(done, {"frames a transaction, at most": batch_frames, **CONSUMER, **producing})
    consumer.close()


if __name__ == "__main__":
    main()
