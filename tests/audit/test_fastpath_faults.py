"""The audit of FastPath over records in which faults were planted; each must be named, and nothing else."""

import json
from collections import Counter

import pytest

from schemas.record import KafkaRecord
from tricast.audit.fastpath.judge import Judge
from tricast.audit.order import SequenceOrder
from tricast.audit.records import Output, Raw, to_output
from tricast.audit.report import Report

FIXTURE = "11111111-2222-4333-8444-555555555555"
FEED = f"soccer/fixtures/{FIXTURE}/actions"
RAW = "t.fastpath.raw"
SECOND_NS = 1_000_000_000
START_NS = 1_790_000_000 * SECOND_NS


class Kept:
    """A record of Kafka."""

    def __init__(self, topic, offset, value, headers):
        self.topic, self.partition, self.offset, self.timestamp = topic, 0, offset, START_NS // 1_000_000
        self.key, self.value, self.headers = FIXTURE.encode(), json.dumps(value).encode(), headers


class Road:
    """Raw records of one partition and what was made of them, by hand."""

    def __init__(self):
        self.raws: list[Raw] = []
        self.outputs: list[Output] = []
        self.frames: Counter[str] = Counter()
        self.written = 0

    def frame(self, body, connection="c1", seconds=1):
        self.frames[connection] += 1
        return self._raw("frame", json.dumps(body).encode(), connection, seconds)

    def action(self, number, action="a", send="Confirmed", connection="c1", **more):
        body = {"fixtureId": FIXTURE, "fixtureSeqNum": number, "actionId": f"{action}{number}", "sendType": send}
        return self.frame({"fixtureAction": body | more, "fixtureSummary": {}}, connection)

    def tick(self, seconds=10, connection="c1"):
        return self._raw("tick", b"{}", connection, seconds)

    def _raw(self, kind, value, connection, seconds):
        received_ns = (self.raws[-1].received_ns if self.raws else START_NS) + seconds * SECOND_NS
        raw = Raw(
            partition=0,
            offset=len(self.raws),
            kind=kind,
            line=FEED,
            connection=connection,
            frame=self.frames[connection],
            received_ns=received_ns,
            value=value,
            key=FEED,
        )
        self.raws.append(raw)
        return raw.offset

    def record(self, offset, sequence, vendor=None, index=0, fixture=FIXTURE, kind="action", **marks):
        value = {"feed": FEED, "fixture_id": fixture, "sequence": sequence, "vendor_sequence": vendor or sequence}
        topic = "statistics" if kind == "statistics" else "actions"
        self._output(topic, offset, index, f"tricast.fastpath.{kind}.v1", value | marks)

    def unordered(self, offset, index=0):
        self._output("actions", offset, index, "tricast.fastpath.action.v1", {"feed": FEED, "fixture_id": FIXTURE})

    def finding(self, offset, finding, *missing, index=1, series="actions"):
        value = {"feed": FEED, "fixture_id": FIXTURE, "finding": finding, "missing": missing, "series": series}
        self._output("sequence", offset, index, "tricast.fastpath.sequence.finding.v1", value)

    def _output(self, topic, offset, index, kind, value):
        headers = [("ce_id", f"{RAW}/0/{offset}/{index}".encode()), ("ce_type", kind.encode())]
        record: KafkaRecord = Kept(f"t.fastpath.{topic}", self.written, value, headers)
        self.written += 1
        self.outputs.append(to_output(record, RAW, dead=False))

    def dead(self, offset):
        headers = [("tc-source", f"{RAW}/0/{offset}".encode()), ("tc-code", b"fastpath.not-json")]
        record: KafkaRecord = Kept("t.fastpath.dead-letters", self.written, {}, headers)
        self.written += 1
        self.outputs.append(to_output(record, RAW, dead=True))

    def judged(self):
        report = Report()
        order = SequenceOrder(report)
        for output in self.outputs:
            if not output.dead:
                order.observe(output)
        judge = Judge(RAW, 0, report, from_start=True, ledger=None, hold_ms=2000)
        for raw in self.raws:
            judge.judge(raw, [output for output in self.outputs if output.source_offset == raw.offset])
        judge.finish()
        return report


