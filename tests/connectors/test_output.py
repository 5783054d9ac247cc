"""Where lines stood when a process ends with something on disk, and Kafka is late to tell the rest."""

import asyncio
import json

import pytest

from connectors.backlog import Backlog
from connectors.clock import SystemClock
from connectors.output import raw_output
from connectors.producer import RawWriter
from connectors.record import LastFrame, RawRecord
from connectors.recorder import LineRecorder
from schemas.kafka import KafkaSettings
from schemas.raw import RawHeaders
from tests.connectors import raw_topic

pytestmark = pytest.mark.kafka

SPOOLED, IN_KAFKA, NEW = "spooled", "in-kafka", "new"
PARTITION = {SPOOLED: 0, IN_KAFKA: 1, NEW: 1}


def record(line, connection, frame):
    headers = RawHeaders(feed="fastpath", line=line, connection=connection, frame=frame, received_ns=1, kind="frame")
    return RawRecord(headers, b"x")


async def test_a_line_of_which_nothing_is_on_disk_waits_until_kafka_tells_and_the_others_do_not(
    kafka, topic_prefix, tmp_path
):
    topic, clock = raw_topic.create(kafka, topic_prefix, partitions=2), SystemClock()
    settings = KafkaSettings(bootstrap_servers=kafka)
    before = RawWriter(settings, topic=topic, partition=1, key=b"0", clock=clock)
    await before.write([record(IN_KAFKA, "k", 1), record(IN_KAFKA, "k", 2)])
    await before.close()
    left = Backlog(tmp_path / "0.sqlite", max_bytes=10**9)
    await left.append([record(SPOOLED, "s", 7)], {})
    await left.close()

    async with raw_output(
        settings,
        topic=topic,
        partitions=(0, 1),
        key=lambda _: b"0",
        max_bytes=10**6,
        backlog=lambda number: Backlog(tmp_path / f"{number}.sqlite", max_bytes=10**9),
        clock=clock,
    ) as output:
        assert await output.recall(patience_s=0.0) == {}, "Kafka has no time to tell anything"
        assert output.stood == {SPOOLED: LastFrame(connection="s", frame=7)}
        lines = {
            name: LineRecorder(
                feed="fastpath",
                line=name,
                sink=output.sinks[partition],
                clock=clock,
                push_back_s=0.0,
                previous=output.stood.get(name),
            )
            for name, partition in PARTITION.items()
        }
        flushes = [asyncio.create_task(sink.run()) for sink in output.sinks.values()]
        for line in lines.values():
            await line.ready()
            line.opened({})
        for sink in output.sinks.values():
            sink.close()
        await asyncio.gather(*flushes)

    read = [await asyncio.to_thread(raw_topic.read, kafka, topic, partition=partition) for partition in (0, 1)]
    told = {r.line: json.loads(r.value) for records in read for r in records if r.kind == "opened"}
    assert told == {
        SPOOLED: {"previous_connection": "s", "previous_frame": 7},
        IN_KAFKA: {"previous_connection": "k", "previous_frame": 2},
        NEW: {"previous_connection": None, "previous_frame": None},
    }
