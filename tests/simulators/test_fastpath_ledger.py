"""The ledger file: what is written can be read, also after a kill in the middle of a line."""

from simulators.fastpath.ledger import Line, read_ledger
from simulators.ledger import Ledger

FEED = "soccer/fixtures/1/actions"
EVENT = Line(kind="frame", feed=FEED, at_ns=4, connection="c", n=1, sort="event", index=0, number=1)
LINES = [
    Line(kind="published", feed=FEED, at_ns=1, index=0, number=1),
    Line(kind="skipped", feed=FEED, at_ns=2, number=2, last=4),
    Line(kind="connect", feed=FEED, at_ns=3, connection="c", peer="127.0.0.1:5", position=7),
    EVENT.holding(b'{"a":"\xc3\xa9"}'),
    Line(kind="frame", feed=FEED, at_ns=5, connection="c", n=2, sort="other", fault="junk").holding(b"\xff\x00"),
    Line(kind="lost", feed=FEED, at_ns=6, connection="c", sort="event", index=1, number=5, fault="hole").holding(b"{}"),
    Line(kind="disconnect", feed=FEED, at_ns=7, connection="c", n=2, reason="gone"),
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


def test_bytes_come_back_exactly_also_those_that_are_no_text():
    assert [line.payload for line in LINES[3:6]] == [b'{"a":"\xc3\xa9"}', b"\xff\x00", b"{}"]
    assert LINES[4].packet is None
