"""Pictures made by hand, as the monitor makes them; always the same for the same arguments."""

import asyncio
from math import sin

from msgspec.structs import replace

from tricast.monitor.picture import (
    Edge,
    Feed,
    FeedCount,
    Group,
    GroupPartition,
    Kafka,
    Line,
    Partition,
    Picture,
    Reason,
    Recent,
    Record,
    Topic,
)

AT_MS = 1_784_664_843_000  # 2026-07-21 20:14:03 UTC
PREFIX = "tricast."
_TOPICS = {
    "kambi.raw": ("raw", 240.0),
    "kambi.events": ("normalized", 2.0),
    "kambi.offers": ("normalized", 1_180.0),
    "kambi.scores": ("normalized", 14.0),
    "kambi.health": ("health", 0.1),
    "kambi.dead-letters": ("dead-letters", 0.0),
    "changelog.kambi": ("changelog", 260.0),
    "fastpath.raw": ("raw", 61.0),
    "fastpath.actions": ("normalized", 44.0),
    "fastpath.statistics": ("normalized", 12.0),
    "fastpath.sequence": ("findings", 0.2),
    "fastpath.health": ("health", 0.1),
    "rms.raw": ("raw", 6.0),
    "rms.bets": ("input", 9.0),
    "rms.approvals": ("normalized", 5.0),
    "rms.pending": ("internal", 21.0),
    "rms.decisions": ("normalized", 4.0),
}
_EDGES = (
    ("kambi", "vendor/kambi", "connector/kambi", 240.0),
    ("kambi", "connector/kambi", "topic/tricast.kambi.raw", 240.0),
    ("kambi", "topic/tricast.kambi.raw", "group/tricast.kambi", 239.0),
    ("kambi", "group/tricast.kambi", "topic/tricast.kambi.events", 2.0),
    ("kambi", "group/tricast.kambi", "topic/tricast.kambi.offers", 1_180.0),
    ("kambi", "group/tricast.kambi", "topic/tricast.kambi.scores", 14.0),
    ("kambi", "group/tricast.kambi", "topic/tricast.kambi.dead-letters", 0.0),
    ("fastpath", "vendor/fastpath", "connector/fastpath", 61.0),
    ("fastpath", "connector/fastpath", "topic/tricast.fastpath.raw", 61.0),
    ("fastpath", "topic/tricast.fastpath.raw", "group/tricast.fastpath.audit", 61.0),
    ("fastpath", "group/tricast.fastpath.audit", "topic/tricast.fastpath.actions", 44.0),
    ("fastpath", "group/tricast.fastpath.audit", "topic/tricast.fastpath.statistics", 12.0),
    ("fastpath", "group/tricast.fastpath.audit", "topic/tricast.fastpath.sequence", 0.2),
    ("rms", "vendor/rms", "connector/rms", 6.0),
    ("rms", "connector/rms", "topic/tricast.rms.raw", 6.0),
    ("rms", "topic/tricast.rms.raw", "group/tricast.rms.approvals", 6.0),
    ("rms", "group/tricast.rms.approvals", "topic/tricast.rms.approvals", 5.0),
    ("rms", "group/tricast.rms.approvals", "topic/tricast.rms.pending", 8.0),
    ("rms", "topic/tricast.rms.bets", "group/tricast.rms.bets", 9.0),
    ("rms", "group/tricast.rms.bets", "topic/tricast.rms.pending", 13.0),
    ("rms", "topic/tricast.rms.pending", "group/tricast.rms.join", 21.0),
    ("rms", "group/tricast.rms.join", "topic/tricast.rms.decisions", 4.0),
)
_GROUPS = {
    "tricast.kambi": ("kambi.raw",),
    "tricast.fastpath.audit": ("fastpath.raw",),
    "tricast.rms.approvals": ("rms.raw",),
    "tricast.rms.bets": ("rms.bets",),
    "tricast.rms.join": ("rms.pending",),
    "odds-board": ("kambi.offers",),
}


