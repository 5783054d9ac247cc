"""The position rules on a real Kafka: a worker that cannot know where to go on exits 78 and says why."""

import socket

import pytest
from confluent_kafka import TopicPartition

from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint
from tests.engine.lab import CHANGELOG, DEAD, OUT, RAW, expect_clean, stop

pytestmark = pytest.mark.kafka


def refused(lab, *words):
    code, log = lab.run_to_exit()
    assert code == 78, log
    for word in words:
        assert word in log
    assert "Operator action: " in log


def test_a_new_group_reads_from_the_first_record(lab):
    lab.feed(range(8))
    expect_clean(lab.work_off(16), range(8), 2)
    assert lab.committed() == dict.fromkeys(range(4), 2)


def test_an_emptied_changelog_is_refused(worked):
    worked.recreate(CHANGELOG, **{"cleanup.policy": "compact"})
    refused(worked, "committed offset 10", "changelog has no checkpoint")
    assert len(worked.read(OUT)) == 80


@pytest.mark.parametrize("topic", [RAW, OUT, DEAD, CHANGELOG])
def test_a_missing_topic_is_named(lab, topic):
    lab.delete(topic)
    refused(lab, lab.prefix + topic)


@pytest.mark.parametrize("topic", [OUT, DEAD, CHANGELOG, RAW])
def test_another_partition_count_is_named(lab, topic):
    lab.recreate(topic, partitions=3)
    refused(lab, lab.prefix + topic, "3", "4", "partitions")


def foreign_checkpoint(lab, **changes):
    fields = {
        "group": lab.group, "source": lab.prefix + RAW, "partition": 0, "offset": 10,
        "stream_time_ns": 0, "owner": "x", "member": "y", "generation": 1,
    }  # fmt: skip
    return encode_checkpoint(Checkpoint(**(fields | changes)))


@pytest.mark.parametrize(
    ("key", "changes", "words"),
    [
        pytest.param(CHECKPOINT_KEY, {"group": "other.toy"}, "belongs to group other.toy", id="group"),
        pytest.param(CHECKPOINT_KEY, {"source": "other.raw"}, "other.raw/0", id="source"),
        pytest.param(CHECKPOINT_KEY, {"format": 9}, "format 9", id="format"),
        pytest.param(b"junk", {}, "b'junk', which tricast never writes", id="junk key"),
    ],
)
def test_a_foreign_changelog_is_refused(worked, key, changes, words):
    worked.write(foreign_checkpoint(worked, **changes), topic=CHANGELOG, key=key)
    worked.flush()
    refused(worked, words)


def test_a_checkpoint_that_is_none_is_refused(worked):
    worked.write(b"not json", topic=CHANGELOG, key=CHECKPOINT_KEY)
    worked.flush()
    refused(worked, "is no checkpoint of tricast")


def test_a_record_without_key_in_the_changelog_is_refused(lab):
    lab.recreate(CHANGELOG)  # compacted topics take no record without a key
    lab.write(b"junk", topic=CHANGELOG)
    lab.flush()
    refused(lab, lab.prefix + CHANGELOG, "tricast never writes")


def test_a_checkpoint_behind_the_committed_offset_is_refused(worked):
    worked.write(foreign_checkpoint(worked, offset=7), topic=CHANGELOG, key=CHECKPOINT_KEY)
    worked.flush()
    refused(worked, "checkpoint 7 is behind the group's committed offset 10")


def test_a_worker_that_was_away_longer_than_the_retention_is_refused(worked):
    worked.feed(range(40, 80))
    ends = [TopicPartition(worked.prefix + RAW, part, 15) for part in range(4)]
    for future in worked.admin.delete_records(ends).values():
        future.result()
    refused(worked, "checkpoint 10 is outside what the source holds (15 to 20)")


def test_a_first_start_behind_the_retention_says_so(lab):
    lab.feed(range(12))
    ends = [TopicPartition(lab.prefix + RAW, part, part % 2) for part in range(4)]
    for future in lab.admin.delete_records(ends).values():
        future.result()
    fleet = lab.workers()
    expect_clean(lab.outputs(20), [number for number in range(12) if number not in {1, 3}], 2)
    assert stop(fleet) == 0
    told = [line for line in fleet.logs().splitlines() if "task.begins_late" in line]
    assert {line.partition("source=")[2].split()[0] for line in told} == {
        f"{lab.prefix}{RAW}/{part}" for part in (1, 3)
    }


def test_a_recreated_source_is_refused(worked):
    worked.recreate(RAW)
    worked.feed(range(8))
    refused(worked, "checkpoint 10 is outside what the source holds (0 to 2)")


def test_retention_that_took_only_processed_records_is_no_trouble(worked):
    ends = [TopicPartition(worked.prefix + RAW, part, 10) for part in range(4)]
    for future in worked.admin.delete_records(ends).values():
        future.result()
    fleet = worked.workers()
    worked.feed(range(40, 48))
    expect_clean(worked.outputs(96), range(48), 2)
    assert stop(fleet) == 0


def test_kafka_unreachable_is_said_within_bounds(lab):
    with socket.socket() as held:  # bound and not listening: refuses for as long as it is held
        held.bind(("127.0.0.1", 0))
        lab.bootstrap = f"127.0.0.1:{held.getsockname()[1]}"
        code, log = lab.run_to_exit()
    assert code == 3, log
    assert lab.bootstrap in log
    assert "Operator action: " in log
