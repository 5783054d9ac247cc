import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.histogram import Histogram


def test_bounds_are_inclusive_and_a_last_bucket_takes_the_rest() -> None:
    histogram = Histogram((1, 2.5))
    for value in (0, 1, 1.1, 2.5, 2.6, 100):
        histogram.observe(value)
    assert (histogram.counts, histogram.count, histogram.sum) == ([2, 2, 2], 6, pytest.approx(107.2))


def test_one_value_may_count_many_times() -> None:
    histogram = Histogram((1, 2))
    histogram.observe(1.5, 100)
    assert (histogram.counts, histogram.sum) == ([0, 100, 0], 150)


@given(st.lists(st.integers(-10, 2_000), max_size=50))
def test_a_batch_counts_as_its_values_do_one_by_one(values: list[int]) -> None:
    one_by_one, batch = Histogram((5, 50, 500)), Histogram((5, 50, 500))
    for value in values:
        one_by_one.observe(value)
    batch.observe_all(values)
    assert (batch.counts, batch.sum) == (one_by_one.counts, one_by_one.sum)


def test_a_copy_stands_still() -> None:
    histogram = Histogram((1,))
    copied = histogram.copy()
    histogram.observe(1)
    assert (copied.counts, histogram.counts) == ([0, 0], [1, 0])


@pytest.mark.parametrize("bounds", [(), (1, 1), (2, 1)])
def test_bounds_have_to_rise(bounds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="rise"):
        Histogram(bounds)
