"""The FastPath audit as a whole: what goes out of it, where to, named how, in which order and marked with what."""

from typing import Any

import pytest

from processors.core.fastpath.processor import FastpathProcessor
from processors.core.processor import Hole
from schemas.codec import validate
from schemas.fastpath.codes import Count
from schemas.topics import TOPICS
from tests.core.driver import Output
from tests.core.fastpath.raw import (
    FEED,
    FIXTURE,
    GOLF,
    START_NS,
    STATISTICS,
    TENNIS,
    TOPIC,
    Line,
    Partition,
    Task,
    action,
    element,
    findings,
    healths,
    ns,
    numbers,
    statistics,
    status,
    time,
    values,
)


@pytest.fixture
def partition() -> Partition:
    return Partition()


@pytest.fixture
def line(partition: Partition) -> Line:
    line = partition.line()
    line.open()
    return line


def play(partition: Partition, **settings: int) -> list[Output]:
    return task_of(partition, **settings).outputs


def task_of(partition: Partition, **settings: int) -> Task:
    task = Task(hold_ms=settings.get("hold_ms", 2_000), hold_count=settings.get("hold_count", 64))
    task.play(partition.records)
    for output in task.outputs:
        validate(output.header("ce_type"), output.value)
    return task


def released(outputs: list[Output]) -> list[tuple[int, str, int]]:
    return [
        (value["sequence"], value["released"]["why"], value["released"]["after_ms"])
        for value in values(outputs, "actions")
    ]


def test_it_is_what_the_registry_knows():
    processor = FastpathProcessor()
    assert (processor.name, processor.feed) == ("fastpath.audit", "fastpath")
    assert {*processor.sources, *processor.outputs, "fastpath.dead-letters"} <= TOPICS.keys()
    assert f"changelog.{processor.name}.fastpath.raw" in TOPICS


def test_action(partition: Partition, line: Line):
    partition.at(1.5)
    line.say(action(1, 1.25, timelineSequence=3.25, delayReason={"a": 1.10}))
    (output,) = [output for output in play(partition) if output.topic == "fastpath.actions"]
    assert output.key == FIXTURE.encode()
    assert output.headers == (
        ("ce_specversion", b"1.0"),
        ("ce_id", f"{TOPIC}/0/1/0".encode()),
        ("ce_source", f"tricast/fastpath/{FEED}".encode()),
        ("ce_type", b"tricast.fastpath.action.v1"),
        ("ce_time", b"2026-09-21T14:13:21.250Z"),
        ("ce_subject", FIXTURE.encode()),
        ("content-type", b"application/json"),
        ("ce_dataschema", b"urn:tricast:schema:tricast.fastpath.action.v1"),
        ("ce_tcreceived", b"%d" % (START_NS + ns(1.5))),
    )
    (value,) = values([output], "actions")
    assert value == {
        "feed": FEED,
        "fixture_id": FIXTURE,
        "sequence": 1,
        "vendor_sequence": 1,
        "line": FEED,
        "connection": f"{FEED}-1",
        "vendor_time_ns": START_NS + ns(1.25),
        "vendor_time": time(1.25),
        "received_ns": START_NS + ns(1.5),
        "delivery": "live",
        "latency_ms": 250,
        "connection_state": {"state": "Connected", "since_ns": START_NS + ns(1.5)},
        "released": {"why": "in_order", "after_ms": 0},
        "trace_id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "action_id": "action-1",
        "send_type": "Confirmed",
        "send_type_id": 5,
        "action_type": "Attack",
        "action_type_id": 30,
        "period": 1,
        "clock_time": "08:32",
        "timeline_sequence": "3.25",
        "finished": False,
        "version": 3,
        "summary": {"home_score": 0, "away_score": 1, "collection_status": "CollectingLive"},
        "details": {"delayReason": {"a": 1.1}},
    }


@pytest.mark.parametrize(
    ("feed", "packet", "topic", "ce_type", "fixture"),
    [
        (TENNIS, element(0), "actions", "event-element", "2026-0415-MS009"),
        (GOLF, element(1, kind="HitBall"), "actions", "event-element", "901-1-21"),
        (GOLF, {"eventElementType": "ModeChange", "mode": "x", "seqNum": 1}, "actions", "event-element", "901-1-21"),
        (STATISTICS, statistics(1), "statistics", "statistics", FIXTURE),
        ("tennis/events/x/statistics", {"seqNum": 1, "timestamp": time(0)}, "statistics", "statistics", "x"),
        (
            "multiplexer/?sport=golf",
            {"sport": "golf", "eventId": "901-1-21", "feedType": "rounddetails", "dataType": "eventdata"}
            | {"message": element(1)},
            "actions",
            "event-element",
            "rounddetails/901-1-21",
        ),
        ("curling/x/stones", element(1), "actions", "event-element", "curling/x/stones"),
    ],
)
def test_each_family_has_its_place(  # a row of the table
    partition: Partition, feed: str, packet: dict[str, Any], topic: str, ce_type: str, fixture: str
):
    line = partition.line(feed)
    line.open(None)
    line.say(packet)
    outputs = play(partition)
    (output,) = [output for output in outputs if output.topic == f"fastpath.{topic}"]
    assert output.header("ce_type") == f"tricast.fastpath.{ce_type}.v1"
    assert (output.key.decode(), output.header("ce_subject")) == (fixture, fixture)
    (value,) = values([output], topic)
    assert (value["feed"], value["fixture_id"], value["sequence"]) == (feed, fixture, packet.get("seqNum", 1))
    assert findings(outputs) == ["baseline"]


