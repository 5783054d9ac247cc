"""The folded changelog beside the state of a replay."""

import pytest

from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint
from tests.replay.frames import Row, frames
from tests.replay.test_bench import player
from tricast.audit.scratch import scratch_database
from tricast.replay.changelog import Fold


def checkpoint(offset):
    return encode_checkpoint(
        Checkpoint(
            group="g", source="s", partition=0, offset=offset, stream_time_ns=0, owner="o", member="m", generation=1
        )
    )


def rows(*transactions):
    """Return changelog records; each transaction is (checkpoint, changes) and ends with a marker."""
    offset = 0
    for position, changes in transactions:
        for key, value in ((CHECKPOINT_KEY, checkpoint(position)), *changes):
            yield Row("c", 0, offset, 0, key, value, ())
            offset += 1
        offset += 1


@pytest.fixture
def fold():
    with scratch_database() as database:
        yield Fold(database, "task")


WRITES = ((5, [(b"s|a", b"1"), (b"s|b", b"2")]), (9, [(b"s|a", None), (b"s|c", b"3"), (b"r|line", b"{}")]))
FOLDED = [(b"s|b", b"2"), (b"s|c", b"3"), (b"r|line", b"{}")]


def test_folded(fold):
    fold.take(rows(*WRITES))
    fold.finish(end=9)
    assert fold.checkpoint is not None
    assert fold.checkpoint.offset == 9
    assert fold.compare(FOLDED, 5).wrong == 0


def test_a_transaction_that_may_be_cut_does_not_count(fold):
    fold.take(list(rows(*WRITES))[:6])
    fold.finish(end=7)
    assert fold.checkpoint is not None
    assert fold.checkpoint.offset == 5
    assert fold.compare([(b"s|a", b"1"), (b"s|b", b"2")], 5).wrong == 0


def test_differences_are_named(fold):
    fold.take(rows(*WRITES))
    fold.finish(end=9)
    found = fold.compare([(b"s|b", b"9"), (b"s|d", b"\x00"), (b"r|line", b"{}")], 5)
    assert (found.entries, found.wrong) == (3, 3)
    assert [(each.title, *each.lines) for each in found.shown] == [
        ("state s|b", "value: 9 -> 2"),
        ("state s|d", "value: \\x00 -> (absent)"),
        ("state s|c", "value: (absent) -> 3"),
    ]


def test_a_restart_in_between_changes_no_state(fold):
    """What the engine restores after a kill is what a replay has without one."""
    whole, records = player(), list(frames(30))
    whole.play(records, 30)
    pieces = player()
    for record in records:
        pieces.play([record], record.offset + 1)
    fold.take(rows((30, list(pieces.state()))))
    fold.finish(end=100)
    found = fold.compare(whole.state(), 5)
    assert found.entries > 5
    assert found.wrong == 0
