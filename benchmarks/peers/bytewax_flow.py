"""Peer "bytewax": the job as a stateful step of a dataflow; at least once.

State is bytewax's own, with recovery on: at the end of each epoch it and the positions go into SQLite. Its key is the
frames' key, so that a frame's events are in the same state.
"""

import tempfile
from datetime import timedelta
from importlib import metadata
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.job import OUT, RAW, transform
from benchmarks.peer import Assignment, Stopwatch

CONSUMER = {"max.partition.fetch.bytes": str(4 * 1024 * 1024), "queued.min.messages": "10000"}
PRODUCER = {
    "acks": "all",
    "enable.idempotence": "true",
    "linger.ms": "5",
    "batch.size": str(1024 * 1024),
    "batch.num.messages": "10000",
    "queue.buffering.max.messages": "1000000",
}
BATCH_FRAMES = 3_000
EPOCH_S = 1.0
State = dict[bytes, bytes]


def main() -> None:
    assignment = Assignment.taken()
    brokers = [assignment.bootstrap]
    stopwatch, taken = Stopwatch(assignment.warm_up), 0

    def normalize(state: State | None, frame: KafkaSourceMessage) -> tuple[State, list[KafkaSinkMessage]]:
        nonlocal taken
        stopwatch.reach(taken)
        taken += 1
        state = {} if state is None else state
        outputs = transform(
            frame.topic, frame.partition, frame.offset, frame.value, frame.headers, state.get, state.__setitem__
        )
        return state, [KafkaSinkMessage(key, value, headers=headers) for key, value, headers in outputs]

    flow = Dataflow("bench")
    source = KafkaSource(brokers, [assignment.prefix + RAW], tail=False, add_config=CONSUMER, batch_size=BATCH_FRAMES)
    frames = op.key_on("shard", op.input("frames", flow, source), lambda frame: frame.key.decode())
    outputs = op.key_rm("outputs", op.stateful_flat_map("normalize", frames, normalize))
    op.output("out", outputs, KafkaSink(brokers, assignment.prefix + OUT, PRODUCER))
    with tempfile.TemporaryDirectory() as folder:
        init_db_dir(Path(folder), 1)
        cli_main(flow, epoch_interval=timedelta(seconds=EPOCH_S), recovery_config=RecoveryConfig(folder))
        stopwatch.end()
    versions = {name: metadata.version(name) for name in ("bytewax", "confluent-kafka")}
    settings = {"epoch, s": EPOCH_S, "frames a batch, at most": BATCH_FRAMES, **CONSUMER, **PRODUCER}
    stopwatch.report(taken, {**versions, **settings})


if __name__ == "__main__":
    main()
