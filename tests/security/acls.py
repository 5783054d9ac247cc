"""Roles as what Kafka's authorizer takes: the same rules by three roads, which must say the same."""

# The library names in its package what it defines elsewhere, and its filters take None for "any".
# pyright: reportPrivateImportUsage=false, reportArgumentType=false

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from deploy.access.roles import Role

_KINDS: Final = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactionalId": ResourceType.TRANSACTIONAL_ID,
    "cluster": ResourceType.BROKER,  # librdkafka's word for the cluster
}
_OPERATIONS: Final = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}
EVERY_RIGHT: Final = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)
_OPTIONS: Final = {"--topic": "topic", "--group": "group", "--transactional-id": "transactionalId"}
_CLUSTER: Final = "kafka-cluster"


class Right(NamedTuple):
    """One operation on one resource for one user."""

    user: str
    kind: str
    name: str
    prefixed: bool
    operation: str

    def binding(self) -> AclBinding:
        """Return it as the admin API takes it."""
        return AclBinding(
            _KINDS[self.kind],
            self.name,
            ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL,
            f"User:{self.user}",
            "*",
            _OPERATIONS[self.operation],
            AclPermissionType.ALLOW,
        )


def of_role(role: Role) -> set[Right]:
    """Return the rights in a role."""
    return {
        Right(role.name, rule.kind, rule.name, rule.prefixed, operation)
        for rule in role.rules
        for operation in rule.operations
    }


def of_strimzi(user: dict[str, Any]) -> set[Right]:
    """Return the rights that Strimzi's user operator grants for a ``KafkaUser``."""
    return {
        Right(
            user["metadata"]["name"],
            acl["resource"]["type"],
            acl["resource"].get("name", _CLUSTER),
            acl["resource"].get("patternType") == "prefix",
            operation,
        )
        for acl in user["spec"]["authorization"]["acls"]
        for operation in acl["operations"]
    }


def of_command(words: Sequence[str]) -> Iterator[Right]:
    """Yield the rights that a call of ``kafka-acls.sh`` adds: its words, without the program."""
    given: dict[str, list[str]] = {}
    for word, following in itertools.pairwise((*words, "")):
        if word.startswith("--"):
            given.setdefault(word, []).append(following)
    assert given.keys() <= {
        *("--bootstrap-server", "--add", "--allow-principal", "--operation", "--resource-pattern-type", "--cluster"),
        *_OPTIONS,
    }
    (principal,) = given["--allow-principal"]
    (kind, name) = next(((_OPTIONS[word], given[word][0]) for word in given if word in _OPTIONS), ("cluster", _CLUSTER))
    prefixed = given.get("--resource-pattern-type") == ["prefixed"]
    for operation in given["--operation"]:
        yield Right(principal.removeprefix("User:"), kind, name, prefixed, operation)
