"""The topic registry: every topic of tricast, as data. Partition counts, keys and retention stand here only."""

from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict

DAY_MS = 86_400_000
RAW_MESSAGE_BYTES = 8 * 1024 * 1024
"""A vendor bulk of 5 MB must pass, with its escapes and headers."""


class Topic(BaseModel):
    """One topic: what is in it, how it is keyed, and how Kafka keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name without the prefix setting, e.g. ``kambi.raw``."""
    description: str
    """What a record is, in a sentence."""
    key: str
    """What the record key is."""
    partitions: int = 4
    """Partition count; changing it is a migration, never a setting."""
    cleanup: Literal["delete", "compact"] = "delete"
    """Kafka's ``cleanup.policy``."""
    retention_ms: int | None = 7 * DAY_MS
    """Kafka's ``retention.ms``; ``None`` for compacted topics."""
    max_message_bytes: int = RAW_MESSAGE_BYTES
    """Kafka's ``max.message.bytes``."""
    segment_ms: int | None = None
    """Kafka's ``segment.ms``; small for changelogs so that compaction keeps up."""
    segment_bytes: int | None = None
    """Kafka's ``segment.bytes``."""

    def config(self) -> dict[str, str]:
        """Return the topic configuration as Kafka's admin API takes it."""
        config = {"cleanup.policy": self.cleanup, "max.message.bytes": str(self.max_message_bytes)}
        if self.retention_ms is not None:
            config["retention.ms"] = str(self.retention_ms)
        if self.segment_ms is not None:
            config["segment.ms"] = str(self.segment_ms)
        if self.segment_bytes is not None:
            config["segment.bytes"] = str(self.segment_bytes)
        if self.cleanup == "compact":
            config["min.cleanable.dirty.ratio"] = "0.1"
        return config


def changelog(processor: str, source: str, partitions: int) -> Topic:
    """Return the changelog of ``processor`` for one of its source topics (same partition count, one writer each)."""
    return Topic(
        name=f"changelog.{processor}.{source}",
        description=f"State and checkpoints of processor {processor} over {source}; internal.",
        key="@ checkpoint, r|… repeats, s|… state",
        partitions=partitions,
        cleanup="compact",
        retention_ms=None,
        segment_ms=600_000,
        segment_bytes=16 * 1024 * 1024,
    )


KAMBI_SHARDS = 4
"""Most shards Kambi's events can be spread over: partitions 0 to 3 of ``kambi.raw``, one a shard."""
KAMBI_SETTLEMENTS_PARTITION = KAMBI_SHARDS
"""The last partition of ``kambi.raw``: the ``bh`` channel has its own line and partition."""
_KAMBI_RAW_PARTITIONS = KAMBI_SHARDS + 1
_FASTPATH_RAW_PARTITIONS = 8
_RMS_PARTITIONS = 4

