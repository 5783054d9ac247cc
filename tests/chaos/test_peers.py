"""The ledger without the gate."""

import json
from pathlib import Path

from tests.chaos.peers import Passage, without_gate


def test_a_peer_is_the_port_that_was_dialled_from_at_that_time(tmp_path: Path):
    lines = [
        '{"kind":"connect","at_ns":100,"connection":"a","peer":"127.0.0.1:1"}',
        '{"kind":"frame","at_ns":110,"connection":"a","peer":"127.0.0.1:1"}',
        '{"kind":"connect","at_ns":200,"connection":"b","peer":"127.0.0.1:1"}',
        '{"kind":"connect","at_ns":300,"connection":"c","peer":"127.0.0.1:2"}',
    ]
    (tmp_path / "ledger").write_text("".join(f"{line}\n" for line in lines))
    passed = [Passage(95, "127.0.0.1:1", "127.0.0.1:71"), Passage(190, "127.0.0.1:1", "127.0.0.1:72")]
    without_gate(tmp_path / "ledger", passed, tmp_path / "out")
    told = [json.loads(line)["peer"] for line in (tmp_path / "out").read_text().splitlines()]
    assert told == ["127.0.0.1:71", "127.0.0.1:1", "127.0.0.1:72", "127.0.0.1:2"]
