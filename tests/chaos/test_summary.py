"""Runs summed up and added up."""

import json
from pathlib import Path

from tests.chaos.arrivals import RECORDS
from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.record import Record
from tests.chaos.judges import Result
from tests.chaos.rebalances import Rebalance
from tests.chaos.recovery import SECOND_NS, Recovery
from tests.chaos.report import together
from tests.chaos.summary import FILE, again, keep, summary

HISTORY = [
    {
        "event": "run",
        "at_ns": 1,
        "seed": 4,
        "seconds": 750.0,
        "commit": "abc",
        "prefix": "c.",
        "groups": {"c.kambi": ["c.kambi.raw"]},
    },
    {"event": "started", "at_ns": 2, "process": "worker:kambi:1"},
    {"event": "ended", "at_ns": 3, "process": "worker:kambi:1", "exit_code": -9},
    {"event": "ended", "at_ns": 4, "process": "worker:kambi:1", "exit_code": 70},
    {"event": "sample", "at_ns": 5 * SECOND_NS, "committed": {"c.kambi": {"c.kambi.raw/0": 3}}, "high": {}},
    {"event": "sample", "at_ns": 6 * SECOND_NS, "committed": {"c.kambi": {}}, "high": {"c.kambi.raw/0": 9}},
    {"event": "sample", "at_ns": 9 * SECOND_NS, "committed": {"c.kambi": {"c.kambi.raw/0": 7}}, "high": {}},
]
REBALANCED = [Rebalance(group="c.kambi", generation=3, opened_ns=7 * SECOND_NS)]
AUDITS = {
    "kambi": {
        "clean": True,
        "lost": 0,
        "duplicated": 1,
        "out_of_order": 0,
        "frames": 10,
        "normalized": 15,
        "gaps": [1],
    }
}


def _cost(number: int, kind: str, target: str, *seconds: float | None, alone: bool = False) -> Recovery:
    frame_s, output_s = seconds
    return Recovery(number=number, kind=kind, target=target, frame_s=frame_s, output_s=output_s, alone=alone)


COST = [
    _cost(1, "kill", "worker:kambi:1", None, 2.0, alone=True),
    _cost(2, "kill", "worker:kambi:2", None, 7.0),
    _cost(3, "kill", "worker:kambi:1", None, None),
    _cost(4, "stop", "broker:2", None, 9.5),
    _cost(5, "vendor-cut", "vendor:rms", 1.0, 3.5, alone=True),
]


def test_a_run_is_summed_up():
    assert summary(HISTORY, COST, REBALANCED, AUDITS, {"findings": {"lost": ["x", "y"]}, "counts": {"raw": 10}}) == {
        "seed": 4,
        "seconds": 750.0,
        "at_ns": 1,
        "commit": "abc",
        "versions": {},
        "faults": {
            "kill worker": [[None, 2.0, True], [None, 7.0, False], [None, None, False]],
            "stop broker": [[None, 9.5, False]],
            "vendor-cut vendor": [[1.0, 3.5, True]],
        },
        "counts": {"raw": 10},
        "findings": {"lost": 2},
        "clean": {"kambi": True},
        "lost": 2,
        "duplicated": 1,
        "reordered": 0,
        "frames": 10,
        "outputs": 15,
        "gaps": {"kambi": 1},
        "rebalances": {"c.kambi": 1},
        "standstills_s": [],
        "blocked_s": 0.0,
        "blocked_at": "",
        "ends": {"worker:kambi:1 70": 1},
        "starts": {"worker:kambi:1": 1},
    }


