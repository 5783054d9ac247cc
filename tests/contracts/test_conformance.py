"""Everything that our code writes keeps what the registry promises, and what does not keep it is named."""

import msgspec
import pytest

from processors.core.processor import Processor
from schemas.codec import MODELS
from schemas.conformance import faults
from schemas.headers import HEADERS, Header
from schemas.topics import TOPICS, Topic
from tests.contracts.written import Written, written
from tricast.processors import PROCESSORS
from tricast.settings import Settings

ALL = pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)


def test_every_record_keeps_its_contract():
    found = [(one.name, one.topic, faults(TOPICS[one.topic], one.headers, one.value)) for one in written()]
    assert [said for said in found if said[2]] == []


def test_there_is_a_record_of_every_type_and_topic():
    assert {record.kind for record in written() if TOPICS[record.topic].content == "events"} == {
        ce_type for ce_type, model in MODELS.items() if model.topic != "rms.bets"
    }
    assert {one.topic for one in written()} == {name for name, topic in TOPICS.items() if topic.content != "state"}


@pytest.mark.parametrize("content", [content for content in HEADERS if HEADERS[content]])
def test_no_header_goes_out_that_the_registry_does_not_know(content: str):
    known = {header.name for header in HEADERS[content]}  # type: ignore[index]  # of the same mapping
    seen = {
        name
        for record in written()
        if TOPICS[record.topic].content == content and record.stamps.get("tc-kind") != "replay"
        for name, _ in record.headers
    }
    assert seen <= known


@ALL
def test_the_registry_says_all_of_a_topic(topic: Topic):
    assert topic.order
    assert topic.written_by
    assert topic.description.endswith(".")
    assert (topic.audience == "input") == (topic.content == "input")
    assert (topic.retention_ms is None) == (topic.cleanup == "compact")


@pytest.mark.parametrize("name", PROCESSORS)
def test_the_registry_knows_what_processors_write_and_read(name: str):
    processor: Processor = PROCESSORS[name](Settings())
    who = f"processor {processor.name}"
    writes = {topic.name for topic in TOPICS.values() if who in topic.written_by and topic.content != "state"}
    assert writes == {*processor.outputs, f"{processor.feed}.dead-letters"}
    read = {topic.name for topic in TOPICS.values() if who in topic.read_by and topic.content != "state"}
    assert read == {*processor.sources}
    assert {f"changelog.{processor.name}.{source}" for source in processor.sources} <= TOPICS.keys()


def one(topic: str, kind: str = "") -> Written:
    return next(record for record in written() if record.topic == topic and kind in record.kind)


ODDS = one("kambi.offers", "odds")
RAW = one("kambi.raw")


def without(record: Written, name: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((header, text) for header, text in record.headers if header != name)


@pytest.mark.parametrize(
    "header", [header for header in HEADERS["events"] if header.required], ids=lambda header: header.name
)
def test_a_promised_header_that_is_missing_or_wrong_is_named(header: Header):
    topic = TOPICS["kambi.offers"]
    assert f"header {header.name} is missing" in faults(topic, without(ODDS, header.name), ODDS.value)
    for wrong in (b"", b"\xff"):
        named = faults(topic, ((header.name, wrong), *without(ODDS, header.name)), ODDS.value)
        assert any(said.startswith(f"header {header.name} is") for said in named)


@pytest.mark.parametrize(
    ("topic", "record", "value", "said"),
    [
        ("kambi.offers", ODDS, None, "a record without value"),
        ("kambi.offers", ODDS, b"{}", "value: tricast.kambi.odds.changed.v1: Object missing required field"),
        ("kambi.offers", ODDS, b"no json", "value: "),
        ("kambi.events", ODDS, ODDS.value, "tricast.kambi.odds.changed.v1 belongs into kambi.offers"),
        ("rms.bets", RAW, b'{"type":"cancelled"}', "type 'cancelled' is none of placed, answered"),
        ("rms.bets", RAW, b'{"type":"placed"}', "value: tricast.rms.bet.placed.v1"),
        ("rms.pending", RAW, b"{}", "value: "),
        ("kambi.dead-letters", RAW, b"", "header tc-code is missing"),
    ],
)
def test_what_breaks_a_contract_is_named(topic: str, record: Written, value: bytes | None, said: str):
    assert any(found.startswith(said) for found in faults(TOPICS[topic], record.headers, value))


def test_a_schema_of_another_type_is_named():
    headers = (*without(ODDS, "ce_dataschema"), ("ce_dataschema", b"urn:tricast:schema:tricast.rms.late.v1"))
    assert faults(TOPICS["kambi.offers"], headers, ODDS.value) == [
        "header ce_dataschema is not that of tricast.kambi.odds.changed.v1"
    ]


def test_a_tombstone_is_a_record_of_a_compacted_topic():
    assert faults(TOPICS["kambi.health"], (), None) == []


def test_more_headers_than_promised_are_no_fault():
    assert faults(TOPICS["kambi.offers"], (*ODDS.headers, ("traceparent", b"00-1-1-1")), ODDS.value) == []


def test_a_type_that_nobody_knows_is_named():
    headers = (*without(ODDS, "ce_type"), ("ce_type", b"tricast.kambi.odds.changed.v2"))
    assert any("no model" in said for said in faults(TOPICS["kambi.offers"], headers, msgspec.json.encode({})))
