"""Peer "aiokafka": a bare consume-transform-produce loop in transactions, one `send` a child; state is a dict."""

from importlib import metadata

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.job import OUT, RAW, transform
from benchmarks.peer import Assignment, Stopwatch

BATCH_FRAMES = 3_000
"""Frames of one transaction; the engine's cycles have the same limit."""
CONSUMER = {
    "isolation_level": "read_committed",
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "max_partition_fetch_bytes": 4 * 1024 * 1024,
}
PRODUCER = {
    "acks": "all",
    "linger_ms": 5,
    "max_batch_size": 1024 * 1024,
    "transaction_timeout_ms": 10_000,
}


async def work(assignment: Assignment) -> None:
    raw, out, name = assignment.prefix + RAW, assignment.prefix + OUT, f"{assignment.prefix}bench"
    stopwatch, state, done = Stopwatch(assignment.warm_up), dict[bytes, bytes](), 0
    consumer = AIOKafkaConsumer(raw, bootstrap_servers=assignment.bootstrap, group_id=name, **CONSUMER)
    producer = AIOKafkaProducer(bootstrap_servers=assignment.bootstrap, transactional_id=name, **PRODUCER)
    async with consumer, producer:
        while done < assignment.frames:
            batches = await consumer.getmany(timeout_ms=50, max_records=stopwatch.room(done, BATCH_FRAMES))
            if not batches:
                continue
            stopwatch.reach(done)
            async with producer.transaction():
                for partition, messages in batches.items():
                    for message in messages:
                        for key, value, headers in transform(
                            raw,
                            partition.partition,
                            message.offset,
                            message.value,
                            message.headers,
                            state.get,
                            state.__setitem__,
                        ):
                            await producer.send(out, value, key, headers=headers)
                positions = {partition: messages[-1].offset + 1 for partition, messages in batches.items()}
                await producer.send_offsets_to_transaction(positions, name)
            done += sum(map(len, batches.values()))
            stopwatch.end()
        versions = {"aiokafka": metadata.version("aiokafka"), "event loop": f"uvloop {metadata.version('uvloop')}"}
        stopwatch.report(done, {**versions, "frames a batch, at most": BATCH_FRAMES, **CONSUMER, **PRODUCER})


if __name__ == "__main__":
    uvloop.run(work(Assignment.taken()))
