"""Names of lines, and which partition a feed's records go to. Pure.

The line of a feed is called like the feed; a hot standby's ends with its replica's name, so that both are told apart in
everything they record, and meet in one partition.
"""

from typing import Final

from aiokafka.partitioner import murmur2

from schemas.topics import TOPICS

FEED: Final = "fastpath"
RAW_TOPIC: Final = TOPICS["fastpath.raw"].name
PARTITIONS: Final = TOPICS["fastpath.raw"].partitions


def line_of(path: str, replica: str = "") -> str:
    """Return the name of the line that follows the feed at ``path``."""
    return f"{path}@{replica}" if replica else path


def path_of(line: str) -> str:
    """Return the path of the feed that ``line`` follows; paths hold no ``@``."""
    return line.partition("@")[0]


def partition_of(path: str) -> int:
    """Return the partition of ``fastpath.raw`` that holds the feed: the one Kafka's default partitioner would take."""
    return int((murmur2(path.encode()) & 0x7FFFFFFF) % PARTITIONS)
