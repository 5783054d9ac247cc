"""What the checker found: findings by kind, counts, figures."""

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Literal, get_args

Kind = Literal[
    "lost",
    "duplicated",
    "reordered",
    "aborted-visible",
    "offset-went-back",
    "gap-not-recorded",
    "gap-too-wide",
    "not-normalized",
    "final-state",
    "not-transactional",
    "unreadable",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
KEPT_TEXTS = 200
"""Texts kept of one kind; all are counted."""


class Verdict:
    """Findings as they are made.

    Attributes:
        findings: Kind to texts, at most ``KEPT_TEXTS`` of each.
        found: How many there were of each kind.
        counts: What was judged, by name.
        figures: What was measured, by name.
    """

    def __init__(self) -> None:
        self.findings: defaultdict[Kind, list[str]] = defaultdict(list)
        self.found: Counter[Kind] = Counter()
        self.counts: Counter[str] = Counter()
        self.figures: dict[str, float | int | str] = {}

    def find(self, kind: Kind, text: str) -> None:
        """Note one finding."""
        self.found[kind] += 1
        if len(self.findings[kind]) < KEPT_TEXTS:
            self.findings[kind].append(text)

    def count(self, what: str, number: int = 1) -> None:
        """Note what was judged."""
        self.counts[what] += number

    def greatest(self, what: str, value: float) -> None:
        """Keep the greatest value of a figure."""
        self.figures[what] = max(float(self.figures.get(what, value)), value)

    @property
    def held(self) -> bool:
        """Whether nothing was found."""
        return not self.found

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as it is written."""
        return {
            "held": self.held,
            "found": dict(sorted(self.found.items())),
            "counts": dict(sorted(self.counts.items())),
            "figures": dict(sorted(self.figures.items())),
            "findings": {kind: self.findings[kind] for kind in KINDS if kind in self.findings},
        }

    def write(self, path: Path) -> None:
        """Write it to a file."""
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n")

    def table(self, examples: int = 8) -> str:
        """Return it for people."""
        lines = [f"{name:<58} {number:>12,}" for name, number in sorted(self.counts.items())]
        lines += [f"{name:<58} {value!s:>12}" for name, value in sorted(self.figures.items())]
        lines.append("-" * 71)
        for kind in KINDS:
            lines.append(f"{kind:<58} {self.found[kind]:>12,}")
            lines += [f"    {text}" for text in self.findings.get(kind, ())[:examples]]
        lines.append("held" if self.held else "NOT HELD")
        return "\n".join(lines)
