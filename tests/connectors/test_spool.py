"""The spool alone: order, bound, crash safety, and every way in which a disk or a file can be bad."""

import dataclasses
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from itertools import count

import pytest

from connectors.record import LastFrame, RawRecord
from connectors.spool import Spool, SpoolCorrupt, SpoolFailed, SpoolLocked
from schemas.raw import RawHeaders


def record(frame, value=b"x", *, line="l", connection="c"):
    headers = RawHeaders(feed="kambi", line=line, connection=connection, frame=frame, received_ns=frame, kind="frame")
    return RawRecord(headers, value)


def frames(numbers, value=b"x"):
    return [record(number, value) for number in numbers]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "raw-0.sqlite"


def everything(spool, *, after=0, max_bytes=10**9, max_records=10**6):
    found = []
    while spool.count and len(found) < spool.count:
        records, after = spool.read(after, max_bytes=max_bytes, max_records=max_records)
        found += records
    return found


def reopened(path):
    spool = Spool(path, lock_s=1)
    spool.open()
    return spool


def test_every_header_and_byte_survives_the_process(path):
    headers = RawHeaders(
        feed="kambi",
        line="kambi-0-snapshots",
        connection="11111111-2222-3333-4444-555555555555",
        frame=2**53 + 1,
        received_ns=2**62,
        kind="snapshot",
        position="event/live/open.json?lang=ß",
        requested_ns=2**62 - 1,
        status=404,
        after_ns=2**62 - 2,
    )
    assert all(getattr(headers, field.name) is not None for field in dataclasses.fields(headers))
    written = [RawRecord(headers, bytes(range(256)) * 20_000), record(1, b"")]
    spool = Spool(path, lock_s=1)
    spool.append(written, {})
    spool.close()
    assert everything(reopened(path)) == written


def test_records_come_out_in_order_and_only_once_they_are_removed(path):
    spool = Spool(path, lock_s=1)
    assert spool.append(frames(range(5)), {}) == 5
    assert spool.append(frames(range(5, 9)), {}) == 9
    assert spool.read(0, max_bytes=3, max_records=100) == (frames(range(3)), 3)
    assert spool.read(3, max_bytes=10**6, max_records=2) == (frames([3, 4]), 5)
    spool.remove_through(5)
    assert (spool.first, spool.count) == (6, 4)
    assert spool.read(0, max_bytes=10**6, max_records=100) == (frames(range(5, 9)), 9)
    spool.close()
    again = reopened(path)
    assert (again.first, again.count) == (6, 4)
    assert again.append(frames([9]), {}) == 10
    assert everything(again) == frames(range(5, 10))


def test_a_record_larger_than_asked_for_goes_alone(path):
    spool = Spool(path, lock_s=1)
    spool.append([record(1, b"x" * 100), record(2)], {})
    assert spool.read(0, max_bytes=10, max_records=10) == ([record(1, b"x" * 100)], 1)


def test_the_file_goes_with_its_last_record_and_comes_with_the_next(path):
    spool = Spool(path, lock_s=1)
    spool.open()
    assert not path.exists()
    assert spool.last_frames() == {}
    place = spool.append(frames(range(100), b"x" * 1000), {})
    assert path.stat().st_size == spool.size_bytes > 100_000
    spool.remove_through(place)
    assert (spool.count, spool.size_bytes) == (0, 0)
    assert list(path.parent.iterdir()) == []
    # A place is never used again: what was sent from the old file says nothing about the next.
    assert spool.append(frames([7]), {}) == place + 1
    spool.remove_through(place)
    assert everything(spool) == frames([7])


def test_where_the_lines_stand_is_told_after_the_last_record(path):
    spool = Spool(path, lock_s=1)
    before = {"a": LastFrame(connection="a0", frame=9), "b": LastFrame(connection="b0", frame=4)}
    spool.append([record(1, line="a", connection="a1"), record(2, line="a", connection="a1")], before)
    spool.append([record(7, line="c", connection="c1")], {"b": LastFrame(connection="not now", frame=0)})
    spool.remove_through(1)
    spool.close()
    assert reopened(path).last_frames() == {
        "a": LastFrame(connection="a1", frame=2),
        "b": LastFrame(connection="b0", frame=4),
        "c": LastFrame(connection="c1", frame=7),
    }


def test_room_that_was_freed_is_used_again(path):
    spool = Spool(path, lock_s=1)
    spool.append(frames(range(200), b"x" * 10_000), {})
    full = path.stat().st_size
    for start in range(200, 2000, 100):
        spool.remove_through(start - 100)
        spool.append(frames(range(start, start + 100), b"x" * 10_000), {})
    assert spool.count == 200
    assert path.stat().st_size < full * 1.2


# -- crashes -----------------------------------------------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from connectors.spool import Spool
from tests.connectors.test_spool import frames
spool, begin = Spool(Path(sys.argv[1]), lock_s=1), 0
spool.open()
while True:
    spool.append(frames(range(begin, begin + 50), b"x" * 3000), {})
    begin += 50
    print(begin, flush=True)
