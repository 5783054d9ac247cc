"""The next cycle computes while a transaction is written: what may overlap and what may not."""

import asyncio

import pytest

from processors.engine.changelog import decode_checkpoint
from processors.engine.engine import CYCLE_BYTES, PART_BYTES, PENDING_CYCLES
from processors.engine.transactions import Membership
from schemas.errors import EngineError
from tests.engine.group import Gate, idle
from tests.engine.lab import CHANGELOG, OUT

pytestmark = pytest.mark.kafka

THREE = {"max_cycle_records": 3}


@pytest.fixture
async def gate(group):
    """No transaction of ``group`` is written until the test lets it; the rest passes when the test is over."""
    gate = Gate(group)
    yield gate
    gate.let_pass(100)


def limit(group, **settings):
    group.engine._settings = group.engine._settings.model_copy(update=settings)


async def put_cycles(group, offsets, size=3):
    for first in offsets[::size]:
        await group.put(range(first, first + size))


# One transaction at a time.


async def test_there_is_never_more_than_one_transaction_and_they_come_in_order(group, gate):
    limit(group, **THREE)
    task = await group.open(5)
    await put_cycles(group, range(9))
    await gate.holds(1)
    await idle()
    assert (gate.positions, task.position) == ([[3]], 6)  # computed on, and not written
    gate.let_pass()
    await gate.holds(2)
    await idle()
    assert (gate.positions, task.position) == ([[3], [6]], 9)
    gate.let_pass(2)
    await group.cycles(3)
    assert (gate.positions, gate.most_at_once) == ([[3], [6], [9]], 1)
    assert len(group.lab.wait_for(OUT, 9)) == 9
    assert group.lab.committed() == {0: 9}


async def test_what_is_computed_meanwhile_is_no_part_of_the_transaction_on_its_way(group, gate):
    """Whoever opens the task after the first transaction finds it exactly as of then."""
    task = await group.open(5)
    await group.put(range(3))
    await gate.holds(1)
    await group.put(range(3, 6))
    await group.until(lambda: task.position == 6)
    gate.let_pass()
    await group.cycles(1)

    assert len(group.lab.wait_for(OUT, 3)) == 3
    assert group.lab.committed() == {0: 3}
    found = group.engine._new_task(group.partition)
    await group.engine.opener.open([found], lambda: True)
    assert (found.position, dict(found.store.items())) == (3, {b"a": b"3"})
    assert found.stream_time_ns == 1_000_003
    assert found.repeats.observe("l1", "c1", 4, numbered=True).verdict == "new"


async def test_records_that_arrive_during_a_transaction_join_one_cycle(group, gate):
    task = await group.open(5)
    await group.put(range(3))
    await gate.holds(1)
    for offset in range(3, 9):
        await group.put([offset])
        await group.until(lambda: task.position == offset + 1)  # noqa: B023 - awaited at once
    gate.let_pass(2)
    await group.cycles(2)
    assert gate.positions == [[3], [9]]
    await idle()
    assert group.engine.counts.cycles == 2


async def test_without_a_transaction_on_its_way_a_single_record_is_written_at_once(group, gate):
    await group.open(5)
    for offset in range(3):
        gate.let_pass()
        await group.put([offset])
        await group.cycles(offset + 1)
    assert gate.positions == [[1], [2], [3]]


# How much goes into a cycle, and how much may wait.


async def test_a_cycle_ends_at_its_records(group, gate):
    limit(group, max_cycle_records=4)
    task = await group.open(5)
    await group.put(range(1))
    await gate.holds(1)
    await put_cycles(group, range(1, 10))
    await idle()
    assert task.position == 7  # 3 are below the limit, 6 are not
    gate.let_pass(3)
    await group.cycles(3)
    assert gate.positions == [[1], [7], [10]]


