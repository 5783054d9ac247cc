"""What a replay says when what is in Kafka is not what comes out: pure, over recorded frames."""

import pytest

from processors.core.kambi.processor import KambiProcessor
from processors.engine.cycle import Partitioner
from processors.engine.task import Partition
from processors.engine.topology import Topology
from schemas.replay import Position, ReplayRequest
from schemas.topics import TOPICS
from tests.replay.frames import EVENTS, START_MS, Careless, Row, frames
from tricast.audit.scratch import scratch_database
from tricast.replay.bench import Bench
from tricast.replay.play import Player
from tricast.replay.report import Report
from tricast.replay.window import Window, Windows
from tricast.replay.written import Written

FRAMES = 24
PREFIX = "tricast."
RAW = Partition(PREFIX + "kambi.raw", 0)
ODDS = ("kambi.offers", "tricast.kambi.odds.changed.v1")
COMPACTED = frozenset({"kambi.health"})


def player(processor=None, begin=0):
    topology = Topology.of(KambiProcessor(), PREFIX, TOPICS)
    partitioner = Partitioner()
    for name, topic in topology.outputs.items():
        partitioner.set_count(name, topic.partitions)
    return Player(
        processor or KambiProcessor(),
        RAW,
        begin=begin,
        outputs=topology.outputs,
        version="1",
        partitioner=partitioner,
    )


def played(processor=None, records=None):
    records = list(frames(FRAMES)) if records is None else records
    return player(processor).play(records, records[-1].offset + 1)


def in_topics(written):
    """Return records with the offsets they would have."""
    ends = {}
    for record in written:
        place = (record.topic, record.partition)
        ends[place] = ends.get(place, -1) + 1
        yield record, ends[place]


def compared(real, *, expected=None, start=0, end=FRAMES, begins=0, shown=5):
    end_ms = START_MS + end * 100
    window = Window(
        processor="kambi",
        partition=RAW,
        begin=0,
        start=start,
        end=end,
        played=end,
        start_ms=START_MS + start * 100,
        end_ms=end_ms,
        checkpoint=end,
    )
    report = Report(shown=shown)
    with scratch_database() as database:
        bench = Bench(database, Windows([window]), COMPACTED)
        expected = played() if expected is None else expected
        for inside in (False, True):
            bench.expect("kambi", [each for each in expected if is_inside(each, start, end) is inside], inside=inside)
        for topic in ("kambi.offers", "kambi.health", "kambi.dead-letters"):
            for partition in range(TOPICS[topic].partitions):
                bench.begins(topic, partition, begins)
        bench.observe(real)
        bench.judge(report)
    return report


def is_inside(record, start, end):
    if record.source is not None:
        return start <= record.source.offset < end
    return START_MS + start * 100 <= record.timestamp < START_MS + end * 100


def changed(record, **fields):
    whole = {name: getattr(record, name) for name in ("topic", "partition", "key", "value", "headers", "timestamp")}
    return Written(**whole | fields)


def with_header(record):
    return changed(record, headers=[(n, b"x" if n == "ce_source" else v) for n, v in record.headers])


def test_the_same_is_equal():
    report = compared(in_topics(played()))
    assert report.equal
    assert set(report.totals()) == {"equal"}
    assert report.outputs[ODDS]["equal"] == 3 * (FRAMES - 2)  # a frame is a repeat
    assert report.outputs["kambi.dead-letters", "kambi.bad-element"]["equal"] == 3
    assert any(topic == "kambi.health" for topic, _ in report.outputs)


def test_a_window_is_compared_alone():
    report = compared(in_topics(played()), start=10, end=15)
    assert report.equal
    assert report.outputs[ODDS] == {"equal": 15}


@pytest.mark.parametrize(
    ("spoil", "outcome", "said"),
    [
        (lambda real: real.pop(20), "missing", "ce_id: tricast.kambi.raw/0/"),
        (lambda real: real.insert(30, real[20]), "extra", "ce_id: tricast.kambi.raw/0/"),
        (
            lambda real: real.insert(20, changed(real.pop(20), value=b'{"event_id":1}')),
            "different",
            "value.event_id: 10",
        ),
        (lambda real: real.insert(20, with_header(real.pop(20))), "different", "header ce_source: tricast"),
        (lambda real: real.insert(20, changed(real.pop(20), timestamp=1)), "different", "timestamp: 17900000"),
    ],
    ids=["lost", "twice", "value", "header", "timestamp"],
)
def test_what_was_spoilt_is_named(spoil, outcome, said):
    real = played()
    spoil(real)
    report = compared(in_topics(real))
    assert not report.equal
    assert {name: number for name, number in report.totals().items() if name != "equal"} == {outcome: 1}
    assert any(line.startswith(said) for line in report.differences[outcome][0].lines)


def test_order_per_key():
    real = played()
    mine = [at for at, record in enumerate(real) if record.key == str(EVENTS[0]).encode()]
    real[mine[2]], real[mine[3]] = real[mine[3]], real[mine[2]]
    report = compared(in_topics(real))
    assert report.totals()["reordered"] == 1
    assert report.differences["reordered"][0].lines[0].startswith(f"key {EVENTS[0]}: stands before")
    others = [at for at, record in enumerate(real) if record.key == str(EVENTS[1]).encode()]
    real = played()
    real[mine[2]], real[others[2]] = real[others[2]], real[mine[2]]
    assert compared(in_topics(real)).equal


