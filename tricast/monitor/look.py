"""One look at Kafka, as numbers: what the picture is made from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Place = tuple[str, int]
"""A partition: physical name of the topic, number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionLook:
    """One partition; what could not be asked is what it was at the look before, or ``None``.

    Attributes:
        leader: Broker; ``None`` when there is none.
        end: High watermark.
        last_stable: What read_committed readers see up to.
        newest_ms: Timestamp of the newest record, markers of transactions left aside.
    """

    leader: int | None
    replicas: int
    in_sync: int
    start: int | None = None
    end: int | None = None
    last_stable: int | None = None
    newest_ms: int | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLook:
    """One consumer group.

    Attributes:
        state: As Kafka names it, or ``NOT_VISIBLE``.
        members: ``None`` when Kafka does not say (the newer protocol ``consumer``, or not visible).
        committed: Its offsets, those of the topics looked at alone.
        owners: Client id of the member that has a partition.
        oldest_ms: Timestamp of the oldest record that it could read and has not committed, for partitions where that
            was read; 0 when there is none.
    """

    state: str
    members: int | None
    committed: Mapping[Place, int]
    owners: Mapping[Place, str] = field(default_factory=dict)
    oldest_ms: Mapping[Place, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """All of it.

    Attributes:
        at_ms: When the offsets were asked for, UTC.
        brokers: Numbers of all brokers that the cluster says it has, or that hold replicas.
        silent: Those of them that did not answer, or that the cluster has given up.
        partitions: Of the topics looked at, those of one topic beside each other.
        hidden: Topics that should exist and that this user may not describe: Kafka does not say whether they do.
    """

    at_ms: int
    brokers: tuple[int, ...]
    silent: tuple[int, ...]
    partitions: Mapping[Place, PartitionLook]
    groups: Mapping[str, GroupLook]
    hidden: frozenset[str] = frozenset()
