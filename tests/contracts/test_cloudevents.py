"""Every normalized record, read by the CloudEvents SDK for Python as an event in binary mode."""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.v1.kafka import KafkaMessage as OldMessage
from cloudevents.v1.kafka import from_binary as old_from_binary

from schemas.codec import MODELS, schema_file
from schemas.export import FOLDER
from schemas.topics import TOPICS
from tests.contracts.written import Written, written

RECORDS = [one for one in written() if TOPICS[one.topic].content == "events" and one.value is not None]
TYPES = sorted({one.kind for one in RECORDS})
OF_TYPE = pytest.mark.parametrize("ce_type", TYPES)


def of(ce_type: str) -> list[Written]:
    return [one for one in RECORDS if one.kind == ce_type]


def read(record: Written) -> BaseCloudEvent:
    assert len({name for name, _ in record.headers}) == len(record.headers), "a header is there twice"
    return from_kafka_event(KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value or b""))


def test_all_types_that_we_write_are_here():
    assert {*TYPES} == {ce_type for ce_type, model in MODELS.items() if model.topic != "rms.bets"}
    assert len(RECORDS) > 500


@OF_TYPE
def test_the_sdk_reads_every_attribute(ce_type: str):
    for record in of(ce_type):
        event, stamps = read(record), record.stamps
        assert event.get_specversion() == "1.0"
        assert event.get_type() == ce_type
        assert event.get_id() == stamps["ce_id"]
        assert event.get_datacontenttype() == "application/json"
        assert event.get_data() == json.loads(record.value or b"")
        assert event.get_extension("partitionkey") == (record.key or b"").decode()
        assert int(event.get_extension("tcreceived")) > 0
        source = event.get_source()
        assert re.fullmatch(rf"tricast/{record.topic.partition('.')[0]}/[^\s]+", source)
        assert urlsplit(source).geturl() == source, "a URI reference"
        time = event.get_time()
        assert time is not None
        assert time.tzinfo is not None
        assert time.astimezone(UTC) == datetime.fromisoformat(stamps["ce_time"])


@OF_TYPE
def test_dataschema_is_an_absolute_uri_and_names_the_schema(ce_type: str):
    for uri in {read(record).get_dataschema() for record in of(ce_type)}:
        assert uri is not None
        assert urlsplit(uri).scheme == "urn"
        assert json.loads((FOLDER / schema_file(ce_type)).read_text())["$id"] == uri


@OF_TYPE
def test_the_subject_is_what_the_record_is_about(ce_type: str):
    for record in of(ce_type):
        value, subject = json.loads(record.value or b""), read(record).get_subject()
        names = ("outcome_id", "event_id", "fixture_id", "bet_slip_id", "bet_code", "feed", "line", "customer")
        assert subject in {str(value[name]) for name in names if name in value}


def test_source_and_id_name_one_event_of_each_story():
    for story in {record.name for record in RECORDS}:
        seen = Counter((read(one).get_source(), read(one).get_id()) for one in RECORDS if one.name == story)
        assert [event for event, times in seen.items() if times > 1] == []


@OF_TYPE
def test_the_older_interface_of_the_sdk_reads_them_too(ce_type: str):
    for record in of(ce_type)[:5]:
        message = OldMessage(headers=dict(record.headers), key=(record.key or b"").decode(), value=record.value or b"")
        event = old_from_binary(message)
        assert (event["type"], event["id"], event.get_data()) == (
            ce_type,
            record.stamps["ce_id"],
            json.loads(record.value or b""),
        )


@pytest.mark.parametrize("header", ["ce_specversion", "ce_subject"])
def test_the_sdk_notices_what_is_wrong(header: str):
    record = RECORDS[0]
    headers = dict(record.headers) | {header: b""}
    with pytest.raises((CloudEventValidationError, ValueError)):
        from_kafka_event(KafkaMessage(headers=headers, key=record.key, value=record.value or b""))
