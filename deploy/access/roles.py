"""Who may do what in Kafka: a role for each part of tricast, made of what the registry says that it reads and writes.

One table drives Strimzi's users (``deploy.strimzi``), ``kafka-acls.sh`` (``python -m deploy.access``), docs/rights.md;
a real broker tries it against ``tests/security/intent.py``, which is written by hand. Operations are Kafka's; ``Read``
and ``Write`` imply ``Describe`` there: it stands beside them so that the table reads by itself.
Idempotent producers need no right of their own since Kafka 3.0 (KIP-679).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from schemas.topics import TOPICS, Topic

Kind = Literal["topic", "group", "transactionalId", "cluster"]
Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]

FEEDS: Final = ("kambi", "fastpath", "rms")
EXAMPLE_TEAM: Final = "example-team"
"""Stands for a team that reads normalized records; copy its role, under the team's own name."""
_ELSEWHERE: Final = {
    "tricast monitor": "reads by prefix",
    "tricast up": "has a Kafka of its own, without users",
    "tricast dlq": "a person's: the operator's role",
}
_READ: Final[tuple[Operation, ...]] = ("Read", "Describe")
_WRITE: Final[tuple[Operation, ...]] = ("Write", "Describe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One permission.

    Attributes:
        kind: What it is about.
        name: Name of that, or how it begins.
        prefixed: Whether ``name`` is a beginning.
        operations: What is allowed there.
    """

    kind: Kind
    name: str
    prefixed: bool = False
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What one kind of process may do.

    Attributes:
        name: Of the Kafka user.
        purpose: Who runs under it, in a sentence.
        rules: All it may do.
    """

    name: str
    purpose: str
    rules: tuple[Rule, ...]


class UnknownActorError(Exception):
    """The registry names one who reads or writes, and no role is for it: give it one, or say why it needs none."""


def roles(prefix: str) -> tuple[Role, ...]:
    """Return all roles for topics, groups and transactional ids that begin with ``prefix``.

    Raises:
        UnknownActorError: Somebody in the registry would be left without rights.
    """
    processors = sorted({actor.removeprefix("processor ") for actor in _actors() if actor.startswith("processor ")})
    known = {f"connector {feed}" for feed in FEEDS} | {f"processor {name}" for name in processors}
    if strangers := _actors() - known - _ELSEWHERE.keys() - {"bet platform"}:
        raise UnknownActorError(", ".join(sorted(strangers)))
    return (
        *(_connector(prefix, feed) for feed in FEEDS),
        *(_worker(prefix, name) for name in processors),
        Role(
            name="tricast-monitor",
            purpose="`tricast monitor`, `status`, `tail`, `audit`: reads all of tricast, sees all groups' lag.",
            rules=(
                Rule(kind="topic", name=prefix, prefixed=True, operations=_READ),
                Rule(kind="group", name="*", operations=("Describe",)),
                # Sizes on disk; it lets Kafka show this user all rights, too.
                Rule(kind="cluster", name="kafka-cluster", operations=("Describe",)),
            ),
        ),
        _operator(prefix),
        Role(
            name="tricast-bet-platform",
            purpose="The operator's bet platform: writes bets and answers.",
            rules=tuple(_topics(prefix, _written_by("bet platform"), _WRITE)),
        ),
        Role(
            name=f"tricast-{EXAMPLE_TEAM}",
            purpose="A team that reads normalized records and health; never raw bytes. Its groups begin with its name.",
            rules=(
                *_topics(prefix, normalized(), _READ),
                Rule(kind="group", name=f"{EXAMPLE_TEAM}.", prefixed=True, operations=_READ),
            ),
        ),
    )


def normalized() -> list[Topic]:
    """Return the topics that other teams read: events of the codec, health included."""
    return [topic for topic in TOPICS.values() if topic.audience == "public" and topic.content not in _BYTES]


_BYTES: Final = ("raw", "dead-letters")
"""What vendors sent, unread: for tricast and the people who run it."""


def _connector(prefix: str, feed: str) -> Role:
    actor = f"connector {feed}"
    written = _written_by(actor)
    # When the shard count changes Kambi's asks how far the processor is.
    group = [Rule(kind="group", name=prefix + feed, operations=("Describe",))] if feed == "kambi" else []
    return Role(
        # What it writes it reads, too: when it starts it looks where its lines stood.
        name=f"tricast-connector-{feed}",
        purpose=f"`tricast connect {feed}`, all shards and standbys of it.",
        rules=(
            *_topics(prefix, written, ("Read", "Write", "Describe")),
            *_topics(prefix, _less(_read_by(actor), written), _READ),
            *group,
        ),
    )


def _worker(prefix: str, processor: str) -> Role:
    actor, group = f"processor {processor}", prefix + processor
    written, read = _written_by(actor), _read_by(actor)
    both = [topic for topic in written if topic in read]  # its changelogs
    return Role(
        name=f"tricast-worker-{processor.replace('.', '-')}",
        purpose=f"`tricast work {processor}` on every machine; `tricast reset {processor}`.",
        rules=(
            *_topics(prefix, _less(read, both), _READ),
            *_topics(prefix, _less(written, both), _WRITE),
            *_topics(prefix, both, ("Read", "Write", "Describe")),
            Rule(kind="group", name=group, operations=_READ),
            # One for each worker's name; a worker may have to fence another's.
            Rule(kind="transactionalId", name=f"{group}-", prefixed=True, operations=_WRITE),
        ),
    )


def _operator(prefix: str) -> Role:
    return Role(
        name="tricast-operator",
        purpose="People: `tricast topics create`, `topics check`, `doctor`, `dlq replay`; reads all of tricast.",
        rules=(
            Rule(
                kind="topic", name=prefix, prefixed=True, operations=("Create", "Read", "Describe", "DescribeConfigs")
            ),
            *_topics(prefix, _written_by("tricast dlq"), _WRITE),
            Rule(kind="group", name="*", operations=("Describe",)),
            Rule(kind="cluster", name="kafka-cluster", operations=("DescribeConfigs",)),
        ),
    )


def _actors() -> set[str]:
    return {actor for topic in TOPICS.values() for actor in (*topic.written_by, *topic.read_by)}


def _written_by(actor: str) -> list[Topic]:
    return [topic for topic in TOPICS.values() if actor in topic.written_by]


def _read_by(actor: str) -> list[Topic]:
    return [topic for topic in TOPICS.values() if actor in topic.read_by]


def _less(topics: Iterable[Topic], others: Iterable[Topic]) -> list[Topic]:
    gone = {topic.name for topic in others}
    return [topic for topic in topics if topic.name not in gone]


def _topics(prefix: str, topics: Iterable[Topic], operations: tuple[Operation, ...]) -> Iterator[Rule]:
    return (Rule(kind="topic", name=prefix + topic.name, operations=operations) for topic in topics)
