"""A second connector with the same settings ends with an error; a dead one leaves nothing that stops the next."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest

from connectors.claim import AlreadyRunning, claimed
from tests.connectors.test_kambi_process import connect
from tests.connectors.vendor import eventually

claim = partial(claimed, feed="kambi", wait_s=0.0)
HOLDER = """
import sys
from pathlib import Path
from connectors.claim import claimed
with claimed(Path(sys.argv[1]), ["a-0"], feed="kambi"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_who_comes_second_is_told_what_to_do(tmp_path):
    with claim(tmp_path, ["a-0", "a-1"]):
        with pytest.raises(AlreadyRunning) as caught, claim(tmp_path, ["a-1", "a-2"]):
            raise AssertionError
        assert f"{tmp_path / 'a-1.lock'}: another connector" in caught.value.message
        assert f"process {os.getpid()}" in caught.value.message
        assert "TRICAST_KAMBI__REPLICA" in caught.value.action
        with claim(tmp_path, ["a-2"]):  # what the refused one had is free again
            pass


def test_other_names_and_other_directories_do_not_meet(tmp_path):
    with claim(tmp_path, ["a-0"]), claim(tmp_path, ["a-0.b"]), claim(tmp_path / "other", ["a-0"]):
        pass
    with claim(tmp_path, ["a-0"]):
        pass


def test_one_that_just_ends_is_waited_for(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as old:
        assert old.stdout is not None
        assert old.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning), claim(tmp_path, ["a-0"]):
            pass
        assert old.stdin is not None
        old.stdin.close()
        with claim(tmp_path, ["a-0"], wait_s=30.0):
            pass


def test_kill_9_leaves_no_lock(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as old:
        assert old.stdout is not None
        assert old.stdout.readline() == b"held\n"
        old.kill()
        old.wait()
        with claim(tmp_path, ["a-0"]):
            pass


def test_a_directory_that_cannot_be_used_is_no_reason_to_record_nothing(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.touch()
    with claim(blocked / "spool", ["a-0"]):
        assert "connector.unclaimed" in caplog.text
    assert "Operator action: " in caplog.text


FASTPATH = {"FASTPATH__TOKEN": "t", "FASTPATH__FEEDS": "/fastpath/A/feed", "FASTPATH__STREAM_URL": "ws://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("feed", "settings", "other"),
    [
        ("kambi", {"KAMBI__PUSH_URL": "http://127.0.0.1:9"}, {"KAMBI__REPLICA": "b"}),
        (
            "kambi",
            {"KAMBI__PUSH_URL": "http://127.0.0.1:9", "KAMBI__SHARD": 1, "KAMBI__SPOOL_BYTES": 0},
            {"KAMBI__SHARD": 2},
        ),
        ("fastpath", FASTPATH | {"FASTPATH__SPOOL_BYTES": 0}, {"FASTPATH__REPLICA": "b"}),
    ],
    ids=["kambi", "kambi, one shard without spool", "fastpath without spool"],
)
async def test_second_process_ends_and_after_kill_9_the_next_runs(tmp_path, unused_tcp_port, feed, settings, other):
    start = partial(connect, feed, tmp_path, KAFKA__BOOTSTRAP_SERVERS=f"127.0.0.1:{unused_tcp_port}")
    runs = "kafka.unavailable"
    async with start(**settings) as first:
        await eventually(lambda: runs in first.output)
        async with start(**settings) as second, start(**settings | other) as beside:
            assert await second.exit_code() == 3
            await eventually(lambda: runs in beside.output)
        assert "another connector with these settings runs" in second.output
        assert "Operator action: stop the other one first" in second.output
        assert runs not in second.output
        first.signal(signal.SIGKILL)
        await first.exit_code()
        async with start(**settings) as third:
            await eventually(lambda: runs in third.output)
