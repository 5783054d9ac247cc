"""Recorder and sink when Kafka is slow: push back, then drop, count, and say exactly which frames were lost."""

import asyncio
import json

import pytest

from connectors.record import LastFrame, RawRecord
from connectors.recorder import LineRecorder
from connectors.sink import FrameSink
from schemas.raw import RawHeaders
from tests.connectors.hand_clock import HandClock
from tests.connectors.vendor import eventually

PAYLOAD = b"x" * 1000
HEADERS = RawHeaders(feed="kambi", line="other", connection="c", frame=1, received_ns=1, kind="frame")


class Kafka:
    """A writer in memory whose gate tests open; ``refuse`` says which records no broker would take."""

    def __init__(self, refuse=lambda record: False):
        self.written = []
        self.batches = []
        self.open = asyncio.Event()
        self.open.set()
        self._refuse = refuse

    async def write(self, records):
        await self.open.wait()
        self.batches.append(len(records))
        refused = [record for record in records if self._refuse(record)]
        self.written += [record for record in records if record not in refused]
        return refused

    def told(self):
        """Return (kind, frame, value of control records) as written."""
        return [
            (
                r.headers.kind,
                r.headers.frame,
                json.loads(r.value) if r.headers.kind not in {"frame", "opened"} else None,
            )
            for r in self.written
        ]


def recorder(sink, push_back_s=0.0, previous=None):
    return LineRecorder(
        feed="kambi", line="l", sink=sink, clock=HandClock(), push_back_s=push_back_s, previous=previous
    )


async def finish(sink):
    sink.close()
    await sink.run()


async def test_frames_and_controls_keep_their_order():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1_000_000)
    line = recorder(sink)
    line.opened({"shard": 0})
    line.tick({})
    await line.frame(b"a")
    line.tick({})
    await line.frame(b"b")
    line.closed(1000, "bye")
    await finish(sink)
    assert kafka.told() == [
        ("opened", 0, None),
        ("tick", 0, {}),
        ("frame", 1, None),
        ("tick", 1, {}),
        ("frame", 2, None),
        ("closed", 2, {"code": 1000, "reason": "bye", "frames": 2}),
    ]
    assert [r.value for r in kafka.written if r.headers.kind == "frame"] == [b"a", b"b"]
    assert (sink.counts.received, sink.counts.pushed, dict(sink.counts.dropped)) == (2, 2, {})


async def test_a_line_remembers_where_its_last_connection_ended():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1_000_000)
    line = recorder(sink, previous=LastFrame(connection="before", frame=17))
    for _ in range(2):
        line.opened({})
        await line.frame(b"a")
        line.closed(1006, "")
    await finish(sink)
    first, second = (json.loads(r.value) for r in kafka.written if r.headers.kind == "opened")
    assert first == {"previous_connection": "before", "previous_frame": 17}
    assert second == {"previous_connection": kafka.written[0].headers.connection, "previous_frame": 1}


async def test_a_full_queue_pushes_back_and_loses_nothing():
    kafka = Kafka()
    kafka.open.clear()
    sink = FrameSink(kafka, max_bytes=10_000)
    line = recorder(sink, push_back_s=60.0)
    running = asyncio.create_task(sink.run())
    line.opened({})
    sent = asyncio.create_task(feed(line, 100))
    for _ in range(50):
        await asyncio.sleep(0)
    assert not sent.done()
    assert sink.waiting <= 12
    line.tick({})  # left out: nothing may stand before the frame that waits
    kafka.open.set()
    await sent
    sink.close()
    await running
    assert [r.headers.frame for r in kafka.written] == list(range(101))
    assert sink.counts.pushed == 100
    assert not sink.counts.dropped


async def feed(line, frames):
    for _ in range(frames):
        await line.frame(PAYLOAD)


@pytest.mark.parametrize("told_by", ["frame", "tick", "closed"])
async def test_an_overflow_says_which_frames_were_lost(told_by):
    kafka = Kafka()
    kafka.open.clear()
    sink = FrameSink(kafka, max_bytes=10_000)
    line = recorder(sink)
    line.opened({})
    running = asyncio.create_task(sink.run())
    await feed(line, 25)
    assert (sink.counts.received, sink.counts.dropped["queue-full"]) == (25, 15)
    if told_by != "closed":
        kafka.open.set()
        await eventually(lambda: sink.is_relieved)
    match told_by:
        case "frame":
            await line.frame(PAYLOAD)
        case "tick":
            line.tick({})
        case "closed":
            line.closed(1000, "")
            kafka.open.set()
    sink.close()
    await running
    overflow = [entry for entry in kafka.told() if entry[0] == "overflow"]
    assert overflow == [("overflow", 25, {"lost": 15, "first_frame": 11, "last_frame": 25})]
    frames = [frame for kind, frame, _ in kafka.told() if kind == "frame"]
    assert frames == [*range(1, 11)] + ([26] if told_by == "frame" else [])
    assert sink.counts.pushed + sink.counts.dropped.total() == sink.counts.received


