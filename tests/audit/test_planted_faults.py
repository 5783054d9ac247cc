"""The audit over real topics in which faults were planted; each must be named, and nothing else."""

import contextlib
import json
import uuid
from dataclasses import dataclass, field

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import OffsetAndMetadata

from schemas.errors import EnvironmentFault
from schemas.raw import RawHeaders
from tricast.audit.report import Report
from tricast.audit.run import audit, kambi
from tricast.audit.spans import Kafka

pytestmark = pytest.mark.kafka

SECOND_NS = 1_000_000_000
START_NS = 1_790_000_000 * SECOND_NS
EVENT = 1020000001
ODDS = "tricast.kambi.odds.changed.v1"


def odds(t, *outcomes, event=EVENT, offer=2500000001):
    body = {"eventId": event, "outcomes": [{"id": i, "betOfferId": offer, "odds": o} for i, o in outcomes]}
    return {"t": str(t), "mt": 11, "boou": body}


def status(t, offer=2500000001, *, suspended=True):
    return {"t": str(t), "mt": 8, "bosu": {"eventId": EVENT, "betOfferId": offer, "suspended": suspended}}


@dataclass
class Road:
    """Raw and normalized topics of one test, written by hand."""

    servers: str
    prefix: str
    raw: list = field(default_factory=list)
    frames: dict = field(default_factory=dict)

    def frame(self, *children, line="kambi-0-general", connection="c1", packet=None, repeat=None):
        """Add a frame to raw; return its offset."""
        number = repeat or self.frames.get((line, connection), 0) + 1
        self.frames[line, connection] = number
        text = packet if packet is not None else f'2["message",{json.dumps(json.dumps(children))}]'
        return self._add(text.encode(), line, connection, number, "frame")

    def control(self, kind, value=None, line="kambi-0-general", connection="c1", frame=None):
        number = self.frames.get((line, connection), 0) if frame is None else frame
        self.frames[line, connection] = number
        return self._add(json.dumps(value or {}).encode(), line, connection, number, kind)

    def _add(self, value, line, connection, number, kind):
        offset = len(self.raw)
        headers = RawHeaders(
            feed="kambi",
            line=line,
            connection=connection,
            frame=number,
            received_ns=START_NS + offset * SECOND_NS,
            kind=kind,
        )
        self.raw.append((value, headers.to_kafka()))
        return offset

    def ce_id(self, offset, index):
        return f"{self.prefix}kambi.raw/0/{offset}/{index}"

    def snapshot(self, body, line="kambi-0-snapshots", connection="s1"):
        """Add an HTTP answer to raw; return its offset."""
        number = self.frames[line, connection] = self.frames.get((line, connection), 0) + 1
        return self._add(json.dumps(body).encode(), line, connection, number, "snapshot")

    def record(self, offset, index, kind=ODDS, outcomes=(), key=EVENT, source=None):
        """Return a normalized record for ``publish``."""
        value = {"event_id": key, "outcomes": [{"id": outcome} for outcome in outcomes]}
        value |= {"source": source} if source else {}
        headers = [("ce_id", self.ce_id(offset, index).encode()), ("ce_type", kind.encode())]
        return ("kambi.offers", str(key).encode(), json.dumps(value).encode(), headers)

    def dead(self, offset, index, value=b"x", code="kambi.unknown-type"):
        source = self.ce_id(offset, index) if index is not None else f"{self.prefix}kambi.raw/0/{offset}"
        headers = [("tc-source", source.encode()), ("tc-code", code.encode())]
        return ("kambi.dead-letters", b"0", value, headers)

    @contextlib.asynccontextmanager
    async def producer(self):
        producer = AIOKafkaProducer(bootstrap_servers=self.servers, transactional_id=f"{self.prefix}{uuid.uuid4()}")
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    async def create(self):
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        names = [
            "kambi.raw",
            *(f"kambi.{name}" for name in ("events", "offers", "scores", "settlements", "dead-letters")),
        ]
        await admin.create_topics(
            [NewTopic(self.prefix + name, 1, 1, topic_configs={"retention.ms": "-1"}) for name in names]
        )
        await admin.close()

    async def publish(self, *outputs, aborted=(), committed=None):
        """Write raw, then ``aborted`` in a transaction that aborts, then ``outputs`` in one that commits."""
        await self.create()
        async with self.producer() as producer:
            async with producer.transaction():
                for offset, (value, headers) in enumerate(self.raw):
                    await producer.send_and_wait(
                        f"{self.prefix}kambi.raw",
                        value,
                        partition=0,
                        headers=headers,
                        timestamp_ms=(START_NS + offset * SECOND_NS) // 1_000_000,
                    )
            for records, abort in ((aborted, True), (outputs, False)):
                if records:
                    await producer.begin_transaction()
                    for topic, key, value, headers in records:
                        await producer.send_and_wait(self.prefix + topic, value, key=key, headers=headers)
                    await (producer.abort_transaction() if abort else producer.commit_transaction())
        tp = TopicPartition(f"{self.prefix}kambi.raw", 0)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.servers, group_id=f"{self.prefix}kambi", enable_auto_commit=False
        )
        await consumer.start()
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        await consumer.commit({tp: OffsetAndMetadata(end if committed is None else committed, "")})
        await consumer.stop()

    async def audit(self, timeout_s=5.0, since_ms=None, ledger=None) -> Report:
        kafka = Kafka({"bootstrap_servers": self.servers}, timeout_s)
        return await audit(kafka, kambi(self.prefix, since_ms=since_ms, ledger=ledger), lambda *_: None)


