"""The page says what was measured, which targets are met, and which workload was not complete."""

from benchmarks.report import Results, page, table, targets
from benchmarks.section import Section, Verdict


def results(*sections: Section) -> Results:
    return Results(
        command="python -m benchmarks",
        machine={"date": "2026-11-22", "Kafka": "one broker"},
        cores="worker on core 1",
        load_per_core=(0.1, 0.9),
        minutes=12.4,
        sections=sections,
    )


SPEED = Section(
    title="Speed",
    notes="Medians.",
    head=("peer", "frames/s"),
    rows=[("engine", "12,000")],
    verdicts=[Verdict(text="floor: fast", met=True), Verdict(text="aim: faster", met=False)],
)
BROKEN = Section(title="Growth", notes="It stopped.", head=("workers",), rows=(), is_complete=False)


def test_the_page_has_every_section_and_target():
    lines = page(results(SPEED)).splitlines()
    assert "Written by `python -m benchmarks` in 12 minutes." in lines
    assert "- Kafka: one broker" in lines
    assert "- met: floor: fast" in lines
    assert "- **not met**: aim: faster" in lines
    assert "- met: every workload ran, every output of every run there and right" in lines
    start = lines.index("## Speed")
    assert lines[start:] == ["## Speed", "", "| peer | frames/s |", "|---|---:|", "| engine | 12,000 |", "", "Medians."]


def test_an_incomplete_workload_is_named():
    found = results(SPEED, BROKEN)
    assert not found.is_complete
    text = "every workload ran, every output of every run there and right; not so: Growth"
    assert f"- **not met**: {text}" in page(found).splitlines()


def test_the_terminal_has_a_table_a_section_and_one_of_targets():
    assert [list(column.cells) for column in table(SPEED).columns] == [["engine"], ["12,000"]]
    assert list(targets(results(SPEED)).columns[1].cells) == ["met", "NOT MET", "met"]
