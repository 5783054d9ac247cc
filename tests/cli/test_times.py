"""Times on the command line: so long ago, or ISO 8601."""

from datetime import UTC, datetime, timedelta

import click
import pytest

from tricast.cli.times import Time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T18:00", datetime(2026, 11, 21, 18, tzinfo=UTC)),
        ("2026-11-21T18:00+01:00", datetime(2026, 11, 21, 17, tzinfo=UTC)),
        ("1969-12-31T23:59:59.999", datetime(1970, 1, 1, tzinfo=UTC)),  # -1 would be the end of a partition
        ("0001-01-01", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_iso_8601_is_utc_unless_it_names_another_zone(text: str, expected: datetime):
    assert Time().convert(text, None, None) == int(expected.timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "ago"), [("90m", timedelta(minutes=90)), ("1.5h", timedelta(minutes=90)), ("3d", timedelta(days=3))]
)
def test_so_long_ago(text: str, ago: timedelta):
    before = datetime.now(UTC)
    found = Time().convert(text, None, None)
    assert isinstance(found, int)
    assert int((before - ago).timestamp() * 1000) <= found <= (datetime.now(UTC) - ago).timestamp() * 1000


@pytest.mark.parametrize("text", ["", "2", "h", "2w", "-2h", "yesterday", "9999999999999d", "9" * 400 + "d"])
def test_what_is_no_time(text: str):
    with pytest.raises(click.BadParameter, match="no time such as"):
        Time().convert(text, None, None)