def test_what_a_run_came_to_is_worked_out_from_its_folder_alone_and_can_be_again(tmp_path: Path):
    fault = {"event": "fault", "number": 1, "kind": "kill", "target": "connector:kambi", "parameters": {"pid": 7}}
    history = [*HISTORY[:4], fault | {"began_ns": 5 * SECOND_NS, "at_ns": 5 * SECOND_NS}, *HISTORY[4:]]
    (tmp_path / "history.jsonl").write_text("".join(json.dumps(event) + "\n" for event in history))
    (tmp_path / "audit-kambi.json").write_text(json.dumps(AUDITS["kambi"]))
    (tmp_path / "verdict.json").write_text(json.dumps({"findings": {"gap-too-wide": ["x"]}}))
    (tmp_path / "logs").mkdir()
    for name, generation in (("worker-kambi-1", 1), ("worker-kambi-2", 2), ("connector-kambi", 3)):
        line = (
            f"1970-01-01 00:00:0{generation},000 INFO tasks.opened count=1 kept=0 generation={generation} seconds=1\n"
        )
        (tmp_path / "logs" / f"{name}.log").write_text(line)
    cabinet = Cabinet(tmp_path / RECORDS)
    for offset, kind in enumerate((b"frame", b"tick", b"frame")):
        headers = {"tc-kind": kind, "tc-received-ns": str((4 + offset) * SECOND_NS).encode()}
        cabinet.put(
            [
                Record(
                    topic="kambi.raw",
                    partition=0,
                    offset=4 + offset,
                    timestamp_ms=0,
                    key=None,
                    value=b"",
                    headers=headers,
                )
            ]
        )
    cabinet.close()
    keep(tmp_path, Result(dropped=2, problems=["slow"]))
    kept = json.loads((tmp_path / FILE).read_text())
    assert kept["faults"] == {"kill connector": [[1.0, 4.0, True]]}
    assert (kept["rebalances"], kept["clean"], kept["findings"]) == (
        {"c.kambi": 1},
        {"kambi": True},
        {"gap-too-wide": 1},
    )
    assert (kept["held"], kept["dropped"], kept["problems"]) == (False, 2, ["slow"])
    again(tmp_path)
    assert json.loads((tmp_path / FILE).read_text()) == kept


def test_runs_are_added_up(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        verdict = {"findings": {"final-state": ["x"]}} if name == "two" else {}
        summed = summary(HISTORY, COST, REBALANCED, AUDITS, verdict) | {"standstills_s": [2.0, 4.0]}
        (tmp_path / name / FILE).write_text(json.dumps(summed | {"held": name == "one", "dropped": 3}))
    assert together([tmp_path / "one", tmp_path / "two"]).splitlines() == [
        (
            "| seed | commit | date | seconds | strikes | not made | frames | outputs | lost | doubled | out of order "
            "| other findings | audits clean | rebalances | reader blocked s | held |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
        "| 4 | abc | 1970-01-01 00:00 | 750 | 5 | 3 | 10 | 15 | 0 | 1 | 0 | 0 | 1 of 1 | 1 | 0.0 | yes |",
        "| 4 | abc | 1970-01-01 00:00 | 750 | 5 | 3 | 10 | 15 | 0 | 1 | 0 | final-state 1 | 1 of 1 | 1 | 0.0 | NO |",
        "",
        "| what | times |",
        "|---|---|",
        "| kill -9 of workers | 6 |",
        "| kill -9 of connectors | 0 |",
        "| kill -9 of one broker or the controller | 0 |",
        "| kill -9 of all brokers at once | 0 |",
        "| SIGSTOP of workers, connectors, brokers | 2 |",
        "| rebalances | 2 |",
        "| strikes of all kinds | 10 |",
        "| seeds | 1 |",
        "| seconds under faults | 1,500 |",
        "| workers that ended by themselves and began again | 2 |",
        "",
        (
            "| fault | target | times | lost | doubled | first frame p50 s | max s | first output p50 s | max s "
            "| of them alone | p50 s | max s |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        "| kill | worker | 6 | 0 | see runs |  |  | 4.5 | 7.0 | 2 | 2.0 | 2.0 |",
        "| stop | broker | 2 | 0 | see runs |  |  | 9.5 | 9.5 | 0 |  |  |",
        "| vendor-cut | vendor | 2 | 0 | see runs | 1.0 | 1.0 | 3.5 | 3.5 | 2 | 3.5 | 3.5 |",
        "",
        (
            "Around 4 rebalances a group stood still for 3.0 s (p50), 4.0 s (p99), 4.0 s (max), of its worst partition "
            "and with whatever else struck then."
        ),
        "A reader of committed records was blocked for 0.0 s at most ().",
    ]