async def test_dropping_goes_on_until_half_of_the_queue_is_free():
    kafka = Kafka()
    kafka.open.clear()
    sink = FrameSink(kafka, max_bytes=10_000)
    line = recorder(sink)
    line.opened({})
    await feed(line, 11)
    assert not sink.has_room
    assert not sink.is_relieved
    await feed(line, 5)
    assert sink.counts.dropped["queue-full"] == 6


async def test_a_cancelled_push_back_counts_its_frame():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1_000)
    line = recorder(sink, push_back_s=60.0)
    line.opened({})
    await line.frame(PAYLOAD)
    waiting = asyncio.create_task(line.frame(PAYLOAD))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    line.closed(1006, "")
    await finish(sink)
    assert ("overflow", 2, {"lost": 1, "first_frame": 2, "last_frame": 2}) in kafka.told()


async def test_a_record_no_broker_takes_is_counted_and_its_neighbours_pass():
    kafka = Kafka(refuse=lambda record: record.value == b"huge")
    sink = FrameSink(kafka, max_bytes=1_000_000)
    line = recorder(sink)
    line.opened({})
    for payload in (b"a", b"huge", b"b"):
        await line.frame(payload)
    await finish(sink)
    assert [r.headers.frame for r in kafka.written] == [0, 1, 3]
    assert (sink.counts.pushed, dict(sink.counts.dropped)) == (2, {"too-large": 1})


async def test_a_large_frame_goes_alone():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=100_000_000)
    line = recorder(sink)
    line.opened({})
    for size in (10, 5_000_000, 10, 10):
        await line.frame(b"x" * size)
    await finish(sink)
    assert kafka.batches == [2, 1, 2]


async def test_between_connections_a_line_ticks_in_the_name_of_its_last_one_with_its_position():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1_000_000)
    line = recorder(sink)
    line.tick_between({"open": False})  # before the first connection there is none to speak for
    line.opened({}, position="7")
    await line.frame(PAYLOAD)
    line.closed(1006, "")
    line.tick_between({"open": False})
    line.refused(503, "unavailable", position="5")
    line.tick_between({"open": False})
    line.opened({})
    line.closed(1000, "")
    await finish(sink)
    first, refusal, second = dict.fromkeys(r.headers.connection for r in kafka.written)
    assert [(r.headers.kind, r.headers.connection, r.headers.frame, r.headers.position) for r in kafka.written] == [
        ("opened", first, 0, "7"),
        ("frame", first, 1, "7"),
        ("closed", first, 1, "7"),
        ("tick", first, 1, "7"),
        ("closed", refusal, 0, "5"),
        ("tick", first, 1, "7"),
        ("opened", second, 0, None),
        ("closed", second, 0, None),
    ]
    assert json.loads(kafka.written[4].value) == {"code": 503, "reason": "unavailable", "frames": 0}
    reopened = json.loads(kafka.written[6].value)
    assert reopened == {"previous_connection": first, "previous_frame": 1}


async def test_a_line_that_a_process_before_this_one_had_ticks_in_the_name_of_its_last_connection():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1_000_000)
    recorder(sink, previous=LastFrame(connection="before", frame=9)).tick_between({"open": False})
    await finish(sink)
    assert [(r.headers.kind, r.headers.connection, r.headers.frame) for r in kafka.written] == [("tick", "before", 9)]


async def test_a_line_between_connections_does_not_tick_into_a_full_queue():
    kafka = Kafka()
    sink = FrameSink(kafka, max_bytes=1)
    line = recorder(sink, previous=LastFrame(connection="before", frame=9))
    sink.put(RawRecord(HEADERS, PAYLOAD))
    line.tick_between({"open": False})
    await finish(sink)
    assert [r.headers.kind for r in kafka.written] == ["frame"]


async def test_a_frame_says_whether_it_was_kept():
    kafka = Kafka()
    kafka.open.clear()
    sink = FrameSink(kafka, max_bytes=1500)
    line = recorder(sink)
    line.opened({})
    assert [await line.frame(PAYLOAD) for _ in range(4)] == [True, True, False, False]
    kafka.open.set()
    await finish(sink)
