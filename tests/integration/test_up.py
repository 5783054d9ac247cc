"""``tricast up`` as a user runs it: one command, its own Kafka, real processes, real sockets."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from schemas.metrics import METRICS
from tests.integration.scraped import scrape
from tests.security.listeners import foreign, listeners_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

PROCESSES = {
    *("connect-fastpath", "connect-kambi", "connect-rms", "monitor"),
    *("work-fastpath.audit", "work-kambi", "work-rms.approvals", "work-rms.bets", "work-rms.join"),
    *("work-fastpath.state", "work-kambi.state"),
}
NEED_TROUBLE = {"tricast_worker_dead_letters_total"}
"""Metrics that have no sample while all is well."""
FIRST_RECORD_S = 60.0
"""On a busy machine; what a quiet one needs is in the README."""


def environment():
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")}
    cache = os.environ.get("TRICAST_CACHE_DIR")
    return ours if cache is None else {**ours, "TRICAST_CACHE_DIR": cache}


class Up:
    """A running ``tricast up`` whose output is read as it comes."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self.lines: list[str] = []
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tricast", "up", "--data-dir", str(directory / "data"), *arguments],
            cwd=directory,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def until(self, pattern: str, timeout_s: float = FIRST_RECORD_S) -> str:
        deadline = time.monotonic() + timeout_s
        while not (found := [line for line in self.lines if re.search(pattern, line)]):
            assert time.monotonic() < deadline, f"no {pattern!r} in:\n" + "\n".join(self.lines)
            assert self.process.poll() is None, "it ended:\n" + "\n".join(self.lines)
            time.sleep(0.05)
        return found[0]

    def worker(self) -> psutil.Process | None:
        """Return the worker's process while it runs."""
        for child in psutil.Process(self.process.pid).children():
            if child.cmdline()[-2:] == ["work-one", "kambi"]:
                return child
        return None

    def end(self, timeout_s: float = 60.0) -> int:
        try:
            return self.process.wait(timeout_s)
        finally:
            self.process.kill()
            self._reader.join(5)


def until(condition, timeout_s=30.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def left_over(directory: Path) -> list[str]:
    """Return the command lines of processes that still work on ``directory``."""
    return [
        " ".join(process.info["cmdline"])
        for process in psutil.process_iter(["cmdline"])
        if any(str(directory) in word for word in process.info["cmdline"] or ())
    ]


def test_survives_a_killed_worker_ends_on_ctrl_c_and_keeps_its_data(tmp_path):
    first, addresses = Up(tmp_path), tmp_path / "data" / "observe"
    try:
        first.until("first normalized record after")
        listeners = set(listeners_of(psutil.Process(first.process.pid)))
        assert len(listeners) >= 5, "two of Kafka, and those of three simulators"
        assert foreign(listeners) == []
        scraped = scrape(tmp_path / "data" / "observe")
        assert scraped.processes == PROCESSES
        assert scraped.families == METRICS.keys(), "each name of the registry, and no other"
        killed = first.worker()
        assert killed is not None
        until(lambda: scrape(addresses).told >= METRICS.keys() - NEED_TROUBLE)
        scraped = scrape(addresses)
        assert scraped.processes == PROCESSES
        assert scraped.families == METRICS.keys(), "each name of the registry, and no other"
        killed.kill()
        first.until("work kambi ended by signal 9; starting again in")
        until(lambda: first.worker() not in (None, killed))
        first.process.send_signal(signal.SIGINT)
        assert first.end() == 0, "\n".join(first.lines)
    finally:
        first.process.kill()
    assert left_over(tmp_path) == []

    second = Up(tmp_path, "--for", "25", "--json")
    code = second.end(120)
    shown = "\n".join(second.lines)
    assert code == 0, shown
    summary = json.loads(next(line for line in second.lines if line.startswith("{")))
    audit = summary["audit"]
    assert summary["first_normalized_s"] is not None
    assert summary["records"] > 0
    assert audit["clean"]
    assert (audit["lost"], audit["duplicated"], audit["out_of_order"], audit["unexpected"], audit["holes"]) == (0,) * 5
    assert audit["ledger"]["in raw, byte for byte"] > 0
    # The audit judged the first run, too: its lines' connections are the far ends of this run's gaps.
    assert audit["control_records"]["opened"] >= 4
    assert len(audit["gaps"]) >= 2
    assert left_over(tmp_path) == []


def test_a_wrong_setting_stops_it_before_anything_starts(tmp_path):
    (tmp_path / "tricast.toml").write_text('[kambi]\npush_ulr = "wss://eu-push.kambicdn.com"\n')
    up = Up(tmp_path)
    assert up.end() == 2
    assert any("did you mean kambi.push_url?" in line for line in up.lines)
    assert not (tmp_path / "data").exists()