@pytest.fixture
def road(kafka, topic_prefix):
    return Road(kafka, topic_prefix)


async def test_everything_in_its_place_is_clean(road):
    road.control("opened", {"shard": 0, "previous_connection": None})
    connect = road.frame(packet='0{"sid":"abc"}')
    first = road.frame(odds(1, (11, 1900), (12, 2000)), status(2), {"t": "3", "mt": 99, "x": {}})
    copy = road.frame(odds(1, (11, 1900), (12, 2000)), line="kambi-0-events-0", connection="d1")
    partly = road.frame(odds(1, (12, 2000), (13, 5000)), line="kambi-0-events-1", connection="e1")
    broken = road.frame(packet="2[")
    road.control("tick")
    await road.publish(
        road.record(first, 0, outcomes=(11, 12)),
        road.record(first, 1, kind="tricast.kambi.offer.status-changed.v1"),
        road.dead(first, 2),
        road.record(partly, 0, outcomes=(13,)),
        road.dead(broken, None, code="kambi.not-json"),
    )
    report = await road.audit()
    assert dict(report.findings) == {}
    assert report.clean(min_frames=5)
    assert report.frames == 5
    assert report.passed_over == 1
    assert (connect, copy) == (1, 3)
    assert report.candidates == 5
    assert report.normalized == {ODDS: 2, "tricast.kambi.offer.status-changed.v1": 1}
    assert report.duplicates == 1
    assert report.dead_letters == {"kambi.unknown-type": 1, "kambi.not-json": 1}
    assert report.control_records == {"opened": 1, "tick": 1}


async def test_lost_record_is_named(road):
    first = road.frame(odds(1, (11, 1900)), odds(2, (11, 1910)))
    await road.publish(road.record(first, 0, outcomes=(11,)))
    report = await road.audit()
    assert dict(report.findings) == {"lost": 1}
    assert road.ce_id(first, 1) in report.examples["lost"][0]


async def test_lost_outcome_inside_a_record_is_named(road):
    first = road.frame(odds(1, (11, 1900), (12, 2000)))
    await road.publish(road.record(first, 0, outcomes=(11,)))
    report = await road.audit()
    assert dict(report.findings) == {"lost": 1}
    assert f"{road.ce_id(first, 0)}: outcome 12" in report.examples["lost"][0]


