"""What each user is for, written by hand from what the parts do: neither the registry nor ``roles.py`` is asked."""

from dataclasses import dataclass
from typing import Final

from schemas.topics import TOPICS

PREFIX: Final = "tricast."
FOREIGN_TOPIC: Final = "orders"
FOREIGN_GROUP: Final = "orders-service"
EVERY_TOPIC: Final = frozenset(TOPICS)
GROUPS: Final = ("kambi", "fastpath.audit", "rms.approvals", "rms.bets", "rms.join", "kambi.state", "fastpath.state")
_SEEN: Final = frozenset({"Describe"})

PUBLIC: Final = frozenset(
    {
        *("kambi.events", "kambi.offers", "kambi.scores", "kambi.settlements", "kambi.health"),
        *("fastpath.actions", "fastpath.statistics", "fastpath.sequence", "fastpath.connections", "fastpath.health"),
        *("rms.approvals", "rms.decisions", "rms.health", "kambi.state", "fastpath.state"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What one user is for; topics and groups by their names without prefix.

    Attributes:
        reads: Topics.
        writes: Topics.
        joins: Group it is a member of.
        sees: Groups it may look at.
        creates: Whether it makes topics and reads their settings.
        cluster: What it may do with the cluster.
        team: Whose groups it joins, outside the prefix.
        foreign_groups_seen: Whether it looks at groups of others, too.
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    joins: str | None = None
    sees: frozenset[str] = frozenset()
    creates: bool = False
    cluster: frozenset[str] = frozenset()
    team: str | None = None
    foreign_groups_seen: bool = False

    def on_topic(self, name: str) -> frozenset[str]:
        """Return the operations on a topic of tricast."""
        may = {"Read"} if name in self.reads else set[str]()
        may |= {"Write"} if name in self.writes else set()
        may |= {"Create", "DescribeConfigs"} if self.creates else set()
        return frozenset(may | _SEEN if may else may)

    def on_group(self, name: str) -> frozenset[str]:
        """Return the operations on a group of tricast."""
        if name == self.joins:
            return frozenset({"Read", "Describe"})
        return _SEEN if name in self.sees else frozenset()


def _worker(name: str, reads: str, *writes: str) -> Intent:
    changelog = f"changelog.{name}.{reads}"
    letters = f"{name.partition('.')[0]}.dead-letters"
    return Intent(reads=frozenset({reads, changelog}), writes=frozenset({*writes, letters, changelog}), joins=name)


_KAMBIS: Final = frozenset({"kambi.events", "kambi.offers", "kambi.scores"})

INTENTS: Final = {
    "tricast-connector-kambi": Intent(
        reads=frozenset({"kambi.raw", "kambi.health"}),
        writes=frozenset({"kambi.raw"}),
        sees=frozenset({"kambi"}),
    ),
    "tricast-connector-fastpath": Intent(
        reads=frozenset({"fastpath.raw", "fastpath.commands"}), writes=frozenset({"fastpath.raw"})
    ),
    "tricast-connector-rms": Intent(reads=frozenset({"rms.raw", "rms.lookups"}), writes=frozenset({"rms.raw"})),
    "tricast-worker-kambi": _worker(
        "kambi", "kambi.raw", "kambi.events", "kambi.offers", "kambi.scores", "kambi.settlements", "kambi.health"
    ),
    "tricast-worker-fastpath-audit": _worker(
        "fastpath.audit",
        "fastpath.raw",
        *("fastpath.actions", "fastpath.statistics", "fastpath.sequence", "fastpath.connections"),
        *("fastpath.commands", "fastpath.health"),
    ),
    "tricast-worker-rms-approvals": _worker("rms.approvals", "rms.raw", "rms.approvals", "rms.pending", "rms.health"),
    "tricast-worker-rms-bets": _worker("rms.bets", "rms.bets", "rms.pending"),
    "tricast-worker-rms-join": _worker("rms.join", "rms.pending", "rms.pending", "rms.decisions", "rms.lookups"),
    "tricast-worker-fastpath-state": _worker("fastpath.state", "fastpath.actions", "fastpath.state"),
    "tricast-worker-kambi-state": Intent(
        reads=_KAMBIS | {f"changelog.kambi.state.{name}" for name in _KAMBIS},
        writes=frozenset({"kambi.state", "kambi.dead-letters", *(f"changelog.kambi.state.{n}" for n in _KAMBIS)}),
        joins="kambi.state",
    ),
    "tricast-monitor": Intent(
        reads=EVERY_TOPIC, sees=frozenset(GROUPS), cluster=frozenset({"Describe"}), foreign_groups_seen=True
    ),
    "tricast-operator": Intent(
        reads=EVERY_TOPIC,
        writes=frozenset({"kambi.raw", "fastpath.raw", "rms.raw", "rms.bets"}),
        sees=frozenset(GROUPS),
        creates=True,
        cluster=frozenset({"DescribeConfigs"}),
        foreign_groups_seen=True,
    ),
    "tricast-bet-platform": Intent(writes=frozenset({"rms.bets"})),
    "tricast-example-team": Intent(reads=PUBLIC, team="example-team"),
}
