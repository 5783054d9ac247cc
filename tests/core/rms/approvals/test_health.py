"""What people are told of each socket."""

from typing import Any

import pytest

from processors.core.rms.approvals import book
from schemas.rms.codes import Count
from tests.core.rms.approvals.raw import Partition, at_ns, health_records, healths, played


def gaps(partition: Partition) -> list[tuple[str, float, float]]:
    return [
        (record["reason"], (record["since_ns"] - at_ns(0)) / 10**9, (record["until_ns"] - at_ns(0)) / 10**9)
        for record in health_records(played(partition).outputs)
        if record["state"] == "gapped"
    ]


def states(partition: Partition) -> list[tuple[str, str]]:
    """Return each change of state."""
    told = [health for health in healths(played(partition).outputs) if health[0] != "gapped"]
    return [health for number, health in enumerate(told) if number == 0 or told[number - 1] != health]


def test_a_line_is_live_when_it_has_joined():
    partition = Partition()
    line = partition.line()
    line.refuse("unauthorised", 401)
    line.tick()
    line.refuse("unauthorised", 401)
    line.refuse("too-many-requests", 429)
    partition.at(2)
    line.open(join=False)
    partition.at(12)
    line.tick(joined=False)
    line.join()
    partition.at(13)
    line.close("server-disconnect", 1005, heard_s=12.5)
    line.tick()
    assert states(partition) == [
        ("down", "unauthorised"),
        ("down", "too-many-requests"),
        ("suspect", "not-joined"),
        ("live", "joined"),
        ("down", "server-disconnect"),
    ]


def test_the_numbers_of_a_line_are_told_after_a_change_and_each_ten_seconds():
    partition = Partition()
    line = partition.line().open()
    for now_s in range(1, 25):
        partition.at(now_s)
        line.tick(token_age_s=now_s)
    told = [record for record in health_records(played(partition).outputs) if "budget" in record]
    assert [record["token_age_s"] for record in told] == [1, 11, 21]
    assert told[0] == {
        "customer": "90210",
        "line": "rms-90210",
        "state": "live",
        "reason": "joined",
        "since_ns": at_ns(0),
        "connection": "rms-90210-1",
        "joined": True,
        "token_age_s": 1,
        "refresh_age_s": 8,
        "budget": {"connects_left": 5, "requests_left": 90, "lookups_waiting": 0},
    }


def test_what_a_tick_does_not_know_is_not_told():
    partition = Partition()
    partition.line().open().tick(token_age_s=None, refresh_age_s=None, connects_left=None)
    (told,) = [record for record in health_records(played(partition).outputs) if record["state"] == "live"][1:]
    assert not {"token_age_s", "refresh_age_s", "budget"} & told.keys()


def test_a_gap_reaches_from_the_last_thing_heard_to_the_next_joining():
    partition = Partition()
    line = partition.line().open()
    partition.at(5)
    line.tick(heard_s=4)
    partition.at(6)
    line.close(heard_s=5.5)
    partition.at(8)
    line.open(join=False)
    line.close(heard_s=8)
    partition.at(9)
    line.open(join=False)
    partition.at(10)
    line.join()
    assert gaps(partition) == [("reconnected", 5.5, 10)]
    (output,) = [one for one in played(partition).outputs if b'"gapped"' in one.value]
    assert output.key == b"line/rms-90210@tricast.rms.raw/0/10"


def test_our_own_losses_are_told_as_ours():
    partition = Partition()
    line = partition.line().open()
    partition.at(5)
    line.tick(heard_s=4)
    line.lose(2)
    partition.at(6)
    line.tick()
    partition.at(7)
    line.overflow(3)
    task = played(partition)
    told = [record for record in health_records(task.outputs) if record["state"] == "gapped"]
    assert [(record["reason"], record["first_frame"], record["last_frame"]) for record in told] == [
        ("hole", 3, 4),
        ("hole", 5, 7),
        ("overflow", 5, 7),
    ]
    assert all(record["ours"] for record in told)
    assert gaps(partition) == [("hole", 4, 6), ("hole", 6, 7), ("overflow", 7, 7)]
    assert [one.key for one in task.outputs if b'"hole"' in one.value] == [
        b"line/rms-90210@rms-90210/rms-90210-1/3-4",
        b"line/rms-90210@rms-90210/rms-90210-1/5-7",
    ]


