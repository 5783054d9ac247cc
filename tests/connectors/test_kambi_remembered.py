"""What an earlier process left as being there: read from ``kambi.health``, and asked for by the next one."""

import asyncio
import json

import pytest
from confluent_kafka import Producer

from connectors.clock import SystemClock
from connectors.kambi.remembered import remembered
from schemas.kafka import KafkaSettings
from tests.connectors import raw_topic
from tests.connectors.test_kambi_snapshots import both, positions

pytestmark = pytest.mark.kafka

ODD = [
    (b"event/", b"{}"),
    (b"event/x", b"{}"),
    ("event/²".encode(), b"{}"),
    (b"event/" + b"9" * 5_000, b"{}"),
    (b"line/kambi-0-general", b'{"reason":"opened"}'),
    (b"\xff", b"{}"),
]


def health(event, reason):
    return f"event/{event}".encode(), json.dumps({"event_id": event, "state": "stale", "reason": reason}).encode()


def write(bootstrap, topic, *records):
    failures = []
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    for key, value in records:
        producer.produce(topic, key=key, value=value, on_delivery=lambda error, _: failures.append(error))
    assert producer.flush(20) == 0
    assert not any(failures), failures


async def test_what_was_told_last_of_an_event_counts(kafka, topic_prefix):
    topic = raw_topic.create(kafka, topic_prefix, name="kambi.health")
    write(
        kafka, topic,
        health(1, "reconnected"),
        health(2, "covered"), health(2, "removed"),
        health(3, "removed"), health(3, "baseline"),
        health(4, "baseline"), (b"event/4", None),
        (b"event/5", b"not json"),
        *ODD,
    )  # fmt: skip
    found = await remembered(KafkaSettings(bootstrap_servers=kafka), topic=topic, clock=SystemClock())
    assert sorted(found) == [1, 3, 5]


async def test_a_topic_that_is_empty_or_not_there_has_no_events(kafka, topic_prefix):
    settings, topic = KafkaSettings(bootstrap_servers=kafka), f"{topic_prefix}kambi.health"
    assert await remembered(settings, topic=topic, clock=SystemClock()) == []
    raw_topic.create(kafka, topic_prefix, name="kambi.health")
    assert await remembered(settings, topic=topic, clock=SystemClock()) == []


async def test_an_event_that_no_list_has_is_asked_for_after_a_start_and_its_absence_is_on_record(
    recording, kafka, topic_prefix
):
    """It left the offering while nobody listened: without the question it would stay for ever."""
    topic = raw_topic.create(kafka, topic_prefix, name="kambi.health")
    write(kafka, topic, *(health(event, "reconnected") for event in (4, 5, 8, 9)), health(12, "removed"))
    async with both(recording, shards=4, shard=0, events="live") as (_, api):
        api.live, api.gone = [8], {4}
        records = await recording.records(
            lambda seen: {"betoffer/event/4.json?lang=en", "betoffer/event/8.json?lang=en"} <= positions(seen)
        )
        [gone] = [r for r in records if r.headers.get("tc-position") == "betoffer/event/4.json?lang=en"]
        assert gone.headers["tc-status"] == "404"
        assert not {ask for ask in api.asked if "/5" in ask or "/9" in ask or "/12" in ask}
        assert api.asked.count("betoffer/event/4.json?lang=en") == 1


async def test_what_breaks_while_it_is_read_ends_nothing(recording, monkeypatch, caplog):
    """What the sockets and the lists bring matters more."""

    asked = asyncio.Event()

    async def broken(*_: object, **__: object):
        asked.set()
        raise LookupError("a bug")

    monkeypatch.setattr("connectors.kambi.connector.remembered", broken)
    async with both(recording, shards=4, shard=0, events="live") as (_, api):
        api.live = [8]
        await recording.records(lambda seen: "event/live/open.json?lang=en" in positions(seen))
        async with asyncio.timeout(20):
            await asked.wait()
        before = await recording.records(positions)
        await recording.records(lambda seen: len(seen) > len(before) + 10)  # ticks
    assert "kambi.recall_failed" in caplog.text