@pytest.fixture
def road():
    return Road()


def findings(road):
    return {kind: number for kind, number in road.judged().findings.items() if number}


def test_nothing_is_said_of_what_is_right(road):
    road.frame({"message": "Authorisation accepted", "level": "INFO"})
    for number in (1, 2, 3):
        road.record(road.action(number), number)
    road.action(3, connection="c2")  # the overlap of a reconnect
    road.frame({"eventElementType": "ConnectionStateChanged", "state": "Connected"})
    road.dead(road.frame([1, 2]))
    road.tick()
    report = road.judged()
    assert not report.findings
    assert (report.candidates, report.duplicates, report.passed_over) == (5, 1, 2)
    assert report.normalized == {"tricast.fastpath.action.v1": 3}


def test_a_packet_without_a_record_is_lost(road):
    road.record(road.action(1), 1)
    road.action(2)
    road.record(road.action(3), 3)
    road.tick()
    assert findings(road) == {"lost": 2}  # the packet, and its number, which no finding names


def test_a_missing_number_must_be_named(road):
    road.record(road.action(1), 1)
    last = road.action(5)
    road.record(last, 5)
    assert findings(road) == {"lost": 3}
    road.finding(last, "gap_suspected", [2, 3])
    assert findings(road) == {"lost": 1}
    road.finding(road.tick(), "not_repairable", [4, 4])
    assert findings(road) == {}


def test_a_number_named_as_lost_that_is_there_is_a_lie(road):
    for number in (1, 2, 3):
        road.record(road.action(number), number)
    road.finding(road.tick(), "not_repairable", [2, 2])
    assert findings(road) == {"unexpected": 1}
    road.finding(road.tick(), "gap_repaired", [2, 2])
    assert findings(road) == {}


def test_a_lie_deep_in_a_wide_range_is_found(road):
    road.record(road.action(1), 1)
    road.finding(road.action(2**40), "gap_suspected", [2, 2**40 - 1])
    road.record(1, 2**40)
    road.finding(road.tick(), "not_repairable", [2, 2**40 - 1])
    assert findings(road) == {}
    late = road.action(500_000)
    road.record(late, 500_000, late=True)
    assert findings(road) == {"unexpected": 1}
    road.finding(late, "gap_closed", [500_000, 500_000])
    assert findings(road) == {}


def test_one_number_twice_is_doubled(road):
    road.record(road.action(1), 1)
    road.record(road.action(1, connection="c2"), 1)
    assert findings(road) == {"duplicated": 1, "reordered": 1}


def test_an_older_number_needs_a_mark(road):
    for number in (1, 3):
        road.record(road.action(number), number)
    road.finding(road.tick(), "gap_suspected", [2, 2])
    late = road.action(2)
    road.record(late, 2)
    assert findings(road) == {"reordered": 1}
    road.outputs.pop()
    road.record(late, 2, late=True)
    assert findings(road) == {}


def test_a_conflict_is_no_second_record_of_its_number(road):
    road.record(road.action(1), 1)
    other = road.action(1, action="b")
    road.finding(other, "conflict")
    road.record(other, 1, conflict=True)
    assert findings(road) == {}


def test_a_duplicate_is_explained_by_its_finding_only(road):
    road.record(road.action(1), 1)
    again = road.action(7, action="other")  # neither content nor number are known
    road.tick()
    assert findings(road) == {"lost": 1}
    road.finding(again, "duplicate")
    assert findings(road) == {}


def test_what_is_held_at_the_end_is_not_lost(road):
    road.record(road.action(1), 1)
    road.action(3)
    report = road.judged()
    assert (report.held, dict(report.findings)) == (1, {})
    road.tick(seconds=3)
    assert findings(road) == {"lost": 1}


