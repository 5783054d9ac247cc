"""``tricast topics check`` on a real Kafka: settings, copies, and the newest records of every topic."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tests.contracts.written import written
from tricast.cli.main import run
from tricast.kafka.topics import OtherInSync, TooFewCopies, create, durability

pytestmark = pytest.mark.kafka

Check = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def check(kafka: str, topic_prefix: str, tmp_path, monkeypatch, capsys) -> Check:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRICAST_KAFKA__BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("TRICAST_TOPIC_PREFIX", topic_prefix)

    def check(*options: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = run(["topics", "check", "--json", *options])
        return code, json.loads(capsys.readouterr().out)

    return check


@contextmanager
def transaction(kafka: str, prefix: str) -> Iterator[Producer]:
    """A producer with a transaction that is still open."""
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": prefix})
    producer.init_transactions(30)
    producer.begin_transaction()
    yield producer


def test_what_our_code_writes_is_as_promised_and_what_is_broken_is_named(check: Check, kafka: str, topic_prefix: str):
    assert run(["topics", "create"]) == 0
    assert check() == (0, {"topics": len(TOPICS), "records": 0, "differences": []})
    offers = f"{topic_prefix}kambi.offers"
    with transaction(kafka, topic_prefix) as producer:
        for record in written():
            headers: list[tuple[str, str | bytes | None]] = [*record.headers]
            name = topic_prefix + record.topic
            producer.produce(name, key=record.key, value=record.value, headers=headers, partition=0)
        producer.commit_transaction(30)
        producer.begin_transaction()
        producer.produce(offers, value=b"taken back", partition=0)
        producer.abort_transaction(30)
        producer.begin_transaction()
        producer.produce(offers, value=b"not yet", partition=0)
        producer.flush(30)

        code, found = check()
        assert (code, found["differences"]) == (0, [])
        topics = {record.topic for record in written()}
        assert found["records"] > 2 * len(topics)

        producer.commit_transaction(30)
    (code, found), settings_only = check("--newest", "5"), check("--newest", "0")
    assert code == 1
    assert {one["kind"] for one in found["differences"]} == {"broken-record"}
    said = [one["text"].partition(": ")[2] for one in found["differences"]]
    assert "header ce_id is missing" in said
    assert "value: no model for ce_type ''" in said
    assert settings_only == (0, {"topics": len(TOPICS), "records": 0, "differences": []})


def test_settings_that_differ_are_named(check: Check, kafka: str, topic_prefix: str, capsys):
    offers, gone = f"{topic_prefix}kambi.offers", f"{topic_prefix}rms.lookups"
    config = TOPICS["kambi.offers"].config() | {"retention.ms": "1000", "min.insync.replicas": "2"}
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([NewTopic(offers, 4, 1, config=config)])[offers].result(30)
    others = [topic for name, topic in TOPICS.items() if name != "rms.lookups"]
    asyncio.run(create(others, topic_prefix, KafkaSettings(bootstrap_servers=kafka)))
    code, found = check("--newest", "0")
    assert code == 1
    assert [(one["kind"], one["topic"]) for one in found["differences"]] == [
        ("other-min-in-sync", offers),
        ("other-setting", offers),
        ("missing-topic", gone),
    ]
    assert run(["topics", "check"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"{offers}: min.insync.replicas is 2, with its copies it should be 1",
        f"{offers}: retention.ms is 1000, the registry says 604800000",
        f"{gone}: missing",
        f"{len(TOPICS)} topics, 0 records, 3 differences",
    ]


@pytest.mark.parametrize(
    ("copies", "brokers", "in_sync", "found"),
    [
        (1, 1, "1", []),
        (2, 2, "1", []),
        (3, 3, "2", []),
        (3, 9, "2", []),
        (5, 9, "2", []),
        (5, 9, "4", []),
        (1, 3, "1", [TooFewCopies(topic="t", expected=3, found=1)]),
        (2, 3, "1", [TooFewCopies(topic="t", expected=3, found=2)]),
        (3, 3, "1", [OtherInSync(topic="t", least=2, most=2, found="1")]),
        (3, 3, "3", [OtherInSync(topic="t", least=2, most=2, found="3")]),
        (5, 9, "1", [OtherInSync(topic="t", least=2, most=4, found="1")]),
        (3, 3, None, [OtherInSync(topic="t", least=2, most=2, found=None)]),
    ],
)
def test_copies_and_how_many_must_have_a_record(copies: int, brokers: int, in_sync: str | None, found: list[object]):
    assert list(durability("t", copies, brokers, in_sync)) == found
