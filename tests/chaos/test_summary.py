"""Runs added up."""

import json
from pathlib import Path

from tests.chaos.recovery import Recovery
from tests.chaos.summary import FILE, summary, together

HISTORY = [
    {"event": "run", "at_ns": 1, "seed": 4, "seconds": 750.0},
    {"event": "started", "at_ns": 2, "process": "worker:kambi:1"},
    {"event": "ended", "at_ns": 3, "process": "worker:kambi:1", "exit_code": -9},
    {"event": "ended", "at_ns": 4, "process": "worker:kambi:1", "exit_code": 70},
]
AUDITS = {"kambi": {"lost": 0, "duplicated": 1, "out_of_order": 0, "frames": 10, "normalized": 15, "gaps": [1]}}
COST = [
    Recovery(number=1, kind="kill", target="worker:kambi:1", seconds=2.0),
    Recovery(number=2, kind="kill", target="worker:kambi:2", seconds=7.0),
    Recovery(number=3, kind="kill", target="worker:kambi:1", seconds=None),
    Recovery(number=4, kind="stop", target="broker:2", seconds=9.5),
]


def test_a_run_is_summed_up():
    assert summary(HISTORY, COST, AUDITS, {"findings": {"lost": ["x", "y"]}, "counts": {"raw": 10}}) == {
        "seed": 4,
        "seconds": 750.0,
        "at_ns": 1,
        "faults": {"kill worker": [2.0, 7.0, None], "stop broker": [9.5]},
        "counts": {"raw": 10},
        "findings": {"lost": 2},
        "lost": 2,
        "duplicated": 1,
        "reordered": 0,
        "frames": 10,
        "outputs": 15,
        "gaps": {"kambi": 1},
        "blocked_s": 0.0,
        "blocked_at": "",
        "ends": {"worker:kambi:1 70": 1},
        "starts": {"worker:kambi:1": 1},
    }


def test_runs_are_added_up(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        summed = summary(HISTORY, COST, AUDITS, {}) | {"held": name == "one"}
        (tmp_path / name / FILE).write_text(json.dumps(summed))
    assert together([tmp_path / "one", tmp_path / "two"]).splitlines() == [
        "| seed | seconds | frames | outputs | lost | duplicated | reordered | blocked_s | held |",
        "|---|---|---|---|---|---|---|---|---|",
        "| 4 | 750.0 | 10 | 15 | 0 | 1 | 0 | 0.0 | True |",
        "| 4 | 750.0 | 10 | 15 | 0 | 1 | 0 | 0.0 | False |",
        "",
        "| fault | target | times | recovery p50 s | recovery max s |",
        "|---|---|---|---|---|",
        "| kill | worker | 6 | 4.5 | 7.0 |",
        "| stop | broker | 2 | 9.5 | 9.5 |",
        "",
        "2 runs, 25 minutes under faults, 8 faults.",
    ]
