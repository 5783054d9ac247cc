"""What a frame is: by shape, in the sheet's order; and what makes two packets the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.core.fastpath.packet import (
    ActionPacket,
    ElementPacket,
    Heartbeat,
    Message,
    Packet,
    StatisticsPacket,
    StatusPacket,
)
from schemas.fastpath.codes import Count
from tests.core.fastpath.packets import (
    ACTIONS,
    FIGHT,
    FIXTURE,
    MULTIPLEXER,
    PATHS,
    STATISTICS,
    action,
    element,
    json_values,
    match_packet,
    read,
    value_of,
)

# Order of classification.


@pytest.mark.parametrize(
    ("frame", "path", "kind"),
    [
        (action() | {"dataType": "x", "eventElementType": "heartbeat", "seqNum": 1}, ACTIONS, ActionPacket),
        ({"dataType": "heartbeats", "eventElementType": "Undo", "seqNum": 1}, FIGHT, Heartbeat),
        ({"feedType": "f", "eventId": 1, "message": {"seqNum": 1}}, MULTIPLEXER, StatisticsPacket),
        ({"dataType": "EventData", "message": action()}, MULTIPLEXER, ActionPacket),
        ({"dataType": "eventdata", "message": {"eventElementType": "HEARTBEAT"}}, MULTIPLEXER, Heartbeat),
        ({"dataType": "connectionState", "message": {"state": "Connected"}}, MULTIPLEXER, StatusPacket),
        (element(message="x", level="INFO", fixtureId="f"), FIGHT, ElementPacket),
        (element(eventElementType="heartbeat"), FIGHT, Heartbeat),
        (element(eventElementType="ConnectionStateChanged", state="Connected"), FIGHT, StatusPacket),
        ({"message": "x", "level": "WARN", "seqNum": 1, "fixtureId": "f"}, ACTIONS, Message),
        ({"message": "x", "seqNum": 1}, FIGHT, ElementPacket),
        ({"message": "x", "fixtureId": "f", "seqNum": 1}, STATISTICS, StatisticsPacket),
        ({"message": "x"}, ACTIONS, Message),
        ({"message": "HEARTBEAT at noon"}, ACTIONS, Heartbeat),
        ({"message": ""}, ACTIONS, Message),
        ({"error": "x", "status": 403, "seqNum": 3}, FIGHT, ElementPacket),
        ({"error": "x"}, FIGHT, Message),
        ({"seqNum": 1, "fixtureId": "f"}, FIGHT, StatisticsPacket),
        ({"seqNum": 1}, FIGHT, ElementPacket),
        ({"seqNum": 1}, "mma/fights/47/livestats", StatisticsPacket),
        ({"seqNum": 1, "eventElementType": 5}, FIGHT, ElementPacket),
        ({"seqNum": 1, "eventElementType": ""}, FIGHT, ElementPacket),
        ({"fixtureId": "f"}, STATISTICS, StatisticsPacket),
        ({"timestamp": "2026-11-20T18:00:00Z"}, "golf/tournaments/9/leaderboard", StatisticsPacket),
    ],
)
def test_order_of_the_sheet(frame: dict[str, Any], path: str, kind: type[Packet]):
    assert isinstance(read(frame, path), kind)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "frame",
    [
        {"eventElementType": "heartbeat"},
        {"eventelementtype": "Heartbeat", "timestamp": "x", "message": "alive"},
        {"EVENTELEMENTTYPE": "HEARTBEAT"},
        {"message": "Heartbeat sent at 2026-11-20T18:00:10.412Z", "level": "INFO"},
        {"message": "heartbeat"},
        {"dataType": "heartbeats"},
        {"dataType": "Heartbeats", "sport": "golf", "message": None},
        {"dataType": "heartbeats", "message": {"seqNum": 4}},
    ],
)
def test_heartbeats_in_every_shape_on_every_feed(path: str, frame: dict[str, Any]):
    assert read(frame, path) == Heartbeat()


def test_a_status_is_told_in_the_vendors_spelling_and_an_unknown_one_as_sent():
    for sent, state in (("disconnected", "Disconnected"), (" Delayed ", "Delayed"), ("On Fire", "On Fire")):
        packet = read({"eventElementType": "connectionStateChanged", "state": sent})
        assert isinstance(packet, StatusPacket)
        assert packet.state == state


# Where a packet belongs.


def test_a_fixture_that_is_not_named_is_that_of_the_path():
    for missing in (action(), action(fixtureId=None), action(fixtureId=""), action(fixtureId={"id": 1})):
        assert match_packet(missing).fixture_id == FIXTURE
    assert match_packet(element(), FIGHT).fixture_id == "47"


def test_a_uuid_in_capitals_is_the_same_fixture():
    packet = match_packet(action(fixtureId=FIXTURE.upper()))
    assert packet.fixture_id == FIXTURE
    assert Count.OTHER_FIXTURE not in packet.counts


def test_two_fixtures_in_one_feed_are_two():
    packet = match_packet(action(fixtureId="f-2"))
    assert packet.fixture_id == "f-2"
    assert Count.OTHER_FIXTURE in packet.counts


def test_on_the_multiplexer_feed_and_event_are_the_fixture():
    for inner in (element(fixtureId="f-2"), action(fixtureId="f-2"), {"seqNum": 1, "fixtureId": "f-2"}):
        frame = {"dataType": "eventdata", "feedType": "holebyhole", "eventId": 901, "message": inner}
        assert match_packet(frame, MULTIPLEXER).fixture_id == "holebyhole/901"
        assert '"fixtureId":"f-2"' in value_of(frame, MULTIPLEXER)
    assert match_packet({"dataType": "eventdata", "message": {"seqNum": 1}}, MULTIPLEXER).fixture_id == "golf"


def test_statistics_have_a_series_of_their_own_on_any_url():
    frame = {"seqNum": 7, "fixtureId": FIXTURE}
    for path in (ACTIONS, STATISTICS):
        packet = match_packet(frame, path)
        assert packet.series == "statistics"
        assert (Count.MISPLACED in packet.counts) == (path == ACTIONS)
    assert match_packet(action()).series == match_packet(element()).series == "actions"


def test_an_endless_name_is_none_and_stays_in_the_details():
    endless = "x" * 201
    packet = match_packet(action(fixtureId=endless, timestamp=endless, metadata={"collectionStatus": endless}))
    assert isinstance(packet, ActionPacket)
    assert (packet.fixture_id, packet.vendor_time, packet.collection) == (FIXTURE, None, None)
    details = json.loads(value_of(action(fixtureId=endless, timestamp=endless)))["details"]
    assert details == {"fixtureId": endless, "timestamp": endless}


@pytest.mark.parametrize(
    ("frame", "delay_status"),
    [
        (action(), None),
        (action(delayStatus=None), None),
        (action(delayStatus=""), None),
        (action(delayStatus=False), None),
        (action(delayStatus="RECONSTRUCTED"), "RECONSTRUCTED"),
        (action(delayStatus=True), "true"),
        (action(delayStatus={"minutes": 2}), '{"minutes":2}'),
        (action() | {"delayStatus": "DELAYED"}, "DELAYED"),
    ],
)
def test_any_delay_status_that_is_not_empty_says_collected_offline(frame: dict[str, Any], delay_status: str | None):
    assert match_packet(frame).delay_status == delay_status
    assert json.loads(value_of(frame)).get("delay_status") == delay_status


@pytest.mark.parametrize(
    ("around", "finished"),
    [
        ({}, False),
        ({"finished": True}, True),
        ({"finished": False, "fixtureSummary": {"finished": True}}, True),
        ({"finished": "true", "fixtureSummary": {"finished": 1}}, False),
        ({"fixtureSummary": [True]}, False),
    ],
)
def test_finished_is_told_by_the_packet_or_its_summary(around: dict[str, Any], finished: bool):
    assert match_packet(action() | around).finished is finished


@pytest.mark.parametrize(
    ("status", "collection"),
    [
        (3, 3),
        ("3", 3),
        ("CollectionSuspended", "CollectionSuspended"),
        (3.0, 3),
        (3.5, None),
        (True, None),
        (None, None),
        ("", None),
        ([3], None),
    ],
)
def test_collection_status_is_a_number_or_a_name(status: object, collection: int | str | None):
    packet = match_packet(action(metadata={"collectionStatus": status}))
    assert isinstance(packet, ActionPacket)
    assert packet.collection == collection


# What makes two packets the same.


def shuffled(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(draw, value[key]) for key in draw(st.permutations(list(value)))}
    return [shuffled(draw, part) for part in value] if isinstance(value, list) else value


bodies = st.fixed_dictionaries(
    {}, optional={"player": json_values, "metadata": json_values, "stats": json_values, "nickName": json_values}
)


@st.composite
def same_packet_twice(draw: st.DrawFn) -> tuple[str, str, str]:
    body, number, other = draw(bodies), draw(st.integers(0, 2**63 - 1)), draw(st.integers(0, 2**63 - 1))
    shape = draw(st.sampled_from(["action", "element", "statistics", "untyped"]))
    if shape == "action":
        first = action(**body, fixtureSeqNum=number, timelineSequence=1.5, fixtureId=FIXTURE) | {"traceId": "1"}
        second = action(**body, fixtureSeqNum=str(other), timelineSequence=2.25, fixtureId=FIXTURE) | {"version": 3}
        path = ACTIONS
    else:
        add = {"element": {"eventElementType": "Undo"}, "statistics": {"fixtureId": "f"}, "untyped": {}}[shape]
        first = {"timestamp": "2026-11-20T18:00:00.000Z", "seqNum": number, **body, **add, "traceId": "1"}
        second = {**body, "seqNum": other, "timestamp": "2026-11-20T18:00:00.000Z", **add}
        path = FIGHT
    indent = draw(st.sampled_from([None, 1]))
    return json.dumps(first), json.dumps(shuffled(draw, second), indent=indent, ensure_ascii=draw(st.booleans())), path


@given(same_packet_twice())
def test_order_of_keys_number_trace_space_and_escapes_make_no_other_packet(twice: tuple[str, str, str]):
    first, second = match_packet(twice[0], twice[2]), match_packet(twice[1], twice[2])
    assert (first.key, first.body) == (second.key, second.body)


@pytest.mark.parametrize(
    ("changed", "key", "body"),
    [
        ({"actionId": "a-2"}, False, False),
        ({"sendType": "Confirmed"}, False, False),
        ({"sendTypeId": 3}, True, False),
        ({"period": 2}, True, False),
        ({"timestamp": "2026-11-20T18:00:00.000Z"}, True, False),
        ({"fixtureSeqNum": 8, "timelineSequence": 1.5}, True, True),
    ],
)
def test_what_names_an_action_and_what_it_says(changed: dict[str, Any], key: bool, body: bool):
    first, second = match_packet(action()), match_packet(action(**changed))
    assert (first.key == second.key, first.body == second.body) == (key, body)


def test_a_send_type_without_name_is_the_documented_one():
    named, numbered = match_packet(action()), match_packet(action(sendType=None))
    assert named.key == numbered.key


@pytest.mark.parametrize(
    ("changed", "key", "body"),
    [
        ({"eventElementType": "Insertion"}, False, False),
        ({"timestamp": "2026-11-20T18:00:00.001Z"}, False, False),
        ({"timestamp": "2026-11-20T18:00:00Z"}, False, False),
        ({"fighter": "Red"}, True, False),
        ({"seqNum": 8, "traceId": "t"}, True, True),
    ],
)
def test_what_names_an_element_and_what_it_says(changed: dict[str, Any], key: bool, body: bool):
    first, second = match_packet(element(), FIGHT), match_packet(element(**changed), FIGHT)
    assert (first.key == second.key, first.body == second.body) == (key, body)


def test_the_text_of_a_fraction_is_part_of_what_is_said_and_its_summary_is_not():
    exact = '{"fixtureAction":{"fixtureSeqNum":1,"metadata":{"x":%s}},"fixtureSummary":{"homeTeamScore":%d}}'
    assert match_packet(exact % ("1.0", 1)).body == match_packet(exact % ("1.0", 2)).body
    assert match_packet(exact % ("1.0", 1)).body != match_packet(exact % ("1.00", 1)).body


def test_ids_that_run_into_each_other_are_not_the_same():
    first = match_packet(action(actionId="a", sendType="bc"))
    assert first.key != match_packet(action(actionId="ab", sendType="c")).key
