"""What the registry says of one topic."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

DAY_MS = 86_400_000
RAW_MESSAGE_BYTES = 8 * 1024 * 1024
"""A vendor bulk of 5 MB must pass, with its escapes and headers."""
LETTER_BYTES = RAW_MESSAGE_BYTES + 64 * 1024
"""A raw record and why it failed."""
COPIES = 3
"""Replicas of each partition, where there are as many brokers."""

Content = Literal["raw", "events", "input", "dead-letters", "messages", "state"]
"""raw: a feed's bytes; events: CloudEvents of the codec; input: what others write; dead-letters: bytes that failed;
messages: between our processors; state: changelogs."""
Audience = Literal["public", "input", "internal"]
"""public: other teams may read it; input: other teams write it; internal: may change with any version."""


class Topic(BaseModel):
    """One topic: what is in it, how it is keyed, and how Kafka keeps it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Name without the prefix setting, e.g. ``kambi.raw``."""
    description: str
    """What a record is, in a sentence."""
    key: str
    """What the record key is."""
    content: Content = "messages"
    """Kind of record: says which headers it has, and what its value is checked against."""
    audience: Audience = "internal"
    """Whom it is for."""
    order: str = ""
    """What is promised of the order of its records."""
    written_by: tuple[str, ...] = ()
    """``processor NAME``, ``connector FEED``, ``tricast COMMAND``, or ``bet platform``."""
    read_by: tuple[str, ...] = ()
    """Which parts of tricast read it, named likewise; who else may, says ``audience``."""
    partitions: int = 4
    """Partition count. Those that may differ are in ``Partitions``; changing one takes ``tricast topics grow``."""
    partition_until: str | None = None
    """The partition is that of the key up to the last of this, as of the topic whose keys those are; else of the whole
    key."""
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


def replicas(brokers: int) -> int:
    """Return how many replicas a partition has on so many brokers."""
    return min(COPIES, brokers)


def min_in_sync(copies: int) -> int:
    """Return ``min.insync.replicas`` for so many replicas: one of them may be away, and none can lose a record alone.

    With two replicas both cannot be had: there one is enough, or the loss of one broker would stop all writes.
    """
    return max(1, copies - 1)


def changelog(processor: str, source: str, partitions: int) -> Topic:
    """Return the changelog of ``processor`` for one of its source topics (same partition count, one writer each)."""
    return Topic(
        name=f"changelog.{processor}.{source}",
        description=f"State and checkpoints of processor {processor} over {source}; internal.",
        key="@ checkpoint, r|… repeats, s|… state",
        content="state",
        order="per partition, one writer at a time",
        written_by=(f"processor {processor}",),
        read_by=(f"processor {processor}",),
        partitions=partitions,
        cleanup="compact",
        retention_ms=None,
        segment_ms=600_000,
        segment_bytes=16 * 1024 * 1024,
    )


def dead_letters(feed: str, *processors: str) -> Topic:
    """Return the topic of what could not be used of a feed."""
    return Topic(
        name=f"{feed}.dead-letters",
        description="Bytes that could not be processed, with position, code and code version.",
        key="as the source record",
        content="dead-letters",
        audience="public",
        order="of one source partition: that of its records",
        written_by=tuple(f"processor {processor}" for processor in processors),
        read_by=("tricast dlq", "tricast monitor"),
        retention_ms=30 * DAY_MS,
        max_message_bytes=LETTER_BYTES,
    )
