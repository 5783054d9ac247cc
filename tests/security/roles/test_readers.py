"""Readers of other teams: what is lacking is named, and no right more is needed."""

import asyncio

import pytest

from schemas.errors import MissingRight
from schemas.kafka import KafkaSettings
from tests.consumer.story import create, kambi_story, write
from tests.security.acls import Right
from tricast.consumer import Reader, confluent

OFFERS = "kambi.offers"
STORY = [record for record in kambi_story(2) if record.topic == OFFERS]


def with_confluent(kafka: KafkaSettings, prefix: str, group: str | None) -> str:
    with confluent.Reader(kafka, OFFERS, prefix=prefix, group=group) as reader:
        return next(reader).id


async def with_aiokafka(kafka: KafkaSettings, prefix: str, group: str | None) -> str:
    async with Reader(kafka, OFFERS, prefix=prefix, group=group) as reader:
        return (await anext(reader)).id


@pytest.mark.kafka
@pytest.mark.parametrize(
    "read", [lambda *how: asyncio.run(with_aiokafka(*how)), with_confluent], ids=["aiokafka", "confluent"]
)
def test_a_reader_names_the_right_that_it_lacks_and_needs_no_other(guarded, topic_prefix, read):
    topic, group, user = f"{topic_prefix}{OFFERS}", f"{topic_prefix}odds", f"{topic_prefix}reader"
    kafka = guarded.settings(user)
    create(guarded.own, topic_prefix, OFFERS)
    write(guarded.own, topic_prefix, STORY)

    def allow(*rights: tuple[str, str, str]) -> None:
        guarded.admit({user: {Right(user, kind, name, False, operation) for kind, name, operation in rights}})

    def refused(group: str | None) -> str:
        with pytest.raises(MissingRight) as caught:
            read(kafka, topic_prefix, group)
        return caught.value.message

    who = f"Kafka refuses user {user!r}: it lacks "
    allow(("topic", f"{topic}.more", "Read"))
    assert refused(None) == f"{who}Read on topic {topic}"
    allow(("topic", topic, "Describe"))
    assert refused(None) == f"{who}Read on topic {topic}"
    allow(("topic", topic, "Read"))
    first = STORY[0].header("ce_id")
    assert read(kafka, topic_prefix, None) == first
    assert refused(group) == f"{who}Read on group {group}"
    allow(("group", group, "Read"))
    assert read(kafka, topic_prefix, group) == first
