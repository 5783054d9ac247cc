"""The audit of RMS where raw and bets reach further back than what came of them: Kafka removes whole segments."""

from collections import defaultdict

from aiokafka import TopicPartition

from tests.audit.memory_kafka import MemoryKafka
from tests.audit.rms_world import WINDOWS, World
from tests.replay.frames import Row
from tricast.audit.rms.run import RmsScope, audit

KEPT_MS = 10**13
"""Nothing of this world's time is older than that."""
BETS = 10


def story():
    world = World()
    world.connect()
    for number in range(BETS):
        world.placed(f"s{number}", context="live")
        world.answered(f"s{number}")
        world.tick(world.now_s + 10)
        world.say("accept", f"s{number}")
        world.tick(world.now_s + 90, step_s=90)
    world.tick(world.now_s + 300, step_s=90)
    return world


async def audited(world, kept_ms=KEPT_MS, **removed):
    topics = defaultdict(list)
    for name in ("raw", "bets", "approvals", "pending", "decisions", "health", "dead-letters"):
        for partition in range(4):
            topics[TopicPartition(f"t.rms.{name}", partition)] = []
        for record in world.topics.get(f"rms.{name}", ()):
            row = Row(
                record.topic,
                record.partition,
                record.offset,
                record.timestamp,
                record.key,
                record.value,
                tuple(record.headers),
            )
            topics[TopicPartition(record.topic, record.partition)].append(row)
    scope = RmsScope(prefix="t.", windows=WINDOWS, kept_ms=kept_ms)
    return await audit(MemoryKafka(topics).without(**removed), scope, lambda *_: None)


async def test_what_retention_took_of_outcomes_leaves_no_bet_undecided():
    world = story()
    whole = await audited(world)
    assert (whole.findings, whole.notes) == ({}, [])
    report = await audited(world, decisions=1)
    assert report.findings == {}
    assert [note.partition(":")[0] for note in report.notes] == ["retention took the beginning of t.rms.decisions"]
    assert 0 < report.bets["before what is judged"] < BETS
    assert (await audited(world, kept_ms=0, decisions=1)).bets["before what is judged"] == BETS
    world.drop(world.of("rms.decisions", outcome="accepted")[-1])
    assert "undecided" in (await audited(world, decisions=1)).findings
