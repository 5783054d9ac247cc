"""A restart anywhere changes nothing: every cut of a recorded run gives the same bytes as no cut."""

from collections import Counter
from copy import deepcopy
from random import Random

import pytest

from tests.core.driver import FullStore
from tests.core.fastpath.raw import Task, findings, healths, states, values
from tests.core.fastpath.recorded_run import recorded_run
from tests.core.whole import Whole

RECORDS = recorded_run().records


@pytest.fixture(scope="module")
def whole() -> Whole:
    return Whole(Task(), RECORDS)


def test_the_run_has_everything_in_it(whole: Whole):
    assert 300 <= len(RECORDS) <= 900
    assert set(findings(whole.task.outputs)) == {
        "baseline",
        "gap_suspected",
        "gap_closed",
        "gap_repaired",
        "not_repairable",
        "reordered",
        "duplicate",
        "conflict",
        "restarted",
    }
    assert set(states(whole.task.outputs)) == {"Connected", "Disconnected", "Delayed"}
    assert {state for state, _ in healths(whole.task.outputs)} == {
        "live",
        "suspended",
        "backfilling",
        "stale",
        "suspect",
        "repairing",
        "down",
    }
    whys = Counter(value["released"]["why"] for value in values(whole.task.outputs, "actions"))
    assert set(whys) >= {"in_order", "filled", "timeout", "repaired", "conflict"}
    assert len(values(whole.task.outputs, "commands")) >= 3
    assert len(whole.task.dead_letters) == 5


@pytest.mark.parametrize("start", range(0, len(RECORDS), 20))
def test_cut_anywhere_the_rest_is_byte_equal(whole: Whole, start: int):
    for cut in range(start, min(start + 20, len(RECORDS))):
        entries, repeats, stream_time_ns = whole.found[cut]
        shuffled = list(entries.items())
        Random(cut).shuffle(shuffled)  # a compacted changelog has an order of its own
        task = Task(store=dict(shuffled), stream_time_ns=stream_time_ns, repeats=deepcopy(repeats))
        for record, (outputs, dead_letters) in zip(RECORDS[cut:], whole.caused[cut:], strict=True):
            told, dead = len(task.outputs), len(task.dead_letters)
            task.play([record])
            assert task.outputs[told:] == outputs, f"cut at {cut}, offset {record.offset}"
            assert task.dead_letters[dead:] == dead_letters
        assert task.store.entries == whole.task.store.entries


def test_a_restart_before_every_record_changes_nothing(whole: Whole):
    task = Task()
    for record in RECORDS:
        task.reopen()
        task.play([record])
    assert task.outputs == whole.task.outputs
    assert task.store.entries == whole.task.store.entries


@pytest.mark.parametrize("room", range(4))
def test_a_record_that_fails_leaves_memory_to_be_made_anew(whole: Whole, room: int):
    """As the engine does: the store is taken back, the record is a dead letter, and the next finds no trace of it."""
    task = Task()
    task.store = store = FullStore()
    task.play(RECORDS[:100])
    before = dict(store.entries)
    store.room = room
    with pytest.raises(OSError, match="no room"):
        task.play(RECORDS[100:130])
    assert not task.memory
    store.room, store.entries = 100_000, before
    told, again = len(task.outputs), Task(store=dict(before), stream_time_ns=task.stream_time_ns, repeats=task.repeats)
    task.repeats = deepcopy(task.repeats)
    task.play(RECORDS[130:200])
    again.play(RECORDS[130:200])
    assert task.outputs[told:] == again.outputs
    assert store.entries == again.store.entries
