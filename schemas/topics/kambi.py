"""Topics of Kambi."""

from typing import Final

from schemas.topics.topic import Topic, changelog, dead_letters

KAMBI_SHARDS: Final = 4
"""Shards that ``kambi.raw`` has partitions for before it grows: 0 to 3, one a shard."""
MOST_KAMBI_SHARDS: Final = 1024
"""What it can grow to."""
KAMBI_SETTLEMENTS_PARTITION: Final = KAMBI_SHARDS
"""The ``bh`` channel has its own line and partition of ``kambi.raw``. It stays there when shards grow past it."""
_OF_AN_EVENT: Final = "of one event: as its lines said it, late ones marked; over topics, by the position in ce_id"
_PROCESSOR: Final = ("processor kambi",)
_STATE: Final = ("processor kambi.state",)
_STATE_PARTITIONS: Final = 4
"""Those of events, offers and scores are a multiple of it, so that all facts of a partition have states in one."""


def kambi_partition(shard: int) -> int:
    """Return the partition of ``kambi.raw`` that a shard is recorded in."""
    return shard if shard < KAMBI_SETTLEMENTS_PARTITION else shard + 1


def kambi_shard(partition: int) -> int | None:
    """Return the shard that a partition of ``kambi.raw`` belongs to; ``None``: settlements."""
    if partition == KAMBI_SETTLEMENTS_PARTITION:
        return None
    return partition if partition < KAMBI_SETTLEMENTS_PARTITION else partition - 1


def kambi(*, shards: int, facts: int) -> tuple[Topic, ...]:
    """Return Kambi's topics.

    Args:
        shards: How many ``kambi.raw`` has partitions for, beside that of settlements.
        facts: Partitions of events, offers and scores.
    """
    raw_partitions = shards + 1
    return (
        Topic(
            name="kambi.raw",
            description="Exact bytes of every Kambi push message and HTTP snapshot, controls, replays; in order.",
            key="partition number as text; partition = shard, set explicitly; settlements (bh) in the last one",
            content="raw",
            audience="public",
            order="of one connection: as received, numbered without a hole by tc-frame; control records among"
            " its frames",
            written_by=("connector kambi", "tricast dlq"),
            read_by=_PROCESSOR,
            partitions=raw_partitions,
        ),
        Topic(
            name="kambi.events",
            description="Events added, opened, removed, changed in state or description.",
            key="event id",
            content="events",
            audience="public",
            order=_OF_AN_EVENT,
            written_by=_PROCESSOR,
            read_by=("processor kambi.state", "tricast up"),
            partitions=facts,
        ),
        Topic(
            name="kambi.offers",
            description="Bet offers, outcomes, odds and suspensions, deduplicated over routing keys and lines.",
            key="event id",
            content="events",
            audience="public",
            order=_OF_AN_EVENT,
            written_by=_PROCESSOR,
            read_by=("processor kambi.state", "tricast up"),
            partitions=facts,
        ),
        Topic(
            name="kambi.scores",
            description="Clock, score, statistics, occurrences, visualizations and ticker of live events.",
            key="event id",
            content="events",
            audience="public",
            order=_OF_AN_EVENT,
            written_by=_PROCESSOR,
            read_by=_STATE,
            partitions=facts,
        ),
        Topic(
            name="kambi.settlements",
            description="Settled outcomes from the bh channel.",
            key="outcome id",
            content="events",
            audience="public",
            order="of one outcome: as the channel said it",
            written_by=_PROCESSOR,
        ),
        Topic(
            name="kambi.health",
            description="State of each line and event: live, suspect, gapped, stale, down; reason; since when.",
            key="line, or event/<id>; of a gap line@position, so that compaction keeps every one",
            content="events",
            audience="public",
            order="of one line or event: as it happened; compaction keeps the newest of each key",
            written_by=_PROCESSOR,
            read_by=("connector kambi", "tricast monitor"),
            cleanup="compact",
            retention_ms=None,
        ),
        Topic(
            name="kambi.state",
            description="What holds now: each event, each of its bet offers, its clock and score; for who starts late.",
            key="<event id>#event, <event id>#play or <event id>#offer/<offer id>; partition = murmur2 of the"
            " event id, as"
            " of the facts",
            content="events",
            audience="public",
            order="of one key: as its facts; a partition has the states of the facts of the same one, each topic's in"
            " order; compaction keeps the newest of each key, a tombstone says that it is gone",
            written_by=_STATE,
            partitions=_STATE_PARTITIONS,
            partition_until="#",
            cleanup="compact",
            retention_ms=None,
        ),
        dead_letters("kambi", "kambi", "kambi.state"),
        changelog("kambi", "kambi.raw", raw_partitions),
        *(changelog("kambi.state", name, facts) for name in ("kambi.events", "kambi.offers", "kambi.scores")),
    )