def healthy(at_ms: int = AT_MS) -> Picture:
    """Everything works; numbers move a little with ``at_ms``."""
    lines = (
        *(_line("kambi", f"kambi-{n}-general", at_ms, "subscribed", "kambi.raw", n) for n in range(4)),
        *(_line("fastpath", f"fastpath-{n}", at_ms, "packets flow", "fastpath.raw", n) for n in range(2)),
        _line("rms", "rms-0", at_ms, "authenticated", "rms.raw", 0),
    )
    return Picture(
        at_ms=at_ms,
        state="healthy",
        reasons=(),
        kafka=Kafka(reachable=True, since_ms=at_ms - 86_400_000, brokers=3),
        topics=tuple(
            topic(name, kind, at_ms, rate=rate, partitions=4, phase=n)
            for n, (name, (kind, rate)) in enumerate(_TOPICS.items())
        ),
        groups=tuple(_group(name, sources, at_ms) for name, sources in _GROUPS.items()),
        lines=lines,
        counts=(
            FeedCount(feed="kambi", what="lines", state="live", count=4),
            FeedCount(feed="kambi", what="events", state="live", count=212),
            FeedCount(feed="fastpath", what="lines", state="live", count=2),
            FeedCount(feed="fastpath", what="feeds", state="live", count=38),
            FeedCount(feed="rms", what="lines", state="live", count=1),
        ),
        recent=tuple(
            _recent("finding", at_ms - 2_400_000 - n * 300_000, f"duplicate of {n + 8}, same bytes", n)
            for n in range(3)
        ),
        edges=tuple(Edge(feed=f, source=s, target=t, rate=_moved(r, at_ms)) for f, s, t, r in _EDGES),
    )


def degraded(at_ms: int = AT_MS) -> Picture:
    """One line is down, a group lags, there was a gap."""
    picture = healthy(at_ms)
    down = _line("kambi", "kambi-2-general", at_ms - 195_000, "no pong for 25 s", "kambi.raw", 2, state="down")
    suspect = _line("fastpath", "fastpath-1", at_ms - 12_000, "nothing for 11 s", "fastpath.raw", 1, state="suspect")
    lines = {line.name: line for line in (*picture.lines, down, suspect)}
    lagging = _group("tricast.fastpath.audit", ("fastpath.raw",), at_ms, lag=410)
    groups = {group.name: group for group in (*picture.groups, lagging)}
    held = picture.topics[0].partitions[1]
    held = replace(held, last_stable=(held.end or 0) - 37, held_since_ms=at_ms - 41_000)
    raw = replace(
        picture.topics[0], partitions=(picture.topics[0].partitions[0], held, *picture.topics[0].partitions[2:])
    )
    return replace(
        picture,
        state="degraded",
        reasons=(
            Reason(
                code="line-down",
                subject="kambi-2-general",
                text="line kambi-2-general is down: no pong for 25 s",
                since_ms=at_ms - 195_000,
            ),
            Reason(
                code="readers-held-back",
                subject=raw.name,
                text="an open transaction holds back 37 records of tricast.kambi.raw/1",
                since_ms=at_ms - 41_000,
            ),
            Reason(
                code="group-lagging",
                subject="tricast.fastpath.audit",
                text="group tricast.fastpath.audit is 48 s behind tricast.fastpath.raw",
                since_ms=at_ms - 30_000,
            ),
        ),
        topics=(raw, *picture.topics[1:]),
        groups=tuple(groups.values()),
        lines=tuple(lines.values()),
        feeds=(
            Feed(
                feed="fastpath",
                name="football/1042",
                state="gapped",
                since_ms=at_ms - 21_000,
                reason="118 to 121 missing",
            ),
            Feed(
                feed="fastpath",
                name="tennis/77",
                state="repairing",
                since_ms=at_ms - 9_000,
                reason="snapshot asked for",
            ),
            Feed(
                feed="kambi",
                name="Arsenal - Chelsea",
                state="stale",
                since_ms=at_ms - 99_000,
                reason="no snapshot",
                details={"event": "1019283746"},
            ),
        ),
        counts=(
            FeedCount(feed="kambi", what="lines", state="live", count=3),
            FeedCount(feed="kambi", what="lines", state="down", count=1),
            FeedCount(feed="kambi", what="events", state="live", count=211),
            FeedCount(feed="kambi", what="events", state="stale", count=1),
            FeedCount(feed="fastpath", what="lines", state="live", count=1),
            FeedCount(feed="fastpath", what="lines", state="suspect", count=1),
            FeedCount(feed="fastpath", what="feeds", state="live", count=36),
            FeedCount(feed="fastpath", what="feeds", state="gapped", count=1),
            FeedCount(feed="fastpath", what="feeds", state="repairing", count=1),
            FeedCount(feed="rms", what="lines", state="live", count=1),
        ),
        recent=(
            _recent("gap", at_ms - 21_000, "118 to 121 of football/1042 never came", 900),
            _recent(
                "dead-letter",
                at_ms - 64_000,
                "bad-json: trailing characters at byte 812",
                901,
                topic="kambi.dead-letters",
                feed="kambi",
            ),
            _recent("conflict", at_ms - 400_000, "sequence 77 came twice with different content", 902),
            *picture.recent,
            *(
                _recent("finding", at_ms - 5_000_000 - n * 60_000, f"late by {n + 3} packets", 100 + n)
                for n in range(30)
            ),
        ),
    )


