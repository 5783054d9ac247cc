"""What the monitor sees: one value, from which page, ``tricast status`` and metrics are made.

Times are UTC milliseconds, spans are seconds; ``None`` means that it is not known, never zero.
"""

from typing import Final, Literal

from msgspec import Struct

State = Literal["healthy", "degraded", "down"]
TopicKind = Literal[
    "raw", "input", "normalized", "health", "findings", "dead-letters", "internal", "changelog", "other"
]
RecentKind = Literal["gap", "finding", "conflict", "dead-letter"]

NOT_VISIBLE: Final = "not visible"
"""State of a group that this user may not describe: there may be members, and positions."""
HISTORY = 60
"""Samples of a topic's rate that are kept, for sparklines."""
MOST_RECENT = 200
"""Gaps, findings, conflicts and dead letters that are kept, all together."""


class Reason(Struct, frozen=True, kw_only=True):
    """Why it is not healthy.

    Attributes:
        code: Name of the alert that says the same, e.g. ``line-down``; ``verdict.CODES`` lists them with meanings.
        subject: What it is about: a topic, a group, a line, a feed.
        text: For people, one sentence that names the subject.
        since_ms: Since when, as well as it is known.
        runbook: Where it is written what to do, e.g. ``docs/runbook.md#line-down``; the page shows it at ``/runbook``.
    """

    code: str
    subject: str
    text: str
    since_ms: int
    runbook: str = ""


class Kafka(Struct, frozen=True, kw_only=True):
    """How Kafka itself does.

    Attributes:
        reachable: Whether the newest look came about.
        since_ms: Since when it has been reachable, or not.
        brokers: How many brokers the cluster says it has.
        silent: Brokers of them that did not answer the newest look; numbers of partitions they lead are older ones.
        error: Why it cannot be reached, for people.
        stale_s: Age of all the numbers beside it: grows while it is not reachable.
    """

    reachable: bool
    since_ms: int
    brokers: int
    silent: tuple[int, ...] = ()
    error: str | None = None
    stale_s: float = 0.0


class Partition(Struct, frozen=True, kw_only=True):
    """One partition.

    Attributes:
        start: Oldest offset kept.
        end: End offset (high watermark), what lag is measured against.
        last_stable: Offset up to which read_committed readers see; ``end - last_stable`` is held back.
        held_since_ms: Since when readers have stood at this ``last_stable`` with something behind it.
        newest_ms: Timestamp of the newest record (or transaction marker).
        size_bytes: On the leader's disk.
        in_sync: How many replicas are in sync, the leader among them.
        replicas: How many there should be.
        leader: Broker that leads it; ``None`` when none does.
    """

    number: int
    start: int | None
    end: int | None
    last_stable: int | None
    held_since_ms: int | None
    newest_ms: int | None
    size_bytes: int | None
    in_sync: int
    replicas: int
    leader: int | None

    @property
    def held_back(self) -> int:
        """Offsets that an open transaction keeps from readers; 0 too when it is not known."""
        return 0 if self.end is None or self.last_stable is None else max(0, self.end - self.last_stable)


class Topic(Struct, frozen=True, kw_only=True):
    """One topic.

    Attributes:
        name: Physical name.
        registry: Name in the registry; ``None`` when it is none of ours.
        feed: Feed it belongs to, by its name; empty when it is none of ours.
        rate: Offsets a second over the last samples, transaction markers with them.
        bytes_rate: Growth on disk a second (leaders only); ``None`` before two sizes are known.
        size_bytes: On the leaders' disks.
        newest_ms: Timestamp of the newest record.
        history: ``rate`` from one sample to the next, oldest first, at most ``HISTORY``.
    """

    name: str
    registry: str | None
    feed: str
    kind: TopicKind
    partitions: tuple[Partition, ...]
    rate: float
    bytes_rate: float | None
    size_bytes: int | None
    newest_ms: int | None
    history: tuple[float, ...] = ()

    @property
    def end(self) -> int:
        """Sum of the end offsets that are known."""
        return sum(partition.end or 0 for partition in self.partitions)

    @property
    def under_replicated(self) -> int:
        """How many partitions have replicas that are not in sync."""
        return sum(partition.in_sync < partition.replicas for partition in self.partitions)

    @property
    def held_back(self) -> int:
        """Offsets that open transactions keep from readers."""
        return sum(partition.held_back for partition in self.partitions)


