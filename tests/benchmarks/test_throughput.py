"""Peers and their environments, the figures of a comparison, and one small run of a peer that needs nothing more."""

import re
from dataclasses import replace

import pytest

from benchmarks import throughput
from benchmarks.check import Found
from benchmarks.conditions import Conditions, Scale
from benchmarks.contenders import BYTEWAX, CONFLUENT_CHANGELOG, ENGINE, FAUST, PEERS
from benchmarks.cores import Cores
from benchmarks.environments import PEERS as FOLDER
from benchmarks.environments import STREAMS, NotMade
from benchmarks.peer import Report

LOCKED = sorted({peer.environment for peer in PEERS if peer.environment and peer.environment != STREAMS})


@pytest.mark.parametrize("name", LOCKED)
def test_an_environment_is_locked_by_hashes_and_nothing_else(name):
    asked = (FOLDER / "locks" / f"{name}.in").read_text().split()
    lock = (FOLDER / "locks" / f"{name}.lock").read_text()
    pins = re.findall(r"^([\w.-]+)==\S+", lock, re.MULTILINE)
    assert set(asked) <= set(pins)
    hashed = re.findall(r"^[\w.-]+==[^\n]*(?:\n +--hash=sha256:[0-9a-f]{64}[^\n]*)+", lock, re.MULTILINE)
    assert len(hashed) == len(pins)
    assert "://" not in lock


def test_every_lock_is_of_a_peer_and_every_program_is_there():
    assert {path.stem for path in (FOLDER / "locks").glob("*.lock")} == set(LOCKED)
    root = FOLDER.parents[1]
    for peer in PEERS:
        path = root / peer.module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), peer.module


def run(peer, number, rate, **found):
    report = Report(frames=1_000, seconds=1_000 / rate, cpu_seconds=0.5, core_wait_seconds=0, rss_mib=1, settings={})
    found = Found(**{"outputs": 4_000, "repeats": 0, "wrong_keys": 0, "changelog_records": 0, **found})
    return throughput.Run(peer=peer, round=number, report=report, found=found)


def result(*runs, **missing):
    return throughput.Throughput(children=4, frames=1_000, rounds=2, runs=list(runs), missing=missing)


def test_ratios_are_of_the_same_round():
    found = result(run(ENGINE, 1, 100), run(FAUST, 1, 10), run(ENGINE, 2, 300), run(FAUST, 2, 15))
    assert throughput.ratios(found, FAUST).same_round == pytest.approx(15)
    assert throughput.ratios(found, FAUST).best == pytest.approx(20)


def test_a_target_is_met_by_the_measured_ratio_alone():
    found = throughput.section(result(run(ENGINE, 1, 150), run(FAUST, 1, 10), run(CONFLUENT_CHANGELOG, 1, 151)))
    assert [verdict.text.partition(" (")[0] for verdict in found.verdicts if verdict.met] == [
        f"floor: engine at least 15 times {FAUST.name}, 4 children a frame: 15.00 times"
    ]
    unmet = [verdict.text.partition(" (")[0] for verdict in found.verdicts if not verdict.met]
    assert f"floor: engine at least 1 times {CONFLUENT_CHANGELOG.name}, 4 children a frame: 0.99 times" in unmet
    assert f"aim: engine at least 1.2 times {BYTEWAX.name}, 4 children a frame: not measured" in unmet
    assert found.is_complete


@pytest.mark.parametrize("spoilt", [{"wrong_keys": 1}, {"repeats": 1}])
def test_wrong_outputs_of_one_run_spoil_the_section(spoilt):
    assert not throughput.section(result(run(ENGINE, 1, 100), run(ENGINE, 2, 100, **spoilt))).is_complete


def test_a_peer_without_environment_is_left_out_and_named(monkeypatch):
    class Absent(type(FAUST)):
        def prepare(self, tell):
            raise NotMade("no network")

    absent = Absent(name="absent", module="none", exactly_once=False, restart="")
    monkeypatch.setattr(throughput, "PEERS", (absent,))
    conditions = Conditions(
        bootstrap="",
        cores=Cores(broker=None, worker=None, load=None),
        scale=Scale(rounds=1, frames=10, latency_s=1),
        tell=lambda _: None,
    )
    found = throughput.measure(conditions, 4)
    assert found.missing == {"absent": "no network"}
    section = throughput.section(found)
    assert not section.is_complete
    assert "- absent: **not measured, or not in all rounds**: no network" in section.notes


@pytest.mark.kafka
def test_a_peer_is_measured_and_its_outputs_are_read_back(kafka, monkeypatch):
    ours = replace(CONFLUENT_CHANGELOG, environment=None)
    monkeypatch.setattr(throughput, "PEERS", (ours,))
    conditions = Conditions(
        bootstrap=kafka,
        cores=Cores(broker=None, worker=None, load=None),
        scale=Scale(rounds=1, frames=500, latency_s=1),
        tell=lambda _: None,
    )
    (found,) = throughput.measure(conditions, 40).runs
    assert found.report.frames == throughput.FRAMES_TIMES * 50, "the warm-up is not measured"
    assert found.found.changelog_records > 0
    assert found.is_right
