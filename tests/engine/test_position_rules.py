"""Where a task goes on: every rule, without Kafka. ``test_positions.py`` has the same on a real one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.engine.changelog import Checkpoint, decode_checkpoint, encode_checkpoint, state_records
from processors.engine.opening import Offsets, agreed_position
from processors.engine.reset import PartitionPlan, position_for
from processors.engine.task import Partition
from schemas.errors import PositionError

PARTITION = Partition("t.toy.raw", 2)


def checkpoint(offset=10, **changes):
    fields = {
        "group": "t.toy", "source": "t.toy.raw", "partition": 2, "offset": offset,
        "stream_time_ns": 5, "owner": "t.toy-w0", "member": "m", "generation": 3,
    }  # fmt: skip
    return Checkpoint(**(fields | changes))


@pytest.mark.parametrize(
    ("found", "offsets", "position"),
    [
        pytest.param(None, Offsets(0, 50, None), 0, id="new group"),
        pytest.param(None, Offsets(7, 50, None), 7, id="new group, source already shortened"),
        pytest.param(checkpoint(10), Offsets(0, 50, 10), 10, id="all agree"),
        pytest.param(checkpoint(12), Offsets(0, 50, 10), 12, id="checkpoint ahead of the committed offset"),
        pytest.param(checkpoint(12), Offsets(0, 50, None), 12, id="group offsets expired"),
        pytest.param(checkpoint(10), Offsets(10, 50, 10), 10, id="at the first record"),
        pytest.param(checkpoint(10), Offsets(0, 10, 10), 10, id="at the end"),
        pytest.param(checkpoint(10), Offsets(10, 10, 10), 10, id="source all deleted and all processed"),
    ],
)
def test_goes_on(found, offsets, position):
    assert agreed_position(PARTITION, "t.toy", found, offsets) == position


@pytest.mark.parametrize(
    ("found", "offsets", "words"),
    [
        pytest.param(
            None, Offsets(0, 50, 0), "committed offset 0, but its changelog has no checkpoint", id="emptied at 0"
        ),
        pytest.param(
            None, Offsets(0, 50, 10), "committed offset 10, but its changelog has no checkpoint", id="emptied"
        ),
        pytest.param(checkpoint(group="x.toy"), Offsets(0, 50, 10), "belongs to group x.toy, t.toy.raw/2", id="group"),
        pytest.param(checkpoint(source="x.raw"), Offsets(0, 50, 10), "belongs to group t.toy, x.raw/2", id="source"),
        pytest.param(checkpoint(partition=1), Offsets(0, 50, 10), "t.toy.raw/1", id="partition"),
        pytest.param(checkpoint(format=2), Offsets(0, 50, 10), "format 2", id="format"),
        pytest.param(
            checkpoint(9), Offsets(0, 50, 10), "checkpoint 9 is behind the group's committed offset 10", id="behind"
        ),
        pytest.param(
            checkpoint(10), Offsets(11, 50, 10), r"outside what the source holds \(11 to 50\)", id="retention"
        ),
        pytest.param(checkpoint(10), Offsets(0, 9, 10), r"outside what the source holds \(0 to 9\)", id="new source"),
        pytest.param(checkpoint(10), Offsets(0, 9, None), r"outside what the source holds \(0 to 9\)", id="all new"),
    ],
)
def test_refuses_and_says_why_and_what_to_do(found, offsets, words):
    with pytest.raises(PositionError, match=words) as refusal:
        agreed_position(PARTITION, "t.toy", found, offsets)
    assert refusal.value.action
    assert refusal.value.exit_code == 78


@given(
    st.integers(0, 30), st.integers(0, 30), st.none() | st.integers(0, 30), st.none() | st.integers(0, 30)
)  # fmt: skip
def test_never_goes_on_where_records_would_be_skipped_or_repeated(first, length, committed, offset):
    offsets = Offsets(first, first + length, committed)
    try:
        position = agreed_position(PARTITION, "t.toy", None if offset is None else checkpoint(offset), offsets)
    except PositionError:
        return
    assert first <= position <= first + length
    assert position >= (committed or 0)
    if offset is None:
        assert (position, committed) == (first, None)
    else:
        assert position == offset


@pytest.mark.parametrize(
    ("target", "offsets", "position"),
    [
        ("earliest", Offsets(5, 9, 7), 5),
        ("latest", Offsets(5, 9, 7), 9),
        ("committed", Offsets(5, 9, 7), 7),
        ("committed", Offsets(5, 9, None), 5),
        ("committed", Offsets(5, 9, 3), 5),
        ("committed", Offsets(5, 9, 12), 9),
    ],
)
def test_position_for(target, offsets, position):
    assert position_for(target, offsets) == position


@pytest.mark.parametrize(
    ("offsets", "position", "again", "skipped"),
    [
        pytest.param(Offsets(5, 9, 7), 5, 2, 0, id="back"),
        pytest.param(Offsets(5, 9, 7), 7, 0, 0, id="stay"),
        pytest.param(Offsets(5, 9, 7), 9, 0, 2, id="forward"),
        pytest.param(Offsets(5, 9, None), 9, 0, 4, id="forward from nothing"),
        pytest.param(Offsets(5, 9, None), 5, 0, 0, id="first start"),
        pytest.param(Offsets(5, 9, 3), 5, 0, 2, id="retention took two"),
    ],
)
def test_a_plan_says_what_it_costs(offsets, position, again, skipped):
    plan = PartitionPlan(partition=PARTITION, offsets=offsets, position=position, forgotten=0)
    assert (plan.again, plan.skipped) == (again, skipped)


# The checkpoint on the wire.


@given(st.text(), st.text(), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(-1, 2**31 - 1))
def test_a_checkpoint_survives_its_encoding(group, member, offset, stream_time_ns, generation):
    original = checkpoint(offset, group=group, member=member, stream_time_ns=stream_time_ns, generation=generation)
    assert decode_checkpoint(encode_checkpoint(original)) == original


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b'{"group":"x"}', b"\xff"], ids=repr)
def test_what_is_no_checkpoint_is_refused(value):
    with pytest.raises(msgspec.MsgspecError):
        decode_checkpoint(value)


def test_state_records_carry_their_prefixes():
    repeats = iter([(b"line", b"{}")])
    assert list(state_records(repeats, {b"k": b"v", b"gone": None})) == [
        (b"r|line", b"{}"),
        (b"s|k", b"v"),
        (b"s|gone", None),
    ]
