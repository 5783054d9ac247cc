"""What a replay found: counts per message type, the first differences, the state, notes, verdict."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["equal", "different", "missing", "extra", "reordered", "compacted", "expired"]
WRONG: tuple[Outcome, ...] = ("different", "missing", "extra", "reordered")
"""compacted, expired: Kafka removed it (a later record of its key; retention), so nobody can compare it any more."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A difference in full: what, where, and its fields."""

    outcome: str
    title: str
    lines: list[str]


@dataclass(slots=True)
class TaskReport:
    """Of one source partition of one processor."""

    processor: str
    topic: str
    partition: int
    begin: int
    start: int
    end: int
    is_cold: bool
    state: str
    """``equal``, ``different``, or why it was not compared."""
    state_entries: int = 0
    state_wrong: int = 0


@dataclass(slots=True)
class Report:
    """Of one feed.

    Attributes:
        shown: Differences of one outcome that are kept in full; all are counted.
    """

    shown: int
    records: int = 0
    """Source records whose outputs were compared."""
    around_records: int = 0
    """Those before, for their state, and a little after."""
    outputs: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By topic and message type."""
    differences: dict[str, list[Shown]] = field(default_factory=lambda: defaultdict(list))
    tasks: list[TaskReport] = field(default_factory=list)
    other_versions: Counter[str] = field(default_factory=Counter)
    """Versions of the code that wrote dead letters, where it is not this one."""
    notes: list[str] = field(default_factory=list)

    def count(self, topic: str, kind: str, outcome: str, number: int) -> None:
        """Count outputs."""
        self.outputs[topic, kind][outcome] += number

    def show(self, outcome: str, title: str, lines: Iterable[str]) -> None:
        """Keep a difference while there are few."""
        if len(self.differences[outcome]) < self.shown:
            self.differences[outcome].append(Shown(outcome, title, list(lines)))

    def totals(self) -> Counter[str]:
        """Return the outcomes over all types."""
        return sum(self.outputs.values(), Counter())

    @property
    def too_little(self) -> bool:
        """Whether nothing was there to compare, which proves nothing."""
        return not self.totals() and not any(task.state_entries for task in self.tasks)

    @property
    def equal(self) -> bool:
        """Whether all that can be compared is the same, byte for byte."""
        totals = self.totals()
        wrong = any(totals[outcome] for outcome in WRONG) or any(task.state_wrong for task in self.tasks)
        return not wrong and not self.too_little

    def to_json(self) -> dict[str, Any]:
        """Return the report for scripts."""
        return {
            "equal": self.equal,
            "too_little": self.too_little,
            "records": self.records,
            "around_records": self.around_records,
            "totals": dict(sorted(self.totals().items())),
            "outputs": [
                {"topic": topic, "type": kind, **dict(sorted(counts.items()))}
                for (topic, kind), counts in sorted(self.outputs.items())
            ],
            "tasks": [
                {
                    "processor": task.processor,
                    "topic": task.topic,
                    "partition": task.partition,
                    "begin": task.begin,
                    "from": task.start,
                    "to": task.end,
                    "cold": task.is_cold,
                    "state": task.state,
                    "state_entries": task.state_entries,
                    "state_differences": task.state_wrong,
                }
                for task in self.tasks
            ],
            "differences": {
                outcome: [{"what": each.title, "fields": each.lines} for each in shown]
                for outcome, shown in sorted(self.differences.items())
            },
            "versions": dict(sorted(self.other_versions.items())),
            "notes": list(self.notes),
        }
