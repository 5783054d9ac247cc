"""One part of the benchmark's report, as each workload gives it: a table, what it says, which targets it meets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One target: what was asked and measured, in words, and whether it is met."""

    text: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One workload's result.

    Attributes:
        title: Heading in the page and of the table.
        notes: Markdown below the table: how it was measured, what the columns mean, units.
        head: Names of the columns; the first is of text, the others are of numbers.
        rows: Cells, as text.
        verdicts: Targets.
        is_complete: Every record that had to come out came out, once.
    """

    title: str
    notes: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    verdicts: Sequence[Verdict] = ()
    is_complete: bool = True

    def markdown(self) -> Iterable[str]:
        """Yield the lines of this section of the page."""
        yield f"## {self.title}"
        yield ""
        yield "| " + " | ".join(self.head) + " |"
        yield "|---|" + "---:|" * (len(self.head) - 1)
        for row in self.rows:
            yield "| " + " | ".join(row) + " |"
        yield ""
        yield self.notes
        yield ""
