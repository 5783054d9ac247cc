"""Where the lines of a shard stood: read from the end of its raw partition when a connector starts."""

from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.clock import Clock
from connectors.kafka_retry import until_kafka_answers
from connectors.recorder import LastFrame
from schemas.kafka import KafkaSettings

TAIL_RECORDS: Final = 20_000
"""How far back to look. A live line ticks each second, so at 10,000 frames/s this holds two ticks of every line."""


async def last_frames(kafka: KafkaSettings, *, topic: str, partition: int, clock: Clock) -> dict[str, LastFrame]:
    """Return per line its last connection in the partition's last records; retry until Kafka answers.

    A line that was silent for longer than the tail is not in it: its next gap then has no known beginning.
    """
    tp = TopicPartition(topic, partition)
    return await until_kafka_answers(lambda: _read_tail(kafka, tp), kafka=kafka, topic=topic, clock=clock)


async def _read_tail(kafka: KafkaSettings, partition: TopicPartition) -> dict[str, LastFrame]:
    consumer = AIOKafkaConsumer(**kafka.client(), request_timeout_ms=kafka.request_timeout_ms, enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        begin = (await consumer.beginning_offsets([partition]))[partition]
        position = max(begin, end - TAIL_RECORDS)
        consumer.seek(partition, position)
        last: dict[str, LastFrame] = {}
        while position < end:
            for record in (await consumer.getmany(partition, timeout_ms=1000)).get(partition, ()):
                headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
                _note(last, headers)
            position = await consumer.position(partition)  # beyond the last record: the end may be a marker
        return last
    finally:
        await consumer.stop()


def _note(last: dict[str, LastFrame], headers: dict[str, str]) -> None:
    line, connection, frame = (headers.get(name, "") for name in ("tc-line", "tc-connection", "tc-frame"))
    if line and connection and frame.isdecimal():
        known = last.get(line)
        # Raw topics are at least once: a repeat must not set the line back.
        number = max(known.frame, int(frame)) if known and known.connection == connection else int(frame)
        last[line] = LastFrame(connection=connection, frame=number)
