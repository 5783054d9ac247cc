"""One line a record."""

from types import SimpleNamespace

import pytest

from tricast.cli.tail import _show_line


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