def test_a_hole_of_look_ups_is_told_and_one_of_nobody_is_counted():
    partition = Partition()
    line = partition.line(suffix="-lookups")
    line.connects, line.number = 1, 3
    line.look_up({"success": True, "data": {"code": "code-1", "status": "accepted"}})
    assert gaps(partition) == [("hole", 0, 0)]
    nobody = partition.line()
    nobody.name, nobody.connects = "whoever", 1
    nobody.lose()
    nobody.tick()
    assert played(partition).counts[Count.UNPLACED_HOLE] == 1


def test_a_connection_that_is_not_heard_of_is_suspect_until_it_is():
    partition = Partition()
    line = partition.line().open()
    for now_s, heard_s in ((60, 0), (61, 0), (62, 0), (63, 63)):
        partition.at(now_s)
        line.tick(heard_s=heard_s)
    assert states(partition) == [
        ("suspect", "not-joined"),
        ("live", "joined"),
        ("suspect", "unheard"),
        ("live", "joined"),
    ]


def test_a_line_without_records_is_down_while_others_go_on_and_comes_back():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b").open()
    for now_s in range(1, 70):
        partition.at(now_s)
        standby.tick()
    line.tick()
    told = [
        (record["state"], record["reason"], (record["since_ns"] - at_ns(0)) / 10**9)
        for record in health_records(played(partition).outputs)
        if record["line"] == "rms-90210"
    ]
    assert told[2:4] == [("down", "silent", 61), ("gapped", "reconnected", 0)]
    assert told[4][:2] == ("live", "joined")


def test_a_jump_of_time_alone_takes_no_line_down():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b").open()
    partition.at(900)
    standby.tick()
    line.tick()
    assert {state for state, _ in states(partition)} == {"suspect", "live"}


def test_a_line_is_forgotten_after_a_day():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b").open()
    line.close()
    for now_s in (*range(1, 62), 86_399, 86_400, 86_401):
        partition.at(now_s)
        standby.tick()
    task = played(partition)
    assert task.tombstones == [("rms.health", b"line/rms-90210")]
    assert [key for key in task.store.entries if key.startswith(b"l")] == [b"lrms-90210@b"]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("liveness", "liveness"),
        (None, "closed"),
        ("", "closed"),
        ("Free text of a server", "closed"),
        ("x" * 41, "closed"),
    ],
)
def test_a_reason_is_a_word(reason: Any, told: str):
    partition = Partition()
    partition.line().open().close(reason)
    assert states(partition)[-1] == ("down", told)


def test_an_older_connections_end_told_late_ends_nothing():
    partition = Partition()
    line = partition.line().open()
    line.open()
    late = partition.line()
    late.connects = 1
    late.close(heard_s=0)
    late.say("2")
    task = played(partition)
    assert healths(task.outputs)[-1] == ("live", "joined")
    assert task.counts[Count.LATE_CONTROL] == 1


def test_an_approval_of_an_older_connection_still_counts_and_proves_no_joining():
    partition = Partition()
    line = partition.line().open()
    late = partition.line()
    late.connects, late.number = 1, line.number
    line.open(join=False)
    late.tell("accept", {"betSlipId": "a"})
    task = played(partition)
    assert [output.key for output in task.outputs if output.topic == "rms.approvals"] == [b"90210/a"]
    assert healths(task.outputs)[-1] == ("suspect", "not-joined")


def test_lines_are_bounded():
    partition = Partition()
    for number in range(book.MAX_LINES + 5):
        partition.at(number // 500)
        partition.line(customer=str(number + 1)).open()
    task = played(partition)
    assert len([key for key in task.store.entries if key.startswith(b"l")]) == book.MAX_LINES
    assert len(task.tombstones) == 5
