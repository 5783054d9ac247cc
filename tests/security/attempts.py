"""Try as one user: write, read, join, take a transactional id; and ask the broker what it would allow."""

# The library names in its package what it defines elsewhere, and its filters take None for "any".
# pyright: reportPrivateImportUsage=false, reportArgumentType=false

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import JoinGroupRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from schemas.kafka import KafkaSettings
from tests.security.acls import EVERY_RIGHT
from tests.security.intent import FOREIGN_GROUP, FOREIGN_TOPIC, PREFIX
from tricast.doctor.rights import GroupRights, TopicRights

NO_TOPIC, NO_GROUP, NO_ID = 29, 30, 53
"""What Kafka answers to who may not: TOPIC_, GROUP_ and TRANSACTIONAL_ID_AUTHORIZATION_FAILED."""
_REFUSED: Final = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
_NAMES: Final = ("Read", "Write", "Create", "Delete", "Alter", "Describe", "ClusterAction", "DescribeConfigs")
_OPERATIONS: Final = MappingProxyType(dict(enumerate((*_NAMES, "AlterConfigs", "IdempotentWrite"), 3)))
"""Bits of a set of rights, by Kafka's numbers."""
_WAIT_S: Final = 20


class Attempts:
    """Requests of one user, each answered by the broker itself: nothing between decides anything.

    Args:
        client: It is connected.
    """

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    async def write(self, topics: Iterable[str]) -> dict[str, int]:
        """Write a record to each topic's partition 0; return the broker's error codes."""
        builder = BatchBuilder(1024, 0)
        builder.append(timestamp=None, key=b"k", value=b"nobody may write this", headers=[])
        builder.close()
        batch = bytes(builder._build())
        answer = await self._ask(ProduceRequest(None, 1, 5_000, [(topic, [(0, batch)]) for topic in topics]))
        return {topic: partitions[0][1] for topic, partitions in answer.topics}

    async def read(self, topics: Iterable[str]) -> dict[str, int]:
        """Read each topic's partition 0 from offset 0; return the broker's error codes."""
        wanted = [(topic, [(0, 0, 1024)]) for topic in topics]
        answer = await self._ask(FetchRequest(0, 0, 1024, READ_UNCOMMITTED, wanted))
        return {topic: partitions[0][1] for topic, partitions in answer.topics}

    async def join(self, groups: Iterable[str]) -> dict[str, int]:
        """Join each group; return the broker's error codes."""
        asked = {
            group: JoinGroupRequest(group, 10_000, 10_000, "", "", "consumer", [("range", b"")]) for group in groups
        }
        return {group: (await self._ask(request)).error_code for group, request in asked.items()}

    async def take(self, transactional_ids: Iterable[str]) -> dict[str, int]:
        """Fence whoever has each id; return the broker's error codes."""
        asked = {name: InitProducerIdRequest(name, 10_000) for name in transactional_ids}
        return {name: (await self._ask(request)).error_code for name, request in asked.items()}

    async def on_topics(self, topics: Iterable[str]) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
        """Return what the broker says is allowed on each topic, and on the cluster."""
        answer = await self._ask(TopicRights(list(topics)))
        return {
            topic: frozenset() if code == NO_TOPIC else _named(rights) for code, topic, *_, rights in answer.topics
        }, _named(answer.cluster_rights)

    async def on_groups(self, groups: Iterable[str]) -> dict[str, frozenset[str]]:
        """Return what the broker says is allowed on each group."""
        answer = await self._ask(GroupRights(list(groups)))
        return {row[1]: frozenset() if row[0] == NO_GROUP else _named(row[-1]) for row in answer.groups}

    async def _ask(self, request: Any) -> Any:
        return await self._client.send(self._client.get_random_node(), request)


@asynccontextmanager
async def attempts(kafka: KafkaSettings) -> AsyncIterator[Attempts]:
    """Yield the attempts of the user in ``kafka``."""
    client = AIOKafkaClient(**kafka.client())
    await client.bootstrap()
    try:
        yield Attempts(client)
    finally:
        await client.close()


def _named(rights: int) -> frozenset[str]:
    return frozenset(name for bit, name in _OPERATIONS.items() if rights >> bit & 1)


# Administration: by another library, as an intruder with a password would.

_EVERYTHING: Final = (
    ResourceType.TOPIC,
    "*",
    ResourcePatternType.LITERAL,
    "User:intruder",
    "*",
    AclOperation.ALL,
    AclPermissionType.ALLOW,
)
_SHORTENED: Final = [ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)]
_CREDENTIAL: Final = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)

SEE_RIGHTS: Final = "see rights"
MAKE: Final = "make a topic of tricast"
ADMINISTRATION: Final[Mapping[str, Callable[[AdminClient, str], Any]]] = MappingProxyType(
    {
        "delete a topic": lambda admin, topic: admin.delete_topics([topic]),
        "add partitions": lambda admin, topic: admin.create_partitions([NewPartitions(topic, 64)]),
        "change a topic's settings": lambda admin, topic: admin.incremental_alter_configs(
            [ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=_SHORTENED)]
        ),
        "delete records": lambda admin, topic: admin.delete_records([TopicPartition(topic, 0, 0)]),
        SEE_RIGHTS: lambda admin, _: {"": admin.describe_acls(EVERY_RIGHT)},
        "grant rights": lambda admin, _: admin.create_acls([AclBinding(*_EVERYTHING)]),
        "take rights": lambda admin, _: admin.delete_acls([AclBindingFilter(*_EVERYTHING)]),
        "change a password": lambda admin, _: admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion("intruder", _CREDENTIAL, b"intruder")]
        ),
        "delete a group": lambda admin, _: admin.delete_consumer_groups([FOREIGN_GROUP]),
        "move a group": lambda admin, _: admin.alter_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(FOREIGN_GROUP, [TopicPartition(FOREIGN_TOPIC, 0, 0)])]
        ),
        "make a topic of its own": lambda admin, _: admin.create_topics([NewTopic("intruder", 1, 1)]),
        MAKE: lambda admin, _: admin.create_topics([NewTopic(f"{PREFIX}intruder", 1, 1)]),
        "see a topic's settings": lambda admin, topic: admin.describe_configs(
            [ConfigResource(ConfigResource.Type.TOPIC, topic)]
        ),
        "see brokers' settings": lambda admin, _: admin.describe_configs(
            [ConfigResource(ConfigResource.Type.BROKER, "1")]
        ),
    }
)
"""What is tried on a topic that the user has to do with."""
SEE_SETTINGS: Final = frozenset({"see a topic's settings", "see brokers' settings"})


def let_through(admin: AdminClient, topic: str, tried: Iterable[str]) -> set[str]:
    """Return what was not refused for want of a right, however it ended."""
    asked = {what: list(ADMINISTRATION[what](admin, topic).values()) for what in tried}
    assert all(asked.values())
    return {what for what, futures in asked.items() if not all(map(_is_refused, futures))}


def _is_refused(future: Any) -> bool:
    try:
        done = future.result(_WAIT_S)
    except KafkaException as error:
        return error.args[0].code() in _REFUSED
    if isinstance(done, ConsumerGroupTopicPartitions):
        return all(place.error is not None and place.error.code() in _REFUSED for place in done.topic_partitions or ())
    return bool(done == [])  # to who may not see rights librdkafka gives an empty list; there are many here
