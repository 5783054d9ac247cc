import pytest

from tricast.web import words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, words.UNKNOWN),
        (0, "0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3_599.7, "1 h 00 min"),
        (86_399.9, "1 d 00 h"),
        (200_000, "2 d 07 h"),
    ],
)
def test_a_span_has_two_units(seconds, said):
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("per_s", "said"), [(None, words.UNKNOWN), (0.0, "0.0"), (99.94, "99.9"), (99.96, "100"), (12_345.6, "12,346")]
)
def test_a_rate_loses_its_decimal_at_a_hundred(per_s, said):
    assert words.rate(per_s) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(None, words.UNKNOWN), (0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (640_000, "640 kB"), (2.5e12, "2.5 TB")],
)
def test_a_size_has_the_unit_of_its_size(number, said):
    assert words.size(number) == said


def test_a_time_says_its_day_when_it_is_not_today():
    assert words.clock(1_784_664_843_000, 1_784_664_900_000) == "20:14:03"
    assert words.clock(1_784_564_843_000, 1_784_664_900_000) == "Jul 20 16:27"


@pytest.mark.parametrize("at_ms", [-1, 10**15, 10**18])
def test_a_time_that_no_calendar_has_is_still_shown(at_ms):
    assert words.iso(at_ms)[4] == "-"
    assert words.clock(at_ms, 0)