class GroupPartition(Struct, frozen=True, kw_only=True):
    """Where a group stands in one partition.

    Attributes:
        committed: Its offset; ``None`` when it has committed none.
        lag: ``end - committed`` in records, markers with them, as every lag tool counts it; a group of ours that has
            committed nothing there begins at the start.
        lag_s: Age of the oldest record that it could read and has not committed; 0 when there is none.
        member: Client id of the member that has the partition.
    """

    topic: str
    number: int
    committed: int | None
    lag: int | None
    lag_s: float | None
    member: str | None


class Group(Struct, frozen=True, kw_only=True):
    """A consumer group that reads a topic of ours.

    Attributes:
        ours: Whether it is that of a processor.
        state: As Kafka names it: Stable, Empty, PreparingRebalance, CompletingRebalance, Dead; or ``NOT_VISIBLE``.
        members: How many there are; ``None`` when Kafka does not tell (groups of the ``consumer`` protocol, or not
            visible).
        lag: Sum over its partitions; ``None`` when it is known of none.
        lag_s: The worst of its partitions.
        rate: Offsets committed a second.
    """

    name: str
    ours: bool
    state: str
    members: int | None
    lag: int | None
    lag_s: float | None
    rate: float
    partitions: tuple[GroupPartition, ...]


class Line(Struct, frozen=True, kw_only=True):
    """A connector line, by its newest health record.

    Attributes:
        raw_topic: Physical name of the topic it writes to.
        raw_partition: Its partition there, when the line says enough to tell.
        details: What else the record says, for people.
    """

    feed: str
    name: str
    state: str
    since_ms: int
    reason: str
    raw_topic: str | None = None
    raw_partition: int | None = None
    details: dict[str, str] = {}


class Feed(Struct, frozen=True, kw_only=True):
    """Something a feed carries that is not well: a FastPath feed, a Kambi event."""

    feed: str
    name: str
    state: str
    since_ms: int
    reason: str
    details: dict[str, str] = {}


class FeedCount(Struct, frozen=True, kw_only=True):
    """How many things of one feed are in one state, well or not.

    Attributes:
        what: What is counted, in the plural: ``events``, ``feeds``, ``lines``; ``coverage`` counts events by coverage.
    """

    feed: str
    what: str
    state: str
    count: int


class Recent(Struct, frozen=True, kw_only=True):
    """Something that a person may want to look at: where it lies, and what it says in a line.

    Attributes:
        topic: Physical name; the record is at ``partition`` and ``offset``.
    """

    kind: RecentKind
    feed: str
    at_ms: int
    title: str
    key: str
    topic: str
    partition: int
    offset: int


class Edge(Struct, frozen=True, kw_only=True):
    """One arrow of the pipeline.

    Attributes:
        source: What it comes from, with its kind: ``vendor/<feed>``, ``connector/<feed>``, ``topic/<physical name>`` or
            ``group/<name>``; likewise ``target``.
        rate: Records a second.
    """

    feed: str
    source: str
    target: str
    rate: float | None


class Picture(Struct, frozen=True, kw_only=True):
    """Everything that is known at one moment.

    Attributes:
        at_ms: When it was made.
        reasons: Why ``state`` is not healthy, the worst first; empty when it is.
        feeds: Only those that are not well, at most ``MOST_FEEDS``; ``counts`` has all.
        recent: Newest first.
    """

    at_ms: int
    state: State
    reasons: tuple[Reason, ...]
    kafka: Kafka
    topics: tuple[Topic, ...] = ()
    groups: tuple[Group, ...] = ()
    lines: tuple[Line, ...] = ()
    feeds: tuple[Feed, ...] = ()
    counts: tuple[FeedCount, ...] = ()
    recent: tuple[Recent, ...] = ()
    edges: tuple[Edge, ...] = ()


MOST_FEEDS = 500
"""Rows of ``Picture.feeds``."""


class Record(Struct, frozen=True, kw_only=True):
    """One record, read on demand.

    Attributes:
        headers: In their order; a name may come twice.
        value: ``None`` for a tombstone.
    """

    topic: str
    partition: int
    offset: int
    at_ms: int
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None
