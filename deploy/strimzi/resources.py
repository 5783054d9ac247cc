"""Strimzi's ``KafkaTopic`` and ``KafkaUser``, made of the topic registry and the roles; a test says what is stale."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from deploy.access.roles import Role, Rule, roles
from schemas.topics import TOPICS, Topic, min_in_sync, replicas

FOLDER: Final = Path(__file__).parent
PREFIX: Final = "tricast."
CLUSTER: Final = "kafka"
"""Name of the ``Kafka`` resource; an overlay that has another patches the label."""
_BROKERS: Final = 3
_API: Final = "kafka.strimzi.io/v1"  # Strimzi 0.49 and later
_HEAD: Final = "# Made by `python -m deploy.strimzi` from the topic registry; change that, not this.\n"
_MAX_NAME: Final = 253


def rendered() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        "topics.yaml": _text(topic_of(topic) for topic in TOPICS.values()),
        "users.yaml": _text(user_of(role) for role in roles(PREFIX)),
    }


def topic_of(topic: Topic) -> dict[str, Any]:
    """Return one ``KafkaTopic``: partitions, replicas and settings as ``tricast topics create`` makes them."""
    copies = replicas(_BROKERS)
    name = PREFIX + topic.name
    assert len(name) <= _MAX_NAME, name
    return _resource(
        "KafkaTopic",
        name,
        {
            "topicName": name,
            "partitions": topic.partitions,
            "replicas": copies,
            "config": topic.config() | {"min.insync.replicas": str(min_in_sync(copies))},
        },
    )


def user_of(role: Role) -> dict[str, Any]:
    """Return one ``KafkaUser``; its operator makes a Secret of that name, with the password under ``password``."""
    return _resource(
        "KafkaUser",
        role.name,
        {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": [_acl(rule) for rule in role.rules]},
        },
    )


def _acl(rule: Rule) -> dict[str, Any]:
    resource: dict[str, str] = {"type": rule.kind}
    if rule.kind != "cluster":
        resource |= {"name": rule.name, "patternType": "prefix" if rule.prefixed else "literal"}
    return {"resource": resource, "operations": list(rule.operations)}


def _resource(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    labels = {"strimzi.io/cluster": CLUSTER, "app.kubernetes.io/part-of": "tricast"}
    return {"apiVersion": _API, "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": dict(spec)}


def _text(resources: Iterable[Mapping[str, Any]]) -> str:
    return _HEAD + "---\n".join(yaml.safe_dump(resource, sort_keys=False, width=120) for resource in resources)