async def test_lost_dead_letter_is_named(road):
    first = road.frame({"t": "1", "mt": 99, "x": {}})
    second = road.frame(packet="not a packet")
    await road.publish(road.record(first, 5, outcomes=()))
    report = await road.audit()
    assert dict(report.findings) == {"lost": 2, "unexpected": 1}
    assert road.ce_id(first, 0) in report.examples["lost"][0]
    assert f"kambi.raw/0/{second}" in report.examples["lost"][1]


async def test_record_written_twice_is_named(road):
    first = road.frame(odds(1, (11, 1900)))
    await road.publish(*[road.record(first, 0, outcomes=(11,))] * 2)
    report = await road.audit()
    assert dict(report.findings) == {"duplicated": 1}
    assert road.ce_id(first, 0) in report.examples["duplicated"][0]


async def test_copy_on_another_line_that_went_out_again_is_named(road):
    first = road.frame(odds(1, (11, 1900)))
    copy = road.frame(odds(1, (11, 1900)), line="kambi-0-events-0", connection="d1")
    await road.publish(road.record(first, 0, outcomes=(11,)), road.record(copy, 0, outcomes=(11,)))
    report = await road.audit()
    assert dict(report.findings) == {"duplicated": 1}
    assert f"{road.ce_id(copy, 0)} states again what {road.ce_id(first, 0)}" in report.examples["duplicated"][0]


async def test_back_and_forth_at_one_vendor_time_is_three_facts(road):
    first = road.frame(odds(1, (11, 1900)), odds(1, (11, 2000)), odds(1, (11, 1900)))
    road.frame(odds(1, (11, 1900)), odds(1, (11, 2000)), odds(1, (11, 1900)), line="l2", connection="d1")
    await road.publish(*(road.record(first, index, outcomes=(11,)) for index in range(3)))
    report = await road.audit()
    assert dict(report.findings) == {}
    assert report.duplicates == 3


async def test_swapped_records_are_named(road):
    first = road.frame(odds(1, (11, 1900)))
    second = road.frame(odds(2, (11, 1910)))
    await road.publish(road.record(second, 0, outcomes=(11,)), road.record(first, 0, outcomes=(11,)))
    report = await road.audit()
    assert dict(report.findings) == {"reordered": 1}
    assert f"0/{first}/0" in report.examples["reordered"][0]


async def test_aborted_record_does_not_count(road):
    first = road.frame(odds(1, (11, 1900)))
    second = road.frame(odds(2, (11, 1910)))
    there, aborted = road.record(first, 0, outcomes=(11,)), road.record(second, 0, outcomes=(11,))
    await road.publish(there, aborted=[there, aborted])
    report = await road.audit()
    assert dict(report.findings) == {"lost": 1}, "neither is the aborted copy a duplicate nor the aborted record there"
    assert road.ce_id(second, 0) in report.examples["lost"][0]


async def test_records_from_nothing_are_named(road):
    first = road.frame(odds(1, (11, 1900)))
    tick = road.control("tick")
    no_partition = f"{road.prefix}kambi.raw/7/0/0"
    foreign = ("kambi.offers", b"1", b"{}", [("ce_id", b"other.raw/0/1/0"), ("ce_type", ODDS.encode())])
    await road.publish(
        road.record(first, 0, outcomes=(11,)),
        road.record(first, 1, outcomes=(11,)),
        road.record(tick, 0, outcomes=(11,)),
        road.record(len(road.raw), 0, outcomes=(11,)),  # the offset of a transaction marker: no record is there
        ("kambi.offers", b"1", b"{}", [("ce_id", no_partition.encode()), ("ce_type", ODDS.encode())]),
        foreign,
    )
    report = await road.audit()
    assert dict(report.findings) == {"unexpected": 5}
    assert any(text.endswith("a tick record") for text in report.examples["unexpected"])


