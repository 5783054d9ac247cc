"""A restart anywhere changes nothing: every cut of a recorded run gives the same bytes as no cut."""

from copy import deepcopy
from random import Random

import pytest

from schemas.rms.codes import Count
from tests.core.driver import FullStore
from tests.core.rms.approvals.raw import Task, evidence, health_records, healths, times
from tests.core.rms.approvals.recorded_run import recorded_run
from tests.core.whole import Whole

RECORDS = recorded_run().records
REMEMBER_S = 90
FOLLOWED = 60
"""Records after a restart that are compared; after every so many restarts it is all of them."""


@pytest.fixture(scope="module")
def whole() -> Whole:
    return Whole(Task(remember_s=REMEMBER_S), RECORDS)


def test_the_run_has_everything_in_it(whole: Whole):
    task = whole.task
    assert 400 <= len(RECORDS) <= 900
    assert set(healths(task.outputs)) >= {
        ("live", "joined"),
        ("suspect", "not-joined"),
        ("down", "too-many-requests"),
        ("down", "liveness"),
        ("down", "silent"),
        ("gapped", "reconnected"),
        ("gapped", "hole"),
        ("gapped", "overflow"),
    }
    assert {record["line"] for record in health_records(task.outputs)} == {"rms-90210", "rms-90210@b", "rms-7"}
    assert {(found.evidence, found.said, found.status) for found in evidence(task.outputs)} == {
        ("approval", "accept", 200),
        ("approval", "reject", 200),
        ("looked_up", "accept", 200),
        ("looked_up", "reject", 200),
        ("looked_up", None, 200),
        ("looked_up", None, 503),
    }
    assert max(found.ordinal for found in evidence(task.outputs)) > 20
    assert len({since_s for _, since_s, _ in times(task.outputs)}) > 4
    assert task.counts[Count.REPEAT] > 20
    assert len({letter.code for letter in task.dead_letters}) == 6


@pytest.mark.parametrize("start", range(0, len(RECORDS), 40))
def test_cut_anywhere_the_rest_is_byte_equal(whole: Whole, start: int):
    for cut in range(start, min(start + 40, len(RECORDS))):
        entries, repeats, stream_time_ns = whole.found[cut]
        shuffled = list(entries.items())
        Random(cut).shuffle(shuffled)  # a compacted changelog has an order of its own
        task = Task(
            store=dict(shuffled), stream_time_ns=stream_time_ns, repeats=deepcopy(repeats), remember_s=REMEMBER_S
        )
        end = len(RECORDS) if cut % 20 == 0 else min(cut + FOLLOWED, len(RECORDS))
        for record, (outputs, dead_letters) in zip(RECORDS[cut:end], whole.caused[cut:end], strict=True):
            told, dead = len(task.outputs), len(task.dead_letters)
            task.play([record])
            assert task.outputs[told:] == outputs, f"cut at {cut}, offset {record.offset}"
            assert task.dead_letters[dead:] == dead_letters
        assert task.store.entries == (whole.found[end][0] if end < len(RECORDS) else whole.task.store.entries)


def test_a_restart_before_every_record_changes_nothing(whole: Whole):
    task = Task(remember_s=REMEMBER_S)
    for record in RECORDS:
        task.reopen()
        task.play([record])
    assert task.outputs == whole.task.outputs
    assert task.store.entries == whole.task.store.entries


@pytest.mark.parametrize("room", range(6))
def test_a_record_that_fails_leaves_memory_to_be_made_anew(room: int):
    """As the engine does: the store is taken back, the record is a dead letter, and the next finds no trace of it."""
    task = Task(remember_s=REMEMBER_S)
    task.store = store = FullStore()
    task.play(RECORDS[:100])
    before = dict(store.entries)
    store.room = room
    with pytest.raises(OSError, match="no room"):
        task.play(RECORDS[100:130])
    assert not task.memory
    store.room, store.entries = 100_000, before
    told, again = (
        len(task.outputs),
        Task(store=dict(before), stream_time_ns=task.stream_time_ns, repeats=task.repeats, remember_s=REMEMBER_S),
    )
    task.repeats = deepcopy(task.repeats)
    task.play(RECORDS[130:200])
    again.play(RECORDS[130:200])
    assert task.outputs[told:] == again.outputs
    assert store.entries == again.store.entries
