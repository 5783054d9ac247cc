"""The reader for confluent-kafka on a real Kafka: the promises of the other one."""

import random
import subprocess
import sys
import time
from itertools import islice

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import TopicPartition as AdminPartition

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.kambi.offers import OddsChanged, OfferAdded
from tests.consumer.story import create, ids, kambi_story, tombstone, transaction, write
from tricast.consumer import Done, Place
from tricast.consumer.confluent import Reader, Trust
from tricast.consumer.errors import RecordsGone, TopicMissing
from tricast.kafka.ports import free_ports

OFFERS = "kambi.offers"
STORY = [record for record in kambi_story(6, events=(1, 2, 3, 5)) if record.topic == OFFERS]


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    create(kafka, topic_prefix, OFFERS)
    return KafkaSettings(bootstrap_servers=kafka)


@pytest.mark.kafka
def test_what_was_taken_back_is_never_seen(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY[:5])
    write(settings.bootstrap_servers, topic_prefix, STORY, abort=True)
    write(settings.bootstrap_servers, topic_prefix, STORY[5:])
    with Reader(settings, OFFERS, prefix=topic_prefix) as reader:
        events = [*reader.until_now()]
        assert [*reader.until_now()] == []
        write(settings.bootstrap_servers, topic_prefix, STORY[:1])
        assert ids(reader.until_now()) == ids(STORY[:1])
    assert ids(events) == ids(STORY)
    assert {type(event.data) for event in events} == {OfferAdded, OddsChanged}


@pytest.mark.kafka
def test_an_open_transaction_keeps_nobody_waiting(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY[:5])
    with transaction(settings.bootstrap_servers, topic_prefix, STORY[5:]) as producer:
        with Reader(settings, OFFERS, prefix=topic_prefix) as reader:
            assert ids(reader.until_now()) == ids(STORY[:5])
        producer.abort_transaction(30)


@pytest.mark.kafka
def test_a_group_goes_on_behind_what_is_done(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    with Reader(settings, OFFERS, prefix=topic_prefix, group=topic_prefix) as reader:
        first = [*islice(reader, 8)]
    with Reader(settings, OFFERS, prefix=topic_prefix, group=topic_prefix) as reader:
        rest = [*islice(reader, len(STORY) - 7)]
        assert first[7] in rest  # it was in hand, and nobody had said that it was done
        reader.commit()
    assert ids([*first[:7], *rest]) == ids(STORY)
    with Reader(settings, OFFERS, prefix=topic_prefix, group=topic_prefix) as reader:
        write(settings.bootstrap_servers, topic_prefix, STORY[:1])
        assert ids(islice(reader, 1)) == ids(STORY[:1])


@pytest.mark.kafka
def test_members_of_a_group_share_and_lose_nothing(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    deadline = time.monotonic() + 60
    with _member(settings, topic_prefix) as one:
        seen = [*islice(one, 4)]
        with _member(settings, topic_prefix) as other:
            while {event.id for event in seen} != set(ids(STORY)):
                assert time.monotonic() < deadline, f"{len(seen)} came"
                for reader in (one, other):
                    reader.wait()
                    while reader.has_waiting:
                        seen.append(next(reader))


def _member(settings: KafkaSettings, prefix: str) -> Reader:
    """Return one that commits after each record: many of them fall into a rebalance."""
    return Reader(settings, OFFERS, prefix=prefix, group=prefix, commit_interval_s=0)


@pytest.mark.kafka
def test_positions_stored_with_the_results_leave_no_double(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    done = Done()
    with Reader(settings, OFFERS, prefix=topic_prefix, positions=done.next_offsets) as reader:
        first = [event for event in islice(reader, 9) if done.is_new(event)]
    with Reader(settings, OFFERS, prefix=topic_prefix, positions=done.next_offsets) as reader:
        rest = [event for event in reader.until_now() if done.is_new(event)]
    assert ids([*first, *rest]) == ids(STORY)


@pytest.mark.kafka
def test_records_that_kafka_keeps_no_more_are_told(settings: KafkaSettings, topic_prefix: str):
    write(settings.bootstrap_servers, topic_prefix, STORY)
    with Reader(settings, OFFERS, prefix=topic_prefix) as reader:
        event = max(reader.until_now(), key=lambda event: event.offset)
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    place = AdminPartition(topic_prefix + OFFERS, event.partition, event.offset)
    for future in admin.delete_records([place]).values():
        future.result(20)
    with (
        pytest.raises(RecordsGone, match="to be read next is 0, and Kafka has") as told,
        Reader(settings, OFFERS, prefix=topic_prefix, positions={event.place: 0}) as reader,
    ):
        for _ in reader.until_now():
            pass
    assert (told.value.place, told.value.first) == (Place(OFFERS, event.partition), event.offset)


@pytest.mark.kafka
@pytest.mark.parametrize("group", [None, "somebody"])
def test_a_topic_that_is_not_there_is_named(settings: KafkaSettings, topic_prefix: str, group: str | None):
    with (
        pytest.raises(TopicMissing, match=rf"did you mean {topic_prefix}kambi.offers\?"),
        Reader(settings, "kambi.offres", prefix=topic_prefix, group=group),
    ):
        pass


def test_kafka_away_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tricast.consumer.confluent.reader._ANSWER_S", 0.5)
    [port] = free_ports(1, random.Random())
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}")
    with pytest.raises(EnvironmentFault, match=r"no Kafka answers at .*Connection refused"), Reader(kafka, OFFERS):
        pass


@pytest.mark.kafka
def test_trust_follows_the_health_topic(settings: KafkaSettings, topic_prefix: str):
    create(settings.bootstrap_servers, topic_prefix, "kambi.health")
    health = [record for record in kambi_story(1, leave=True) if record.topic == "kambi.health"]
    write(settings.bootstrap_servers, topic_prefix, health[:4])
    with Trust(settings, "kambi", prefix=topic_prefix) as trust:
        assert (trust.is_trustworthy("kambi", "1").state, bool(trust.is_trustworthy("kambi", "1"))) == ("live", True)
        write(settings.bootstrap_servers, topic_prefix, health[4:])
        become(trust, "down")
        write(settings.bootstrap_servers, topic_prefix, [tombstone("kambi.health", "event/1")])
        become(trust, "unknown")


def become(trust: Trust, state: str) -> None:
    deadline = time.monotonic() + 30
    while trust.is_trustworthy("kambi", "1").state != state:
        assert time.monotonic() < deadline, f"never {state}"
        time.sleep(0.02)


def test_without_the_extra_it_says_what_to_install():
    program = "import sys; sys.modules['confluent_kafka'] = None; import tricast.consumer.confluent"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "Operator action: pip install 'tricast[confluent]'" in done.stderr