TOPICS: MappingProxyType[str, Topic] = MappingProxyType(
    {
        topic.name: topic
        for topic in (
            Topic(
                name="kambi.raw",
                description="Exact bytes of every Kambi push message and HTTP snapshot, controls, replays; in order.",
                key="partition number as text; partition = shard, set explicitly; settlements (bh) in the last one",
                partitions=_KAMBI_RAW_PARTITIONS,
            ),
            Topic(
                name="kambi.events",
                description="Events added, opened, removed, changed in state or description.",
                key="event id",
            ),
            Topic(
                name="kambi.offers",
                description="Bet offers, outcomes, odds and suspensions, deduplicated over routing keys and lines.",
                key="event id",
            ),
            Topic(
                name="kambi.scores",
                description="Clock, score, statistics, occurrences, visualizations and ticker of live events.",
                key="event id",
            ),
            Topic(
                name="kambi.settlements",
                description="Settled outcomes from the bh channel.",
                key="outcome id",
            ),
            Topic(
                name="kambi.health",
                description="State of each line and event: live, suspect, gapped, stale, down; reason; since when.",
                key="line, or event/<id>; of a gap line@position, so that compaction keeps every one",
                cleanup="compact",
                retention_ms=None,
            ),
            Topic(
                name="kambi.dead-letters",
                description="Raw bytes that could not be normalized, with position, code and code version.",
                key="as the source record",
                retention_ms=30 * DAY_MS,
                max_message_bytes=RAW_MESSAGE_BYTES + 64 * 1024,  # a raw record and why it failed
            ),
            changelog("kambi", "kambi.raw", _KAMBI_RAW_PARTITIONS),
            Topic(
                name="fastpath.raw",
                description="Exact bytes of every FastPath WebSocket message, controls, replays; in order.",
                key="feed path; partition = murmur2 of it, so that all lines of a feed meet in one",
                partitions=_FASTPATH_RAW_PARTITIONS,
            ),
            Topic(
                name="fastpath.actions",
                description="Actions and event elements in sequence order, each with the connection state in force.",
                key="fixture id",
            ),
            Topic(
                name="fastpath.statistics",
                description="Statistics aggregates; the last of a fixture holds.",
                key="fixture id",
            ),
            Topic(
                name="fastpath.sequence",
                description="Findings of the sequence account: gaps, repairs, what is lost, conflicts, restarts.",
                key="fixture id",
            ),
            Topic(
                name="fastpath.connections",
                description="State of the upstream collector as the vendor tells it, deduplicated.",
                key="feed path",
                cleanup="compact",
                retention_ms=None,
            ),
            Topic(
                name="fastpath.commands",
                description="From processor to connector: repair this fixture.",
                key="feed path",
                partitions=1,
                retention_ms=DAY_MS,
            ),
            Topic(
                name="fastpath.health",
                description="State of each line and feed: live, suspect, gapped, repairing, suspended, stale, down.",
                key="line/<line>, or feed/<feed path>; of a gap line/<line>@position, so that compaction keeps each",
                cleanup="compact",
                retention_ms=None,
            ),
            Topic(
                name="fastpath.dead-letters",
                description="Raw bytes that could not be normalized, with position, code and code version.",
                key="as the source record",
                retention_ms=30 * DAY_MS,
                max_message_bytes=RAW_MESSAGE_BYTES + 64 * 1024,  # a raw record and why it failed
            ),
            changelog("fastpath.audit", "fastpath.raw", _FASTPATH_RAW_PARTITIONS),
            Topic(
                name="rms.raw",
                description="Exact bytes of every RMS-Socket packet and look-up answer, controls, replays; in order.",
                key="customer id; partition = murmur2 of it",
                partitions=_RMS_PARTITIONS,
            ),
            Topic(
                name="rms.bets",
                description="Input, from the operator's bet platform: bets placed, answers, and replays of them.",
                key="<customer id>/<bet slip id>",
                partitions=_RMS_PARTITIONS,
            ),
            Topic(
                name="rms.approvals",
                description="Each decision that the vendor announced (RESERVE_BET_ACCEPT, RESERVE_BET_REJECT), once.",
                key="<customer id>/<bet slip id>, or <customer id>/code:<bet code> when that is all there is",
                partitions=_RMS_PARTITIONS,
            ),
            Topic(
                name="rms.pending",
                description="Bets, aliases, approvals and time on their way to the join; internal.",
                key="bet slip, bet code, or one that reaches a given partition",
                partitions=_RMS_PARTITIONS,
                retention_ms=2 * DAY_MS,
            ),
            Topic(
                name="rms.decisions",
                description="One final outcome per referred bet; late, contradicting and orphaned decisions.",
                key="<customer id>/<bet slip id>, or <customer id>/code:<bet code>",
                partitions=_RMS_PARTITIONS,
            ),
            Topic(
                name="rms.lookups",
                description="From join to connector: look up this bet.",
                key="customer id",
                partitions=1,
                retention_ms=DAY_MS,
            ),
            Topic(
                name="rms.health",
                description="State of each socket: live, suspect, down; joined, token age, budget; and every gap.",
                key="line/<line>; of a gap line/<line>@position, so that compaction keeps each",
                cleanup="compact",
                retention_ms=None,
            ),
            Topic(
                name="rms.dead-letters",
                description="Records of RMS topics that could not be used, with position, code and code version.",
                key="as the source record",
                retention_ms=30 * DAY_MS,
                max_message_bytes=RAW_MESSAGE_BYTES + 64 * 1024,  # a raw record and why it failed
            ),
            changelog("rms.approvals", "rms.raw", _RMS_PARTITIONS),
            changelog("rms.bets", "rms.bets", _RMS_PARTITIONS),
            changelog("rms.join", "rms.pending", _RMS_PARTITIONS),
        )
    }
)
