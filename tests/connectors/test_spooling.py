"""Sink and spool together, Kafka a gate in memory: order, exact counts, and no way in which a record goes unnoticed."""

import asyncio
import json
import os
import re
import sqlite3
from contextlib import asynccontextmanager

import pytest

from connectors.backlog import Backlog
from connectors.record import LastFrame
from connectors.recorder import LineRecorder
from connectors.sink import FrameSink
from connectors.spool import SpoolLocked
from tests.connectors.hand_clock import HandClock
from tests.connectors.test_recording_under_pressure import Kafka
from tests.connectors.vendor import eventually

PAYLOAD = b"x" * 1000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "raw-0.sqlite"


def away():
    kafka = Kafka()
    kafka.open.clear()
    return kafka


def sink_to(kafka, path, *, patience_s=0.0, spool_bytes=10**9, max_bytes=10**6):
    return FrameSink(kafka, max_bytes=max_bytes, backlog=Backlog(path, max_bytes=spool_bytes), patience_s=patience_s)


@asynccontextmanager
async def running(sink):
    """Run ``sink``; leaving closes it and waits until it is done."""
    task = asyncio.create_task(sink.run())
    try:
        yield
    finally:
        sink.close()
        await task


def recorder(sink, line="l", **arguments):
    return LineRecorder(feed="kambi", line=line, sink=sink, clock=HandClock(), push_back_s=0.0, **arguments)


async def feed(line, frames, payload=PAYLOAD):
    for _ in range(frames):
        await line.frame(payload)