def test_packet_without_a_number_goes_out_unordered_at_once(partition: Partition, line: Line):
    line.say(action(1), action(3), {"eventElementType": "MarketOpen", "timestamp": time(0)})
    task = task_of(partition)
    assert [(value.get("sequence"), value["released"]["why"]) for value in values(task.outputs, "actions")] == [
        (1, "in_order"),
        (None, "unordered"),
    ]
    assert task.counts[Count.UNORDERED] == 1


# Order and names.


def test_swapped_packets_go_out_in_order_under_their_own_names(partition: Partition, line: Line):
    line.say(action(1), action(3))
    partition.at(0.7)
    line.say(action(2))
    outputs = play(partition)
    assert released(outputs) == [(1, "in_order", 0), (2, "in_order", 0), (3, "filled", 700)]
    identities = [output.header("ce_id") for output in outputs if output.topic == "fastpath.actions"]
    assert identities == [f"{TOPIC}/0/{offset}/0" for offset in (1, 3, 2)]
    received = [output.header("ce_tcreceived") for output in outputs if output.topic == "fastpath.actions"]
    assert received == [str(START_NS + ns(at)) for at in (0, 0.7, 0)]
    assert findings(outputs) == ["baseline", "reordered"]


def test_what_a_record_causes_is_numbered_from_one_in_order(partition: Partition, line: Line):
    line.say(action(1), status("Disconnected"))
    partition.at(5)
    line.say(action(3, 5))
    partition.at(7)
    line.say(action(4, 7))  # at the deadline of number 2
    outputs = play(partition)
    last = [output for output in outputs if output.header("ce_id").startswith(f"{TOPIC}/0/4/")]
    assert [(output.topic.removeprefix("fastpath."), output.header("ce_id")[-2:]) for output in last] == [
        ("sequence", "/1"),
        ("commands", "/2"),
        ("actions", "/0"),
        ("health", "/3"),
    ]
    third = [output.topic for output in outputs if output.header("ce_id").startswith(f"{TOPIC}/0/3/")]
    assert third == ["fastpath.connections", "fastpath.health", "fastpath.actions"]
    assert released(outputs) == [(1, "in_order", 0), (3, "timeout", 2000), (4, "in_order", 0)]


def test_hold_back_is_bounded_by_count(partition: Partition, line: Line):
    line.say(*[action(number) for number in (1, 3, 4, 5, 6)])
    assert numbers(play(partition, hold_count=3)) == [1, 3, 4, 5, 6]
    assert numbers(play(partition, hold_count=4)) == [1]


def test_hold_back_is_bounded_by_stream_time_on_any_record(partition: Partition, line: Line):
    line.say(action(1), action(3))
    other = partition.line(TENNIS)
    partition.at(2)
    other.open()  # another feed of the task
    assert released(play(partition)) == [(1, "in_order", 0), (3, "timeout", 2000)]
    partition.records.pop()
    partition.write(b"x", b"", [("tc-received-ns", b"%d" % (START_NS + ns(2)))])  # not even a good one
    assert released(play(partition)) == [(1, "in_order", 0), (3, "timeout", 2000)]


def test_a_hole_is_named_after_itself(partition: Partition, line: Line):
    line.say(action(1))
    task = task_of(partition)
    before = len(task.outputs)
    task.hole(Hole(line=FEED, connection=line.connection, first=2, last=4, received_ns=START_NS + ns(1)))
    told = task.outputs[before:]
    assert [output.header("ce_id") for output in told] == [f"{FEED}/{FEED}-1/2-4/{index}" for index in (0, 1)]
    assert [(value["state"], value.get("lost_frames")) for value in values(told, "health")] == [
        ("gapped", 3),
        ("live", None),
    ]


# Marks.


def test_replay_and_late_burst_are_marked_and_tell_no_latency(partition: Partition):
    partition.at(100)
    line = partition.line()
    line.open()
    line.say(action(1, 0), action(2, 89.9), action(3, 90), action(4, 100, delayStatus="DELAYED"))
    line.say(action(5, 0, delayStatus="DELAYED"), action(6, 0, timestamp="soon"))
    assert [(value["delivery"], value.get("latency_ms")) for value in values(play(partition), "actions")] == [
        ("replayed", None),
        ("replayed", None),
        ("live", 10_000),
        ("late_burst", None),
        ("late_burst", None),
        ("live", None),
    ]


