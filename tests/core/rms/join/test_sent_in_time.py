"""An approval that comes after the window's end: sent after it, or only read after it (J4, J8)."""

import pytest
from msgspec import msgpack

from processors.core.rms.join.entries import decode_slip
from schemas.rms.pending import code_key, slip_key
from tests.core.rms.join.tasks import Tasks, alias, approval, bet, looked_up, ns, partition_of, placed, time

ACCEPTED = ("decision", "accepted", "approval")
EXPIRED = ("decision", "expired", "deadline")
LATE = ("late", "accept")


@pytest.fixture
def tasks() -> Tasks:
    tasks = Tasks()
    tasks.send(time(1), *bet())  # its window ends at 130
    return tasks


@pytest.mark.parametrize("after", [10, 129.999999999, 130])
def test_what_may_have_been_sent_in_time_decides_at_once(tasks: Tasks, after: float):
    """The connector stood still over the end of the window."""
    tasks.send(time(131, proven=100), approval(at=138, after_ns=ns(after)))
    assert tasks.short() == [ACCEPTED]
    tasks.send(time(139, proven=138))
    assert tasks.short() == [ACCEPTED]


def test_what_was_sent_later_is_late_once_the_window_is_proven(tasks: Tasks):
    tasks.send(approval(at=131, after_ns=ns(130.5)), time(131, proven=130))
    assert tasks.short() == []
    tasks.send(time(131.5, proven=130.1))
    assert tasks.short() == [EXPIRED, LATE]


def test_a_late_approval_of_a_proven_window_ends_it():
    """Though what comes before the end of its window in raw is not through yet: that would have to stand before it."""
    tasks = Tasks()
    tasks.send(time(1), *bet(), time(131, by_code=1), approval(at=132, before=0))
    assert tasks.short() == [EXPIRED, LATE]


def test_a_connector_that_dies_before_it_proves_the_window_leaves_doubt(tasks: Tasks):
    """The vendor may have said something else in time, which nobody read: what it said later counts then."""
    tasks.send(time(129, proven=128), approval(at=131, after_ns=ns(130.5)), time(131, proven=128))
    assert tasks.short() == []
    tasks.send(time(140, since=139))
    assert tasks.short() == [ACCEPTED]


def test_a_connector_that_dies_and_stays_away(tasks: Tasks):
    tasks.send(approval(at=131, after_ns=ns(130.5)), time(131, proven=128), time(140, since=None))
    assert tasks.short() == [ACCEPTED]


def test_a_look_up_that_clears_the_window_ends_it_with_a_late_approval(tasks: Tasks):
    tasks.send(time(131, proven=128), approval(at=132), looked_up(None, at=140))
    assert tasks.short() == [("decision", "expired", "looked_up"), LATE]


def test_a_bet_without_an_answer_waits_for_proof_too():
    tasks = Tasks()
    tasks.send(time(1), placed(), approval(at=131), time(131, proven=130))
    assert tasks.short() == []
    tasks.send(time(131, proven=130.5))
    assert tasks.short() == [EXPIRED, LATE]


def test_proof_is_waited_for_after_a_restart(tasks: Tasks):
    tasks.send(approval(at=131), time(131, proven=130))
    for task in tasks.tasks:
        task.reopen()
    tasks.send(time(132, proven=131))
    assert tasks.short() == [EXPIRED, LATE]


def test_what_was_sent_in_time_and_read_late_by_code_is_waited_for():
    """The window ends by the clock first; the approval comes then, and the proof before its code's task sent it on."""
    tasks, home = Tasks(at_once=False), partition_of(slip_key("7", "s1"))
    far = next(code for code in ("a", "b", "c", "d", "e") if partition_of(code_key("7", code)) != home)
    tasks.send(time(1), *bet(code=far))
    tasks.drain()
    tasks.send(time(131, proven=100))
    tasks.drain()
    tasks.send(approval(at=138, slip=None, code=far, after_ns=ns(129)), time(139, by_code=1))
    while tasks.step(home):
        pass
    assert tasks.short() == []
    tasks.drain()
    assert tasks.short() == [ACCEPTED]


def test_what_was_received_in_time_is_in_time_whatever_its_frame_says(tasks: Tasks):
    """The clock was put back between the look and the receipt."""
    tasks.send(approval(at=130, after_ns=ns(131)))
    assert tasks.short() == [ACCEPTED]


def test_after_goes_the_longer_way_too():
    tasks = Tasks()
    tasks.send(time(1), placed(), approval(at=138, slip=None, code="k1", after_ns=ns(129)), *bet()[1:2], alias())
    assert tasks.short() == [ACCEPTED]


def test_evidence_of_a_state_that_knew_no_after(tasks: Tasks):
    """Its arrays are one field shorter."""
    tasks.send(approval(at=131, after_ns=ns(130.5)))
    (value,) = (value for key, value in tasks.entries().items() if key.startswith(b"s"))
    entry = msgpack.decode(value)
    (items,) = (field for field in entry if isinstance(field, list) and field and isinstance(field[0], list))
    assert items[0].pop() == ns(130.5)
    assert decode_slip(msgpack.encode(entry)).items[0].after_ns is None
