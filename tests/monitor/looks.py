"""Looks and pictures for tests, with what does not matter left out."""

from typing import Any

from tricast.monitor.look import GroupLook, Look, PartitionLook
from tricast.monitor.picture import Feed, Group, Kafka, Line, Partition, Topic

NOW_MS = 1_790_000_000_000
REACHED = Kafka(reachable=True, since_ms=NOW_MS - 60_000, brokers=3)


def partition_look(end=0, **more) -> PartitionLook:
    told = {"leader": 1, "replicas": 3, "in_sync": 3, "start": 0, "end": end, "last_stable": end} | more
    return PartitionLook(**told)


def look(at_ms=NOW_MS, *, partitions=None, groups=None) -> Look:
    return Look(at_ms=at_ms, brokers=(1, 2, 3), silent=(), partitions=partitions or {}, groups=groups or {})


def group_look(committed=None, *, state="Stable", members: int | None = 1, **more) -> GroupLook:
    return GroupLook(state=state, members=members, committed=committed or {}, **more)


def partition(number=0, **more) -> Partition:
    told = {
        "start": 0,
        "end": 10,
        "last_stable": 10,
        "held_since_ms": None,
        "newest_ms": NOW_MS,
        "size_bytes": 1,
        "in_sync": 3,
        "replicas": 3,
        "leader": 1,
    }
    return Partition(number=number, **(told | more))


def topic(name="tricast.kambi.raw", *partitions, **more) -> Topic:
    registry = name.removeprefix("tricast.")
    told = {
        "registry": registry,
        "feed": registry.partition(".")[0],
        "kind": "raw" if registry.endswith(".raw") else "normalized",
        "rate": 1.0,
        "bytes_rate": None,
        "size_bytes": None,
        "newest_ms": NOW_MS,
    }
    return Topic(name=name, partitions=partitions or (partition(),), **(told | more))


def group(name="tricast.kambi", **more) -> Group:
    told = {"ours": True, "state": "Stable", "members": 1, "lag": 0, "lag_s": 0.0, "rate": 1.0, "partitions": ()}
    return Group(name=name, **(told | more))


def line(name="kambi-0-general", state="live", **more) -> Line:
    told: dict[str, Any] = {"feed": "kambi", "since_ms": NOW_MS - 1000, "reason": "opened"}
    return Line(name=name, state=state, **(told | {"raw_topic": "tricast.kambi.raw", "raw_partition": 0} | more))


def feed(name="7", state="stale", **more) -> Feed:
    return Feed(name=name, state=state, **({"feed": "kambi", "since_ms": NOW_MS, "reason": "hole"} | more))
