"""What the page tells of a picture, worked out: who is worst, what stands beside what. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tricast.monitor.picture import HISTORY, Feed, FeedCount, Group, GroupPartition, Line, Picture, Topic
from tricast.web import tones
from tricast.web.sparkline import Sparkline, sparkline
from tricast.web.tones import Tone

KIND_ORDER = ("raw", "input", "normalized", "findings", "health", "dead-letters", "internal", "changelog", "other")
QUIET_FROM = 9
"""From so many lines of a feed on, those that are well are shown small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many things of a feed are in a state."""

    state: str
    count: int
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCard:
    """One feed in a few numbers.

    Attributes:
        counts: By what is counted (``lines``, ``events``), the worst state first.
        received: Records a second into its raw topics; ``written``: into its normalized ones.
        lag: Of its worst group in records, ``lag_s`` in seconds.
        newest_ms: Time of its newest raw record.
    """

    feed: str
    tone: Tone
    counts: Mapping[str, Sequence[Count]]
    received: float | None
    written: float | None
    spark: Sparkline
    lag: int | None
    lag_s: float | None
    newest_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """One topic with who reads it.

    Attributes:
        behind: Name of the group that is furthest behind; ``lag`` and ``lag_s`` are its.
        marks: What is not as it should be, in words.
    """

    topic: Topic
    spark: Sparkline
    behind: str | None
    lag: int | None
    lag_s: float | None
    marks: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCard:
    """One connector line.

    Attributes:
        quiet: Well, and one of many: shown small.
    """

    line: Line
    tone: Tone
    quiet: bool


def feed_cards(picture: Picture) -> tuple[FeedCard, ...]:
    """Return the feeds in use: those that have lines, counts or a raw topic with something in it."""
    topics: dict[str, list[Topic]] = defaultdict(list)
    for topic in picture.topics:
        topics[topic.feed].append(topic)
    used = {line.feed for line in picture.lines} | {count.feed for count in picture.counts}
    used |= {topic.feed for topic in picture.topics if topic.kind == "raw" and topic.end}
    return tuple(_feed_card(feed, topics[feed], picture) for feed in sorted(used - {""}))


def _feed_card(feed: str, topics: Sequence[Topic], picture: Picture) -> FeedCard:
    raw = [topic for topic in topics if topic.kind == "raw"]
    names = {topic.name for topic in topics}
    lags = [at for group in picture.groups if group.ours for at in group.partitions if at.topic in names]
    counts = _counts(feed, picture)
    feed_tones: list[Tone] = [count.tone for group in counts.values() for count in group]
    if any(reason.subject in names or reason.subject == feed for reason in picture.reasons):
        feed_tones.append("warn")
    return FeedCard(
        feed=feed,
        tone=tones.together(feed_tones),
        counts=counts,
        received=sum(topic.rate for topic in raw) if raw else None,
        written=sum(topic.rate for topic in topics if topic.kind == "normalized") if topics else None,
        spark=sparkline(_summed([topic.history for topic in raw]), HISTORY),
        lag=_total(at.lag for at in lags),
        lag_s=_most(at.lag_s for at in lags),
        newest_ms=max((topic.newest_ms for topic in raw if topic.newest_ms is not None), default=None),
    )


def _counts(feed: str, picture: Picture) -> Mapping[str, Sequence[Count]]:
    found: dict[str, list[Count]] = defaultdict(list)
    counted: Iterable[FeedCount] = (count for count in picture.counts if count.feed == feed and count.count)
    for count in counted:
        tone = tones.of_health(count.state)
        found[count.what].append(Count(state=count.state, count=count.count, tone=tone))
    for states in found.values():
        states.sort(key=lambda count: (tones.rank(count.tone), count.state))
    return dict(sorted(found.items(), key=lambda item: (item[0] != "lines", item[0])))


def topic_rows(picture: Picture) -> Mapping[str, Sequence[TopicRow]]:
    """Return the topics by feed, ours first; of a feed in the order in which records go through it."""
    behind = _behind(picture.groups)
    found: dict[str, list[TopicRow]] = defaultdict(list)
    for topic in sorted(picture.topics, key=lambda topic: (not topic.feed, topic.feed, _order(topic), topic.name)):
        group, lag, lag_s = behind.get(topic.name, (None, None, None))
        found[topic.feed].append(
            TopicRow(
                topic=topic,
                spark=sparkline(topic.history, HISTORY),
                behind=group,
                lag=lag,
                lag_s=lag_s,
                marks=_marks(topic),
            )
        )
    return found


def _order(topic: Topic) -> int:
    return KIND_ORDER.index(topic.kind)


def _marks(topic: Topic) -> list[str]:
    marks = []
    if leaderless := sum(partition.leader is None for partition in topic.partitions):
        marks.append(f"{leaderless} without leader")
    if topic.under_replicated:
        marks.append(f"{topic.under_replicated} under-replicated")
    if any(partition.held_since_ms is not None for partition in topic.partitions):
        marks.append(f"{topic.held_back:,} held back")
    return marks


def _behind(groups: Iterable[Group]) -> Mapping[str, tuple[str, int | None, float | None]]:
    """Return by topic the group that is furthest behind there: in seconds, and where those are equal in records."""
    worst: dict[str, tuple[str, int | None, float | None]] = {}
    for group in groups:
        by_topic: dict[str, list[GroupPartition]] = defaultdict(list)
        for at in group.partitions:
            by_topic[at.topic].append(at)
        for topic, places in by_topic.items():
            mine = (group.name, _total(at.lag for at in places), _most(at.lag_s for at in places))
            if topic not in worst or _badness(mine) > _badness(worst[topic]):
                worst[topic] = mine
    return worst


def _badness(found: tuple[str, int | None, float | None]) -> tuple[float, int]:
    _, lag, lag_s = found
    return (-1 if lag_s is None else lag_s, -1 if lag is None else lag)


def line_cards(picture: Picture) -> Mapping[str, Sequence[LineCard]]:
    """Return the connector lines by feed, those that are not well first."""
    by_feed: dict[str, list[Line]] = defaultdict(list)
    for line in picture.lines:
        by_feed[line.feed].append(line)
    return {
        feed: sorted(
            (_line_card(line, many=len(lines) >= QUIET_FROM) for line in lines),
            key=lambda card: (card.quiet, tones.rank(card.tone), card.line.name),
        )
        for feed, lines in sorted(by_feed.items())
    }


def _line_card(line: Line, *, many: bool) -> LineCard:
    tone = tones.of_health(line.state, line.reason)
    return LineCard(line=line, tone=tone, quiet=many and tone in {"ok", "idle"})


def unwell(picture: Picture) -> Sequence[tuple[Feed, Tone]]:
    """Return what the feeds carry that is not well, the worst first, then the newest."""
    found: list[tuple[Feed, Tone]] = [(feed, tones.of_health(feed.state, feed.reason)) for feed in picture.feeds]
    return sorted(found, key=lambda item: (tones.rank(item[1]), item[0].feed, -item[0].since_ms, item[0].name))


def _summed(histories: Sequence[Sequence[float]]) -> list[float]:
    """Return histories added up, each by its newest value."""
    longest = max(map(len, histories), default=0)
    return [sum(values[-back] for values in histories if back <= len(values)) for back in range(longest, 0, -1)]


def _total(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def _most(numbers: Iterable[float | None]) -> float | None:
    return max((number for number in numbers if number is not None), default=None)
