import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.repeats import REMEMBERED_CONNECTIONS, RepeatFilter, Seen

RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["l1", "l2"]),
        st.sampled_from(["c1", "c2", "c3"]),
        st.integers(min_value=0, max_value=12),
        st.booleans(),
    ),
    max_size=60,
)


class Oracle:
    """Remembers every single number it was shown or told was missing; no shortcut over a highest number."""

    def __init__(self):
        self.accounted: dict[tuple[str, str], set[int]] = {}

    def observe(self, line, connection, frame, *, numbered):
        accounted = self.accounted.setdefault((line, connection), {0})
        if numbered and frame in accounted:
            return Seen(verdict="repeat")
        below = set(range(frame if numbered else frame + 1)) - accounted
        accounted |= set(range(frame + 1))
        return Seen(verdict="new", missing=(min(below), max(below)) if below else None)


def observe_all(filter_, records):
    return [
        filter_.observe(line, connection, frame, numbered=numbered) for line, connection, frame, numbered in records
    ]


@settings(max_examples=400)
@given(RECORDS)
def test_agrees_with_an_oracle_that_remembers_every_number(records):
    assert observe_all(RepeatFilter(), records) == observe_all(Oracle(), records)


@settings(max_examples=200)
@given(RECORDS, RECORDS, RECORDS)
def test_restoring_is_the_same_as_going_on(first, second, third):
    changelog = {}
    original = RepeatFilter()
    observe_all(original, first)
    changelog |= original.take_changes()
    observe_all(original, second)
    changelog |= original.take_changes()
    restored = RepeatFilter()
    for line, value in changelog.items():
        restored.restore(line, value)
    assert observe_all(restored, third) == observe_all(original, third)
    assert dict(restored.take_changes()) == dict(original.take_changes())


@settings(max_examples=200)
@given(RECORDS)
def test_changes_name_the_lines_whose_state_changed_and_no_others(records):
    filter_, before = RepeatFilter(), {}
    for record in records:
        observe_all(filter_, [record])
        changed = dict(filter_.take_changes())
        assert changed.keys() <= {record[0].encode()}
        assert all(before.get(line) != value for line, value in changed.items())
        before |= changed


NEW = Seen(verdict="new")
REPEAT = Seen(verdict="repeat")


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([(1, True), (2, True), (2, True), (1, True)], [NEW, NEW, REPEAT, REPEAT], id="repeats"),
        pytest.param([(3, True)], [Seen(verdict="new", missing=(1, 2))], id="hole at the head"),
        pytest.param([(1, True), (4, False)], [NEW, Seen(verdict="new", missing=(2, 4))], id="hole at the tail"),
        pytest.param([(2, False)], [Seen(verdict="new", missing=(1, 2))], id="nothing but a hole"),
        pytest.param([(0, False), (0, False)], [NEW, NEW], id="opened and ticks before the first frame"),
        pytest.param([(1, True), (1, False), (1, False)], [NEW, NEW, NEW], id="control records never repeat"),
        pytest.param(
            [(1, True), (3, False), (3, True)],
            [NEW, Seen(verdict="new", missing=(2, 3)), REPEAT],
            id="late after a hole",
        ),
    ],
)
def test_verdicts(records, expected):
    filter_ = RepeatFilter()
    assert [filter_.observe("l", "c", frame, numbered=numbered) for frame, numbered in records] == expected


def test_only_the_newest_connections_of_a_line_are_remembered():
    filter_ = RepeatFilter()
    for number in range(REMEMBERED_CONNECTIONS + 1):
        assert filter_.observe("l", f"c{number}", 1, numbered=True) == NEW
    assert filter_.observe("other", "c0", 1, numbered=True) == NEW
    assert [filter_.observe("l", f"c{number}", 1, numbered=True) for number in range(1, 9)] == [REPEAT] * 8
    assert filter_.observe("l", "c0", 1, numbered=True) == NEW


def test_cleared_remembers_nothing():
    filter_ = RepeatFilter()
    filter_.observe("l", "c", 1, numbered=True)
    filter_.clear()
    assert list(filter_.take_changes()) == []
    assert filter_.observe("l", "c", 1, numbered=True) == NEW
