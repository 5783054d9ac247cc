import json

import pytest

from connectors import engineio
from connectors.kambi.protocol import Announced, Ended, Refused, Started, events_named, signs, subscribe, unsubscribe

TOPIC = "v2018.kambi.ev.1020000099.json"
DENIED = {
    "code": 429,
    "message": "Subscription denied, max subscriptions 40 reached. Please unsubscribe to some topics",
    "topic": TOPIC,
}
REFUSED = (Refused(code=429, topic=TOPIC),)


def event(name, *arguments):
    return "2" + json.dumps([name, *arguments], separators=(",", ":"))


def bulk(*children):
    return event("message", json.dumps(children, separators=(",", ":")))


@pytest.mark.parametrize(
    "packet",
    [
        event("error", DENIED),
        event("error", json.dumps(DENIED)),
        event("message", json.dumps(DENIED)),
        event("message", DENIED),
        event("some-other-event", 1, DENIED),
        "3" + json.dumps([DENIED]),
        "317" + json.dumps([json.dumps(DENIED)]),
        "4" + json.dumps(DENIED),
        "4" + json.dumps(json.dumps(DENIED)),
        "212" + json.dumps(["error", DENIED]),
        event("error", DENIED | {"code": "429"}),
        event("error", {"retryAfter": [1, {}], **DENIED, "limit": 40, "connection": None}),
        event("error", [DENIED]),
        event("message", json.dumps([DENIED])),
        "3" + json.dumps([None, DENIED]),
        "4" + json.dumps({"message": "no", "data": DENIED}),
    ],
    ids=lambda packet: packet[:24],
)
def test_a_refusal_is_recognised_in_every_form(packet):
    assert signs(packet.encode()) == REFUSED


@pytest.mark.parametrize(
    "packet",
    [
        b'2["error",{"code":429,"topic":"v2018.kamb',
        b'2["error",{"code":"429","message":"\\u0662"}',
        b'2["error",{"code":"\xd9\xa4\xd9\xa2\xd9\xa9","topic":"x"}]',
        b'2["error",{"code":"' + b"4" * 5000 + b'","topic":"x"}]',
        b'2["error",{"code":null,"topic":"x"}]',
        b'2["error",{"code":[429],"topic":"x"}]',
        b'2["message","{\\"code\\":429,\\"topic\\":"]',
        b'2["message","\xff code topic"]',
        b'2{"code":429,"topic":"x"}',
        b"2 code topic",
        b"4code topic",
        b"code topic",
        b'2["message","[{\\"mt\\":18,\\"er\\":7}]"]',
        b'2["message","[{\\"mt\\":18,\\"er\\":{\\"eventId\\":true}}]"]',
        b'2["message","[{\\"mt\\":18,\\"er\\":{\\"eventId\\":1.5}}]"]',
        b'2["message","[[[{\\"er\\":1}]]]"]',
        b"2" + b"[" * 5000 + b'"er\\" code topic',
        b"",
    ],
    ids=lambda packet: packet[:40],
)
def test_unreadable_packets_say_nothing(packet):
    assert signs(packet) == ()


