"""Which file is whose, and what a connector with another shard count left behind."""

import pytest

from connectors.kambi.config import KambiSettings
from connectors.kambi.spools import Spools
from connectors.record import RawRecord, is_left
from connectors.spool import Spool
from schemas.raw import RawHeaders
from tests.connectors.conftest import Recording
from tests.connectors.vendor import vendor


def leave(path, frames):
    """Leave ``frames`` records of a connector that was killed."""
    spool = Spool(path, lock_s=1)
    headers = [
        RawHeaders(feed="kambi", line="kambi-1-general", connection="old", frame=n, received_ns=n * 10**9, kind="frame")
        for n in range(1, frames + 1)
    ]
    spool.append([RawRecord(header, b"%d" % header.frame) for header in headers], {})
    spool.close()


def test_files_are_told_apart_by_shard_count_and_replica(tmp_path):
    def found(**settings):
        spools = Spools(KambiSettings(spool_dir=tmp_path, **settings), topic="tricast.kambi.raw")
        return [partition for partition, _ in spools.left_by_another_count()]

    for name in (
        "tricast.kambi.raw-0of4.sqlite",
        "tricast.kambi.raw-3of4.sqlite",
        "tricast.kambi.raw-1of2.sqlite",
        "tricast.kambi.raw-0of4.b.sqlite",
        "tricast.kambi.raw-4.sqlite",
        "other.kambi.raw-2of4.sqlite",
        "tricast.kambi.raw-0of3.sqlite.corrupt-1",
    ):
        (tmp_path / name).touch()
    assert found(shards=4) == [1]
    assert found(shards=2) == [0, 3]
    assert sorted(found(shards=1)) == [0, 1, 3]
    assert found(shards=2, replica="b") == [0]
    assert found(shards=4, replica="b") == []


def test_there_is_no_file_when_the_spool_is_switched_off(tmp_path):
    assert Spools(KambiSettings(spool_dir=tmp_path, spool_bytes=0), topic="t").backlog(0) is None


@pytest.mark.kafka
async def test_what_another_shard_count_left_is_sent_before_any_line_begins(recording: Recording, tmp_path):
    left = tmp_path / f"{recording.topic}-1of2.sqlite"
    leave(left, 3000)
    async with vendor() as server, recording.connector(server.url, spool_dir=tmp_path):
        await server.connected()
        assert not left.exists()
        records = await recording.records(partition=1)
        *frames, left_line = records
        assert [r.value for r in frames] == [b"%d" % n for n in range(1, 3001)]
        assert (left_line.kind, is_left(left_line.value)) == ("closed", True)
    assert list(tmp_path.iterdir()) == []
