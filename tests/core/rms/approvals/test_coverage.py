"""How far nothing can have been missed: what the join is told of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.rms.approvals.coverage import Run, follow
from schemas.rms.pending import Time
from tests.core.rms.approvals.raw import Partition, Task, messages, played, times


def told(partition: Partition) -> list[tuple[float, float | None, float | None]]:
    return times(played(partition).outputs)


def test_a_line_covers_from_joining_to_what_was_heard_last():
    partition = Partition()
    line = partition.at(1).line()
    line.tick()
    partition.at(2)
    line.open(join=False)
    line.tick()
    partition.at(3)
    line.join()
    partition.at(4)
    line.say("2")
    line.tick(heard_s=3.5)
    partition.at(5)
    line.tick()
    assert told(partition) == [(1, None, None), (2, None, None), (3, 3, 3), (4, 3, 3.5), (5, 3, 5)]


def test_when_a_frame_was_received_proves_nothing_only_what_the_connector_vouches_for():
    """It was stopped from 2 to 16: what it read on waking is as old as that, and what came after it is lost."""
    partition = Partition()
    line = partition.line().open()
    partition.at(2)
    line.tick(heard_s=1)
    partition.at(16)
    line.tell("accept", {"betSlipId": "a"})
    line.tick(heard_s=1)
    line.close(heard_s=1)
    partition.at(17)
    line.open()
    line.tick(heard_s=16.5)  # until when it vouches for before it had joined
    assert told(partition) == [
        (0, 0, 0),
        (2, 0, 1),
        (16, 0, 1),
        (16, None, None),
        (17, 17, 17),
        (17, 17, 17),
    ]


def test_one_message_after_waking_proves_the_whole_stall():
    partition = Partition()
    line = partition.line().open()
    partition.at(16)
    line.tell("accept", {"betSlipId": "a"})
    line.tick(heard_s=1)
    partition.at(20)
    line.tick(heard_s=18)
    assert told(partition) == [(0, 0, 0), (16, 0, 1), (20, 0, 18)]


def test_an_approval_proves_joining_without_an_ack():
    partition = Partition()
    line = partition.line().open(join=False)
    partition.at(1)
    line.tell("accept", {"betSlipId": "a"})
    assert told(partition) == [(1, 1, 1)]


def test_a_broken_approval_proves_it_too_but_no_other_event_does():
    partition = Partition()
    line = partition.line().open(join=False)
    line.say('2["SOMETHING_ELSE",{}]', "3/other,0[]")
    line.tick(joined=False)
    partition.at(1)
    line.tell("accept", {})
    assert told(partition) == [(0, None, None), (1, 1, 1)]


def test_a_tick_proves_it_too_when_the_ack_is_lost():
    partition = Partition()
    line = partition.line().open(join=False)
    partition.at(1)
    line.lose()
    line.is_joined = True
    line.tick()
    assert told(partition) == [(1, 1, 1)]


def test_half_open_nothing_is_proven_although_time_goes_on():
    partition = Partition()
    line = partition.line().open()
    for now_s in range(1, 40):
        partition.at(now_s)
        line.tick(heard_s=1)
    partition.at(40)
    line.close("liveness", heard_s=1)
    partition.at(41)
    line.open()
    assert told(partition) == [
        (0, 0, 0),
        *((now_s, 0, 1) for now_s in range(1, 40)),
        (40, None, None),
        (41, 41, 41),
    ]


def test_a_close_tells_first_how_far_it_was_proven():
    partition = Partition()
    line = partition.line().open()
    partition.at(1)
    line.tick()
    partition.at(2)
    line.close(heard_s=1.75)
    line.tick()
    assert told(partition) == [(0, 0, 0), (1, 0, 1), (2, 0, 1.75), (2, None, None), (2, None, None)]


def test_what_a_close_or_tick_claims_of_the_future_is_not_believed():
    partition = Partition()
    line = partition.line().open()
    partition.at(1)
    line.tick(heard_s=500)
    partition.at(2)
    line.close(heard_s=500)
    assert told(partition) == [(0, 0, 0), (1, 0, 1), (2, 0, 2), (2, None, None)]


def test_a_disconnect_packet_ends_it():
    partition = Partition()
    line = partition.line().open()
    partition.at(1)
    line.say("1/other")
    line.say("1")
    line.tick(joined=False)
    assert told(partition) == [(0, 0, 0), (1, None, None), (1, None, None)]


def test_two_lines_cover_together():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b")
    partition.at(5)
    standby.open()
    partition.at(10)
    line.close(heard_s=9.5)
    standby.tick()
    partition.at(20)
    line.open()
    partition.at(21)
    standby.close(heard_s=20.5)
    partition.at(22)
    line.tick()
    assert told(partition) == [(0, 0, 0), (10, 0, 10), (22, 0, 22)]


def test_a_line_that_joins_after_the_other_fell_silent_leaves_a_gap_when_that_is_sure():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b")
    partition.at(10)
    standby.open()
    partition.at(11)
    line.tick(heard_s=1)
    standby.tick()
    partition.at(12)
    line.close("liveness", heard_s=2)
    assert told(partition) == [(0, 0, 0), (11, 0, 1), (11, 0, 1), (12, 0, 2), (12, 10, 11)]


def test_a_line_that_joins_between_two_pings_of_the_other_makes_no_gap():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="~2")
    partition.at(10)
    standby.open()
    standby.tick()
    partition.at(11)
    line.close("planned", heard_s=10.5)
    partition.at(12)
    standby.tick()
    assert told(partition) == [(0, 0, 0), (10, 0, 0), (12, 0, 12)]


def test_our_own_hole_ends_it_and_the_next_record_begins_anew():
    partition = Partition()
    line = partition.line().open()
    partition.at(1)
    line.tick()
    line.lose(2)
    partition.at(2)
    line.tell("accept", {"betSlipId": "a"})
    partition.at(3)
    line.lose()
    line.tick()
    assert told(partition) == [(0, 0, 0), (1, 0, 1), (2, 2, 2), (3, 3, 3), (3, 3, 3)]


def test_an_overflow_ends_it_and_it_begins_anew():
    partition = Partition()
    line = partition.line().open()
    partition.at(1)
    line.tick()
    partition.at(9)
    line.overflow(0)
    line.tick()
    assert told(partition) == [(0, 0, 0), (1, 0, 1), (9, 9, 9), (9, 9, 9)]


def test_a_hole_of_a_line_that_is_covered_by_another_is_none_for_the_customer():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b").open()
    partition.at(1)
    line.lose()
    line.tick()
    partition.at(2)
    standby.tick()
    assert told(partition) == [(0, 0, 0), (1, 0, 0), (2, 0, 2)]


def test_a_connection_without_an_end_ended_when_it_was_heard_last():
    partition = Partition()
    line = partition.line().open()
    partition.at(1)
    line.tick()
    partition.at(5)
    line.open()  # its connector was killed
    assert told(partition) == [(0, 0, 0), (1, 0, 1), (5, None, None), (5, 5, 5)]


def test_a_connection_whose_beginning_is_lost_is_covered_from_its_tick_on():
    partition = Partition()
    line = partition.line()
    line.connects, line.number, line.is_open, line.is_joined = 1, 7, True, True
    line.tick()
    assert told(partition) == [(0, 0, 0)]


def test_a_clock_that_is_put_back_covers_nothing_that_was_missed():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b")
    partition.at(100)
    line.close(heard_s=100)
    partition.at(50)
    standby.open()
    partition.at(99)
    standby.tick()
    partition.at(101)
    standby.tick()
    assert told(partition) == [
        (0, 0, 0),
        (100, 0, 100),
        (100, None, None),
        (100, None, None),
        (101, 100, 101),
    ]


def test_time_of_a_customer_never_goes_back_and_is_its_own():
    partition = Partition()
    mine, other = partition.line().open(), partition.line(customer="7").open()
    partition.at(10)
    other.tick()
    partition.at(5)
    mine.tick()
    partition.at(4)
    mine.tick()
    told_of = [message for message in messages(played(partition).outputs) if isinstance(message, Time)]
    assert [(time.customer, time.now_ns % 1_000_000_000_000 // 10**9) for time in told_of[::4]] == [
        ("90210", 0),
        ("7", 0),
        ("7", 10),
        ("90210", 5),
        ("90210", 5),
    ]


def test_a_line_that_fell_silent_ends_and_what_comes_after_begins_anew():
    partition = Partition()
    line, other = partition.line().open(), partition.line(customer="7").open()
    for now_s in range(1, 70):
        partition.at(now_s)
        other.tick()
    line.tick()
    mine = [message for message in messages(played(partition).outputs) if message.customer == "90210"]
    assert [
        (time.since_ns is None, (time.since_ns or 0) == time.proven_ns) for time in mine[::4] if isinstance(time, Time)
    ] == [(False, True), (True, False), (False, True)]


@pytest.mark.parametrize("suffix", ["-lookups", "-lookups@b"])
def test_the_coming_and_going_of_a_line_of_look_ups_covers_nothing(suffix: str):
    partition = Partition()
    line = partition.line(suffix=suffix)
    line.control("opened", {"customer": "90210"})
    line.control("closed", {"code": 1000, "reason": "stopped"})
    task = played(partition)
    assert (task.outputs, task.dead_letters) == ([], [])


# The rule itself.

_RUN = st.builds(lambda since, length: Run(since, since + length), st.integers(0, 30), st.integers(-3, 12))


@given(
    st.none() | st.builds(lambda a, b: Run(a, a + b), st.integers(0, 20), st.integers(0, 9)),
    st.lists(_RUN),
    st.lists(_RUN),
)
def test_a_run_is_never_more_than_the_union_and_never_goes_back(run: Run | None, live: list[Run], ended: list[Run]):
    covered = {half for cover in [*([run] if run else []), *live, *ended] for half in _halves(cover)}
    runs = follow(run, live, ended)
    assert 1 <= len(runs) <= 2
    last = run
    for grown in runs:
        if grown is not None:
            assert set(_halves(grown)) <= covered
            if last is not None:
                assert grown.since_ns >= last.since_ns
                assert grown.until_ns >= last.until_ns
        last = grown or last
    if runs[-1] is None:
        assert not [cover for cover in live if cover.since_ns <= cover.until_ns]


def _halves(run: Run) -> range:
    """Return the instants and the spaces between two of them that a run covers."""
    return range(2 * run.since_ns, 2 * run.until_ns + 1)


@given(st.data())
def test_any_order_of_ticks_frames_and_ends_claims_nothing_that_was_not_heard(data: st.DataObject):
    """Against the plain account: an instant is covered when some connection was joined before and heard after it."""
    partition = Partition()
    lines = [partition.line().open(join=False), partition.line(suffix="@b")]
    spans: list[list[float]] = []
    current: dict[str, list[float]] = {}
    for _ in range(data.draw(st.integers(1, 25))):
        partition.now_s += data.draw(st.integers(0, 3))
        line = data.draw(st.sampled_from(lines))
        what = data.draw(st.sampled_from(["open", "join", "frame", "tick", "stale", "close", "hole"]))
        now_s, span = partition.now_s, current.get(line.name)
        if what == "open":
            current.pop(line.name, None)
            line.open(join=False)
        elif what == "close" and line.is_open:
            heard_s = now_s - data.draw(st.integers(0, 2))
            if span is not None:
                span[1] = max(span[1], heard_s)
            current.pop(line.name, None)
            line.close(heard_s=heard_s)
        elif what == "join" and line.is_open:
            if span is None:
                span = current[line.name] = [now_s, now_s]
                spans.append(span)
            line.join()
        elif what == "frame" and line.is_open:
            line.say("2")
        elif what in {"tick", "stale"}:
            if span is not None and what == "tick":
                span[1] = now_s
            line.tick(heard_s=now_s if what == "tick" else 0)
        elif what == "hole" and line.is_open:
            line.lose()
            line.tick()
            if span is not None:
                current[line.name] = [now_s, now_s]
                spans.append(current[line.name])
    covered = {half for first, last in spans for half in range(round(2 * first), round(2 * last) + 1)}
    before: tuple[float, float] = (-1, -1)
    for _, since_s, proven_s in told(partition):
        if since_s is not None and proven_s is not None:
            assert set(range(round(2 * since_s), round(2 * proven_s) + 1)) <= covered
            assert (since_s, proven_s) >= before
            before = (since_s, proven_s)


def test_a_restart_between_records_changes_nothing_of_it():
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b").open()
    for now_s in range(1, 9):
        partition.at(now_s)
        line.tick(heard_s=now_s - 0.5)
        standby.tick(heard_s=now_s - 0.25)
    line.close(heard_s=8)
    task = Task()
    for record in partition.records:
        task.reopen()
        task.play([record])
    assert times(task.outputs) == told(partition)