async def test_repeats_are_counted_and_must_not_go_out_again(road):
    first = road.frame(odds(1, (11, 1900)))
    again = road.frame(odds(1, (11, 1900)), repeat=1)
    after = road.frame(odds(2, (11, 1910)))
    good = [road.record(first, 0, outcomes=(11,)), road.record(after, 0, outcomes=(11,))]
    await road.publish(good[0], road.record(again, 0, outcomes=(11,)), good[1])
    report = await road.audit()
    assert report.repeats == 1
    assert dict(report.findings) == {"duplicated": 1}
    assert "made from a repeat" in report.examples["duplicated"][0]


async def test_hole_is_named_unless_an_overflow_record_says_so(road):
    road.frame(packet="0{}")
    road.control("overflow", {"lost": 2, "first_frame": 2, "last_frame": 3}, frame=3)
    road.frame(packet="0{}")
    road.control("tick", frame=6)
    kept = road.frame(odds(1, (11, 1900)))
    await road.publish(road.record(kept, 0, outcomes=(11,)))
    report = await road.audit()
    assert report.overflowed == 2
    assert dict(report.findings) == {"hole": 2}
    assert "frames 5..6" in report.examples["hole"][0]


async def test_gaps_have_two_ends(road):
    road.control("opened", {"previous_connection": None, "previous_frame": None})
    kept = road.frame(odds(1, (11, 1900)))
    road.control("opened", {"previous_connection": "c1", "previous_frame": 1}, connection="c2")
    await road.publish(road.record(kept, 0, outcomes=(11,)))
    report = await road.audit()
    assert dict(report.findings) == {}
    (gap,) = report.gaps
    assert (gap.line, gap.previous_connection, gap.previous_frame) == ("kambi-0-general", "c1", 1)
    assert (gap.from_ns, gap.until_ns) == (START_NS + SECOND_NS, START_NS + 2 * SECOND_NS)


async def test_only_what_was_committed_is_judged_and_it_says_so(road):
    first = road.frame(odds(1, (11, 1900)))
    road.frame(odds(2, (11, 1910)))
    await road.publish(road.record(first, 0, outcomes=(11,)), committed=1)
    report = await road.audit(timeout_s=0.5)
    assert dict(report.findings) == {"unjudged": 2}
    assert report.frames == 1
    assert "judged up to 1 of 3" in report.examples["unjudged"][0]
    assert not report.clean(min_frames=1), "a processor that stands still must not pass for one that lost nothing"


