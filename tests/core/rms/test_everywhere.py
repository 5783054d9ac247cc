from aiokafka.partitioner import murmur2

from processors.core.rms.everywhere import EVERYWHERE
from schemas.topics import TOPICS


def test_each_key_reaches_the_partition_of_its_number_and_together_they_reach_all():
    partitions = TOPICS["rms.pending"].partitions
    assert [(murmur2(key) & 0x7FFFFFFF) % partitions for key in EVERYWHERE] == list(range(partitions))
