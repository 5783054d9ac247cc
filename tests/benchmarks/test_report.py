"""The page says what was measured, which targets are met, and which workload was not complete."""

import json
from dataclasses import replace

import pytest

from benchmarks.__main__ import DATA, PAGE
from benchmarks.report import Measured, Results, page, table, targets
from benchmarks.section import Section, Verdict


def measured(workload: str, *sections: Section, at: str = "2026-11-22 12:00 UTC") -> Measured:
    return Measured(
        workload=workload,
        command="python -m benchmarks",
        at=at,
        minutes=12.4,
        load_per_core=(0.1, 0.9),
        sections=sections,
    )


def results(*workloads: Measured) -> Results:
    return Results(machine={"Kafka": "one broker"}, cores="worker on core 1", measured=workloads)


SPEED = Section(
    title="Speed",
    notes="Medians.",
    head=("peer", "frames/s"),
    rows=[("engine", "12,000")],
    verdicts=[Verdict(text="floor: fast", met=True), Verdict(text="aim: faster", met=False)],
)
BROKEN = Section(title="Growth", notes="It stopped.", head=("workers",), rows=(), is_complete=False)


def test_the_page_has_every_section_and_target():
    lines = page(results(measured("speed", SPEED))).splitlines()
    how = "`python -m benchmarks`, 2026-11-22 12:00 UTC, 12 min, load average per core 0.1 before, 0.9 after"
    assert f"- speed: {how}" in lines
    assert "- Kafka: one broker" in lines
    assert "- met: floor: fast" in lines
    assert "- **not met**: aim: faster" in lines
    assert "- met: every workload ran, every output of every run there and right" in lines
    start = lines.index("## Speed")
    assert lines[start:] == ["## Speed", "", "| peer | frames/s |", "|---|---:|", "| engine | 12,000 |", "", "Medians."]


def test_an_incomplete_workload_is_named():
    found = results(measured("speed", SPEED), measured("growth", BROKEN))
    assert not found.is_complete
    text = "every workload ran, every output of every run there and right; not so: Growth"
    assert f"- **not met**: {text}" in page(found).splitlines()


def test_the_terminal_has_a_table_a_section_and_one_of_targets():
    assert [list(column.cells) for column in table(SPEED).columns] == [["engine"], ["12,000"]]
    assert list(targets(results(measured("speed", SPEED))).columns[1].cells) == ["met", "NOT MET", "met"]


def test_a_workload_that_was_measured_anew_takes_the_place_of_its_older_self():
    before = results(measured("speed", SPEED), measured("growth", BROKEN))
    growth = measured("growth", replace(BROKEN, is_complete=True), at="2026-11-23 12:00 UTC")
    after = before.updated(results(growth, measured("latency", SPEED)))
    assert [(each.workload, each.at[:10]) for each in after.measured] == [
        ("speed", "2026-11-22"),
        ("growth", "2026-11-23"),
        ("latency", "2026-11-22"),
    ]
    assert after.is_complete
    with pytest.raises(ValueError, match="other versions: Kafka"):
        before.updated(replace(before, machine={"Kafka": "another"}))


def test_the_page_is_made_of_the_data_beside_it():
    kept = Results.from_json(json.loads(DATA.read_text(encoding="utf-8")))
    assert page(kept) == PAGE.read_text(encoding="utf-8")
