"""The topic registry: every topic of tricast, as data. Partition counts, keys and retention stand here only."""

from types import MappingProxyType

from schemas.topics.fastpath import FASTPATH
from schemas.topics.kambi import KAMBI, KAMBI_SETTLEMENTS_PARTITION, KAMBI_SHARDS
from schemas.topics.rms import RMS
from schemas.topics.topic import DAY_MS, RAW_MESSAGE_BYTES, Topic, changelog, min_in_sync, replicas

__all__ = [
    "DAY_MS",
    "KAMBI_SETTLEMENTS_PARTITION",
    "KAMBI_SHARDS",
    "RAW_MESSAGE_BYTES",
    "TOPICS",
    "Topic",
    "changelog",
    "min_in_sync",
    "replicas",
]

TOPICS: MappingProxyType[str, Topic] = MappingProxyType({topic.name: topic for topic in (*KAMBI, *FASTPATH, *RMS)})
"""By name."""
