"""Rights in Kafka: the registry promises what the code does, nobody has more, and the files of Strimzi are current."""

from types import MappingProxyType

import pytest
import yaml

from connectors.fastpath.commands import COMMANDS_TOPIC
from connectors.fastpath.names import RAW_TOPIC as FASTPATH_RAW
from connectors.kambi.connector import RAW_TOPIC as KAMBI_RAW
from connectors.kambi.remembered import HEALTH
from connectors.rms.lookup_reader import LOOKUPS_TOPIC
from connectors.rms.names import RAW_TOPIC as RMS_RAW
from deploy.access import roles as access
from deploy.access.__main__ import arguments
from deploy.access.roles import Role, Rule, UnknownActorError, roles
from deploy.strimzi.__main__ import main as strimzi
from deploy.strimzi.resources import rendered
from processors.engine.topology import Topology
from schemas.topics import TOPICS
from tricast.processors import PROCESSORS
from tricast.settings import Settings

PREFIX = "p."
ROLES = {role.name: role for role in roles(PREFIX)}


def may(role: Role, operation: str, kind: str = "topic") -> set[str]:
    return {rule.name for rule in role.rules if rule.kind == kind and operation in rule.operations}


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_worker_may_do_what_its_processor_declares_and_nothing_else(name: str) -> None:
    processor = PROCESSORS[name](Settings())
    topology = Topology.of(processor, PREFIX, TOPICS)
    changelogs = set(topology.changelogs(processor).values())
    role = ROLES[f"tricast-worker-{name.replace('.', '-')}"]
    assert may(role, "Read") == set(topology.sources.values()) | changelogs
    assert may(role, "Write") == {PREFIX + topic for topic in topology.outputs} | changelogs
    assert may(role, "Read", "group") == {topology.group}
    assert not any(rule.prefixed for rule in role.rules if rule.kind != "transactionalId")
    assert [rule for rule in role.rules if rule.kind == "transactionalId"] == [
        Rule(kind="transactionalId", name=f"{topology.group}-", prefixed=True, operations=("Write", "Describe"))
    ]


def test_no_worker_may_use_anothers_transactional_ids() -> None:
    prefixes = [
        name for role in ROLES.values() for name in may(role, "Write", "transactionalId") if role.name.count("worker")
    ]
    assert len(prefixes) == len(PROCESSORS)
    assert not [(a, b) for a in prefixes for b in prefixes if a != b and a.startswith(b)]


@pytest.mark.parametrize(
    ("feed", "raw", "read"),
    [
        pytest.param("kambi", KAMBI_RAW, {HEALTH}, id="kambi"),
        pytest.param("fastpath", FASTPATH_RAW, {COMMANDS_TOPIC}, id="fastpath"),
        pytest.param("rms", RMS_RAW, {LOOKUPS_TOPIC}, id="rms"),
    ],
)
def test_a_connector_may_write_its_raw_topic_only_and_read_what_it_asks(feed: str, raw: str, read: set[str]) -> None:
    role = ROLES[f"tricast-connector-{feed}"]
    assert may(role, "Write") == {PREFIX + raw}
    assert may(role, "Read") == {PREFIX + topic for topic in {raw, *read}}
    assert not may(role, "Read", "group")


def test_a_team_reads_what_is_normalized_and_no_bytes_of_vendors() -> None:
    read = may(ROLES["tricast-example-team"], "Read")
    assert {"p.kambi.offers", "p.fastpath.actions", "p.rms.decisions", "p.kambi.health"} <= read
    assert not {name for name in read if name.endswith((".raw", ".dead-letters", ".pending")) or "changelog" in name}


def test_who_writes_is_who_the_registry_says() -> None:
    writers = {name: {role.name for role in ROLES.values() if PREFIX + name in may(role, "Write")} for name in TOPICS}
    assert writers["rms.bets"] == {"tricast-bet-platform", "tricast-operator"}
    assert writers["kambi.offers"] == {"tricast-worker-kambi"}
    assert not [name for name, users in writers.items() if not users]


def test_an_actor_without_a_role_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    more = TOPICS["kambi.offers"].model_copy(update={"read_by": ("tricast oddsmaker",)})
    monkeypatch.setattr(access, "TOPICS", MappingProxyType({**TOPICS, "kambi.offers": more}))
    with pytest.raises(UnknownActorError, match="tricast oddsmaker"):
        roles(PREFIX)


def test_the_files_of_strimzi_are_current() -> None:
    assert strimzi(["--check"]) == 0


def test_a_topic_of_strimzi_is_the_registrys() -> None:
    made = {topic["metadata"]["name"]: topic["spec"] for topic in yaml.safe_load_all(rendered()["topics.yaml"])}
    assert made.keys() == {f"tricast.{name}" for name in TOPICS}
    for name, topic in TOPICS.items():
        assert made[f"tricast.{name}"] == {
            "topicName": f"tricast.{name}",
            "partitions": topic.partitions,
            "replicas": 3,
            "config": topic.config() | {"min.insync.replicas": "2"},
        }


def test_a_user_of_strimzi_may_what_its_role_may() -> None:
    made = {user["metadata"]["name"]: user["spec"] for user in yaml.safe_load_all(rendered()["users.yaml"])}
    assert made.keys() == ROLES.keys()
    for role in roles("tricast."):
        acls = made[role.name]["authorization"]["acls"]
        assert [(acl["resource"]["type"], acl["operations"]) for acl in acls] == [
            (rule.kind, list(rule.operations)) for rule in role.rules
        ]
        assert [acl["resource"].get("name", "kafka-cluster") for acl in acls] == [rule.name for rule in role.rules]
        assert [acl["resource"].get("patternType") == "prefix" for acl in acls] == [r.prefixed for r in role.rules]


def test_kafkas_own_tool_is_told_the_same() -> None:
    rule = Rule(kind="transactionalId", name="p.kambi-", prefixed=True, operations=("Write", "Describe"))
    assert arguments(ROLES["tricast-worker-kambi"], rule) == [
        *("--add", "--allow-principal", "User:tricast-worker-kambi", "--operation", "Write", "--operation", "Describe"),
        *("--transactional-id", "p.kambi-", "--resource-pattern-type", "prefixed"),
    ]
