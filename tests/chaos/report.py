"""Several runs added up, as Markdown for docs/reliability.md."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.chaos.summary import FILE, Cost, p50_and_most

_NS: Final = 1_000_000_000
_RUNS: Final = (
    *("seed", "commit", "date", "seconds", "strikes", "not made", "frames", "outputs", "lost", "doubled"),
    *("out of order", "other findings", "audits clean", "rebalances", "reader blocked s", "held"),
)
_FAULTS: Final = (
    *("fault", "target", "times", "lost", "doubled", "first frame p50 s", "max s", "first output p50 s", "max s"),
    *("of them alone", "p50 s", "max s"),
)
_ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "kill -9 of workers": ("kill worker",),
    "kill -9 of connectors": ("kill connector",),
    "kill -9 of one broker or the controller": ("kill broker", "kill controller"),
    "kill -9 of all brokers at once": ("kill-all brokers",),
    "SIGSTOP of workers, connectors, brokers": ("stop worker", "stop connector", "stop broker", "stop controller"),
}
_IN_LOST: Final = frozenset({"lost", "duplicated", "reordered"})
"""Findings with columns of their own."""


def together(folders: Iterable[Path]) -> str:
    """Return what each run came to, how often each thing happened, and what each kind of fault cost.

    What is lost or doubled is known of whole runs: none in any of them is none by each fault.

    Args:
        folders: Of runs that came to a verdict.
    """
    runs = [json.loads((folder / FILE).read_text()) for folder in folders]
    faults: defaultdict[str, list[Cost]] = defaultdict(list)
    for run in runs:
        for name, costs in run["faults"].items():
            faults[name] += costs
    lost, doubled = (sum(run[name] for run in runs) for name in ("lost", "duplicated"))
    tables = [
        _table(_RUNS, (_run(run) for run in runs)),
        _table(("what", "times"), _totals(runs, faults)),
        _table(_FAULTS, _faults(faults, *("0" if number == 0 else "see runs" for number in (lost, doubled)))),
        _waits(runs),
    ]
    return "\n\n".join(tables)


def _run(run: Mapping[str, Any]) -> Sequence[str]:
    others = {kind: number for kind, number in run["findings"].items() if kind not in _IN_LOST}
    return (
        str(run["seed"]),
        run["commit"],
        f"{datetime.fromtimestamp(run['at_ns'] / _NS, UTC):%Y-%m-%d %H:%M}",
        f"{run['seconds']:g}",
        str(sum(map(len, run["faults"].values()))),
        str(run["dropped"]),
        *(f"{run[name]:,}" for name in ("frames", "outputs", "lost", "duplicated", "reordered")),
        ", ".join(f"{kind} {number}" for kind, number in sorted(others.items())) or "0",
        f"{sum(run['clean'].values())} of {len(run['clean'])}",
        str(sum(run["rebalances"].values())),
        f"{run['blocked_s']:.1f}",
        "yes" if run["held"] else "NO",
    )


def _totals(runs: Sequence[Mapping[str, Any]], faults: Mapping[str, Sequence[Cost]]) -> Iterable[Sequence[str]]:
    for what, names in _ASKED.items():
        yield what, str(sum(len(faults.get(name, ())) for name in names))
    yield "rebalances", str(sum(sum(run["rebalances"].values()) for run in runs))
    yield "strikes of all kinds", str(sum(map(len, faults.values())))
    yield "seeds", str(len({run["seed"] for run in runs}))
    yield "seconds under faults", f"{sum(run['seconds'] for run in runs):,.0f}"
    ends: Counter[str] = Counter()
    for run in runs:
        for who, number in run["ends"].items():
            ends[who.partition(":")[0]] += number
    for role, number in sorted(ends.items()):
        yield f"{role}s that ended by themselves and began again", str(number)


def _faults(faults: Mapping[str, Sequence[Cost]], lost: str, doubled: str) -> Iterable[Sequence[str]]:
    for name, costs in sorted(faults.items()):
        kind, _, role = name.partition(" ")
        alone = [output_s for _, output_s, by_itself in costs if by_itself]
        yield (
            *(kind, role, str(len(costs)), lost, doubled),
            *p50_and_most(frame_s for frame_s, _, _ in costs),
            *p50_and_most(output_s for _, output_s, _ in costs),
            *(str(len(alone)), *p50_and_most(alone)),
        )


def _waits(runs: Sequence[Mapping[str, Any]]) -> str:
    waited = sorted(seconds for run in runs for seconds in run["standstills_s"])
    worst = max(runs, key=lambda run: run["blocked_s"])
    blocked = (
        f"A reader of committed records was blocked for {worst['blocked_s']:.1f} s at most ({worst['blocked_at']})."
    )
    if not waited:
        return blocked
    p99 = waited[min(len(waited) - 1, len(waited) * 99 // 100)]
    return (
        f"Around {len(waited)} rebalances a group stood still for {statistics.median(waited):.1f} s (p50), {p99:.1f} s "
        f"(p99), {waited[-1]:.1f} s (max), of its worst partition and with whatever else struck then.\n{blocked}"
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join([_line(columns), "|" + "---|" * len(columns), *map(_line, rows)])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
