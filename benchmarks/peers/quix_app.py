"""Peer "Quix Streams": the job as a stateful function of a StreamingDataFrame.

State is Quix's own: RocksDB, with a changelog topic. The option ``guarantee`` is Quix's ``processing_guarantee``.
"""

import tempfile
from importlib import metadata

from quixstreams import Application, State, message_context
from quixstreams.models import SerializationContext, Serializer

from benchmarks.job import OUT, RAW, Output, transform
from benchmarks.peer import Assignment, Stopwatch

CONSUMER = {"max.partition.fetch.bytes": 4 * 1024 * 1024, "queued.min.messages": 10_000}
PRODUCER = {
    "linger.ms": 5,
    "batch.size": 1024 * 1024,
    "batch.num.messages": 10_000,
    "queue.buffering.max.messages": 1_000_000,
}


class Body(Serializer):
    """The body of an output, which travels with its key and headers."""

    def __call__(self, value: Output, ctx: SerializationContext) -> bytes:
        return value[1]


def main() -> None:
    assignment = Assignment.taken()
    guarantee = assignment.options["guarantee"]
    stopwatch, taken = Stopwatch(assignment.warm_up), 0

    def normalize(value: bytes, _key: bytes, _timestamp: int, headers: list, state: State) -> list[Output]:
        nonlocal taken
        stopwatch.reach(taken)
        taken += 1
        at = message_context()
        return transform(at.topic, at.partition, at.offset, value, headers, state.get_bytes, state.set_bytes)

    with tempfile.TemporaryDirectory() as state_dir:
        app = Application(
            broker_address=assignment.bootstrap,
            consumer_group=f"{assignment.prefix}bench",
            processing_guarantee=guarantee,
            auto_offset_reset="earliest",
            state_dir=state_dir,
            consumer_extra_config=dict(CONSUMER),
            producer_extra_config=dict(PRODUCER),
            loglevel="WARNING",
        )
        raw = app.topic(assignment.prefix + RAW, key_deserializer="bytes", value_deserializer="bytes")
        out = app.topic(assignment.prefix + OUT, key_serializer="bytes", value_serializer=Body())
        frame = app.dataframe(raw)
        outputs = frame.apply(normalize, stateful=True, expand=True, metadata=True)
        outputs = outputs.set_headers(lambda output, _key, _timestamp, _headers: output[2])
        outputs.to_topic(out, key=lambda output: output[0])
        app.run(count=assignment.outputs, collect=False)
        stopwatch.end()
    versions = {name: metadata.version(name) for name in ("quixstreams", "confluent-kafka")}
    settings = {"processing_guarantee": guarantee, "commit_interval": "as shipped", **CONSUMER, **PRODUCER}
    stopwatch.report(taken, {**versions, **settings})


if __name__ == "__main__":
    main()