async def test_since_judges_the_rest_only(road):
    for t in range(1, 101):
        road.frame(odds(t, (11, 1000 + t)))
    road.frame(odds(70, (11, 1070)), line="kambi-0-events-0", connection="d1")  # copy of one before the time asked for
    missing = {5, 50, 98}
    await road.publish(*(road.record(offset, 0, outcomes=(11,)) for offset in range(100) if offset not in missing))
    report = await road.audit(since_ms=(START_NS + 80 * SECOND_NS) // 1_000_000)
    assert dict(report.findings) == {"lost": 1}
    assert road.ce_id(98, 0) in report.examples["lost"][0]
    assert (report.frames, report.duplicates, report.warm_up_frames) == (21, 1, 80)


async def test_since_takes_the_shards_of_older_lines_from_their_ticks(road):
    """A connection may live for days: its ``opened`` is not among what is read."""
    road.control("opened", {"shard": 0, "shards": 4})
    own, foreign = EVENT - 1, EVENT
    frames = []
    for t in range(150):
        road.control("tick", {"shards": 4})
        frames.append(road.frame(odds(t, (11, 1000 + t), event=own), odds(t, (12, 1000 + t), event=foreign)))
    await road.publish(*(road.record(offset, 0, outcomes=(11,), key=own) for offset in frames))
    report = await road.audit(since_ms=(START_NS + 280 * SECOND_NS) // 1_000_000)
    assert dict(report.findings) == {}
    assert report.foreign == report.frames > 0


async def test_since_takes_the_events_of_offers_from_older_snapshots(road):
    """A removal need not name the event of its bet offer."""
    for _ in range(130):
        road.control("tick")
    road.snapshot({"betOffers": [{"id": 7, "eventId": EVENT, "outcomes": []}]})
    for _ in range(10):
        road.control("tick")
    removal = road.frame({"t": str(10**12), "mt": 7, "bor": {"betOfferId": 7}})
    await road.publish(road.record(removal, 0, "tricast.kambi.offer.removed.v1"))
    report = await road.audit(since_ms=(START_NS + 135 * SECOND_NS) // 1_000_000)
    assert (dict(report.findings), report.frames) == ({}, 1)


async def test_too_little_is_not_clean(road):
    road.control("tick")
    await road.publish()
    report = await road.audit()
    assert not report.clean(min_frames=1)
    assert report.too_little(1) == "0 frames judged, at least 1 wanted"


async def test_missing_topic_says_what_to_do(road):
    with pytest.raises(EnvironmentFault, match=r"kambi.raw does not exist"):
        await road.audit()


async def test_each_child_has_one_claimant_among_the_shards(road):
    """Event ...001 of two shards is shard 1's: shard 0 passes it over, and must not put it out."""
    road.control("opened", {"shard": 0, "shards": 2, "previous_connection": None})
    foreign = road.frame(odds(1, (11, 1900)))
    own = road.frame(odds(1, (21, 1900), event=EVENT + 1), odds(2, (21, 1910), event=EVENT + 1))
    claimed = road.frame(odds(3, (11, 1920)))
    await road.publish(
        road.record(own, 0, outcomes=(21,), key=EVENT + 1),
        road.record(claimed, 0, outcomes=(11,)),
    )
    report = await road.audit()
    assert report.foreign == 1
    assert dict(report.findings) == {"lost": 1, "unexpected": 1}
    assert road.ce_id(own, 1) in report.examples["lost"][0]
    assert f"{road.ce_id(claimed, 0)} is about event {EVENT} of another shard" in report.examples["unexpected"][0]
    assert foreign == 1


async def test_records_of_a_snapshot_say_so_and_nothing_that_is_not_in_it(road):
    offer = {"id": 2500000001, "eventId": EVENT, "outcomes": [{"id": 11, "odds": 1900}]}
    snapshot = road.snapshot({"betOffers": [offer], "events": [{"id": EVENT}]})
    gone = "tricast.kambi.offer.removed.v1"
    await road.publish(
        road.record(snapshot, 0, outcomes=(11,), source="snapshot"),
        road.record(snapshot, 1, outcomes=(12,), source="snapshot"),
        road.record(snapshot, 2, outcomes=(11,)),
        road.record(snapshot, 3, kind=gone, source="snapshot"),
    )
    report = await road.audit()
    assert report.from_snapshots == 2
    assert dict(report.findings) == {"unexpected": 2}
    assert "outcome 12 is not in" in report.examples["unexpected"][0]
    assert "is a snapshot, the record is not" in report.examples["unexpected"][1]


async def test_a_message_makes_no_snapshot_records(road):
    first = road.frame(odds(1, (11, 1900)))
    await road.publish(road.record(first, 0, outcomes=(11,), source="snapshot"))
    report = await road.audit()
    assert dict(report.findings) == {"unexpected": 1}


async def test_removal_without_event_is_judged_by_the_offer(road):
    removed = {"t": "3", "mt": 7, "bor": {"betOfferId": 2500000001}}
    first = road.frame(odds(1, (11, 1900)))
    second = road.frame(removed)
    third = road.frame(removed | {"t": "4"})
    kind = "tricast.kambi.offer.removed.v1"
    await road.publish(road.record(first, 0, outcomes=(11,)), road.record(second, 0, kind=kind))
    report = await road.audit()
    assert dict(report.findings) == {"lost": 1}
    assert road.ce_id(third, 0) in report.examples["lost"][0]