@pytest.mark.parametrize(
    ("child", "expected"),
    [
        ({"t": "1", "mt": 18, "er": {"eventId": 7}}, (Ended(7),)),
        ({"t": "1", "mt": 18, "er": {"eventId": "7"}}, (Ended(7),)),
        ({"t": "1", "mt": 34, "esu": {"id": 7, "state": "FINISHED"}}, (Ended(7),)),
        ({"t": "1", "mt": 34, "esu": {"eventId": 7, "state": "NOT_STARTED"}}, (Ended(7),)),
        ({"t": "1", "mt": 34, "esu": {"id": 7, "state": "STARTED"}}, (Started(7),)),
        ({"t": "1", "mt": 34, "esu": {"id": 7, "state": "UNKNOWN"}}, ()),
        ({"t": "1", "mt": 34, "esu": {"id": 7, "state": ["FINISHED"]}}, ()),
        ({"t": "1", "mt": 5, "leo": {"event": {"id": 7}}}, (Started(7),)),
        ({"t": "1", "mt": 4, "ea": {"event": {"id": 7, "state": "NOT_STARTED"}}}, (Announced(7),)),
        ({"t": "1", "mt": 4, "ea": {"event": 7}}, ()),
        ({"t": "1", "mt": 18, "er": {"eventId": "9" * 5000}}, ()),
        ({"t": "1", "mt": 11, "boou": {"eventId": 7, "outcomes": []}}, ()),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_the_life_of_an_event(child, expected):
    assert signs(bulk(child).encode()) == expected
    assert signs(event("message", json.dumps(child)).encode()) == expected, "a bare object is taken, too"


@pytest.mark.parametrize("event_id", [-5, 0, 10**19, "0", "9" * 20, 1.5, True, None])
def test_an_event_whose_id_can_be_none_has_no_life(event_id):
    opened = {"mt": 5, "leo": {"event": {"id": event_id}}}
    started = {"mt": 34, "esu": {"id": event_id, "state": "STARTED"}}
    removed = {"mt": 18, "er": {"eventId": event_id}}
    assert signs(bulk(opened, started, removed).encode()) == ()


@pytest.mark.parametrize("topic", [{}, {"topic": 7}, {"topic": None}], ids=["no topic", "number", "null"])
def test_a_refusal_that_does_not_say_of_what_is_told_all_the_same(topic):
    refusal = {"code": 429, "message": "too many"} | topic
    assert signs(event("error", refusal).encode()) == (Refused(code=429, topic=""),)


def test_a_bulk_that_is_no_string_is_read_as_well():
    assert signs(event("message", [{"mt": 18, "er": {"eventId": 7}}]).encode()) == (Ended(7),)


def test_signs_come_in_the_order_of_the_bulk():
    packet = bulk(
        {"mt": 18, "er": {"eventId": 1}},
        {"mt": 8, "bosu": {"eventId": 2, "betOfferId": 3}},
        "not an object",
        {"mt": 34, "esu": {"id": 1020000003, "state": "STARTED"}},
    )
    assert signs(packet.encode()) == (Ended(1), Started(1020000003))


def test_subscriptions_are_events_with_one_object():
    assert subscribe("k") == '42["subscribe",{"topic":"k"}]'
    assert unsubscribe("k") == '42["unsubscribe",{"topic":"k"}]'


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        (b'42["a"]', engineio.Message(b'2["a"]')),
        (b"4", engineio.Message(b"")),
        (b"2", engineio.Ping("3")),
        (b"2probe", engineio.Ping("3probe")),
        (b"3", engineio.Control()),
        (b"6", engineio.Control()),
        (b"1", engineio.Close()),
        (b"1x", engineio.Message(b"1x")),
        (b"", engineio.Message(b"")),
        (b"b4AAAA", engineio.Message(b"b4AAAA")),
        (b"\xff", engineio.Message(b"\xff")),
    ],
)
def test_engine_io_packets(text, packet):
    assert engineio.read_text(text) == packet


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"40",
        b"0",
        b"0{}",
        b'0{"sid":"x"}',
        b"0[1]",
        b"0\xff",
        b'0{"sid":1,"pingInterval":1,"pingTimeout":1}',
        pytest.param(b'0{"upgrades":' + b"[" * 5_000, id="nested"),
    ],
)
def test_what_is_no_open_packet_is_refused(text):
    assert engineio.read_open(text) is None


def test_the_open_packet_gives_the_longest_silence():
    opened = engineio.read_open(b'0{"sid":"x","upgrades":[],"pingInterval":55000,"pingTimeout":20000,"maxPayload":1}')
    assert opened is not None
    assert opened.silence_s == 75


@pytest.mark.parametrize(
    ("packet", "events"),
    [
        (bulk({"mt": 8, "bosu": {"eventId": 1020000001}}, {"mt": 18, "er": {"eventId": "77"}}), {1020000001, 77}),
        (event("message", [{"mt": 8, "bosu": {"betOfferId": 3, "eventId": 5}}]), {5}),
        ('2["message","[{\\"eventId\\" : 5},{\\"eventId\\":', {5}),
        (bulk({"mt": 4, "ea": {"event": {"id": 5}}}), set()),
        ("", set()),
    ],
    ids=["in a string", "bare", "broken", "under another name", "nothing"],
)
def test_events_of_messages_are_found_without_reading_them(packet, events):
    assert events_named(packet.encode()) == events
