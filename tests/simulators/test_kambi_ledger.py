"""The ledger file: what is written can be read, also after a kill in the middle of a line."""

from simulators.kambi.ledger import Fact, Line, read_ledger
from simulators.ledger import Ledger

FACT = Fact(child=0, change=3, mt=11, t=1_790_000_000_000, event=1, offer=2, outcome=1 << 60, value=1850)
LINES = [
    Line(kind="connect", sid="s", sent_ns=1),
    Line(kind="subscribe", sid="s", sent_ns=2, key="k", refused=True),
    Line(kind="frame", sid="s", sent_ns=3, n=1, packet='2["message","[]"]', key="k", facts=(FACT,), fault="junk"),
    Line(kind="disconnect", sid="s", sent_ns=4, n=1, reason="gone"),
]


def test_lines_are_read_as_they_were_written_over_restarts(tmp_path):
    path = tmp_path / "deep" / "ledger.jsonl"
    for line in LINES:
        ledger = Ledger(path)
        ledger.append(line)
        ledger.close()
        ledger.close()
    assert list(read_ledger(path)) == LINES


def test_a_line_is_in_the_file_when_append_returns(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(LINES[0])
    assert list(read_ledger(tmp_path / "ledger.jsonl")) == LINES[:1]
    ledger.close()


def test_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    for line in LINES:
        ledger.append(line)
    ledger.close()
    path.write_bytes(path.read_bytes()[:-5])
    assert list(read_ledger(path)) == LINES[:-1]
    ledger = Ledger(path)
    ledger.append(LINES[-1])
    ledger.close()
    assert list(read_ledger(path)) == LINES


def test_no_path_keeps_no_ledger():
    ledger = Ledger(None)
    ledger.append(LINES[0])
    ledger.close()
