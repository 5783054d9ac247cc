"""What the audit prints: nothing that a record says is taken for markup, or for orders to a terminal."""

import io

from rich.console import Console

from tricast.audit.report import Report
from tricast.cli.audit import print_reports


def test_what_records_say_is_printed_as_it_is():
    report = Report()
    report.dead_letters["[/red]x"] += 1
    report.notes.append("note of [/bold]")
    report.find("lost", "bet [/x]\x1b[2J of [bold]nobody[/]")
    console = Console(file=io.StringIO(), width=300)
    print_reports({"rms": report}, 1, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # StringIO
    assert "bet [/x]\\x1b[2J of [bold]nobody[/]" in shown
    assert "[/red]x 1" in shown
    assert "note of [/bold]" in shown
