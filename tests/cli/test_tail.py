"""One line a record."""

import json
from types import SimpleNamespace

import pytest

from tricast.cli.record_filter import RecordFilter
from tricast.cli.tail import _show_json, _show_line


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ([("ce_type", b"tricast.rms.decision.v1")], "rms.decision"),
        ([("tc-line", b"rms-90210"), ("tc-kind", b"tick")], "tick"),
        # A dead letter keeps the stamps of its source; what was wrong is what is looked for.
        ([("tc-code", b"rms.no-id"), ("tc-kind", b"frame")], "rms.no-id"),
    ],
)
def test_a_line_says_what_kind_of_record_it_is(
    headers: list[tuple[str, bytes]], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = SimpleNamespace(partition=1, offset=2, timestamp=0, key=b"90210", value=b"{}", headers=headers)
    _show_line(record)
    assert capsys.readouterr().out.split()[3] == kind


RECORD = SimpleNamespace(
    key=b"1020000001",
    headers=[("ce_type", b"tricast.kambi.odds.changed.v1"), ("tc-line", b"kambi-0-general"), ("tc-line", b"other")],
)


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        (RecordFilter(), True),
        (RecordFilter(keys=("1020000001",)), True),
        (RecordFilter(keys=("102*",)), True),
        (RecordFilter(keys=("1020000002", "*1")), True),
        (RecordFilter(keys=("1020000002",)), False),
        (RecordFilter(types=("tricast.kambi.odds.changed.v1",)), True),
        (RecordFilter(types=("kambi.odds.changed",)), True),
        (RecordFilter(types=("odds.*",)), True),
        (RecordFilter(types=("offer.*",)), False),
        (RecordFilter(headers=(("tc-line", "kambi-?-general"),)), True),
        (RecordFilter(headers=(("tc-line", "other"),)), True),
        (RecordFilter(headers=(("tc-line", "kambi-0-general"), ("tc-line", "nobody"))), False),
        (RecordFilter(headers=(("tc-frame", "*"),)), False),
        (RecordFilter(keys=("102*",), types=("offer.*",)), False),
    ],
)
def test_a_filter_takes_what_fits_every_kind_of_pattern(wanted: RecordFilter, takes: bool) -> None:
    assert wanted.takes(RECORD) is takes


HARD = {
    "NaN": b'{"a":NaN}',
    "infinity": b"-Infinity",
    "deep": b"[" * 100_000,
    "deep and closed": b"[" * 900 + b"]" * 900,
    "no UTF-8": b"\xff",
    "long number": b"9" * 5000,
}


@pytest.mark.parametrize("value", HARD.values(), ids=HARD)
def test_json_is_json_whatever_a_record_holds(value: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    record = SimpleNamespace(topic="t", partition=0, offset=1, timestamp=5, key=None, headers=[], value=value)
    _show_json(record)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert json.loads(capsys.readouterr().out, parse_constant=refuse)["offset"] == 1
