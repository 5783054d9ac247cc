"""The topic registry: every topic of tricast, as data. Partition counts, keys and retention stand here only."""

from types import MappingProxyType

from schemas.topics.fastpath import fastpath
from schemas.topics.kambi import (
    KAMBI_SETTLEMENTS_PARTITION,
    KAMBI_SHARDS,
    MOST_KAMBI_SHARDS,
    kambi,
    kambi_partition,
    kambi_shard,
)
from schemas.topics.partitions import Partitions
from schemas.topics.rms import RMS
from schemas.topics.topic import DAY_MS, RAW_MESSAGE_BYTES, Topic, changelog, min_in_sync, replicas

__all__ = [
    "DAY_MS",
    "KAMBI_SETTLEMENTS_PARTITION",
    "KAMBI_SHARDS",
    "MOST_KAMBI_SHARDS",
    "RAW_MESSAGE_BYTES",
    "TOPICS",
    "Partitions",
    "Topic",
    "changelog",
    "kambi_partition",
    "kambi_shard",
    "min_in_sync",
    "registry",
    "replicas",
]


def registry(partitions: Partitions) -> MappingProxyType[str, Topic]:
    """Return all topics by name, some of them grown."""
    topics = (
        *kambi(shards=partitions.kambi_shards, facts=partitions.kambi_facts),
        *fastpath(actions=partitions.fastpath_actions),
        *RMS,
    )
    return MappingProxyType({topic.name: topic for topic in topics})


TOPICS: MappingProxyType[str, Topic] = registry(Partitions())
"""By name, none grown."""