def test_versions_of_dead_letters_are_no_difference():
    def by_version(number):
        return [
            changed(each, headers=[(n, number if n == "tc-version" else v) for n, v in each.headers])
            for each in played()
        ]

    assert compared(in_topics(by_version(b"2")), expected=by_version(b"1")).equal


def test_a_broken_rule_is_shown_by_type_and_field():
    report = compared(in_topics(played()), expected=played(Careless()), shown=2)
    odds_changed = report.outputs[ODDS]
    each = FRAMES - 2
    assert odds_changed == {"equal": each, "different": each, "extra": each}
    assert report.outputs["kambi.dead-letters", "kambi.bad-element"] == {"extra": 3}
    assert len(report.differences["different"]) == len(report.differences["extra"]) == 2
    (line,) = report.differences["different"][0].lines
    assert line == "value.outcomes[0].odds_thousandths: 91510 -> 1510"


def test_what_kafka_removed_is_no_difference():
    real = list(in_topics(played()))
    health = [record.kind for record, _ in real if record.topic == "kambi.health"]
    assert len(health) > 1
    newest = {record.key: at for at, (record, _) in enumerate(real) if record.topic == "kambi.health"}
    compact = [each for at, each in enumerate(real) if each[0].topic != "kambi.health" or at in newest.values()]
    report = compared(compact)
    assert report.equal
    without = [each for each in real if each[0].topic != "kambi.health"]
    assert compared(without).totals()["missing"] == len(health)
    offers = [each for each in real if each[0].topic == "kambi.offers"]
    kept = compared([each for each in real if each not in offers[:4]], begins=1)
    assert kept.equal
    assert kept.totals()["expired"] == 4
    assert compared([each for each in real if each not in offers[:4]], begins=0).totals()["missing"] == 4


def message(text, key=b"k", at_ms=START_MS):
    return Written(topic="rms.pending", partition=0, key=key, value=text, headers=[], timestamp=at_ms)


def test_records_without_headers_are_compared_by_type_and_order():
    expected = [
        message(b'{"type":"time","n":1}'),
        message(b'{"type":"time","n":1}'),
        message(b'{"type":"placed","n":2}'),
    ]
    assert compared(in_topics(expected), expected=expected).outputs == {
        ("rms.pending", "time"): {"equal": 2},
        ("rms.pending", "placed"): {"equal": 1},
    }
    other = [*expected[:2], message(b'{"type":"placed","n":3}')]
    report = compared(in_topics(other), expected=expected)
    assert report.outputs["rms.pending", "placed"] == {"different": 1}
    assert report.differences["different"][0].lines == ["value.n: 2 -> 3"]
    report = compared(in_topics(expected[:1]), expected=expected)
    assert report.totals() == {"equal": 1, "missing": 2}
    # Of another time: not of the window, whoever wrote it.
    late = message(b'{"type":"time","n":9}', at_ms=START_MS + FRAMES * 100)
    assert compared(in_topics([*expected, late]), expected=expected).equal
    assert compared(in_topics([*expected, message(b'{"type":"time","n":9}')]), expected=expected).totals()["extra"] == 1


def test_what_a_request_led_to_belongs_to_the_request():
    records = list(frames(FRAMES))
    letter = next(each for each in played() if each.topic == "kambi.dead-letters")
    headers = dict(letter.headers)
    request = ReplayRequest(
        of=Position.read(headers["tc-source"].decode()),
        letter=Position("tricast.kambi.dead-letters", 0, 0),
        attempt=1,
        code=headers["tc-code"].decode(),
        timestamp_ms=letter.timestamp,
        stamps=tuple(letter.headers),
    )
    at_ms = START_MS + FRAMES * 100
    records.append(Row(RAW.topic, 0, FRAMES, at_ms, letter.key, letter.value, tuple(request.to_kafka())))
    written = played(records=records)
    real = list(in_topics(written))
    report = compared(real, expected=written, start=FRAMES, end=FRAMES + 1)
    assert report.equal
    assert report.outputs == {("kambi.dead-letters", headers["tc-code"].decode()): {"equal": 1}}
    assert compared(real, expected=written, end=FRAMES).equal  # and to nothing before it
    without = [each for each in real if each[0] is not written[-1]]
    assert compared(without, expected=written, start=FRAMES, end=FRAMES + 1).totals() == {"missing": 1}


def test_nothing_proves_nothing():
    report = compared([], expected=[])
    assert report.too_little
    assert not report.equal


@pytest.mark.parametrize("text", ["", "kambi.raw", "kambi.raw/0", "kambi.raw/0/x", f"kambi.raw/0/{'9' * 5000}"])
def test_an_id_that_is_no_position_names_no_source(text):
    strange = Written(
        topic="kambi.offers", partition=0, key=None, value=b"", headers=[("ce_id", text.encode())], timestamp=START_MS
    )
    assert strange.source is None
