"""The audit of RMS over real topics: it waits for the processors, and says what they had not come to."""

import json

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata

from tests.audit.rms_world import CUSTOMER, WINDOWS, World
from tricast.audit.rms.run import RmsScope, audit
from tricast.audit.spans import Kafka

pytestmark = pytest.mark.kafka

TOPICS = ("raw", "bets", "approvals", "pending", "decisions", "health", "dead-letters")
GROUPS = {"raw": "approvals", "bets": "bets", "pending": "join"}


def story(prefix):
    world = World(prefix=prefix)
    world.connect()
    world.tick(20)
    for slip in ("s1", "s2"):
        world.placed(slip, context="live")
        world.answered(slip)
    world.tick(60)
    world.say("accept", "s1", "code-s1")
    world.event("accept", {})
    world.tick(400, step_s=20)
    return world


async def publish(servers, world):
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    names = [f"{world.prefix}rms.{name}" for name in TOPICS]
    await admin.create_topics([NewTopic(name, 4, 1, topic_configs={"retention.ms": "-1"}) for name in names])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    for records in world.topics.values():
        for record in records:
            where = {"partition": record.partition, "timestamp_ms": record.timestamp}
            await producer.send(record.topic, record.value, key=record.key, headers=list(record.headers), **where)
    await producer.stop()


async def commit(servers, world, *, behind=0):
    for topic, group in GROUPS.items():
        consumer = AIOKafkaConsumer(
            bootstrap_servers=servers, group_id=f"{world.prefix}rms.{group}", enable_auto_commit=False
        )
        await consumer.start()
        partitions = [TopicPartition(f"{world.prefix}rms.{topic}", partition) for partition in range(4)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.commit({tp: OffsetAndMetadata(max(0, end - behind), "") for tp, end in ends.items()})
        await consumer.stop()


async def test_real_topics(kafka, topic_prefix, tmp_path):
    world = story(topic_prefix)
    await publish(kafka, world)
    ledger = tmp_path / "ledger.jsonl"
    truth = {"customer": CUSTOMER, "slip": "s1", "at_ns": world.at_ns(60)}
    lines = [truth | {"kind": "bet", "disposition": "referred"}]
    lines += [truth | {"kind": "decision", "decision": 1, "outcome": "accept"}]
    lines += [
        {"kind": "frame", "connection": "c1", "n": n, "packet": packet, "at_ns": world.at_ns(0)}
        for n, packet in enumerate(('0{"sid":"c1"}', '30[{"status":"ok"}]'), 1)
    ]
    ledger.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    async def audited(timeout_s=5.0, **more):
        scope = RmsScope(prefix=topic_prefix, windows=WINDOWS, **more)
        return await audit(Kafka({"bootstrap_servers": kafka}, timeout_s), scope, lambda *_: None)

    await commit(kafka, world, behind=1)
    report = await audited(timeout_s=0.3)
    assert report.findings.keys() == {"unjudged"}
    await commit(kafka, world)
    report = await audited(ledger=ledger)
    assert report.findings == {"ledger-altered": 2}  # both packets of the desk are missing in this ledger
    assert report.ledger == {
        "packets sent": 2,
        "in raw, byte for byte": 2,
        "in recorded gaps": 0,
        "on their way at the end": 0,
        "frames of other runs": 0,
    }
    report = await audited()
    assert report.clean(min_frames=4)
    assert report.bets == {"records": 4, "accepted": 1, "expired": 1}
    report = await audited(since_ms=world.at_ns(300) // 1_000_000)
    assert not report.findings
    assert (report.frames, report.bets["records"], report.bets["before what is judged"]) == (0, 0, 2)