"""


def test_what_an_append_returned_for_survives_kill_9(path):
    for _ in range(3):
        path.unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        acknowledged = 0
        for line, _ in zip(child.stdout, range(20), strict=False):
            acknowledged = int(line)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait()
        acknowledged = int(rest[-1]) if rest else acknowledged
        spool = reopened(path)
        assert spool.count >= acknowledged
        assert spool.count % 50 == 0, "all of an append or none"
        assert [r.headers.frame for r in everything(spool)] == list(range(spool.count))
        spool.close()


OPENER = """
import sys
from pathlib import Path
from connectors.spool import Spool, SpoolLocked
try:
    Spool(Path(sys.argv[1]), lock_s=0.1).open()
except SpoolLocked as error:
    print(error)
"""


def test_a_second_process_is_refused(path):
    spool = Spool(path, lock_s=1)
    spool.append(frames([1]), {})
    told = subprocess.run([sys.executable, "-c", OPENER, str(path)], capture_output=True, text=True, check=True).stdout
    assert "another process has it open" in told
    assert "replica name of its own" in told
    spool.close()
    assert reopened(path).count == 1


# -- bad disks and bad files -------------------------------------------------------------------------------------------


def fill(spool):
    for begin in count(0, 10):
        spool.append(frames(range(begin, begin + 10), b"x" * 10_000), {})


def test_a_full_disk_keeps_what_was_there_and_all_or_nothing_of_the_rest(path):
    spool = Spool(path, lock_s=1)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))  # Python ignores the signal: writes fail instead
    try:
        with pytest.raises(SpoolFailed) as caught:
            fill(spool)
        kept = spool.count
        assert kept
        assert kept % 10 == 0
        assert not isinstance(caught.value, SpoolCorrupt | SpoolLocked)
        assert "is there room" in caught.value.action
        assert [r.headers.frame for r in everything(spool)] == list(range(kept))
        spool.remove_through(kept // 2)
        spool.append(frames([kept]), {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert [r.headers.frame for r in everything(spool)] == list(range(kept // 2, kept + 1))
    spool.close()
    assert reopened(path).count == kept - kept // 2 + 1


def test_a_directory_that_cannot_be_is_a_failure_of_the_disk(tmp_path):
    (tmp_path / "file").write_text("in the way")
    spool = Spool(tmp_path / "file" / "raw-0.sqlite", lock_s=1)
    spool.open()
    with pytest.raises(SpoolFailed):
        spool.append(frames([1]), {})
    assert spool.count == 0


def garbage(path):
    path.write_bytes(os.urandom(50_000))


def torn_pages(path):
    with path.open("r+b") as file:
        file.seek(20_000)
        file.write(os.urandom(path.stat().st_size - 20_000))


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def another_table(path):
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY)")
        db.execute("PRAGMA user_version = 2")
    db.close()


def another_version(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()


def foreign_row(path):
    with sqlite3.connect(path) as db:
        db.execute("UPDATE records SET kind = 'nonsense' WHERE seq = 1")
    db.close()


def lost_rows(path):
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM records WHERE seq BETWEEN 3 AND 5")
    db.close()


def test_what_the_version_before_left_is_read_and_goes_on(path):
    spool = Spool(path, lock_s=1)
    spool.append(frames(range(3)), {"l": LastFrame(connection="c", frame=2)})
    spool.close()
    with sqlite3.connect(path) as db:
        db.execute("ALTER TABLE records DROP COLUMN after_ns")
        db.execute("PRAGMA user_version = 1")
    db.close()
    spool = reopened(path)
    assert everything(spool) == frames(range(3))
    spool.append(frames([3]), {})
    spool.close()
    assert everything(reopened(path)) == frames(range(4))


@pytest.mark.parametrize(
    "damage",
    [garbage, torn_pages, cut, another_table, another_version, foreign_row, lost_rows],
    ids=lambda f: f.__name__,
)
def test_a_damaged_file_is_told_and_can_be_moved_aside_whole(path, damage):
    spool = Spool(path, lock_s=1)
    spool.append(frames(range(100), b"x" * 5000), {})
    spool.close()
    damage(path)
    content = path.read_bytes()
    spool = Spool(path, lock_s=1)
    with pytest.raises(SpoolCorrupt):
        read_all(spool)
    aside = spool.set_aside()
    assert aside.read_bytes() == content
    assert spool.count == 0
    spool.append(frames([1]), {})
    assert everything(spool, after=0) == frames([1])


def read_all(spool):
    spool.open()
    return everything(spool)


def test_an_empty_file_is_an_empty_spool(path):
    path.parent.mkdir()
    path.touch()
    spool = reopened(path)
    assert spool.count == 0
    assert not path.exists()