async def test_a_cycle_ends_at_its_bytes(group, gate):
    task = await group.open(5)
    await group.put(range(1))
    await gate.holds(1)
    for offset in range(1, 4):
        await group.put([offset], pad=CYCLE_BYTES // 2)
    await group.until(lambda: task.position == 3)
    gate.let_pass(3)
    await group.cycles(3)
    assert gate.positions == [[1], [3], [4]]


async def test_a_cycle_ends_at_the_bytes_of_its_outputs(group, gate):
    task = await group.open(5)
    await group.put(range(1))
    await gate.holds(1)
    kids = [("a", 500 * "x")] * (CYCLE_BYTES // 2 // 560)  # each some 510 bytes in a frame, 580 as an output
    for offset in range(1, 4):
        await group.put([offset], kids=kids)
    await group.until(lambda: task.position == 3)
    gate.let_pass(3)
    await group.cycles(3)
    assert gate.positions == [[1], [3], [4]]


@pytest.mark.parametrize(("records", "pad"), [(3, 0), (1, CYCLE_BYTES)], ids=["records", "bytes"])
async def test_the_fetch_is_held_back_while_two_cycles_wait(group, gate, records, pad):
    limit(group, **THREE)
    await group.open(5)
    first_offsets = list(range(0, 10 * records, records))
    cycles_in_hand = 2 + PENDING_CYCLES  # one on its way, one computed
    for first in first_offsets[:cycles_in_hand]:
        await asyncio.wait_for(group.put(range(first, first + records), pad=pad), 10)
        await idle()
    blocked = asyncio.ensure_future(group.put(range(first_offsets[cycles_in_hand], first_offsets[cycles_in_hand + 1])))
    await idle()
    assert not blocked.done()
    gate.let_pass()
    await group.settled(blocked)
    gate.let_pass(10)
    await group.cycles(cycles_in_hand + 1)
    assert gate.positions == [[first] for first in first_offsets[1 : cycles_in_hand + 2]]


async def test_what_waits_is_bounded_though_batches_are_taken_in_parts(group, gate):
    limit(group, **THREE)
    await group.open(5)
    gate.let_pass(100)
    size, most = 6, PENDING_CYCLES * THREE["max_cycle_records"]
    waiting = []
    for first in range(0, 20 * size, size):
        await group.settled(group.put(range(first, first + size), pad=PART_BYTES))  # each record is a part
        waiting.append(group.engine._pending_records)
    assert max(waiting) < most + size
    await group.until(lambda: group.engine.counts.records == 20 * size)


# Failing.


async def test_a_transaction_that_fails_stops_the_engine_before_the_next_one(group, gate):
    limit(group, **THREE)
    task = await group.open(5)
    await put_cycles(group, range(9))
    await gate.holds(1)
    await idle()
    assert task.position == 6
    gate.failure = OSError("gone")
    gate.let_pass(10)
    with pytest.raises(EngineError, match=r"the cycle failed: OSError\('gone'\)"):
        await group.cycles(1)
    await idle()
    assert gate.positions == [[3]]
    assert (task.position, group.engine.counts.cycles) == (6, 0)
    assert group.lab.read(OUT) == []


async def test_a_cycle_that_cannot_be_computed_stops_the_engine_and_is_not_written(group, gate):
    await group.open(5)
    await group.put(range(3))
    await gate.holds(1)
    await group.put(range(4, 6))
    failure = await asyncio.wait_for(asyncio.shield(group.failed), 10)
    assert "begins at offset 4, the task stands at 3" in str(failure)
    await idle()
    assert gate.positions == [[3]]


# Closing.


async def test_closing_waits_for_what_is_computed_and_written_and_drops_what_waits(group, gate):
    limit(group, **THREE)
    task = await group.open(5)
    await put_cycles(group, range(12))
    await gate.holds(1)
    await idle()
    assert len(group.engine._pending) == PENDING_CYCLES
    blocked = asyncio.ensure_future(group.put(range(12, 15)))

    async def close():
        await group.engine.close_tasks()
        return list(group.engine._pending), group.engine._pending_records  # before anybody else runs

    closing = asyncio.ensure_future(close())
    await idle()
    assert (closing.done(), gate.positions) == (False, [[3]])
    gate.let_pass()
    await gate.holds(2)
    await idle()
    assert not closing.done()  # what was computed is on its way
    gate.let_pass()
    assert await group.settled(closing) == ([], 0)
    await group.settled(blocked)
    await idle()
    assert not group.engine._pending
    assert (gate.positions, task.position) == ([[3], [6]], 6)
    assert len(group.lab.wait_for(OUT, 6)) == 6


async def test_nothing_computed_as_one_member_is_written_as_another(group, gate):
    limit(group, **THREE)
    await group.open(5)
    await put_cycles(group, range(9))
    await gate.holds(1)
    await idle()
    closing = asyncio.ensure_future(group.engine.close_tasks())
    await idle()
    gate.let_pass(2)
    await group.settled(closing)
    assert gate.reached == [([3], Membership(5, "m")), ([6], Membership(5, "m"))]

    task = await group.open(6)
    assert (task.position, group.seeks[-1]) == (6, (group.partition, 6))
    gate.let_pass()
    await group.put(range(6, 9))
    await group.cycles(3)
    assert gate.reached[2:] == [([9], Membership(6, "m"))]
    checkpoints = [decode_checkpoint(record.value()) for record in group.lab.read(CHANGELOG) if record.key() == b"@"]
    assert [(checkpoint.offset, checkpoint.generation) for checkpoint in checkpoints] == [(3, 5), (6, 5), (9, 6)]
    assert len(group.lab.wait_for(OUT, 9)) == 9


async def test_closing_while_nothing_is_written_waits_for_computing(group, gate):
    """Computing lets the loop breathe; a revoke that comes then must find the batch whole."""
    task = await group.open(5)
    gate.let_pass()
    putting = asyncio.ensure_future(put_cycles(group, range(18), size=9))
    while task.position == 0:  # noqa: ASYNC110 - to the first breath of computing
        await asyncio.sleep(0)
    await group.engine.close_tasks()
    await group.settled(putting)
    assert gate.positions == [[task.position]]
    assert len(group.lab.wait_for(OUT, task.position)) == task.position


async def test_closing_after_a_failed_transaction_says_so(group, gate):
    await group.open(5)
    await group.put(range(3))
    await gate.holds(1)
    gate.failure = OSError("gone")
    gate.let_pass()
    await asyncio.wait_for(asyncio.shield(group.failed), 10)
    with pytest.raises(OSError, match="gone"):
        await group.engine.close_tasks()
    await group.engine.stop()  # reported once is enough
