"""What one run came to: from what it left in its folder, so that it can be worked out again."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tests.chaos.arrivals import RECORDS, arrivals
from tests.chaos.history import read
from tests.chaos.judges import VERDICT, Result
from tests.chaos.product import HISTORY
from tests.chaos.rebalances import Rebalance, rebalances, standstills
from tests.chaos.recovery import History, Recovery, longest_blocked, recoveries

FILE: Final = "summary.json"
_ASKED_FOR: Final = frozenset({-9, -15, 0})
"""Exit codes of ends by signal, which faults cause, and of SIGTERM heeded."""
_OF_RESULT: Final = ("held", "dropped", "problems")
COLUMNS: Final = ("fault", "target", "times", "frame p50 s", "frame max s", "output p50 s", "output max s", "alone")
Cost = Sequence[float | bool | None]
"""Seconds until the first frame and the first output, and whether no other fault met it."""


def keep(folder: Path, result: Result) -> None:
    """Sum up a run and keep it as ``summary.json`` in its folder.

    Args:
        folder: Of a run whose judges have spoken.
        result: What it came to.
    """
    about = {"held": result.held, "dropped": result.dropped, "problems": result.problems}
    (folder / FILE).write_text(json.dumps(_measured(folder) | about, indent=1))


def again(folder: Path) -> None:
    """Work out ``summary.json`` once more; what is not measured in it stays."""
    before = json.loads((folder / FILE).read_text())
    about = {name: before[name] for name in _OF_RESULT}
    (folder / FILE).write_text(json.dumps(_measured(folder) | about, indent=1))


def summary(
    history: History,
    found: Sequence[Recovery],
    rebalanced: Sequence[Rebalance],
    audits: Mapping[str, Any],
    verdict: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what is kept of a run.

    Args:
        history: Its events.
        found: What each fault cost.
        rebalanced: The rebalances of its groups.
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
        "commit": begun.get("commit", ""),
        "versions": begun.get("versions", {}),
        "faults": _by_fault(found),
        "counts": verdict.get("counts", {}),
        "findings": findings,
        "clean": {feed: audit["clean"] for feed, audit in audits.items()},
        "lost": _audited(audits, "lost") + findings.get("lost", 0),
        "duplicated": _audited(audits, "duplicated") + findings.get("duplicated", 0),
        "reordered": _audited(audits, "out_of_order") + findings.get("reordered", 0),
        "frames": _audited(audits, "frames"),
        "outputs": _audited(audits, "normalized"),
        "gaps": {feed: len(audit["gaps"]) for feed, audit in audits.items()},
        "rebalances": dict(Counter(one.group for one in rebalanced)),
        "standstills_s": standstills(rebalanced, history, begun.get("groups", {})),
        "blocked_s": blocked_s,
        "blocked_at": blocked_at,
        "ends": _ends(history),
        "starts": dict(Counter(event["process"] for event in history if event["event"] == "started")),
    }


def rows(faults: Mapping[str, Sequence[Cost]]) -> Iterable[tuple[str, ...]]:
    """Yield a row of ``COLUMNS`` for each kind of fault and role of its target; how many were alone is the last."""
    for name, costs in sorted(faults.items()):
        kind, _, role = name.partition(" ")
        frames, outputs = ([cost[place] for cost in costs] for place in (0, 1))
        alone = sum(bool(cost[2]) for cost in costs)
        yield (kind, role, str(len(costs)), *p50_and_most(frames), *p50_and_most(outputs), str(alone))


def p50_and_most(seconds: Iterable[float | bool | None]) -> tuple[str, str]:
    """Return median and maximum as text, of those that are known; two empty texts when none is."""
    known = [one for one in seconds if one is not None]
    return (f"{statistics.median(known):.1f}", f"{max(known):.1f}") if known else ("", "")


def _measured(folder: Path) -> dict[str, Any]:
    history = read(folder / HISTORY)
    begun = next(event for event in history if event["event"] == "run")
    groups, prefix = begun["groups"], begun["prefix"]
    reached = arrivals(folder / RECORDS, sorted(set(chain.from_iterable(groups.values()))), prefix)
    verdict = folder / VERDICT
    told = {path.stem.removeprefix("audit-"): path.read_text() for path in folder.glob("audit-*.json")}
    return summary(
        history,
        recoveries(history, reached, groups, prefix),
        rebalances({group: _lines(folder / "logs", group.removeprefix(prefix)) for group in groups}),
        {feed: json.loads(text) for feed, text in told.items() if text},
        json.loads(verdict.read_text()) if verdict.exists() else {},
    )


def _lines(logs: Path, processor: str) -> Iterable[str]:
    for path in sorted(logs.glob(f"worker-{processor}-*.log")):
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from lines


def _by_fault(found: Iterable[Recovery]) -> dict[str, list[Cost]]:
    faults: defaultdict[str, list[Cost]] = defaultdict(list)
    for one in found:
        faults[f"{one.kind} {one.target.partition(':')[0]}"].append([one.frame_s, one.output_s, one.alone])
    return dict(faults)


def _ends(history: History) -> dict[str, int]:
    """Count ends that no fault asked for, by process and exit code."""
    ends = (event for event in history if event["event"] == "ended" and event["exit_code"] not in _ASKED_FOR)
    return dict(Counter(f"{event['process']} {event['exit_code']}" for event in ends))


def _audited(audits: Mapping[str, Any], name: str) -> int:
    return sum(audit[name] for audit in audits.values())
