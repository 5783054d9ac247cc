"""Packets in, approvals and evidence out."""

import pytest

from processors.core.rms.everywhere import EVERYWHERE
from schemas.rms.pending import Evident
from tests.core.rms.approvals.raw import (
    CUSTOMER,
    Partition,
    approvals,
    at_ns,
    evidence,
    healths,
    messages,
    played,
    times,
)


def test_an_approval_goes_out_once_with_its_evidence_and_then_time():
    partition = Partition()
    line = partition.line().open()
    partition.at(1)
    line.tell("accept", {"betSlipId": "slip-1", "bet_code": 17, "acceptedAt": "2026-09-21T14:13:20.5Z", "stake": 2.50})
    line.tick()
    task = played(partition)
    assert approvals(task.outputs) == [
        {
            "customer": CUSTOMER,
            "bet_slip_id": "slip-1",
            "bet_code": "17",
            "said": "accept",
            "decided_ns": at_ns(0.5),
            "decided_at": "2026-09-21T14:13:20.5Z",
            "received_ns": at_ns(1),
            "latency_ms": 500,
            "stake": "2.5",
            "line": "rms-90210",
            "connection": "rms-90210-1",
            "raw": "tricast.rms.raw/0/3",
            "details": {},
        }
    ]
    assert evidence(task.outputs) == [
        Evident(
            customer=CUSTOMER,
            slip="slip-1",
            code="17",
            evidence="approval",
            said="accept",
            raw=(0, 3, 0),
            received_ns=at_ns(1),
            decided_ns=at_ns(0.5),
            stake="2.5",
        )
    ]
    (record,) = [output for output in task.outputs if output.topic == "rms.approvals"]
    assert record.key == b"90210/slip-1"
    assert record.header("ce_id") == "tricast.rms.raw/0/3/0"
    assert record.header("ce_source") == "tricast/rms/rms-90210"
    assert record.header("ce_subject") == "slip-1"
    assert record.header("ce_time") == "2026-09-21T14:13:20.500Z"
    pending = [output for output in task.outputs if output.topic == "rms.pending"]
    assert [output.key for output in pending] == [*EVERYWHERE, b"90210/slip-1", *EVERYWHERE]
    assert not any(output.headers for output in pending)
    assert times(task.outputs) == [(0, 0, 0), (1, 0, 1)]
    assert healths(task.outputs) == [("suspect", "not-joined"), ("live", "joined"), ("live", "joined")]
    assert len(messages(task.outputs)) == 9


@pytest.mark.parametrize(("after_s", "told_s"), [(None, None), (12, 12), (20, None), (21, None)])
def test_evidence_says_how_early_it_may_have_been_sent(after_s: float | None, told_s: float | None):
    """Never later than it was received; a clock may have been put back."""
    partition = Partition()
    line = partition.at(20).line().open()
    line.after_s = after_s
    line.tell("accept", {"betSlipId": "slip-1"})
    (evident,) = evidence(played(partition).outputs)
    assert evident.after_ns == (None if told_s is None else at_ns(told_s))
    assert evident.received_ns == at_ns(20)
