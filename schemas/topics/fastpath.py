"""Topics of FastPath."""

from typing import Final

from schemas.topics.topic import DAY_MS, Topic, changelog, dead_letters

_RAW_PARTITIONS: Final = 8
_PROCESSOR: Final = ("processor fastpath.audit",)
_STATE_PARTITIONS: Final = 4
"""Those of actions are a multiple of it, so that all actions of a partition have states in one."""


def fastpath(*, actions: int) -> tuple[Topic, ...]:
    """Return FastPath's topics.

    Args:
        actions: Partitions of actions.
    """
    return (
        Topic(
            name="fastpath.raw",
            description="Exact bytes of every FastPath WebSocket message, controls, replays; in order.",
            key="feed path; partition = murmur2 of it, so that all lines of a feed meet in one",
            content="raw",
            audience="public",
            order="of one connection: as received, numbered without a hole by tc-frame; control records among"
            " its frames",
            written_by=("connector fastpath", "tricast dlq"),
            read_by=_PROCESSOR,
            partitions=_RAW_PARTITIONS,
        ),
        Topic(
            name="fastpath.actions",
            description="Actions and event elements in sequence order, each with the connection state in force.",
            key="fixture id",
            content="events",
            audience="public",
            order="of one fixture and feed: by sequence; late, repaired and conflict are marked and may be out"
            " of order",
            written_by=_PROCESSOR,
            read_by=("processor fastpath.state", "tricast up"),
            partitions=actions,
        ),
        Topic(
            name="fastpath.statistics",
            description="Statistics aggregates; the last of a fixture holds.",
            key="fixture id",
            content="events",
            audience="public",
            order="of one fixture and feed: by sequence; late, repaired and conflict are marked and may be out"
            " of order",
            written_by=_PROCESSOR,
        ),
        Topic(
            name="fastpath.sequence",
            description="Findings of the sequence account: gaps, repairs, what is lost, conflicts, restarts.",
            key="fixture id",
            content="events",
            audience="public",
            order="of one fixture: as found",
            written_by=_PROCESSOR,
            read_by=("tricast monitor", "tricast up"),
        ),
        Topic(
            name="fastpath.connections",
            description="State of the upstream collector as the vendor tells it, deduplicated.",
            key="feed path",
            content="events",
            audience="public",
            order="of one feed: as told; compaction keeps the newest",
            written_by=_PROCESSOR,
            cleanup="compact",
            retention_ms=None,
        ),
        Topic(
            name="fastpath.commands",
            description="From processor to connector: repair this fixture.",
            key="feed path",
            content="events",
            order="of one feed: as asked",
            written_by=_PROCESSOR,
            read_by=("connector fastpath",),
            partitions=1,
            retention_ms=DAY_MS,
        ),
        Topic(
            name="fastpath.health",
            description="State of each line and feed: live, suspect, gapped, repairing, suspended, stale, down.",
            key="line/<line>, or feed/<feed path>; of a gap line/<line>@position, so that compaction keeps each",
            content="events",
            audience="public",
            order="of one line or feed: as it happened; compaction keeps the newest of each key",
            written_by=_PROCESSOR,
            read_by=("tricast monitor",),
            cleanup="compact",
            retention_ms=None,
        ),
        Topic(
            name="fastpath.state",
            description="Where each fixture stands, by each feed: summary or last element, number; for who starts"
            " late.",
            key="<fixture id>#<feed path>; partition = murmur2 of the fixture id, as of the actions",
            content="events",
            audience="public",
            order="of one key: as its actions; a partition has the states of the actions of the same one, in"
            " their order;"
            " compaction keeps the newest of each key, a tombstone says that nothing came for 48 h",
            written_by=("processor fastpath.state",),
            partitions=_STATE_PARTITIONS,
            partition_until="#",
            cleanup="compact",
            retention_ms=None,
        ),
        dead_letters("fastpath", "fastpath.audit", "fastpath.state"),
        changelog("fastpath.audit", "fastpath.raw", _RAW_PARTITIONS),
        changelog("fastpath.state", "fastpath.actions", actions),
    )
