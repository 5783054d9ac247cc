"""A restart anywhere changes nothing: every cut of a task's records gives the same bytes as no cut."""

from random import Random

import pytest

from tests.core.driver import DeadLetter, DictStore, Driver, FullStore, Output, Record
from tests.core.rms.join.recorded_run import Run, join
from tests.core.rms.join.tasks import PARTITIONS

CHUNK = 20


class Whole:
    """One task without a cut: what each record caused, and what a restart before it finds."""

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.task = Driver(join())
        self.caused: list[tuple[list[Output], list[DeadLetter]]] = []
        self.found: list[dict[bytes, bytes]] = []
        for record in records:
            self.found.append(dict(self.task.store.entries))
            outputs, dead_letters = len(self.task.outputs), len(self.task.dead_letters)
            self.task.feed_record(record)
            self.caused.append((self.task.outputs[outputs:], self.task.dead_letters[dead_letters:]))


@pytest.fixture(scope="module")
def run() -> Run:
    return Run(seed=6).play()


@pytest.fixture(scope="module")
def wholes(run: Run) -> list[Whole]:
    return [Whole(run.records(partition)) for partition in range(PARTITIONS)]


def test_the_run_has_everything_in_it(run: Run):
    told = set(run.tasks.short())
    assert {
        ("decision", "accepted", "approval"),
        ("decision", "rejected", "approval"),
        ("decision", "accepted", "looked_up"),
        ("decision", "expired", "deadline"),
        ("decision", "expired", "looked_up"),
        ("late", "accept"),
        ("late", "reject"),
        ("orphan", "accept"),
    } <= told
    assert {kind[-1] for kind in told if "expired_unverified" in kind} >= {
        "feed-down",
        "no-code",
        "unanswered",
        "not-found",
    }
    assert {kind[1] for kind in told if kind[0] == "conflict"} == {
        "opposite",
        "answer-contradicts",
        "ids-disagree",
        "placed-differs",
        "answer-differs",
        "code-of-two-bets",
    }
    assert {value["why"] for value in run.tasks.lookups()} == {"gap", "deadline"}
    assert set(run.tasks.dead()) == {"rms.bet-too-old", "rms.too-much-evidence", "rms.bad-message"}
    assert any("after_orphan" in value for value in run.tasks.told())
    decided = [value["bet_slip_id"] for value in run.tasks.told() if value["type"] == "decision"]
    assert len(decided) == len(set(decided)) >= 60


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_cut_anywhere_the_rest_is_byte_equal(wholes: list[Whole], partition: int):
    """Each restart is followed for a while, and every so many to the end."""
    whole = wholes[partition]
    for cut in range(len(whole.records)):
        shuffled = list(whole.found[cut].items())
        Random(cut).shuffle(shuffled)  # a compacted changelog has an order of its own
        task = Driver(join(), store=DictStore())
        task.store.entries.update(shuffled)
        end = len(whole.records) if cut % 100 == 0 else min(cut + CHUNK, len(whole.records))
        for record, (outputs, dead_letters) in zip(whole.records[cut:end], whole.caused[cut:end], strict=True):
            told, dead = len(task.outputs), len(task.dead_letters)
            task.feed_record(record)
            assert task.outputs[told:] == outputs, f"cut at {cut}, offset {record.offset}"
            assert task.dead_letters[dead:] == dead_letters
        assert task.store.entries == (whole.found[end] if end < len(whole.found) else whole.task.store.entries)


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_a_restart_before_every_record_changes_nothing(wholes: list[Whole], partition: int):
    whole, task = wholes[partition], Driver(join())
    for record in whole.records:
        task.reopen()
        task.feed_record(record)
    assert task.outputs == whole.task.outputs
    assert task.store.entries == whole.task.store.entries


@pytest.mark.parametrize("room", range(6))
def test_a_record_that_fails_leaves_memory_to_be_made_anew(wholes: list[Whole], room: int):
    """As the engine does: the store is taken back, the record is a dead letter, and the next finds no trace of it."""
    whole = wholes[1]
    half = len(whole.records) // 2
    store = FullStore()
    store.entries.update(whole.found[half])
    store.room = room
    task = Driver(join(), store=store)
    with pytest.raises(OSError, match="no room"):
        _feed(task, whole.records[half:])
    assert not task.memory
    failed = next(number for number, record in enumerate(whole.records) if record.offset == task.offset)
    store.room, store.entries, told = 100_000, dict(whole.found[failed]), len(task.outputs)
    again = Driver(join())
    again.store.entries.update(whole.found[failed])
    _feed(task, whole.records[failed + 1 :])
    _feed(again, whole.records[failed + 1 :])
    assert task.outputs[told:] == again.outputs
    assert store.entries == again.store.entries


def _feed(task: Driver, records: list[Record]) -> None:
    for record in records:
        task.feed_record(record)
