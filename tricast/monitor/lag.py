"""How far groups are behind, in records and in seconds. Pure."""

from collections.abc import Mapping, Sequence

from tricast.monitor.look import GroupLook, PartitionLook, Place
from tricast.monitor.picture import NOT_VISIBLE, GroupPartition


def records_behind(look: PartitionLook, committed: int | None, *, from_start: bool) -> int | None:
    """Return the records between a committed offset and the end.

    Args:
        look: The partition.
        committed: ``None`` before a first commit.
        from_start: Whether the group then begins at the start: what another team's does, nobody knows.
    """
    position = look.start if committed is None and from_start else committed
    return None if look.end is None or position is None else max(0, look.end - position)


def seconds_behind(now_ms: int, oldest_ms: int | None) -> float | None:
    """Return the age of the oldest record that was not committed.

    Args:
        now_ms: UTC.
        oldest_ms: Its timestamp; 0 when there is none, ``None`` when it is not known.
    """
    if oldest_ms is None:
        return None
    return max(0, now_ms - oldest_ms) / 1000 if oldest_ms else 0.0


def partitions_of(
    group: GroupLook, partitions: Mapping[Place, PartitionLook], sources: Sequence[str], now_ms: int
) -> tuple[GroupPartition, ...]:
    """Return where a group stands in every partition it reads.

    Args:
        group: What its coordinator says.
        partitions: What their leaders say.
        sources: Topics that it is known to read from their start, whatever it has committed there.
        now_ms: UTC.
    """
    read = {place[0] for place in (*group.committed, *group.owners)} | set(sources)
    from_start = group.state != NOT_VISIBLE  # of one that is not, nobody knows what it has committed
    found = []
    for place in sorted(place for place in partitions if place[0] in read):
        committed = group.committed.get(place)
        lag = records_behind(partitions[place], committed, from_start=from_start and place[0] in sources)
        oldest_ms = 0 if lag == 0 else group.oldest_ms.get(place)
        found.append(
            GroupPartition(
                topic=place[0],
                number=place[1],
                committed=committed,
                lag=lag,
                lag_s=seconds_behind(now_ms, oldest_ms),
                member=group.owners.get(place),
            )
        )
    return tuple(found)
