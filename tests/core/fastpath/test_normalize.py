"""What a record keeps of its packet: every field, every digit, and its contract."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.fastpath.normalize import normalize
from processors.core.fastpath.packet import ActionPacket
from processors.core.fastpath.tables import ACTION, ELEMENT
from processors.core.fastpath.tables import STATISTICS as STATISTICS_FIELDS
from schemas.codec import decode, encode
from tests.core.fastpath.golden import RELEASED, stamp
from tests.core.fastpath.packets import ACTIONS, FIGHT, STATISTICS, action, json_values, match_packet, value_of


def test_fractions_and_long_numbers_come_out_as_they_went_in():
    fractions = "[1.10,1e2,-0.0,0.1000000000000000055511151231257827,9.1e-15,12345678901234567890123,1E400]"
    for frame, path in (
        ('{"fixtureAction":{"fixtureSeqNum":1,"a":V,"player":{"b":V},"metadata":{"c":V}},"d":V}', ACTIONS),
        (
            '{"fixtureAction":{"fixtureSeqNum":1,"team":{"a":V}},"fixtureSummary":{"b":V,"periods":[{"c":V}]},"d":V}',
            ACTIONS,
        ),
        ('{"seqNum":1,"eventElementType":"Undo","a":V,"b":{"c":[V]},"d":V}', FIGHT),
        ('{"seqNum":1,"fixtureId":"f","a":V,"b":{"c":[V]},"d":V}', STATISTICS),
    ):
        value = value_of(frame.replace("V", fractions), path)
        assert value.count(fractions) == frame.count("V")
        ce_type = {ACTIONS: "action", FIGHT: "event-element", STATISTICS: "statistics"}[path]
        assert encode(decode(f"tricast.fastpath.{ce_type}.v1", value.encode())).decode() == value


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("1.0000005120000042", "1.0000005120000042"),
        ("3.0000000000000687", "3.0000000000000687"),
        ("0.0000000000000091", "0.0000000000000091"),
        ("9.1e-15", "9.1e-15"),
        ('"1.0000005120000042"', "1.0000005120000042"),
        ("4", "4"),
    ],
)
def test_timeline_sequence_is_its_text(sent: str, text: str):
    frame = '{"fixtureAction":{"fixtureSeqNum":1,"timelineSequence":<text>}}'
    value = json.loads(value_of(frame.replace("<text>", sent)))
    assert value["timeline_sequence"] == text


@pytest.mark.parametrize("name", ["sendTypeId", "fixtureActionTypeId", "fixtureActionSubTypeId", "period"])
@pytest.mark.parametrize("sent", [2**63, -(2**63) - 1, 1.5, True, "1.0", "--1", "", "9223372036854775808"])
def test_what_no_long_holds_stays_in_the_details(name: str, sent: object):
    assert json.loads(value_of(action(**{"sendTypeId": None, name: sent})))["details"] == {name: sent}


@pytest.mark.parametrize("sent", ["NaN", "-Infinity", "one", "", "1.0.0"])
def test_a_timeline_sequence_that_is_no_number_stays_in_the_details(sent: str):
    value = json.loads(value_of(action(timelineSequence=sent)))
    assert value["details"] == {"timelineSequence": sent}
    assert "timeline_sequence" not in value


@given(st.dictionaries(st.text(), json_values), st.sampled_from(["action", "element", "statistics"]))
def test_no_field_that_we_have_no_name_for_is_lost(fields: dict[str, Any], shape: str):
    reserved = {"fixtureseqnum", "fixtureid", "seqnum", "eventelementtype", "message", "timestamp", "datatype"}
    reserved |= {name.casefold() for table in (ACTION, ELEMENT, STATISTICS_FIELDS) for name in table}
    fields = {name: value for name, value in fields.items() if name.casefold() not in reserved}
    frame, path = {
        "action": ({"fixtureAction": {"fixtureSeqNum": 1} | fields}, ACTIONS),
        "element": ({"seqNum": 1, "eventElementType": "Undo"} | fields, FIGHT),
        "statistics": ({"seqNum": 1, "fixtureId": "f"} | fields, STATISTICS),
    }[shape]
    assert json.loads(value_of(frame, path))["details"] == fields


FIELDS = [
    *("actionId", "sendType", "sendTypeId", "fixtureActionType", "fixtureActionSubTypeId", "period", "clockTime"),
    *("timelineSequence", "team", "player", "relatedFixtureActionIds", "metadata", "delayStatus", "timestamp"),
    *("fixtureId",),
]


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(FIELDS, json_values),
    ),
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["homeTeamScore", "isTied", "finished", "periods", "collectionStatus"], json_values)
    ),
    st.one_of(st.none(), json_values),
)
def test_whatever_stands_in_the_fields_the_record_keeps_its_contract(
    fields: dict[str, Any], summary: dict[str, Any], around: Any
):
    frame = {
        "fixtureAction": {"fixtureSeqNum": 1} | fields,
        "fixtureSummary": summary if around is None else around,
        "version": around,
        "finished": around,
    }
    value = value_of(frame).encode()
    assert encode(decode("tricast.fastpath.action.v1", value)) == value


def test_a_packet_is_left_as_it_was_by_its_record():
    packet = match_packet(action(team={"id": 1, "x": 2}) | {"fixtureSummary": {"periods": [{"id": 1, "y": 2}]}})
    assert isinstance(packet, ActionPacket)
    before = msgspec.json.encode(packet.tree)
    normalize(packet, stamp(ACTIONS), RELEASED)
    assert msgspec.json.encode(packet.tree) == before
