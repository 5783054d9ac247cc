"""What a reader gets of a record: all that our code writes by its model, and everything else without an error."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import MODELS, decode
from schemas.kambi.health import LineHealth, LineReason
from schemas.kambi.offers import OddsChanged
from schemas.topics import TOPICS
from tests.contracts.written import Written, written
from tricast.consumer import Event, Place, Unread
from tricast.consumer.event import event_of

EVENTS = [one for one in written() if TOPICS[one.topic].content == "events" and one.value is not None]
ODDS = next(one for one in EVENTS if one.kind == OddsChanged.ce_type)
LINE = next(one for one in EVENTS if one.kind == LineHealth.ce_type)


def read(record: Written) -> Event:
    return event_of(Place(record.topic, 2), 17, key=record.key, value=record.value, headers=record.headers)


def with_type(record: Written, ce_type: str) -> Written:
    others = tuple(header for header in record.headers if header[0] != "ce_type")
    return replace(record, headers=(*others, ("ce_type", ce_type.encode())))


def test_every_normalized_record_is_read_by_its_model():
    for record in EVENTS:
        event, stamps = read(record), record.stamps
        assert event.data == decode(record.kind, record.value or b"")
        assert type(event.data) is MODELS[record.kind]
        assert (event.topic, event.partition, event.offset) == (record.topic, 2, 17)
        assert (event.id, event.type, event.subject) == (stamps["ce_id"], stamps["ce_type"], stamps["ce_subject"])
        assert (event.source, event.key) == (stamps["ce_source"], (record.key or b"").decode())
        assert event.time == datetime.fromisoformat(stamps["ce_time"])
        assert event.time is not None
        assert event.time.tzinfo == UTC
        assert event.received_ns == int(stamps["ce_tcreceived"])
        assert event.replayed == stamps.get("ce_replayed")


def test_what_is_no_event_is_given_through():
    for record in written():
        if TOPICS[record.topic].content != "events":
            event = read(record)
            assert (event.value, event.headers) == (record.value, dict(record.headers))
            assert (event.id, event.type, event.data) == (f"{record.topic}/2/17", "", Unread(why="no-type"))


@pytest.mark.parametrize("ce_type", ["tricast.kambi.odds.changed.v2", "tricast.kambi.cards.changed.v1"])
def test_an_unknown_type_or_version_is_given_through(ce_type: str):
    event = read(with_type(ODDS, ce_type))
    assert (event.type, event.data) == (ce_type, Unread(why="unknown-type", detail=ce_type))
    assert event.value == ODDS.value
    assert event.id == ODDS.stamps["ce_id"]


def test_a_tombstone_has_its_position_for_an_id():
    event = event_of(Place("kambi.health", 2), 17, key=b"event/1", value=None, headers=[])
    assert (event.id, event.key, event.data) == ("kambi.health/2/17", "event/1", Unread(why="tombstone"))


def test_a_value_that_breaks_its_type_is_given_through():
    data = read(replace(ODDS, value=b'{"event_id": "no number"}')).data
    assert isinstance(data, Unread)
    assert data.why == "unreadable"
    assert data.detail.startswith("tricast.kambi.odds.changed.v1: ")


@given(
    st.one_of(st.none(), st.binary(max_size=40)),
    st.lists(st.tuples(st.sampled_from(["ce_type", "ce_time", "ce_id", "ce_tcreceived"]), st.binary(max_size=40))),
)
def test_nothing_that_kafka_holds_is_an_error(value: bytes | None, headers: list[tuple[str, bytes]]):
    known = ("ce_type", ODDS.kind.encode())
    event_of(Place("kambi.offers", 0), 0, key=value, value=value, headers=[known, *headers])


# A newer tricast writes more than this one knows.


@pytest.mark.parametrize("ce_type", sorted({record.kind for record in EVENTS}))
def test_new_fields_at_any_depth_are_passed_over(ce_type: str):
    for record in [one for one in EVENTS if one.kind == ce_type][:20]:
        known = decode(ce_type, record.value or b"")
        data = read(replace(record, value=msgspec.json.encode(grown(known)))).data
        assert isinstance(data, MODELS[ce_type])
        assert json.loads(msgspec.json.encode(data)) == json.loads(record.value or b"")


def grown(part: object) -> object:
    """Put a field that nobody knows into every object of ours; what is the vendor's, or a map, is left as it is."""
    match part:
        case msgspec.Struct():
            fields = {name: getattr(part, name) for name in part.__struct_fields__}
            said = {name: grown(value) for name, value in fields.items() if value is not msgspec.UNSET}
            return said | {"of_a_later_version": {"a": [1]}}
        case list() | tuple():
            return [grown(one) for one in part]
        case dict():
            return {name: grown(one) for name, one in part.items()}
    return part


def test_new_words_of_a_growing_enum_are_given_through():
    value = json.loads(LINE.value or b"") | {"reason": "of-a-later-version"}
    data = read(replace(LINE, value=json.dumps(value).encode())).data
    assert isinstance(data, LineHealth)
    assert data.reason == "of-a-later-version"
    assert data.reason not in get_args(LineReason)


def test_new_words_of_an_enum_that_does_not_grow_are_no_such_record():
    value = json.loads(LINE.value or b"") | {"state": "of-a-later-version"}
    data = read(replace(LINE, value=json.dumps(value).encode())).data
    assert isinstance(data, Unread)
