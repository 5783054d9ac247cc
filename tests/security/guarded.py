"""The broker with its users: each role has its rights, made of ``roles.py``, and nobody has others."""

# The library names in its package what it defines elsewhere, and its filters take None for "any".
# pyright: reportPrivateImportUsage=false, reportArgumentType=false

from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from confluent_kafka.cimpl import NewTopic

from schemas.kafka import KafkaSettings
from tests.security.acls import EVERY_RIGHT, Right
from tests.security.secure_broker import PASSWORD, SecureBroker

MECHANISM: Final = "SCRAM-SHA-512"
"""Strimzi's."""
_ITERATIONS: Final = 4096
_WAIT_S: Final = 20


class Guarded:
    """A secure broker and its administrator, who comes by the listener that is the broker's own.

    Args:
        broker: It runs.
    """

    def __init__(self, broker: SecureBroker) -> None:
        self.broker = broker
        self.own = f"127.0.0.1:{broker.plain_port}"
        """Bootstrap servers of the administrator, without a user."""
        self.admin: Any = AdminClient({"bootstrap.servers": self.own, "log_level": 2})

    def settings(self, user: str) -> KafkaSettings:
        """Return how ``user`` reaches it."""
        return self.broker.settings(MECHANISM, sasl_username=user)

    def environment(self, user: str) -> dict[str, str]:
        """Return the same as variables of a process."""
        return self.broker.environment(MECHANISM, sasl_username=user)

    def as_user(self, user: str) -> AdminClient:
        """Return an admin client of a user, of another library than the product's."""
        return AdminClient(
            {
                "bootstrap.servers": f"localhost:{self.broker.port}",
                "security.protocol": "SASL_SSL",
                "sasl.mechanism": MECHANISM,
                "sasl.username": user,
                "sasl.password": PASSWORD,
                "ssl.ca.location": str(self.broker.ca_file),
                "log_level": 2,
            }
        )

    def admit(self, rights: Mapping[str, Iterable[Right]]) -> None:
        """Make users with these rights; on return the broker knows and enforces them."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        users = [UserScramCredentialUpsertion(user, info, PASSWORD.encode()) for user in rights]
        for future in self.admin.alter_user_scram_credentials(users).values():
            future.result(_WAIT_S)
        wanted = {right.binding() for granted in rights.values() for right in granted}
        for future in self.admin.create_acls(list(wanted)).values():
            future.result(_WAIT_S)
        # The controller answers before the broker has heard.
        while not self._knows(set(rights)) or not wanted <= set(self.admin.describe_acls(EVERY_RIGHT).result(_WAIT_S)):
            pass

    def settle_others(self, topic: str, group: str) -> None:
        """Make somebody else's topic, of one partition, and a group that has read there."""
        for future in self.admin.create_topics([NewTopic(topic, 1, 1)]).values():
            future.result(_WAIT_S)
        consumer = Consumer({"bootstrap.servers": self.own, "group.id": group, "log_level": 2})
        with closing(consumer):
            consumer.commit(offsets=[TopicPartition(topic, 0, 0)], asynchronous=False)

    def _knows(self, users: set[str]) -> bool:
        return users <= self.admin.describe_user_scram_credentials().result(_WAIT_S).keys()