def test_late_and_repaired_are_marked(partition: Partition, line: Line):
    line.say(action(1), action(4))
    partition.at(2)
    line.say(action(2))
    line.close("repair", 1000)
    line.open(0, "repair")
    line.say(action(1), action(2), action(3), action(4))
    outputs = play(partition)
    assert [
        (value["sequence"], value["released"]["why"], value.get("late"), value.get("repaired"))
        for value in values(outputs, "actions")
    ] == [(1, "in_order", None, None), (4, "timeout", None, None), (2, "late", True, None), (3, "repaired", None, True)]
    assert findings(outputs) == ["baseline", "gap_suspected", "gap_repaired"]


def test_a_number_that_says_something_else_goes_out_marked(partition: Partition, line: Line):
    line.say(action(1), action(2), action(2, identity="another"), action(3))
    outputs = play(partition)
    assert [(value["sequence"], value.get("conflict")) for value in values(outputs, "actions")] == [
        (1, None),
        (2, None),
        (2, True),
        (3, None),
    ]
    assert findings(outputs) == ["baseline", "conflict"]


# Two lines.


def test_two_lines_give_each_packet_once_and_the_first_wins(partition: Partition, line: Line):
    standby = partition.line(replica="b")
    standby.open()
    for number in range(1, 7):
        first, second = (line, standby) if number % 2 else (standby, line)
        first.say(action(number))
        second.say(action(number))
    task = task_of(partition)
    assert [(value["sequence"], value["line"][-1]) for value in values(task.outputs, "actions")] == [
        (number, "s" if number % 2 else "b") for number in range(1, 7)
    ]
    assert task.counts[Count.COPY] == 6
    assert findings(task.outputs) == ["baseline"]


def test_loss_on_one_line_is_healed_by_the_other_and_reported(partition: Partition, line: Line):
    standby = partition.line(replica="b")
    standby.open()
    line.say(action(1), action(3))
    standby.say(action(1), action(2), action(3))
    outputs = play(partition)
    assert numbers(outputs) == [1, 2, 3]
    assert findings(outputs) == ["baseline", "gap_closed"]
    assert values(outputs, "sequence")[1]["by"] == f"{FEED}@b"
    assert not values(outputs, "commands")


def test_lines_whose_numbers_are_per_connection_are_aligned_by_content(partition: Partition, line: Line):
    line.say(*[action(number, identity=f"a{number}") for number in range(1, 9)])
    standby = partition.line(replica="b")
    standby.open(4)  # skips four and counts from one
    standby.say(*[action(number, identity=f"a{number + 4}") for number in range(1, 5)])
    standby.say(action(5, identity="a9"))
    line.say(action(9, identity="a9"), action(10, identity="a10"))
    outputs = play(partition)
    assert [(value["sequence"], value["action_id"]) for value in values(outputs, "actions")] == [
        (number, f"a{number}") for number in range(1, 11)
    ]
    assert set(findings(outputs)) <= {"baseline", "restarted"}


# Repair.


def test_a_gap_asks_for_a_repair_and_health_says_so(partition: Partition, line: Line):
    line.say(action(1), action(2), action(5))
    partition.at(2)
    line.tick()
    outputs = play(partition)
    (output,) = [output for output in outputs if output.topic == "fastpath.commands"]
    assert output.key == FEED.encode()
    assert output.header("ce_type") == "tricast.fastpath.command.repair.v1"
    assert values([output], "commands") == [
        {
            "feed": FEED,
            "fixture_id": FIXTURE,
            "line": FEED,
            "first": 3,
            "last": 4,
            "position": 0,
            "attempt": 1,
        }
    ]
    (suspected,) = values(outputs, "sequence")[1:]
    assert (suspected["missing"], suspected["count"], suspected["repair"]) == ([[3, 4]], 2, "asked")
    assert healths(outputs)[-1] == ("repairing", "repair-asked")


def test_what_takes_no_position_is_not_repairable(partition: Partition):
    line = partition.line(GOLF)
    line.open(None)
    line.say(element(1), element(3))
    partition.at(2)
    line.tick()
    outputs = play(partition)
    assert findings(outputs) == ["baseline", "gap_suspected", "not_repairable"]
    assert not values(outputs, "commands")
    assert values(outputs, "sequence")[-1]["missing"] == [[2, 2]]


def test_statistics_are_held_back_for_nothing(partition: Partition):
    line = partition.line(STATISTICS)
    line.open()
    line.say(statistics(1), statistics(3))
    partition.at(2)
    line.tick()
    outputs = play(partition)
    assert [value["sequence"] for value in values(outputs, "statistics")] == [1, 3]
    assert not values(outputs, "commands")
    assert [value.get("repair") for value in values(outputs, "sequence")] == [None, "none"]


def test_how_long_a_packet_was_on_its_way_is_told_once(partition: Partition, line: Line):
    """A copy, by another line or sent again, says nothing new of it."""
    line.say(action(1, at=0))
    line.say(action(1, at=0))
    line.say(action(2, at=0))
    assert len(task_of(partition).transits_ms) == 2
