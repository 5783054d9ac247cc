"""Timestamps in every shape that is documented, and in many that are not."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.vendor_time import vendor_time_ns

AT_S = 1_795_198_112  # 2026-11-20T18:08:32Z
SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "fraction_ns"),
    [
        ("2026-11-20T18:08:32", 0),
        ("2026-11-20T18:08:32Z", 0),
        ("2026-11-20T18:08:32.104Z", 104_000_000),
        ("2026-11-20T18:08:32.104233Z", 104_233_000),
        ("2026-11-20T18:08:32.1042337Z", 104_233_700),
        ("2026-11-20T18:08:32.104233789Z", 104_233_789),
        ("2026-11-20T18:08:32.1042337899999", 104_233_789),
        ("2026-11-20T18:08:32.1", 100_000_000),
        ("2026-11-20T20:08:32.104+02:00", 104_000_000),
        ("2026-11-20T20:08:32.104+0200", 104_000_000),
        ("2026-11-20T12:38:32.104-05:30", 104_000_000),
        ("2026-11-20T20:08:32+02", 0),
        ("2026-11-21T00:08:32+06:00", 0),
        ("2026-11-20 18:08:32.104 Z", 104_000_000),
        ("2026-11-20t18:08:32z", 0),
        ("2026-11-20T18:08:32,104Z", 104_000_000),
        ("2026-11-20T18:07:92Z", None),
    ],
)
def test_decimals_and_zones(text: str, fraction_ns: int | None):
    assert vendor_time_ns(text) == (None if fraction_ns is None else AT_S * SECOND_NS + fraction_ns)


def test_without_seconds_and_with_a_leap_second():
    assert vendor_time_ns("2026-11-20T18:08Z") == (AT_S - 32) * SECOND_NS
    assert vendor_time_ns("2026-12-31T23:59:60Z") == vendor_time_ns("2027-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "1795198112",
        "1795198112104",
        "2026-11-20",
        "18:08:32",
        "2026-02-30T18:08:32Z",
        "2026-13-01T18:08:32Z",
        "0000-01-01T18:08:32Z",
        "2026-11-20T24:08:32Z",
        "2026-11-20T18:60:32Z",
        "2026-11-20T18:08:32.Z",
        "2026-11-20T18:08:32+99:00",
        "2026-11-20T18:08:32+02:99",
        "2026-11-20T18:08:32ZZ",
        "2026-11-20T18:08:32Z\n",
        "+2026-11-20T18:08:32Z",
        "12026-11-20T18:08:32Z",
        "\u0662\u0660\u0662\u0666-11-20T18:08:32Z",
        "2026-11-20T\u0661\u0668:08:32Z",
        "2026-11-20T18:08:32 Europe/Vienna",
        "1970-01-01T00:00:00.000Z",
        "1999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-10:00",
    ],
)
def test_no_usable_time(text: str):
    assert vendor_time_ns(text) is None


@given(
    st.datetimes(datetime(2001, 9, 11), datetime(9998, 12, 31)),
    st.one_of(st.none(), st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))),
)
def test_agrees_with_python_on_what_python_writes(moment: datetime, zone: timezone | None):
    text = (moment if zone is None else moment.replace(tzinfo=zone)).isoformat()
    exact = (moment.replace(tzinfo=zone or UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert vendor_time_ns(text) == exact * 1_000


@given(st.text())
def test_no_text_raises(text: str):
    vendor_time_ns(text)


@given(
    st.from_regex(
        r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,12})?)?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
    )
)
def test_no_time_like_text_raises(text: str):
    vendor_time_ns(text)
