"""What the workloads found, as tables for people, as a page for the documentation and as JSON for scripts."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

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
BUSY_ADVICE = "well above 1 others were at work on the machine, and ratios and CPU µs say more than frames/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Everything one call of the benchmark found."""

    command: str
    machine: dict[str, str]
    cores: str
    load_per_core: tuple[float, float]
    """Before and after, processes that want a core per core."""
    minutes: float
    sections: Sequence[Section]

    @property
    def is_complete(self) -> bool:
        """Every section says so of itself."""
        return all(section.is_complete for section in self.sections)

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


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
    before, after = results.load_per_core
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{results.command}` in {results.minutes:.0f} minutes.",
        "",
        INTRODUCTION,
        "",
        *(f"- {name}: {text}" for name, text in results.machine.items()),
        f"- placement: {results.cores}",
        f"- load average per core: {before:.1f} before, {after:.1f} after; {BUSY_ADVICE}",
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
