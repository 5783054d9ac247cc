"""Audits of RMS in a row: bets that are not over are judged again, those that are over never."""

import copy
from typing import Any

import pytest
from aiokafka import TopicPartition

from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.core.rms.join.processor import RmsJoin
from tests.audit.memory_kafka import MemoryKafka
from tests.audit.rms_world import S, World
from tests.core.driver import Driver
from tricast.audit.certificate import Audited, FeedPart, State, certify, kept_of_bets
from tricast.audit.rms.case import Windows
from tricast.audit.rms.run import RmsScope, audit, go_on

MINUTE_S = 60
MINUTES = 90
NAMES = ("raw", "bets", "approvals", "pending", "decisions", "health", "dead-letters")
SHORT = {"remember_s": 900, "unanswered_s": 300, "verify_s": 300, "orphan_s": 300, "window_prematch_s": 120}
WINDOWS = Windows(
    live_ns=120 * S,
    **{f"{name.removesuffix('_s').removeprefix('window_')}_ns": value * S for name, value in SHORT.items()},
)
SCOPE = RmsScope(prefix="t.", windows=WINDOWS)
CUTS = (5, 30, 45.1, 70, MINUTES)


@pytest.fixture(scope="module")
def story():
    """A bet every five minutes, accepted, rejected or left; a reconnect now and then; a bad packet."""
    world = World()
    for partition in range(4):
        world.tasks["rms.raw"][partition] = Driver(RmsApprovals(remember_s=SHORT["remember_s"]))
        world.tasks["rms.bets"][partition] = Driver(RmsBets(remember_s=SHORT["remember_s"]))
        world.tasks["rms.pending"][partition] = Driver(RmsJoin(window_live_s=120, **SHORT))
    world.connect()
    for n in range(MINUTES // 5):
        begin_s = n * 5 * MINUTE_S
        world.tick(begin_s + 10, step_s=40)
        world.placed(f"s{n}", context="live")
        world.answered(f"s{n}")
        world.tick(begin_s + 40)
        if n % 3:
            world.say("accept" if n % 3 == 1 else "reject", f"s{n}", f"code-s{n}")
        if n % 8 == 5:
            world.event("accept", {})
        if n % 7 == 4:
            world.close()
            world.tick(begin_s + 60)
            world.connect(f"c{n}", previous=world.connection)
    world.tick(MINUTES * MINUTE_S, step_s=40)
    return world


def seen(world, minutes):
    """Return Kafka at that time."""
    until_ms = world.at_ns(minutes * MINUTE_S) // 1_000_000
    topics = {}
    for name in NAMES:
        records = world.topics.get(f"rms.{name}", ())
        for partition in range(4):
            rows = [r for r in records if r.partition == partition and r.timestamp < until_ms]
            topics[TopicPartition(f"t.rms.{name}", partition)] = rows
    return MemoryKafka(topics)


async def in_a_row(world, path):
    before: dict[str, Any] | None = None
    carried, read = None, []
    for minutes in CUTS:
        step = await go_on(seen(world, minutes), SCOPE, lambda *_: None, carried)
        said = None if before is None else before["feeds"]["rms"]
        part = FeedPart(settled=kept_of_bets(step.report, said), open=step.report, ranges=step.ranges, is_whole=True)
        whole = Audited(feeds={"rms": part}, prefix="t.", version="1", began="", ended="", min_frames=1)
        before, carried = certify(whole, before, State(bets={"rms": step.carried}), path), step.carried
        read.append(step.report.raw_records)
    assert before is not None
    return before, read


async def test_nothing_is_said_of_what_is_right(story, tmp_path):
    whole = await audit(seen(story, MINUTES), SCOPE, lambda *_: None)
    assert not whole.findings, whole.examples
    certificate, read = await in_a_row(story, tmp_path / "c.json")
    assert certificate["verdict"] == "clean", certificate["feeds"]["rms"]["so_far"]["findings"]
    assert read[-1] < 0.7 * whole.raw_records  # not all of it was judged again


@pytest.mark.parametrize("slip", ["s1", "s8", "s14", "s16"])
async def test_what_one_audit_finds_all_in_a_row_find(story, tmp_path, slip):
    world = copy.deepcopy(story)
    world.change(world.of("rms.decisions", bet_slip_id=slip)[0], outcome="expired", reason=None)
    world.drop(world.of("rms.approvals", bet_slip_id="s4")[0])
    whole = await audit(seen(world, MINUTES), SCOPE, lambda *_: None)
    assert whole.findings
    certificate, _ = await in_a_row(world, tmp_path / "c.json")
    found = certificate["feeds"]["rms"]["so_far"]["findings"]
    assert {kind: sorted(texts) for kind, texts in found.items()} == {
        kind: sorted(texts) for kind, texts in whole.examples.items()
    }
