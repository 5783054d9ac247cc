import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.engine import cycle
from processors.engine.cycle import Partitioner

# Kafka's own table: clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2.
JAVA_MURMUR2 = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.fixture
def partitioner():
    partitioner = Partitioner()
    partitioner.set_count("t", 1000)
    return partitioner


@pytest.mark.parametrize(("key", "murmur2"), JAVA_MURMUR2.items(), ids=repr)
def test_partitions_are_those_of_the_java_client(partitioner, key, murmur2):
    assert partitioner.partition("t", key) == (murmur2 & 0x7FFFFFFF) % 1000


def test_records_without_a_key_go_to_partition_0(partitioner):
    assert partitioner.partition("t", None) == 0


def test_each_topic_has_its_own_count(partitioner):
    partitioner.set_count("u", 7)
    assert partitioner.partition("t", b"abc") == 479470107 % 1000
    assert partitioner.partition("u", b"abc") == 479470107 % 7


def test_a_new_count_forgets_what_was_remembered(partitioner):
    partitioner.partition("t", b"abc")
    partitioner.set_count("t", 7)
    assert partitioner.partition("t", b"abc") == 479470107 % 7


def test_a_part_of_the_key_may_say_which():
    partitioner = Partitioner()
    partitioner.set_count("facts", 7)
    partitioner.set_count("states", 7, "#")
    for key in (b"1020000001", b"soccer/1#2"):
        assert partitioner.partition("states", key + b"#offer/9") == partitioner.partition("facts", key)
    assert partitioner.partition("states", b"abc") == partitioner.partition("facts", b"abc")


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=50))
def test_remembering_changes_no_answer_and_stays_bounded(keys):
    fresh, used = Partitioner(), Partitioner()
    fresh.set_count("t", 12)
    used.set_count("t", 12)
    for key in keys + keys:
        fresh._known.clear()
        assert used.partition("t", key) == fresh.partition("t", key)
    assert len(used._known) <= cycle.PARTITIONER_CACHE_ENTRIES
