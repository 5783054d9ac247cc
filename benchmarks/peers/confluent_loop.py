"""Peer "confluent-kafka": a bare consume-transform-produce loop, librdkafka doing the work in C.

State is a dict. With the option ``transactional`` a batch's outputs and positions are one transaction; without it they
are flushed and then committed. With ``changelog`` each key that a batch changed is also written to the changelog topic,
as the engine does.
"""

from importlib import metadata

from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.job import CHANGELOG, OUT, RAW, transform
from benchmarks.peer import Assignment, Stopwatch

BATCH_FRAMES = 3_000
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
}
TRANSACTIONS = {"transaction.timeout.ms": 10_000}


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
    transactional = bool(assignment.options.get("transactional"))
    with_changelog = bool(assignment.options.get("changelog"))
    raw, out, changelog = (assignment.prefix + name for name in (RAW, OUT, CHANGELOG))
    address = {"bootstrap.servers": assignment.bootstrap}
    consumer = Consumer({**address, "group.id": f"{assignment.prefix}bench", **CONSUMER})
    producing = {**PRODUCER, **(TRANSACTIONS if transactional else {})}
    identity = {"transactional.id": f"{assignment.prefix}bench"} if transactional else {}
    producer = Producer({**address, **identity, **producing})
    if transactional:
        producer.init_transactions()
    consumer.subscribe([raw])
    stopwatch, state, done = Stopwatch(assignment.warm_up), ChangedState(), 0
    put = state.put if with_changelog else state.__setitem__
    while done < assignment.frames:
        # A short wait for a full batch: what is there goes on at once, as in the engine.
        messages = consumer.consume(stopwatch.room(done, BATCH_FRAMES), 0.05)
        if not messages:
            continue
        stopwatch.reach(done)
        if transactional:
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
        offsets = [TopicPartition(raw, partition, offset) for partition, offset in positions.items()]
        if transactional:
            producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata())
            producer.commit_transaction()
        else:
            producer.flush()
            consumer.commit(offsets=offsets, asynchronous=False)
        done += len(messages)
        stopwatch.end()
    versions = {"confluent-kafka": metadata.version("confluent-kafka")}
    stopwatch.report(done, {**versions, "frames a batch, at most": BATCH_FRAMES, **CONSUMER, **producing})
    consumer.close()


if __name__ == "__main__":
    main()
