"""What the monitor sees as samples for Prometheus, and when it is ready itself."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from schemas.metrics import Part
from schemas.metrics.monitor import STATES
from tricast.monitor.picture import Group, Partition, Picture, Topic
from tricast.monitor.verdict import CODES
from tricast.monitor.watch import Monitor
from tricast.observe.exporter import Sample
from tricast.observe.standing import Fault

LATE_MS: Final = 30_000
"""A picture older than this: a look hangs, which its own time-out should have ended."""


class MonitorSubject:
    """See :class:`tricast.observe.beat.Subject`. An outage of Kafka is what it is there to tell: it stays ready.

    Args:
        monitor: Watches.
        now_ms: UTC.
    """

    part: Part = "monitor"
    stalled_s = 0.0

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def samples(self) -> Iterator[Sample]:
        """Return all metrics of the newest picture."""
        return samples(self._monitor.picture)

    def faults(self, now_s: float) -> Iterator[Fault]:
        """Return what is not as it should be of the monitor itself."""
        if not self._monitor.has_settled:
            yield Fault(code="looking", text="it has not seen everything yet", severity="unready")


def samples(picture: Picture) -> Iterator[Sample]:
    """Return the samples of one picture. Numbers that are not known have none."""
    for state in STATES:
        yield Sample("tricast_state", (state,), state == picture.state)
    reasons = Counter(reason.code for reason in picture.reasons)
    for code in CODES:
        yield Sample("tricast_reasons", (code,), reasons[code])
    kafka = picture.kafka
    yield Sample("tricast_kafka_reachable", (), kafka.reachable)
    yield Sample("tricast_kafka_brokers", (), kafka.brokers)
    yield Sample("tricast_kafka_brokers_silent", (), len(kafka.silent))
    yield Sample("tricast_kafka_stale_seconds", (), kafka.stale_s)
    for topic in picture.topics:
        for partition in topic.partitions:
            yield from _of_partition(topic, partition, picture.at_ms)
    for group in picture.groups:
        yield from _of_group(group)
    for count in picture.counts:
        yield Sample("tricast_health_subjects", (count.feed, count.what, count.state), count.count)


def _of_partition(topic: Topic, partition: Partition, at_ms: int) -> Iterator[Sample]:
    place = (topic.name, str(partition.number))
    held_s = 0.0 if partition.held_since_ms is None else (at_ms - partition.held_since_ms) / 1000
    newest_s = None if partition.newest_ms is None else (at_ms - partition.newest_ms) / 1000
    numbers: tuple[tuple[str, float | None], ...] = (
        ("start_offset", partition.start),
        ("end_offset", partition.end),
        ("held_back_records", partition.held_back),
        ("held_back_seconds", held_s),
        ("size_bytes", partition.size_bytes),
        ("newest_age_seconds", newest_s),
        ("in_sync_replicas", partition.in_sync),
        ("replicas", partition.replicas),
        ("has_leader", partition.leader is not None),
    )
    for name, number in numbers:
        if number is not None:
            yield Sample(f"tricast_topic_{name}", place, number)


def _of_group(group: Group) -> Iterator[Sample]:
    if group.members is not None:
        yield Sample("tricast_group_members", (group.name, "yes" if group.ours else "no"), group.members)
    for row in group.partitions:
        place = (group.name, row.topic, str(row.number))
        if row.committed is not None:
            yield Sample("tricast_group_committed_offset", place, row.committed)
        if row.lag is not None:
            yield Sample("tricast_group_lag_records", place, row.lag)
        if row.lag_s is not None:
            yield Sample("tricast_group_lag_seconds", place, row.lag_s)
