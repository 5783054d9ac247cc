"""The aiokafka reader on a real Kafka: what is committed, from where it left off, and errors that say what to do."""

import asyncio
import random
from asyncio import TaskGroup

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import TopicPartition as AdminPartition

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.kambi.offers import OddsChanged, OfferAdded
from tests.consumer.story import create, ids, kambi_story, tombstone, transaction, write
from tricast.consumer import Done, Event, Place, Reader, Trust
from tricast.consumer.errors import RecordsGone, TopicMissing
from tricast.kafka.ports import free_ports

pytestmark = pytest.mark.kafka
OFFERS = "kambi.offers"
STORY = [record for record in kambi_story(6, events=(1, 2, 3, 5)) if record.topic == OFFERS]


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    create(kafka, topic_prefix, OFFERS)
    return KafkaSettings(bootstrap_servers=kafka)


async def take(reader: Reader, count: int) -> list[Event]:
    """Return the next ``count`` records; the last of them stays in hand."""
    async with asyncio.timeout(30):
        return [await anext(reader) for _ in range(count)]


async def test_what_was_taken_back_is_never_seen(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY[:5])
    write(settings.bootstrap_servers, topic_prefix, STORY, abort=True)
    write(settings.bootstrap_servers, topic_prefix, STORY[5:])
    async with Reader(settings, OFFERS, prefix=topic_prefix) as reader:
        events = [event async for event in reader.until_now()]
        assert [event async for event in reader.until_now()] == []
    assert ids(events) == ids(STORY)
    assert {type(event.data) for event in events} == {OfferAdded, OddsChanged}
    for key in ("1", "2", "3", "5"):
        expected = [record.header("ce_id") for record in STORY if record.key == key.encode()]
        assert [event.id for event in events if event.key == key] == expected


async def test_an_open_transaction_keeps_nobody_waiting(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY[:5])
    with transaction(settings.bootstrap_servers, topic_prefix, STORY[5:]) as producer:
        async with Reader(settings, OFFERS, prefix=topic_prefix) as reader, asyncio.timeout(20):
            assert ids([event async for event in reader.until_now()]) == ids(STORY[:5])
        producer.abort_transaction(30)


async def test_a_group_goes_on_behind_what_is_done(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    async with Reader(settings, OFFERS, prefix=topic_prefix, group=topic_prefix) as reader:
        first = await take(reader, 8)
    async with Reader(settings, OFFERS, prefix=topic_prefix, group=topic_prefix) as reader:
        rest = await take(reader, len(STORY) - 7)
        assert first[7] in rest  # it was in hand, and nobody had said that it was done
        await reader.commit()
    assert ids([*first[:7], *rest]) == ids(STORY)
    async with Reader(settings, OFFERS, prefix=topic_prefix, group=topic_prefix) as reader:
        write(settings.bootstrap_servers, topic_prefix, STORY[:1])
        assert ids(await take(reader, 1)) == ids(STORY[:1])


async def test_the_last_of_a_burst_is_committed_while_nothing_follows(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    settings_of = {"prefix": topic_prefix, "group": topic_prefix, "commit_interval_s": 0.5}
    async with asyncio.timeout(30), Reader(settings, OFFERS, **settings_of) as reader:
        await take(reader, len(STORY))
        next_one = asyncio.create_task(anext(reader))
        while await asyncio.to_thread(committed, settings.bootstrap_servers, topic_prefix) < len(STORY):
            assert not next_one.done()
        next_one.cancel()


def committed(bootstrap: str, group: str) -> int:
    """Return how many offsets a group has behind it, markers of transactions left out."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    [answer] = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    return sum(max(tp.offset, 0) for tp in answer.result(20).topic_partitions)


async def test_members_of_a_group_share_and_lose_nothing(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    seen: list[Event] = []
    async with asyncio.timeout(60), _member(settings, topic_prefix) as one:
        seen += await take(one, 4)
        async with _member(settings, topic_prefix) as other, TaskGroup() as tasks:
            for reader in (one, other):
                tasks.create_task(_until_all(reader, seen))
    assert set(ids(seen)) == set(ids(STORY))


def _member(settings: KafkaSettings, prefix: str) -> Reader:
    """Return one that commits after each record: many of them fall into a rebalance."""
    return Reader(settings, OFFERS, prefix=prefix, group=prefix, commit_interval_s=0)


async def _until_all(reader: Reader, seen: list[Event]) -> None:
    while len({event.id for event in seen}) < len(STORY):
        async with asyncio.timeout(60):
            await reader.wait()
        while reader.has_waiting:
            seen.append(await anext(reader))


async def test_positions_stored_with_the_results_leave_no_double(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    done = Done()
    async with Reader(settings, OFFERS, prefix=topic_prefix, positions=done.next_offsets) as reader:
        first = [event for event in await take(reader, 9) if done.is_new(event)]
    async with Reader(settings, OFFERS, prefix=topic_prefix, positions=done.next_offsets) as reader:
        rest = [event async for event in reader.until_now() if done.is_new(event)]
    assert ids([*first, *rest]) == ids(STORY)
    async with Reader(settings, OFFERS, prefix=topic_prefix) as reader:  # whatever comes again is known
        assert [event async for event in reader.until_now() if done.is_new(event)] == []


async def test_records_that_kafka_keeps_no_more_are_told(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    async with Reader(settings, OFFERS, prefix=topic_prefix) as reader:
        event = max([event async for event in reader.until_now()], key=lambda event: event.offset)
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    place = AdminPartition(topic_prefix + OFFERS, event.partition, event.offset)
    for future in admin.delete_records([place]).values():
        future.result(20)
    async with Reader(settings, OFFERS, prefix=topic_prefix, positions={event.place: 0}) as reader:
        with pytest.raises(RecordsGone, match="to be read next is 0, and Kafka has") as told:
            await take(reader, len(STORY))
    assert (told.value.place, told.value.first) == (Place(OFFERS, event.partition), event.offset)


async def test_a_topic_that_is_not_there_is_named_and_not_made(settings: KafkaSettings, topic_prefix: str):
    for group in (None, topic_prefix):
        with pytest.raises(TopicMissing, match=rf"did you mean {topic_prefix}kambi.offers\?"):
            async with Reader(settings, "kambi.offres", prefix=topic_prefix, group=group):
                pass
    with pytest.raises(TopicMissing, match="tricast topics create"):
        async with Trust(settings, "rms", prefix=topic_prefix):
            pass


async def test_kafka_away_is_told():
    [port] = free_ports(1, random.Random())
    with pytest.raises(EnvironmentFault, match="no Kafka answers at"):
        async with Reader(KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}"), OFFERS):
            pass


async def test_trust_follows_the_health_topic(settings: KafkaSettings, topic_prefix: str):
    create(settings.bootstrap_servers, topic_prefix, "kambi.health")
    health = [record for record in kambi_story(1, leave=True) if record.topic == "kambi.health"]
    write(settings.bootstrap_servers, topic_prefix, health[:4])
    async with Trust(settings, "kambi", prefix=topic_prefix) as trust, asyncio.timeout(30):
        assert (trust.is_trustworthy("kambi", "1").state, bool(trust.is_trustworthy("kambi", "1"))) == ("live", True)
        assert trust.is_trustworthy("kambi", "7").state == "unknown"
        write(settings.bootstrap_servers, topic_prefix, health[4:])
        while trust.is_trustworthy("kambi", "1").state != "down":  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.05)
        gone = [tombstone("kambi.health", "event/1")]
        write(settings.bootstrap_servers, topic_prefix, gone)
        while trust.is_trustworthy("kambi", "1").state != "unknown":  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.05)
