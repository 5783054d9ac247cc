"""Raw against the simulator's ledger, with faults planted in either."""

import json

import pytest

from schemas.errors import ConfigurationError
from tricast.audit.kambi_ledger import KambiLedger
from tricast.audit.ledger import IN_FLIGHT_NS, Ledger
from tricast.audit.records import Raw
from tricast.audit.report import Gap, Report
from tricast.audit.scratch import scratch_database

START_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000
PACKETS = ['0{"sid":"s1"}', '2["message","[1]"]', '2["message","[2]"]', '2["message","[3]"]']


@pytest.fixture
def check(tmp_path):
    with scratch_database() as database:
        path = tmp_path / "ledger.jsonl"

        def run(raws, packets=PACKETS, sid="s1", gaps=(), tail=b""):
            lines = [{"kind": "connect", "sid": sid, "sent_ns": START_NS}]
            lines += [
                {"kind": "frame", "sid": sid, "n": n, "packet": packet, "sent_ns": START_NS + n * SECOND_NS}
                for n, packet in enumerate(packets, 1)
            ]
            path.write_bytes(b"".join(json.dumps(line).encode() + b"\n" for line in lines) + tail)
            report = Report(gaps=list(gaps))
            ledger = Ledger(path, KambiLedger(), database)
            for raw in raws:
                ledger.observe(raw, repeat=False, report=report)
            ledger.finish(report)
            return report

        yield run


def frame(n, packet=None, connection="c1", kind="frame", at_s=None):
    return Raw(
        partition=0,
        offset=n,
        kind=kind,
        line="kambi-0-general",
        connection=connection,
        frame=n,
        received_ns=START_NS + int((n if at_s is None else at_s) * SECOND_NS),
        value=(PACKETS[n - 1] if packet is None else packet).encode(),
    )


def gap(connection="c1", from_s=0, until_s=100):
    return Gap(
        line="kambi-0-general",
        previous_connection=connection,
        previous_frame=None,
        connection="c2",
        from_ns=START_NS + from_s * SECOND_NS,
        until_ns=START_NS + until_s * SECOND_NS,
    )


def test_same_bytes_match(check):
    report = check([frame(n) for n in (1, 2, 3, 4)])
    assert not report.findings
    assert report.ledger is not None
    assert report.ledger["in raw, byte for byte"] == 4


def test_other_bytes_are_named(check):
    report = check([frame(1), frame(2, '2["message","[ 1]"]'), frame(3), frame(4)])
    assert dict(report.findings) == {"ledger-altered": 1}
    assert "frame 2" in report.examples["ledger-altered"][0]


def test_packet_that_was_never_sent_is_named(check):
    report = check([*(frame(n) for n in (1, 2, 3, 4)), frame(5, "2[]")])
    assert dict(report.findings) == {"ledger-altered": 1}


def test_missing_tail_is_lost_without_a_gap(check):
    tick = frame(2, "{}", kind="tick", at_s=60)
    report = check([frame(1), frame(2), tick])
    assert dict(report.findings) == {"ledger-lost": 2}
    assert "packet 3 of s1" in report.examples["ledger-lost"][0]


def test_missing_tail_is_in_a_recorded_gap(check):
    report = check([frame(1), frame(2), frame(2, "{}", kind="tick", at_s=60)], gaps=[gap()])
    assert not report.findings
    assert report.ledger is not None
    assert report.ledger["in recorded gaps"] == 2


def test_missing_tail_may_be_on_its_way(check):
    report = check([frame(1), frame(2, at_s=3 + IN_FLIGHT_NS / SECOND_NS - 1)])
    assert not report.findings
    assert report.ledger is not None
    assert report.ledger["on their way at the end"] == 2


def test_connection_that_is_not_in_raw_at_all_is_lost(check):
    report = check([frame(1, "{}", kind="tick", connection="c9", at_s=60)])
    assert report.findings["ledger-lost"] == 4


def test_other_runs_are_left_alone_and_a_torn_last_line_is_left_out(check):
    report = check(
        [frame(1, '0{"sid":"older"}', connection="c0"), *(frame(n) for n in (1, 2, 3, 4))], tail=b'{"kind":"fr'
    )
    assert not report.findings
    assert report.ledger is not None
    assert report.ledger["frames of other runs"] == 1


def test_no_ledger_is_said(tmp_path):
    path = tmp_path / "other.jsonl"
    path.write_text("hello\n")
    with scratch_database() as database, pytest.raises(ConfigurationError, match="line 1 is no line of a ledger"):
        Ledger(path, KambiLedger(), database)
