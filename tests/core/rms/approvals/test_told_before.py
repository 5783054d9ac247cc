"""What was told already is not told again."""

from typing import Any

import pytest

from processors.core.rms.approvals.announced import Announced, read_announced
from processors.core.rms.approvals.told_before import ToldBefore
from schemas.rms.codes import Count
from tests.core.driver import DictStore
from tests.core.rms.approvals.raw import Partition, Task, approvals, evidence, played

A, AB, B, AC = {"betSlipId": "a"}, {"betSlipId": "a", "code": "b"}, {"code": "b"}, {"betSlipId": "a", "code": "c"}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([A, A], [A]),
        ([AB, AB, AB], [AB]),
        ([AB, A], [AB]),
        ([A, AB], [A, AB]),
        ([A, AB, AB, A], [A, AB]),
        ([AB, AC, AB, AC], [AB, AC]),
        ([B, B], [B]),
        ([AB, B], [AB, B]),  # the code may be another bet's
        ([B, AB, B], [B, AB]),
        ([{"code": "a"}, A], [{"code": "a"}, A]),
        ([{"betSlipId": 7}, {"betSlipId": "7"}], [{"betSlipId": 7}]),
        ([A, A | {"reason": "another"}], [A]),
    ],
)
def test_only_what_names_nothing_new_is_a_repeat(said: list[Any], told: list[Any]):
    partition = Partition()
    line, standby = partition.line().open(), partition.line(suffix="@b").open()
    for number, approval in enumerate(said):
        (standby if number % 2 else line).tell("accept", approval)
    task = played(partition)
    named = [(record.get("bet_slip_id"), record.get("bet_code")) for record in approvals(task.outputs)]
    expected = [(approval.get("betSlipId"), approval.get("code")) for approval in told]
    assert named == [(None if slip is None else str(slip), code) for slip, code in expected]
    assert task.counts[Count.REPEAT] == len(said) - len(told)


def test_the_opposite_is_none_nor_another_customers():
    partition = Partition()
    line = partition.line().open()
    line.tell("accept", A)
    line.tell("reject", A, A)
    partition.line(customer="7").open().tell("accept", A)
    found = evidence(played(partition).outputs)
    assert [(one.customer, one.said) for one in found] == [("90210", "accept"), ("90210", "reject"), ("7", "accept")]


def test_a_repeat_takes_no_number_of_those_by_code():
    partition = Partition()
    line = partition.line().open()
    line.tell("accept", B, B, {"code": "c"}, A)
    found = evidence(played(partition).outputs)
    assert [(one.ordinal, one.by_code_before) for one in found] == [(1, 0), (2, 1), (0, 2)]
    assert [output.key for output in played(partition).outputs if output.topic == "rms.approvals"] == [
        b"90210/code:b",
        b"90210/code:c",
        b"90210/a",
    ]


@pytest.mark.parametrize("forgetful", [False, True])
def test_it_is_remembered_for_as_long_as_is_set(forgetful: bool):
    partition, task = Partition(), Task(remember_s=60)
    line = partition.line().open()
    for now_s in (0, 60, 61):
        partition.at(now_s)
        line.tell("accept", A)
    for record in partition.records:
        if forgetful:
            task.reopen()
        task.play([record])
    assert [found.received_ns // 10**9 % 100 for found in evidence(task.outputs)] == [0, 61]
    assert len([key for key in task.store.entries if key.startswith(b"d")]) == 1


def test_beyond_the_bound_the_oldest_is_forgotten():
    store = DictStore()
    before = ToldBefore(store, remember_ns=10**12, most=3)
    new = []
    for now_ns, slip in enumerate("abcdabd"):
        before.forget("90210", now_ns)
        new.append(before.take("90210", "accept", announced(slip), now_ns, now_ns))
    assert new == [True, True, True, True, True, True, False]
    assert sorted(store.entries) == [b"d90210/accept/slip:a", b"d90210/accept/slip:b", b"d90210/accept/slip:d"]


def announced(slip: str) -> Announced:
    read = read_announced(b'{"betSlipId":"%b"}' % slip.encode(), "accept", "90210", 0)
    assert isinstance(read, Announced)
    return read