def away(picture: Picture, for_s: int) -> Picture:
    """``picture`` when Kafka has not answered for so long since."""
    reason = Reason(
        code="kafka-down", subject="kafka", text="Kafka does not answer: connection refused", since_ms=picture.at_ms
    )
    kafka = Kafka(
        reachable=False,
        since_ms=picture.at_ms,
        brokers=picture.kafka.brokers,
        error="nothing listens at 127.0.0.1:9092",
        stale_s=float(for_s),
    )
    return replace(
        picture, at_ms=picture.at_ms + for_s * 1000, state="down", reasons=(reason, *picture.reasons), kafka=kafka
    )


def large(at_ms: int = AT_MS) -> Picture:
    """As much as the page has to bear."""
    topics, partitions, fixtures, lines = 50, 12, 500, 60
    longest = "changelog.fastpath.audit.fastpath.raw"
    feeds = ("kambi", "fastpath", "rms")
    kinds = ("raw", "normalized", "normalized", "health", "findings")
    made = tuple(
        topic(
            f"{feeds[n % 3]}.t{n:02}" if n < topics - 1 else longest,
            kinds[n // 3 % 5],
            at_ms,
            rate=5.0 * (n + 1),
            partitions=partitions,
            phase=n,
        )
        for n in range(topics)
    )
    unwell = Reason(
        code="feed-not-live",
        subject="fastpath",
        text="fastpath golf/tournaments/790401/round/1/team/22/statistics: suspect",
        since_ms=at_ms - 4_000,
    )
    return replace(
        degraded(at_ms),
        reasons=(unwell, *degraded(at_ms).reasons),
        topics=made,
        groups=tuple(
            _group(f"tricast.g{n}", (made[n].registry or "",), at_ms, partitions=partitions) for n in range(20)
        ),
        lines=tuple(
            _line(
                feeds[n % 3],
                f"line-{n:02}",
                at_ms,
                "subscribed",
                made[n % 3].registry or "",
                n,
                state="down" if n == 7 else "live",
            )
            for n in range(lines)
        ),
        feeds=tuple(
            Feed(
                feed="fastpath",
                name=f"football/{n}",
                state="gapped",
                since_ms=at_ms - n * 1000,
                reason=f"{n} to {n + 3} missing",
            )
            for n in range(fixtures)
        ),
        recent=tuple(
            _recent("gap", at_ms - n * 1000, f"{n} to {n + 3} of football/{n} never came", n) for n in range(200)
        ),
    )


def topic(name: str, kind, at_ms: int, *, rate: float = 0.0, partitions: int = 1, phase: int = 0) -> Topic:
    """A topic of ours whose rate swings."""
    second = at_ms // 1000
    history = tuple(max(0.0, rate * (1 + 0.25 * sin((second - 59 + back) / 7 + phase))) for back in range(60))
    end = int(rate * 3_600) + second % 1_000 * int(rate)
    return Topic(
        name=PREFIX + name,
        registry=name,
        feed=name.removeprefix("changelog.").partition(".")[0],
        kind=kind,
        partitions=tuple(
            Partition(
                number=n,
                start=0,
                end=end // partitions,
                last_stable=end // partitions,
                held_since_ms=None,
                newest_ms=at_ms - 300 - n * 40 if rate > 1 else at_ms - 3_600_000,
                size_bytes=end // partitions * 410,
                in_sync=3,
                replicas=3,
                leader=n % 3,
            )
            for n in range(partitions)
        ),
        rate=history[-1],
        bytes_rate=rate * 410,
        size_bytes=end * 410,
        newest_ms=at_ms - 300 if rate > 1 else at_ms - 3_600_000,
        history=history,
    )


def record(
    topic: str = "tricast.kambi.dead-letters", value: bytes | None = b'{"odds":1.87,"name":"Arsenal"}', **more
) -> Record:
    """A dead letter."""
    facts = {
        "topic": topic,
        "partition": 0,
        "offset": 901,
        "at_ms": AT_MS,
        "key": b"1019283746",
        "headers": (
            ("tc-code", b"bad-json"),
            ("tc-detail", b"trailing characters at byte 812"),
            ("tc-source", b"tricast.kambi.raw/2/118723"),
            ("tc-line", b"kambi-2-general"),
        ),
    }
    return Record(**(facts | more), value=value)


class Stage:
    """Stands where the monitor stands: shows what it is told to."""

    def __init__(self, picture: Picture | None, records: dict[tuple[str, int, int], Record] | None = None) -> None:
        self.picture = picture
        self.changed = asyncio.Condition()
        self.records = records or {}

    async def show(self, picture: Picture) -> None:
        async with self.changed:
            self.picture = picture
            self.changed.notify_all()

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        return self.records.get((topic, partition, offset))


def _line(feed, name, since_ms, reason, topic, partition, *, state="live") -> Line:
    return Line(
        feed=feed,
        name=name,
        state=state,
        since_ms=since_ms if state != "live" else since_ms // 3_600_000 * 3_600_000 - 7_200_000,
        reason=reason,
        raw_topic=PREFIX + topic,
        raw_partition=partition,
        details={"connection": "3f0c21aa", "reconnects": "2"} if state != "live" else {},
    )


def _group(name, sources, at_ms, *, lag: int = 3, partitions: int = 4) -> Group:
    lag_s = 0.2 if lag < 100 else 48.0
    return Group(
        name=name,
        ours=name.startswith(PREFIX),
        state="Stable",
        members=2,
        lag=lag,
        lag_s=lag_s,
        rate=_moved(60.0, at_ms),
        partitions=tuple(
            GroupPartition(
                topic=PREFIX + source,
                number=n,
                committed=at_ms // 1000 - lag,
                lag=lag if n == 1 else 0,
                lag_s=lag_s if n == 1 else 0.0,
                member=f"{name}-{n % 2}",
            )
            for source in sources
            for n in range(partitions)
        ),
    )


def _recent(kind, at_ms, title, offset, *, topic="fastpath.sequence", feed="fastpath") -> Recent:
    return Recent(
        kind=kind,
        feed=feed,
        at_ms=at_ms,
        title=title,
        key="football/1042",
        topic=PREFIX + topic,
        partition=0,
        offset=offset,
    )


def _moved(rate: float, at_ms: int) -> float:
    return rate * (1 + 0.05 * sin(at_ms / 3_000))
