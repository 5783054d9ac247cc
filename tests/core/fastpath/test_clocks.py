"""Clocks of connectors that lie: nothing waits for hours behind a record from a clock that was ahead."""

from collections.abc import Iterator

import pytest

from tests.core.fastpath.raw import Line, Partition, Task, action, findings, numbers


def played(partition: Partition, *, forgetful: bool) -> Task:
    task = Task()
    for record in partition.records:
        if forgetful:
            task.reopen()
        task.play([record])
    return task


def sent(line: Line, seconds: range, offset: int = 0) -> Iterator[int]:
    for now_s in seconds:
        line.partition.at(now_s)
        line.say(action(now_s - offset))
        yield now_s - offset


@pytest.mark.parametrize("forgetful", [False, True])
def test_one_record_from_a_clock_far_ahead_holds_nothing_back_for_long(forgetful: bool):
    partition = Partition()
    line, other = partition.line(), partition.line(replica="b")
    line.open(0)
    before = list(sent(line, range(1, 11)))
    partition.at(7_200)
    other.open(0)
    after = list(sent(line, range(12, 24)))  # number 11 never comes
    assert numbers(played(partition, forgetful=forgetful).outputs) == before  # it waits for 2 s and some skew
    after += list(sent(line, range(24, 26)))
    task = played(partition, forgetful=forgetful)
    assert numbers(task.outputs) == before + after
    assert findings(task.outputs) == ["baseline", "gap_suspected"]


@pytest.mark.parametrize("forgetful", [False, True])
def test_a_clock_that_is_put_back_holds_nothing_back_for_long(forgetful: bool):
    partition = Partition()
    line = partition.line()
    partition.at(7_200)
    line.open(0)
    line.say(action(1), action(3))
    after = list(sent(line, range(4, 18)))
    task = played(partition, forgetful=forgetful)
    assert numbers(task.outputs) == [1, 3, *after]
    assert findings(task.outputs) == ["baseline", "gap_suspected"]


def test_a_line_whose_clock_is_a_little_behind_is_as_patient_as_any():
    partition = Partition()
    line, other = partition.line(), partition.line(replica="b")
    line.open(0)
    other.open(0)
    partition.at(9.0)
    other.tick()
    partition.at(0.0)
    line.say(action(1), action(3))
    partition.at(9.1)
    line.say(action(2))
    assert findings(played(partition, forgetful=False).outputs) == ["baseline", "reordered"]
