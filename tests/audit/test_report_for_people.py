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


def test_what_a_feed_does_not_have_is_left_out_and_losses_are_told_though_there_are_none():
    report = Report()
    console = Console(file=io.StringIO(), width=300)
    print_reports({"rms": report}, 1, console)
    report.foreign = 7
    print_reports({"kambi": report}, 1, console)
    of_rms, of_kambi = console.file.getvalue().split("audit of kambi")  # type: ignore[attr-defined]  # StringIO
    assert "of other shards" not in of_rms
    assert "of other shards" in of_kambi
    assert all(f"  {name} " in of_rms for name in ("lost", "duplicated", "out of order", "overflowed"))