async def fill(sink, line, frames, *, unkept=50):
    """Feed so slowly that each bunch finds room if there is any to be had."""
    for _ in range(frames // 10):
        await feed(line, 10)
        await eventually(lambda: sink.unkept < unkept or not sink.has_room or sink.full_because == "spool-failed")


def frames(kafka):
    return [r.headers.frame for r in kafka.written if r.headers.kind == "frame"]


async def test_what_comes_while_kafka_is_away_goes_to_disk_and_then_to_kafka_in_order(path):
    kafka = away()
    sink = sink_to(kafka, path)
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await feed(line, 100)
        await eventually(lambda: sink.unkept == 0)
        assert sink.waiting == 101
        assert path.exists()
        line.tick({})
        await feed(line, 100)
        await eventually(lambda: sink.unkept == 0)
        kafka.open.set()
        await eventually(lambda: sink.waiting == 0 and not path.exists())
        await feed(line, 50)
        line.closed(1000, "")
    assert [(r.headers.kind, r.headers.frame) for r in kafka.written] == [
        ("opened", 0),
        *(("frame", n) for n in range(1, 101)),
        ("tick", 100),
        *(("frame", n) for n in range(101, 251)),
        ("closed", 250),
    ]
    assert (sink.counts.received, sink.counts.pushed) == (250, 250)
    assert 200 <= sink.counts.spooled <= 250
    assert not sink.counts.dropped


async def test_kafka_that_answers_in_time_needs_no_disk(path):
    kafka = Kafka()
    sink = sink_to(kafka, path, patience_s=60.0)
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await feed(line, 300)
        await eventually(lambda: sink.waiting == 0)
    assert frames(kafka) == list(range(1, 301))
    assert sink.counts.spooled == 0
    assert not path.exists()


async def test_memory_that_fills_goes_to_disk_without_waiting(path):
    kafka = away()
    sink = sink_to(kafka, path, patience_s=60.0, max_bytes=100_000)
    line = recorder(sink)
    line.opened({})
    async with running(sink):
        await fill(sink, line, 600)
        assert sink.counts.spooled > 500
        assert not sink.counts.dropped
        kafka.open.set()
    assert frames(kafka) == list(range(1, 601))


async def test_new_records_never_overtake_the_disk_while_it_is_drained(path):
    kafka = away()
    sink = sink_to(kafka, path)
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await fill(sink, line, 3000, unkept=600)
        await eventually(lambda: sink.unkept == 0)
        kafka.open.set()
        while sink.waiting:
            if sink.counts.received < 6000 and sink.has_room:
                await feed(line, 10)
            await asyncio.sleep(0)
    assert frames(kafka) == list(range(1, sink.counts.received + 1))


async def test_the_next_process_drains_what_it_finds_before_anything_new(path):
    first = sink_to(away(), path)
    line = recorder(first, previous=LastFrame(connection="earlier", frame=3))
    first.remember({"quiet": LastFrame(connection="q", frame=8)})
    async with running(first):
        line.opened({})
        await feed(line, 500)
        first.give_up()
    assert first.unkept == 0
    assert first.waiting == 501

    kafka = Kafka()
    second = sink_to(kafka, path)
    known = await second.open()
    assert known["quiet"] == LastFrame(connection="q", frame=8)
    assert known["l"].frame == 500
    line = recorder(second, previous=known["l"])
    async with running(second):
        line.opened({})
        await feed(line, 10)
    assert frames(kafka) == [*range(1, 501), *range(1, 11)]
    openings = [json.loads(r.value) for r in kafka.written if r.headers.kind == "opened"]
    assert openings[1] == {"previous_connection": kafka.written[0].headers.connection, "previous_frame": 500}
    assert not path.exists()


async def test_a_refusal_leaves_its_line_where_it_stood_on_disk_too(path):
    first = sink_to(away(), path)
    line = recorder(first)
    async with running(first):
        line.opened({})
        await feed(line, 3)
        line.closed(1006, "gone")
        await eventually(lambda: first.unkept == 0)
        line.refused(429, "too many")
        first.give_up()
    second = sink_to(Kafka(), path)
    assert await second.open() == {"l": line.previous}
    await second.release()


async def test_closing_while_kafka_is_away_leaves_everything_on_disk(path):
    sink = sink_to(away(), path)
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await feed(line, 200)
        line.closed(1000, "")
    assert (sink.unkept, sink.waiting) == (0, 202)
    kafka = Kafka()
    again = sink_to(kafka, path)
    await again.open()
    async with running(again):
        pass
    assert [r.headers.kind for r in kafka.written] == ["opened", *["frame"] * 200, "closed"]


@pytest.mark.parametrize("full", ["bound", "disk"])
async def test_past_the_bound_an_overflow_says_exactly_which_frames_were_lost(path, full):
    kafka = away()
    sink = sink_to(kafka, path, max_bytes=100_000, spool_bytes=500_000 if full == "bound" else 10**9)
    if full == "disk":
        path.mkdir()  # nothing can be written there
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await fill(sink, line, 1000)
        reason = {"bound": "spool-full", "disk": "spool-failed"}[full]
        assert set(sink.counts.dropped) == {reason}
        lost = sink.counts.dropped.total()
        assert lost > 300
        if full == "bound":
            assert 400_000 < path.stat().st_size < 600_000
        kafka.open.set()
        await eventually(lambda: sink.is_relieved)
        await feed(line, 10)
        line.closed(1000, "")
    assert sink.counts.received == 1010
    assert sink.counts.pushed == 1010 - lost
    told = [json.loads(r.value) for r in kafka.written if r.headers.kind == "overflow"]
    assert told == [{"lost": lost, "first_frame": 1001 - lost, "last_frame": 1000}]
    assert frames(kafka) == [*range(1, 1001 - lost), *range(1001, 1011)]
    kinds = [r.headers.kind for r in kafka.written]
    assert kinds == ["opened", *["frame"] * (1000 - lost), "overflow", *["frame"] * 10, "closed"]


async def test_a_full_spool_keeps_the_count_of_the_lost_over_a_restart(path):
    sink = sink_to(away(), path, max_bytes=100_000, spool_bytes=300_000)
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await fill(sink, line, 500)
        line.closed(1000, "")
    lost = sink.counts.dropped["spool-full"]
    assert sink.unkept == 0
    kafka = Kafka()
    again = sink_to(kafka, path, max_bytes=100_000, spool_bytes=300_000)
    await again.open()
    async with running(again):
        pass
    assert kafka.told()[-2:] == [
        ("overflow", 500, {"lost": lost, "first_frame": 501 - lost, "last_frame": 500}),
        ("closed", 500, {"code": 1000, "reason": "", "frames": 500}),
    ]
    assert frames(kafka) == list(range(1, 501 - lost))


async def test_a_corrupt_file_is_moved_aside_and_work_goes_on(path, caplog):
    path.write_bytes(os.urandom(100_000))
    kafka = away()
    sink = sink_to(kafka, path)
    assert await sink.open() == {}
    (aside,) = path.parent.iterdir()
    assert aside.name.startswith("raw-0.sqlite.corrupt-")
    assert "spool.unreadable" in caplog.text
    assert str(aside) in caplog.text
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await feed(line, 100)
        await eventually(lambda: sink.unkept == 0)
        kafka.open.set()
    assert frames(kafka) == list(range(1, 101))
    assert aside.stat().st_size == 100_000


async def test_a_file_that_turns_out_corrupt_while_it_is_drained_stops_nothing(path, caplog):
    first = sink_to(away(), path)
    line = recorder(first)
    async with running(first):
        line.opened({})
        await fill(first, line, 4000, unkept=600)
        line.closed(1000, "")
    with path.open("r+b") as file:
        file.seek(2_500_000)
        file.write(os.urandom(40_000))
    kafka = Kafka()
    sink = sink_to(kafka, path)
    previous = await sink.open()
    line = recorder(sink, previous=previous["l"])
    async with running(sink):
        line.opened({})
        await feed(line, 10)
        await eventually(lambda: sink.waiting == 0)
        await feed(line, 10)
    lost = sink.counts.dropped["spool-damaged"]
    assert 10 < lost < 80, "40 kB of values, and what shares their pages"
    assert sum(map(int, re.findall(r"lost_records=(\d+)", caplog.text))) == lost
    seen = frames(kafka)
    assert seen[-20:] == list(range(1, 21))
    assert seen[:-20] == sorted(set(seen[:-20]))
    assert len(seen[:-20]) == 4000 - lost
    assert any("corrupt" in other.name for other in path.parent.iterdir()), "nothing is deleted unseen"
    assert not path.exists()


async def test_a_file_with_nothing_readable_does_not_keep_the_process_from_ending(path):
    first = sink_to(away(), path)
    line = recorder(first)
    async with running(first):
        line.opened({})
        await fill(first, line, 20)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE records SET kind = 'nonsense'")
    db.close()
    kafka = Kafka()
    sink = sink_to(kafka, path)
    assert (await sink.open())["l"].frame == 20
    async with running(sink):
        pass
    assert kafka.written == []
    assert sink.counts.dropped == {"spool-damaged": 21}
    assert [other.name.split("-")[1] for other in path.parent.iterdir()] == ["0.sqlite.corrupt"]


async def test_a_disk_that_comes_back_is_used_again(path, monkeypatch):
    monkeypatch.setattr("connectors.backlog._RETRY_S", 0.01)
    path.mkdir()
    kafka = away()
    sink = sink_to(kafka, path)
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await feed(line, 100)
        await eventually(lambda: sink.full_because == "spool-failed")
        path.rmdir()
        await eventually(lambda: sink.unkept == 0)
        assert sink.full_because != "spool-failed"
        kafka.open.set()
    assert frames(kafka) == list(range(1, 101))


async def test_a_folder_that_cannot_be_is_told_before_it_is_needed(path, caplog):
    path.parent.mkdir(exist_ok=True)
    blocker = path.parent / "file"
    blocker.touch()
    sink = sink_to(Kafka(), blocker / "0.sqlite")
    assert await sink.open() == {}
    await sink.release()
    assert "spool.unusable" in caplog.text
    assert "may this process write there?" in caplog.text
    assert blocker.read_bytes() == b"", "nothing was moved"


async def test_a_folder_that_is_fine_is_left_as_it_was(path, caplog):
    sink = sink_to(Kafka(), path)
    assert await sink.open() == {}
    await sink.release()
    assert "spool.unusable" not in caplog.text
    assert list(path.parent.iterdir()) == []


async def test_two_connectors_cannot_share_a_file(path):
    sink = sink_to(away(), path)
    line = recorder(sink)
    async with running(sink):
        line.opened({})
        await eventually(lambda: sink.unkept == 0)
        other = Backlog(path, max_bytes=10**6, lock_s=0.05)
        with pytest.raises(SpoolLocked):
            await other.open()
        await other.close()


async def test_without_a_spool_what_kafka_does_not_take_stays_unkept():
    sink = FrameSink(away(), max_bytes=10**6)
    line = recorder(sink)
    task = asyncio.create_task(sink.run())
    line.opened({})
    await feed(line, 5)
    sink.close()
    sink.give_up()
    await task
    assert sink.unkept == 6
