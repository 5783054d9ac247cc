"""Rights in Kafka: the registry promises what the code does, nobody has more, and the files of Strimzi are current."""

import shlex
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
from deploy.access.__main__ import main as access_main
from deploy.access.roles import Role, Rule, UnknownActorError, roles
from deploy.strimzi.__main__ import main as strimzi
from deploy.strimzi.resources import rendered
from processors.engine.topology import Topology
from schemas.topics import TOPICS
from tests.security import acls
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


def test_strimzi_and_kafkas_own_tool_are_told_the_roles_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = {right for role in roles("tricast.") for right in acls.of_role(role)}
    users = list(yaml.safe_load_all(rendered()["users.yaml"]))
    assert {user["metadata"]["name"] for user in users} == ROLES.keys()
    assert {right for user in users for right in acls.of_strimzi(user)} == wanted
    assert access_main([]) == 0
    calls = [shlex.split(line, comments=True) for line in capsys.readouterr().out.splitlines()]
    assert {call[0] for call in calls if call} == {"kafka-acls.sh"}
    assert {right for call in calls if call for right in acls.of_command(call[1:])} == wanted


def test_another_prefix_is_in_every_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert access_main(["elsewhere."]) == 0
    said = capsys.readouterr().out
    assert "elsewhere.kambi.raw" in said
    assert "tricast.kambi" not in said


def test_kafkas_own_tool_is_told_so() -> None:
    rule = Rule(kind="transactionalId", name="p.kambi-", prefixed=True, operations=("Write", "Describe"))
    assert arguments(ROLES["tricast-worker-kambi"], rule) == [
        *("--add", "--allow-principal", "User:tricast-worker-kambi", "--operation", "Write", "--operation", "Describe"),
        *("--transactional-id", "p.kambi-", "--resource-pattern-type", "prefixed"),
    ]


def test_the_page_of_rights_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert access_main(["--page", "--check"]) == 0, capsys.readouterr().err


def test_a_page_that_is_stale_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fewer = TOPICS["kambi.health"].model_copy(update={"read_by": ("tricast monitor",)})
    monkeypatch.setattr(access, "TOPICS", MappingProxyType({**TOPICS, "kambi.health": fewer}))
    assert access_main(["--page", "--check"]) == 1
    assert "docs/rights.md" in capsys.readouterr().err
