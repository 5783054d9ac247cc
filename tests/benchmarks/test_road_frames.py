"""The frames of the whole road go the whole road: every one can be read, copies meet, all shards have work."""

from collections import Counter

from benchmarks.road_frames import frames
from processors.core.kambi.processor import KambiProcessor
from schemas.topics import KAMBI_SHARDS
from tests.core.driver import Driver, Record


def test_frames_are_those_of_four_sound_shards():
    tasks = [Driver(KambiProcessor()) for _ in range(KAMBI_SHARDS)]
    kinds: Counter[str] = Counter()
    for offset, (partition, _, value, headers) in enumerate(frames(2_000)):
        kind = dict(headers)["tc-kind"].decode()
        kinds[kind] += 1
        task = tasks[partition]
        task.stream_time_ns = max(task.stream_time_ns, int(dict(headers)["tc-received-ns"]))
        task.processor.process(Record(offset=offset, value=value, headers=headers, partition=partition), task)
    assert kinds["frame"] >= 2_000
    assert kinds["opened"] == 2 * KAMBI_SHARDS
    for task in tasks:
        assert task.dead_letters == []
        assert task.counts["kambi.duplicate"] > 0, "copies of the general and the event keys"
        assert task.counts["kambi.foreign-event"] > 0, "general keys bring every shard's events"
        assert {output.topic for output in task.outputs} >= {"kambi.offers", "kambi.scores", "kambi.health"}
