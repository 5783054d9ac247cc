"""What the workloads found, as tables for people, as a page for the documentation and as JSON for scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import msgspec
from rich.table import Table

from benchmarks.section import Section, Verdict

WIDTH = 200
"""Columns that the widest table takes."""
INTRODUCTION = """\
The same job (`benchmarks/job.py`) on every peer: Kambi-shaped frames, of about 1.4 kB where they have 4 children, from
a topic of 4 partitions, each child one keyed output with CloudEvents headers; the number of updates and the last digest
of each of 1,000 events are state. Every peer runs on one core, in an environment of its own that is locked by hashes
(`benchmarks/peers`), the broker on another. Every run has its own topics and group. The clock runs from the first frame
after the warm-up in the worker's hands to the last commit; then an independent `read_committed` reader holds every
output to what the job gives. The work at the edges of the clock differs by less than a batch."""
BUSY_ADVICE = "at a load well above 1 others were at work on the machine, and ratios and CPU µs say more than frames/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One workload, and when and how it was measured.

    Attributes:
        workload: Its name on the command line.
        command: That measured it.
        at: When it ended, as people read it.
        minutes: How long it took.
        load_per_core: Before and after, processes that want a core per core.
        sections: What it found.
    """

    workload: str
    command: str
    at: str
    minutes: float
    load_per_core: tuple[float, float]
    sections: Sequence[Section]

    def __str__(self) -> str:
        before, after = self.load_per_core
        how = f"`{self.command}`, {self.at}, {self.minutes:.0f} min"
        return f"{self.workload}: {how}, load average per core {before:.1f} before, {after:.1f} after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What is known of the workloads on one machine."""

    machine: dict[str, str]
    cores: str
    measured: Sequence[Measured]

    @property
    def sections(self) -> Iterable[Section]:
        """Those of all workloads, in their order."""
        return [section for each in self.measured for section in each.sections]

    @property
    def is_complete(self) -> bool:
        """Every section says so of itself."""
        return all(section.is_complete for section in self.sections)

    def updated(self, newer: "Results") -> "Results":
        """Return this with the workloads of ``newer`` in place of what it has of them.

        Raises:
            ValueError: ``newer`` is of another machine, or of other versions: then all has to be measured anew.
        """
        if (self.machine, self.cores) != (newer.machine, newer.cores):
            changed = [name for name, text in self.machine.items() if newer.machine.get(name) != text]
            raise ValueError(f"the page is of another machine or other versions: {', '.join(changed) or 'placement'}")
        anew = {each.workload: each for each in newer.measured}
        measured = [anew.pop(each.workload, each) for each in self.measured]
        return replace(self, measured=[*measured, *anew.values()])

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> "Results":
        """Return what :meth:`to_json` gave."""
        return msgspec.convert(plain, cls)


def verdicts(results: Results) -> Iterable[Verdict]:
    """Yield each target."""
    for section in results.sections:
        yield from section.verdicts
    incomplete = [section.title for section in results.sections if not section.is_complete]
    text = "every workload ran, every output of every run there and right"
    yield Verdict(text=f"{text}{''.join(f'; not so: {title}' for title in incomplete)}", met=not incomplete)


def table(section: Section) -> Table:
    """Return a section's table for a terminal."""
    return _table(section.title, section.head, section.rows)


def targets(results: Results) -> Table:
    """Return the table of all targets for a terminal."""
    marks = [(verdict.text, "met" if verdict.met else "NOT MET") for verdict in verdicts(results)]
    return _table("Targets", ("target", ""), marks)


def page(results: Results) -> str:
    """Return the documentation page."""
    lines = [
        "# Benchmarks",
        "",
        INTRODUCTION,
        "",
        *(f"- {name}: {text}" for name, text in results.machine.items()),
        f"- placement: {results.cores}",
        "",
        f"Measured, and written, by ({BUSY_ADVICE}):",
        "",
        *(f"- {each}" for each in results.measured),
        "",
        "## Targets",
        "",
        *(f"- {'met' if verdict.met else '**not met**'}: {verdict.text}" for verdict in verdicts(results)),
        "",
    ]
    for section in results.sections:
        lines += section.markdown()
    return "\n".join(lines).rstrip() + "\n"


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, name in enumerate(head):
        table.add_column(name, justify="left" if index == 0 else "right")
    for row in rows:
        table.add_row(*row)
    return table
