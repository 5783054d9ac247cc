"""Snapshots give way to frames: in memory and, all the more, on disk."""

import asyncio

from connectors.backlog import Backlog
from connectors.sink import FrameSink
from connectors.snapshots import SnapshotRecorder
from tests.connectors.test_recording_under_pressure import Kafka
from tests.connectors.vendor import eventually


def recorder(sink, line="kambi-0-snapshots"):
    return SnapshotRecorder(feed="kambi", line=line, sink=sink)


def record(snapshots, body=b"{}"):
    return snapshots.record(body, position="event/live/open.json", requested_ns=1, received_ns=2, status=200)


async def test_half_of_the_queue_is_left_to_frames_and_what_is_skipped_takes_no_number():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1000)
    snapshots = recorder(sink)
    assert [record(snapshots, b"x" * 300) for _ in range(4)] == [True, True, False, False]
    assert sink.has_room
    running = asyncio.create_task(sink.run())
    await eventually(lambda: sink.is_relieved)
    assert record(snapshots)
    sink.close()
    await running
    assert [r.headers.frame for r in kafka.written] == [1, 2, 3]
    assert (snapshots.recorded, snapshots.skipped) == (3, 2)


async def test_while_frames_wait_on_disk_no_snapshot_goes_behind_them(tmp_path):
    kafka = Kafka()
    kafka.open.clear()
    sink = FrameSink(
        kafka, max_bytes=1_000_000, backlog=Backlog(tmp_path / "raw-0.sqlite", max_bytes=10**9), patience_s=0.0
    )
    await sink.open()
    snapshots = recorder(sink)
    running = asyncio.create_task(sink.run())
    assert record(snapshots)
    await eventually(lambda: sink.waiting > sink.unkept)
    assert sink.is_relieved
    assert not record(snapshots)
    kafka.open.set()
    await eventually(lambda: snapshots.has_room)
    assert record(snapshots)
    sink.close()
    await running
    assert [r.headers.frame for r in kafka.written] == [1, 2]


async def test_each_recorder_is_a_connection_of_its_own():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1000)
    first, second = recorder(sink), recorder(sink, "kambi-0-snapshots.b")
    for snapshots in (first, second, first):
        record(snapshots)
    sink.close()
    await sink.run()
    assert [(r.headers.line, r.headers.frame) for r in kafka.written] == [
        ("kambi-0-snapshots", 1),
        ("kambi-0-snapshots.b", 1),
        ("kambi-0-snapshots", 2),
    ]
    assert kafka.written[0].headers.connection == kafka.written[2].headers.connection
    assert kafka.written[0].headers.connection != kafka.written[1].headers.connection


async def test_what_its_reader_has_to_know_stands_before_the_first_that_found_room():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1000)
    snapshots = SnapshotRecorder(feed="kambi", line="kambi-0-snapshots", sink=sink, tick=b'{"shards":2}')
    assert [record(snapshots, b"x" * 300) for _ in range(3)] == [True, True, False]
    sink.close()
    await sink.run()
    assert [(r.headers.kind, r.headers.frame) for r in kafka.written] == [("tick", 0), ("snapshot", 1), ("snapshot", 2)]
    assert kafka.written[0].value == b'{"shards":2}'
    assert kafka.written[0].headers.connection == kafka.written[1].headers.connection
