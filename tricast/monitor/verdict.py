"""Healthy, degraded or down, and why. One judgement, for the page, ``tricast status`` and the metrics. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from tricast.monitor.health import FINISHED
from tricast.monitor.picture import NOT_VISIBLE, Feed, Group, Kafka, Line, Reason, State, Topic

CODES: Mapping[str, str] = MappingProxyType(
    {
        "kafka-down": "no broker answers",
        "topics-missing": "Kafka has none of the topics",
        "topic-missing": "a topic of the registry does not exist, or this user may not see it",
        "partition-offline": "a partition has no leader: nothing can be written to it or read from it",
        "broker-silent": "a broker of the cluster does not answer",
        "under-replicated": "partitions have replicas that are not in sync",
        "group-without-members": "nobody is in a processor's group: no worker runs; or this user may not see it",
        "group-lagging": "a processor is further behind than it may be",
        "connector-silent": "open lines write nothing to their raw topic, not even ticks: the connector stands",
        "line-down": "a line of a connector has no connection to its vendor",
        "line-not-live": "a line is open, but what comes is not what should come",
        "feed-not-live": "what is known of feeds or events cannot be trusted fully",
        "readers-held-back": "an open transaction keeps readers from what is behind it",
        "token-near-end": "the vendor's refresh token ends soon, and was not exchanged",
        "dead-letters": "more records than usual could not be used",
    }
)
"""What each reason means, worst first; alerts have the same names."""
RUNBOOK: Final = "docs/runbook.md"
"""Has a paragraph for each of them."""
_DOWN: Final = frozenset({"kafka-down", "topics-missing"})
_RANK: Final = {code: rank for rank, code in enumerate(CODES)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on something is not healthy any more.

    Attributes:
        lag: Records that a processor may be behind.
        lag_s: Seconds that it may be behind.
        silence_s: Without any record of an open line; connectors write a tick each second.
        held_s: That an open transaction may hold readers back: the engine's end after 10 s, and Kafka looks each 10 s.
        refresh_age_s: Age of the exchange that an RMS refresh token stems from; it ends after seven days.
        dead_ratio: Part of a feed's raw records that may end as dead letters, over the history that is kept.
        dead_letters: So many of them are never a reason.
    """

    lag: int = 10_000
    lag_s: float = 60.0
    silence_s: float = 15.0
    held_s: float = 25.0
    refresh_age_s: int = 6 * 86_400 + 43_200
    dead_ratio: float = 0.01
    dead_letters: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is judged.

    Attributes:
        at_ms: Now, UTC.
        registry: Physical names of all topics that should exist.
        hidden: Those of them that this user may not describe: they may exist.
        topics: Empty before the first look.
        lines: With ``feeds``, by the newest health records.
    """

    at_ms: int
    kafka: Kafka
    registry: Sequence[str]
    hidden: Collection[str] = ()
    topics: Sequence[Topic] = ()
    groups: Sequence[Group] = ()
    lines: Sequence[Line] = ()
    feeds: Sequence[Feed] = ()


def judge(evidence: Evidence, limits: Limits, before: Iterable[Reason] = ()) -> tuple[State, tuple[Reason, ...]]:
    """Return the verdict and its reasons, the worst first.

    Args:
        evidence: What is known.
        limits: What is still healthy.
        before: Reasons of the verdict before: what holds on keeps its beginning.
    """
    began = {(reason.code, reason.subject): reason.since_ms for reason in before}
    reasons = []
    for reason in _reasons(evidence, limits):
        since_ms = min(reason.since_ms, began.get((reason.code, reason.subject), reason.since_ms))
        reasons.append(replace(reason, since_ms=since_ms))
    reasons.sort(key=lambda reason: (_RANK[reason.code], reason.subject))
    if not reasons:
        return "healthy", ()
    is_down = any(reason.code in _DOWN for reason in reasons)
    return "down" if is_down else "degraded", tuple(reasons)


def _reasons(evidence: Evidence, limits: Limits) -> Iterator[Reason]:
    kafka = evidence.kafka
    if not kafka.reachable:
        # Everything else is as it was when Kafka was last seen; it is shown as that, not judged.
        yield _reason("kafka-down", "kafka", kafka.error or "no broker answers", kafka.since_ms)
        return
    existing = {topic.name for topic in evidence.topics}
    hidden = [name for name in evidence.registry if name in evidence.hidden]
    missing = [name for name in evidence.registry if name not in existing and name not in evidence.hidden]
    if len(missing) == len(evidence.registry):
        text = f"none of the {len(missing)} topics exists (`tricast topics create`)"
        yield _reason("topics-missing", "topics", text, evidence.at_ms)
        return
    for name in missing:
        yield _reason("topic-missing", name, f"topic {name} does not exist", evidence.at_ms)
    if hidden:
        one = f"topic {hidden[0]} is" if len(hidden) == 1 else f"{len(hidden)} topics ({hidden[0]}, …) are"
        text = f"{one} not visible to this user, who may not describe what is there"
        yield _reason("topic-missing", "not visible", text, evidence.at_ms)
    for broker in kafka.silent:
        yield _reason("broker-silent", str(broker), f"broker {broker} does not answer", evidence.at_ms)
    for topic in evidence.topics:
        yield from _of_topic(topic, evidence.at_ms, limits)
    used = {topic.feed for topic in evidence.topics if topic.feed and topic.end}
    for group in evidence.groups:
        if group.ours:
            yield from _of_group(group, _feeds_of(group, evidence.topics), used, evidence.at_ms, limits)
    yield from _of_lines(evidence.lines)
    yield from _old_tokens(evidence.lines, evidence.at_ms, limits)
    yield from _silent_connectors(evidence, limits)
    yield from _unwell(evidence.feeds)
    yield from _dead_letters(evidence, limits)


def _of_topic(topic: Topic, at_ms: int, limits: Limits) -> Iterator[Reason]:
    name = topic.name
    leaderless = [partition.number for partition in topic.partitions if partition.leader is None]
    if leaderless:
        numbers = ", ".join(map(str, leaderless))
        yield _reason("partition-offline", name, f"no broker leads partition {numbers} of {name}", at_ms)
    if topic.under_replicated:
        text = f"{topic.under_replicated} of {len(topic.partitions)} partitions of {name} have replicas out of sync"
        yield _reason("under-replicated", name, text, at_ms)
    held = [
        (partition.held_since_ms, partition)
        for partition in topic.partitions
        if partition.held_since_ms is not None and at_ms - partition.held_since_ms > limits.held_s * 1000
    ]
    if held:
        since_ms, worst = min(held, key=lambda row: row[0])
        text = f"an open transaction hides {worst.held_back} offsets of {name}/{worst.number} from readers"
        yield _reason("readers-held-back", name, text, since_ms)


def _feeds_of(group: Group, topics: Sequence[Topic]) -> set[str]:
    read = {partition.topic for partition in group.partitions}
    return {topic.feed for topic in topics if topic.name in read}


def _of_group(group: Group, feeds: set[str], used: set[str], at_ms: int, limits: Limits) -> Iterator[Reason]:
    if used and used.isdisjoint(feeds):
        return  # a feed that nobody uses here, beside one that somebody does
    if group.state == NOT_VISIBLE:
        text = f"group {group.name} is not visible to this user, who may not describe it: a worker may run or not"
        yield _reason("group-without-members", group.name, text, at_ms)
    if group.members == 0:
        text = f"group {group.name} has no member: no worker runs"
        yield _reason("group-without-members", group.name, text, at_ms)
    if (group.lag or 0) > limits.lag or (group.lag_s or 0) > limits.lag_s:
        behind = "" if group.lag_s is None else f", {group.lag_s:.0f} s"
        text = f"group {group.name} is {group.lag:,} records{behind} behind"
        yield _reason("group-lagging", group.name, text, at_ms)


def _of_lines(lines: Sequence[Line]) -> Iterator[Reason]:
    together: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.state not in {"live", FINISHED}:
            together[line.feed, line.state].append(line)
    for (feed, state), unwell in together.items():
        oldest = min(unwell, key=lambda line: (line.since_ms, line.name))
        why = f" ({oldest.reason})" if oldest.reason else ""
        one = f"line {oldest.name} is {state}{why}"
        text = one if len(unwell) == 1 else f"{one}, and {len(unwell) - 1} more of {feed}"
        code = "line-down" if state == "down" else "line-not-live"
        yield _reason(code, oldest.name if len(unwell) == 1 else f"{feed} {state}", text, oldest.since_ms)


def _old_tokens(lines: Sequence[Line], at_ms: int, limits: Limits) -> Iterator[Reason]:
    for line in lines:
        age = line.details.get("refresh_age_s", "")
        if age.isdecimal() and int(age) > limits.refresh_age_s:
            text = f"the refresh token of line {line.name} is {int(age) / 86_400:.1f} days old"
            yield _reason("token-near-end", line.name, text, at_ms)


def _silent_connectors(evidence: Evidence, limits: Limits) -> Iterator[Reason]:
    newest = {
        (topic.name, partition.number): partition.newest_ms
        for topic in evidence.topics
        if topic.kind == "raw"
        for partition in topic.partitions
    }
    silent: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in evidence.lines:
        if line.raw_topic is None or line.raw_partition is None or line.state in {"down", FINISHED}:
            continue
        heard_ms = newest.get((line.raw_topic, line.raw_partition))
        if heard_ms is None:
            continue
        # News of lines come sooner than looks at topics: one that just opened has ticks that were not seen yet.
        heard_ms = max(heard_ms, line.since_ms)
        if evidence.at_ms - heard_ms > limits.silence_s * 1000:
            silent[line.feed].append((heard_ms, line.name))
    for feed, lines in silent.items():
        heard_ms, name = min(lines)
        others = f" and of {len(lines) - 1} more" if len(lines) > 1 else ""
        text = f"connector {feed}: nothing of line {name}{others} in the raw topic, not even ticks"
        yield _reason("connector-silent", feed, text, heard_ms)


def _unwell(feeds: Sequence[Feed]) -> Iterator[Reason]:
    together: dict[tuple[str, str], list[Feed]] = defaultdict(list)
    for thing in feeds:
        together[thing.feed, thing.state].append(thing)
    for (feed, state), things in together.items():
        oldest = min(things, key=lambda thing: thing.since_ms)
        others = f" and {len(things) - 1} more" if len(things) > 1 else ""
        text = f"{feed} {oldest.name}{others}: {state} ({oldest.reason})"
        yield _reason("feed-not-live", f"{feed} {state}", text, oldest.since_ms)


def _dead_letters(evidence: Evidence, limits: Limits) -> Iterator[Reason]:
    read = {topic.feed: sum(topic.history) for topic in evidence.topics if topic.kind == "raw"}
    for topic in evidence.topics:
        dead = sum(topic.history)
        if topic.kind == "dead-letters" and dead > max(
            limits.dead_letters, limits.dead_ratio * read.get(topic.feed, 0)
        ):
            text = f"about {dead:.0f} dead letters in {topic.name} within {len(topic.history)} s"
            yield _reason("dead-letters", topic.name, text, evidence.at_ms)


def _reason(code: str, subject: str, text: str, since_ms: int) -> Reason:
    return Reason(code=code, subject=subject, text=text, since_ms=since_ms, runbook=f"{RUNBOOK}#{code}")
