"""Metrics of the monitor: Kafka as it looks from outside, topics, groups, and what health topics say."""

from typing import Final

from schemas.metrics.metric import Metric

STATES: Final = ("healthy", "degraded", "down")

_PARTITION: Final = ("topic", "partition")
_GROUP: Final = ("group", "topic", "partition")


def _gauge(name: str, unit: str, meaning: str, *labels: str, **values: tuple[str, ...]) -> Metric:
    return Metric(
        name=f"tricast_{name}", part="monitor", kind="gauge", labels=labels, unit=unit, meaning=meaning, values=values
    )


METRICS: Final = (
    _gauge("state", "systems", "1 for the verdict that page and `tricast status` show, else 0.", "state", state=STATES),
    _gauge("reasons", "reasons", "Why it is not healthy: how many reasons of each code hold now.", "code"),
    _gauge("kafka_reachable", "clusters", "1 while Kafka answers the monitor; an outage keeps all other numbers."),
    _gauge("kafka_brokers", "brokers", "Brokers that the cluster says it has."),
    _gauge("kafka_brokers_silent", "brokers", "Brokers of them that did not answer the newest look."),
    _gauge("kafka_stale_seconds", "seconds", "Age of the newest look that came about."),
    _gauge("topic_start_offset", "offset", "Oldest offset kept.", *_PARTITION),
    _gauge("topic_end_offset", "offset", "End offset: its rate is that of records and markers.", *_PARTITION),
    _gauge(
        "topic_held_back_records",
        "records",
        "Offsets that readers of committed records do not see yet, behind an open transaction.",
        *_PARTITION,
    ),
    _gauge("topic_held_back_seconds", "seconds", "For how long they have been held back.", *_PARTITION),
    _gauge("topic_size_bytes", "bytes", "Size on the leader's disk.", *_PARTITION),
    _gauge("topic_newest_age_seconds", "seconds", "Age of the newest record.", *_PARTITION),
    _gauge("topic_in_sync_replicas", "replicas", "Replicas that are in sync, the leader among them.", *_PARTITION),
    _gauge("topic_replicas", "replicas", "Replicas that there should be.", *_PARTITION),
    _gauge("topic_has_leader", "partitions", "1 while a broker leads the partition.", *_PARTITION),
    _gauge(
        "group_committed_offset",
        "offset",
        "Committed offset of the group: its rate is how fast the group works.",
        *_GROUP,
    ),
    _gauge("group_lag_records", "records", "End offset minus committed offset.", *_GROUP),
    _gauge(
        "group_lag_seconds",
        "seconds",
        "Age of the oldest record that the group could read and has not committed; 0: there is none.",
        *_GROUP,
    ),
    _gauge("group_members", "members", "Members of the group.", "group", "ours", ours=("yes", "no")),
    _gauge(
        "health_subjects",
        "subjects",
        "Lines, feeds and events by the state that the health topic tells of them.",
        "feed",
        "what",
        "state",
    ),
)
