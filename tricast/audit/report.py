"""What an audit found: totals, findings, verdict."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

KEPT_EXAMPLES = 50
"""Findings of one kind that are kept with their text; all are counted."""
EXAMPLE_LETTERS = 500
"""Longest text kept: some quote a vendor's field, and nobody promises how long that is."""

FindingKind = Literal[
    "lost",
    "duplicated",
    "reordered",
    "unexpected",
    "hole",
    "unjudged",
    "ledger-lost",
    "ledger-altered",
    "false",
    "guessed",
    "undecided",
    "untrue",
]
"""lost: a fact without a record. duplicated: a record or fact that is there twice. reordered: records of one key and
one raw partition not in source order. unexpected: a record that no candidate calls for. hole: frames the connector
numbered that are neither in raw nor in an overflow record. unjudged: raw records that the processor did not reach in
time. ledger-…: raw against what the simulator says it sent. Of bets: false: a record says what its sources do not;
guessed: an outcome that what was known then does not bear out; undecided: a bet whose time is over and that has no
outcome; untrue: an outcome that the simulator's trader did not decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """An interval in which a line had no connection; what the vendor sent then is lost, and nobody can name it."""

    line: str
    previous_connection: str | None
    previous_frame: int | None
    connection: str
    from_ns: int | None
    until_ns: int


@dataclass(slots=True)
class Report:
    """Totals and findings of one audit; filled by the judges."""

    raw_records: int = 0
    frames: int = 0
    repeats: int = 0
    control_records: Counter[str] = field(default_factory=Counter)
    passed_over: int = 0
    candidates: int = 0
    normalized: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    foreign: int = 0
    from_snapshots: int = 0
    held: int = 0
    dead_letters: Counter[str] = field(default_factory=Counter)
    overflowed: int = 0
    warm_up_frames: int = 0
    gaps: list[Gap] = field(default_factory=list)
    findings: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ledger: dict[str, int] | None = None
    replays: Counter[str] = field(default_factory=Counter)
    """Requests to process dead letters again, and what came of them."""
    bets: Counter[str] = field(default_factory=Counter)
    """RMS: records of bet platforms, outcomes, and what bets without one are doing."""

    def find(self, kind: FindingKind, text: str, count: int = 1) -> None:
        """Count a finding and keep its text while there are few."""
        self.findings[kind] += count
        examples = self.examples.setdefault(kind, [])
        if len(examples) < KEPT_EXAMPLES:
            examples.append(text if len(text) <= EXAMPLE_LETTERS else text[: EXAMPLE_LETTERS - 1] + "…")

    def add(self, other: "Report") -> None:
        """Add the totals and findings of another feed's audit."""
        for name in ("raw_records", "frames", "repeats", "passed_over", "candidates", "duplicates", "foreign"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("from_snapshots", "held", "overflowed", "warm_up_frames"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("control_records", "normalized", "dead_letters", "findings", "bets", "replays"):
            getattr(self, name).update(getattr(other, name))
        self.gaps += other.gaps
        self.notes += other.notes
        for kind, texts in other.examples.items():
            kept = self.examples.setdefault(kind, [])
            kept += texts[: KEPT_EXAMPLES - len(kept)]
        if other.ledger is not None:
            mine = self.ledger or {}
            self.ledger = mine | {name: mine.get(name, 0) + number for name, number in other.ledger.items()}

    def too_little(self, min_frames: int) -> str | None:
        """Say what there was too little of to call this a proof, if anything."""
        if self.frames < min_frames:
            return f"{self.frames} frames judged, at least {min_frames} wanted"
        if not self.normalized and not self.bets:  # bets that nobody has decided yet were followed to the join
            return "no normalized record at all"
        return None

    def clean(self, min_frames: int) -> bool:
        """Return whether everything is accounted for and enough was seen."""
        return not self.findings and self.too_little(min_frames) is None

    def to_json(self, min_frames: int) -> dict[str, Any]:
        """Return the report for scripts."""
        return {
            "clean": self.clean(min_frames),
            "too_little": self.too_little(min_frames),
            "raw_records": self.raw_records,
            "frames": self.frames,
            "repeats": self.repeats,
            "control_records": dict(sorted(self.control_records.items())),
            "passed_over": self.passed_over,
            "candidates": self.candidates,
            "normalized": self.normalized.total(),
            "normalized_by_type": dict(sorted(self.normalized.items())),
            "duplicates": self.duplicates,
            "of_other_shards": self.foreign,
            "from_snapshots": self.from_snapshots,
            "held_back": self.held,
            "dead_letters": self.dead_letters.total(),
            "dead_letters_by_code": dict(sorted(self.dead_letters.items())),
            "lost": self.findings["lost"],
            "duplicated": self.findings["duplicated"],
            "out_of_order": self.findings["reordered"],
            "unexpected": self.findings["unexpected"],
            "holes": self.findings["hole"],
            "overflowed": self.overflowed,
            "gaps": [
                {
                    "line": gap.line,
                    "previous_connection": gap.previous_connection,
                    "previous_frame": gap.previous_frame,
                    "connection": gap.connection,
                    "from_ns": gap.from_ns,
                    "until_ns": gap.until_ns,
                }
                for gap in self.gaps
            ],
            "warm_up_frames": self.warm_up_frames,
            "ledger": self.ledger,
            "ledger_findings": {k: v for k, v in self.findings.items() if k.startswith("ledger")},
            "replays": dict(sorted(self.replays.items())),
            "bets": dict(sorted(self.bets.items())),
            "finding_counts": dict(sorted(self.findings.items())),
            "findings": {kind: list(texts) for kind, texts in self.examples.items()},
            "notes": list(self.notes),
        }
