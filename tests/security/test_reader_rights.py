"""Readers of other teams on a broker that lets nobody in: what is lacking is named, and no right more is needed."""

import asyncio
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from schemas.kafka import KafkaSettings
from tests.consumer.story import create, kambi_story, write
from tests.security.secure_broker import USER, SecureBroker
from tricast.consumer import Reader, confluent
from tricast.consumer.errors import NotAllowed

OFFERS = "kambi.offers"
STORY = [record for record in kambi_story(2) if record.topic == OFFERS]
GROUP = "trading.odds"


class Guarded(SecureBroker):
    """Nobody who comes by TLS may do anything, until rules say so."""

    def _secured(self, keystore):
        rules = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
        return f"{super()._secured(keystore)}\nauthorizer.class.name={rules}\nsuper.users=User:ANONYMOUS\n"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with Guarded() as broker:
        yield broker


def allow(broker: Guarded, kind: ResourceType, name: str, operation: AclOperation) -> None:
    rule = AclBinding(kind, name, ResourcePatternType.LITERAL, f"User:{USER}", "*", operation, AclPermissionType.ALLOW)
    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{broker.plain_port}"})
    for future in admin.create_acls([rule]).values():
        future.result(20)


def with_confluent(kafka: KafkaSettings, prefix: str, group: str | None) -> str:
    with confluent.Reader(kafka, OFFERS, prefix=prefix, group=group) as reader:
        return next(reader).id


def with_aiokafka(kafka: KafkaSettings, prefix: str, group: str | None) -> str:
    async def read() -> str:
        async with asyncio.timeout(30), Reader(kafka, OFFERS, prefix=prefix, group=group) as reader:
            return (await anext(reader)).id

    return asyncio.run(read())


@pytest.mark.kafka
@pytest.mark.parametrize("read", [with_aiokafka, with_confluent])
def test_a_reader_names_the_right_that_it_lacks_and_needs_no_other(guarded: Guarded, topic_prefix: str, read):
    plain, kafka = f"127.0.0.1:{guarded.plain_port}", guarded.settings()
    create(plain, topic_prefix, OFFERS)
    write(plain, topic_prefix, STORY)
    first = STORY[0].header("ce_id")
    lacking = f"this user may not read topic {topic_prefix}kambi.offers\nOperator action: give it Read and Describe"
    with pytest.raises(NotAllowed, match=lacking):
        read(kafka, topic_prefix, None)
    allow(guarded, ResourceType.TOPIC, topic_prefix + OFFERS, AclOperation.DESCRIBE)
    with pytest.raises(NotAllowed, match=lacking):
        read(kafka, topic_prefix, None)
    allow(guarded, ResourceType.TOPIC, topic_prefix + OFFERS, AclOperation.READ)
    assert read(kafka, topic_prefix, None) == first
    group = topic_prefix + GROUP
    with pytest.raises(NotAllowed, match=f"this user may not read group {group}"):
        read(kafka, topic_prefix, group)
    allow(guarded, ResourceType.GROUP, group, AclOperation.READ)
    assert read(kafka, topic_prefix, group) == first