def test_records_must_say_what_the_packet_said(road):
    road.record(road.action(4), 4, vendor=5)
    road.record(road.action(5), 5, fixture="another")
    assert findings(road) == {"unexpected": 2}


def test_a_record_made_from_a_heartbeat_is_unexpected(road):
    road.record(road.frame({"message": "Heartbeat sent at 2026-11-20T18:00:10.412Z", "level": "INFO"}), 1)
    road.record(road.tick(), 2)
    assert findings(road) == {"unexpected": 2}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"nothing": 1},
        {"seqNum": True, "eventElementType": "Alarm"},
        {"seqNum": -1, "eventElementType": "Alarm"},
        {"seqNum": 1.5, "eventElementType": "Alarm"},
        {"seqNum": 2**63, "eventElementType": "Alarm"},
        {"fixtureAction": {"fixtureSeqNum": "x"}},
    ],
)
def test_what_cannot_be_read_needs_a_dead_letter(road, body):
    offset = road.frame(body)
    assert findings(road) == {"lost": 1}
    road.dead(offset)
    assert findings(road) == {}


def test_statistics_count_by_themselves(road):
    for number in (1, 2, 4):
        road.record(road.action(number), number)
        road.record(
            road.frame({"seqNum": number, "fixtureId": FIXTURE, "timestamp": f"{number}"}), number, kind="statistics"
        )
    road.finding(road.tick(), "gap_suspected", [3, 3])
    assert findings(road) == {"lost": 1}
    road.finding(road.tick(), "gap_suspected", [3, 3], series="statistics")
    assert findings(road) == {}


def test_a_packet_without_number_becomes_one_record(road):
    offset = road.frame({"fixtureAction": {"actionId": "a"}})
    assert findings(road) == {"lost": 1}
    road.unordered(offset)
    assert findings(road) == {}
    road.unordered(offset, index=1)
    assert findings(road) == {"duplicated": 1}


def test_what_two_connections_brought_under_two_numbers_is_doubled(road):
    road.record(road.action(1), 1)
    road.record(
        road.frame(
            {"fixtureAction": {"fixtureId": FIXTURE, "fixtureSeqNum": 7, "actionId": "a1", "sendType": "Confirmed"}},
            "c2",
        ),
        2,
        vendor=7,
    )
    assert findings(road) == {"duplicated": 1}


@pytest.mark.parametrize(
    ("body", "fixture", "number"),
    [
        (b'\xef\xbb\xbf{"seqNum": 1, "eventElementType": "x"}', FIXTURE, 1),
        (b'{"seqNum": 1E1, "eventElementType": "x"}', FIXTURE, 10),
        (b'{"seqNum": 41.00, "eventElementType": "x"}', FIXTURE, 41),
        (b'{"seqNum": "00000000000000000000000041", "eventElementType": "x"}', FIXTURE, 41),
        (b'{"seqNum": 2, "eventElementType": "x", "fixtureId": "another"}', "another", 2),
        (b'{"seqNum": 2, "message": "x"}', FIXTURE, 2),
        (b'{"dataType": "eventdata", "message": {"seqNum": 3, "eventElementType": "x"}}', FIXTURE, 3),
        (b'{"dataType": "new", "feedType": "leaderboard", "eventId": 7, "message": {"seqNum": 3}}', "leaderboard/7", 3),
    ],
)
def test_numbers_and_fixtures_in_every_spelling(road, body, fixture, number):
    road.frames["c1"] += 1
    road.record(road._raw("frame", body, "c1", 1), number, fixture=fixture)
    assert findings(road) == {}


def test_a_repeat_makes_nothing(road):
    first = road.action(1)
    road.record(first, 1)
    road.frames["c1"] -= 1
    again = road.action(1)
    report = road.judged()
    assert (report.repeats, dict(report.findings)) == (1, {})
    road.record(again, 1)
    assert findings(road)["duplicated"] >= 1
