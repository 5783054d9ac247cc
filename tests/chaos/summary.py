"""What one run came to, kept as ``summary.json``, and several of them added up."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.chaos.recovery import History, Recovery, longest_blocked

FILE: Final = "summary.json"
_ASKED_FOR: Final = frozenset({-9, -15, 0})
"""Exit codes of ends by signal, which faults cause, and of SIGTERM heeded."""
COLUMNS: Final = ("fault", "target", "times", "recovery p50 s", "recovery max s")


def summary(
    history: History, found: Sequence[Recovery], audits: Mapping[str, Any], verdict: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what is kept of a run.

    Args:
        history: Its events.
        found: What each fault cost.
        audits: Reports of ``tricast audit`` by feed.
        verdict: The checker's.
    """
    begun = next(event for event in history if event["event"] == "run")
    findings = {kind: len(texts) for kind, texts in verdict.get("findings", {}).items()}
    blocked_s, blocked_at = longest_blocked(history)
    return {
        "seed": begun["seed"],
        "seconds": begun["seconds"],
        "at_ns": begun["at_ns"],
        "faults": _by_fault(found),
        "counts": verdict.get("counts", {}),
        "findings": findings,
        "lost": _audited(audits, "lost") + findings.get("lost", 0),
        "duplicated": _audited(audits, "duplicated") + findings.get("duplicated", 0),
        "reordered": _audited(audits, "out_of_order") + findings.get("reordered", 0),
        "frames": _audited(audits, "frames"),
        "outputs": _audited(audits, "normalized"),
        "gaps": {feed: len(audit["gaps"]) for feed, audit in audits.items()},
        "blocked_s": blocked_s,
        "blocked_at": blocked_at,
        "ends": _ends(history),
        "starts": dict(Counter(event["process"] for event in history if event["event"] == "started")),
    }


def rows(faults: Mapping[str, Sequence[float | None]]) -> Iterable[tuple[str, ...]]:
    """Yield a row of ``COLUMNS`` for each kind of fault and role of its target."""
    for name, cost in sorted(faults.items()):
        kind, _, role = name.partition(" ")
        seconds = [one for one in cost if one is not None]
        p50, most = (f"{statistics.median(seconds):.1f}", f"{max(seconds):.1f}") if seconds else ("", "")
        yield kind, role, str(len(cost)), p50, most


def together(folders: Iterable[Path]) -> str:
    """Return Markdown about several runs: what each came to, and all faults of all of them.

    Args:
        folders: Of runs that came to a verdict.
    """
    runs = [json.loads((folder / FILE).read_text()) for folder in folders]
    faults: defaultdict[str, list[float | None]] = defaultdict(list)
    for run in runs:
        for name, cost in run["faults"].items():
            faults[name] += cost
    keys = ("seed", "seconds", "frames", "outputs", "lost", "duplicated", "reordered", "blocked_s", "held")
    lines = [_line(keys), _rule(len(keys)), *(_line(_text(run[key]) for key in keys) for run in runs), ""]
    lines += [_line(COLUMNS), _rule(len(COLUMNS)), *map(_line, rows(faults)), ""]
    total = sum(len(cost) for cost in faults.values())
    seconds = sum(run["seconds"] for run in runs)
    lines.append(f"{len(runs)} runs, {seconds / 60:.0f} minutes under faults, {total} faults.")
    return "\n".join(lines)


def _by_fault(found: Iterable[Recovery]) -> dict[str, list[float | None]]:
    faults: defaultdict[str, list[float | None]] = defaultdict(list)
    for one in found:
        faults[f"{one.kind} {one.target.partition(':')[0]}"].append(one.seconds)
    return dict(faults)


def _ends(history: History) -> dict[str, int]:
    """Count ends that no fault asked for, by process and exit code."""
    ends = (event for event in history if event["event"] == "ended" and event["exit_code"] not in _ASKED_FOR)
    return dict(Counter(f"{event['process']} {event['exit_code']}" for event in ends))


def _audited(audits: Mapping[str, Any], name: str) -> int:
    return sum(audit[name] for audit in audits.values())


def _text(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" if type(value) is int else str(value)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns
